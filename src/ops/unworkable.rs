//! Settings that are well written and can never work. The commands that need them refuse each for
//! itself; `validate` needs none of them, and tells all.

use std::path::Path;

use super::team;
use crate::{
    approval::{ApprovalError, Requirement, Signers},
    config::Project,
    context::{ExitStatus, Failure},
    escape,
    fs::{self, FsError},
    syntax::{ApprovalSettings, Problem},
};

/// More than any file of signers has.
const LIMIT: u64 = 1 << 20;

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

/// Whose signatures count by these settings of this checkout, if anybody's do.
pub fn signers(project: &Project, settings: &ApprovalSettings) -> Result<Option<Signers>, Failure> {
    let home = project.settings_file.as_deref().and_then(Path::parent);
    let (Some(name), Some(home)) = (&settings.signers, home) else {
        return Ok(None);
    };
    let path = home.join(name);
    let file = escape::limited(&project.shown(&path), 200);
    let bytes = match fs::read_confined(&[&project.root], &path, LIMIT) {
        Err(FsError::NotFound { .. }) => {
            let missing = ApprovalError::NoSignersFile { file };
            return Err(Failure::new(ExitStatus::Error, missing));
        }
        read => read?,
    };
    let text = String::from_utf8_lossy(&bytes);
    let signers = Signers::parse(&file, &text).map_err(ApprovalError::from)?;
    Ok(Some(signers))
}
