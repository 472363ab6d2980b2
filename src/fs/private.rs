//! Folders and files that only their owner may read.

use std::{fs, path::Path};

use super::FsError;

/// Whether something that others could read was made private just now; worth a warning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Repaired {
    /// It was private already, or is not there.
    No,
    /// Others could read it until now.
    Yes,
}

/// Creates `path` and its parents; `path` itself is for its owner alone (0700).
pub fn ensure_private_dir(path: &Path) -> Result<Repaired, FsError> {
    let failed = |e| FsError::io("create", path, e);
    if path.is_dir() {
        return restrict(path, 0o700);
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(path) {
        // Another process was quicker.
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => {
            restrict(path, 0o700)
        }
        other => other.map(|()| Repaired::No).map_err(failed),
    }
}

/// Refuses a symbolic link; what is not there is none.
pub fn refuse_link(path: &Path) -> Result<(), FsError> {
    match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_symlink() => Err(FsError::Linked {
            path: path.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Takes the rights of others away from a file that holds a secret.
pub fn repair_private_file(path: &Path) -> Result<Repaired, FsError> {
    restrict(path, 0o600)
}

#[cfg(unix)]
fn restrict(path: &Path, mode: u32) -> Result<Repaired, FsError> {
    use std::os::unix::fs::PermissionsExt;
    let meta = match fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Repaired::No),
        Err(e) => return Err(FsError::io("read", path, e)),
    };
    if meta.permissions().mode().trailing_zeros() >= 6 {
        return Ok(Repaired::No);
    }
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .map_err(|e| FsError::io("make private", path, e))?;
    Ok(Repaired::Yes)
}

#[cfg(not(unix))]
fn restrict(_path: &Path, _mode: u32) -> Result<Repaired, FsError> {
    // A user's profile is private by its inherited access list there.
    Ok(Repaired::No)
}
