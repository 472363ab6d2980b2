//! Whose signatures count by the settings of this checkout.

use std::path::Path;

use crate::{
    approval::{ApprovalError, Signers},
    config::Project,
    context::{ExitStatus, Failure},
    escape,
    fs::{self, FsError},
    syntax::ApprovalSettings,
};

/// More than any file of signers has.
const LIMIT: u64 = 1 << 20;

/// Whose signatures count by these settings of this checkout, if anybody's do.
pub fn signers(project: &Project, settings: &ApprovalSettings) -> Result<Option<Signers>, Failure> {
    let home = project.settings_file.as_deref().and_then(Path::parent);
    let (Some(name), Some(home)) = (&settings.signers, home) else {
        return Ok(None);
    };
    let path = home.join(name);
    let file = escape::limited(&project.shown(&path), 200);
    let bytes = match fs::read_confined(&[&project.root], project.owners, &path, LIMIT) {
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
