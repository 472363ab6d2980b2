//! Settings that are well written and can never work. The commands that need them refuse each for
//! itself; `validate` needs none of them, and tells all.

use super::team;
use crate::{approval::Requirement, base::signers, config::Project, syntax::Problem};

/// What can never work in `connplan.toml`.
pub fn unworkable(project: &Project) -> Vec<Problem> {
    let mut problems = unworkable_store(project);
    problems.extend(unworkable_approval(project));
    problems
}

/// The same of `[store]`.
pub fn unworkable_store(project: &Project) -> Vec<Problem> {
    let url = team::place_in_settings(project).err();
    let url = url.map(|why| project.setting_problem(&["store", "url"], why));
    let keep = team::keep_in_settings(project).err();
    let keep = keep.map(|why| project.setting_problem(&["store", "keep"], why));
    url.into_iter().chain(keep).collect()
}

/// The same of `[approval]`.
pub fn unworkable_approval(project: &Project) -> Option<Problem> {
    let approval = &project.settings.approval;
    if approval.require == Some(Requirement::Signature) && approval.signers.is_none() {
        let message = "`require` in [approval] demands signatures, but no `signers` names the file with the keys \
                       that count: no plan can ever be approved";
        return Some(project.setting_problem(&["approval", "require"], message.to_owned()));
    }
    let why = signers(project, approval).err()?.told();
    let message = format!("`signers` in [approval] cannot be used: {why}");
    Some(project.setting_problem(&["approval", "signers"], message))
}
