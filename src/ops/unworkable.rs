//! Settings that are well written and can never work. The commands that need them refuse each for
//! itself; `validate` needs none of them, and tells all.

use super::team;
use crate::{approval::Requirement, config::Project, syntax::Problem};

/// What can never work in `connplan.toml`.
pub fn unworkable(project: &Project) -> Vec<Problem> {
    let settings = &project.settings;
    let mut problems = Vec::new();
    let mut tell = |path: &[&str], message| {
        problems.push(project.setting_problem(path, message));
    };
    if let Err(why) = team::place_in_settings(project) {
        tell(&["store", "url"], why);
    }
    if let Err(why) = team::keep_in_settings(project) {
        tell(&["store", "keep"], why);
    }
    let approval = &settings.approval;
    if approval.require == Some(Requirement::Signature) && approval.signers.is_none() {
        let message = "`require` in [approval] demands signatures, and no `signers` names the file that \
                       lists whose count: no plan can ever be approved";
        tell(&["approval", "require"], message.to_owned());
    }
    problems
}
