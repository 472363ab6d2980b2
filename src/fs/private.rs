//! Folders and files that only their owner may read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::FsError;

/// Something private that others could read until now; worth a warning.
#[derive(Debug)]
#[must_use]
pub struct InsecurePermissions {
    /// The file or folder.
    pub path: PathBuf,
    /// Why others still can, if they can.
    pub still: Option<FsError>,
}

/// Makes a folder for its owner alone (0700), and so every folder above it that is missing. What is
/// there stays as it is.
pub fn ensure_private_dir(path: &Path) -> Result<(), FsError> {
    let failed = |e| FsError::io("create", path, e);
    if path.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(path) {
        // Another process was quicker.
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other.map_err(failed),
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

/// Takes the rights of others away from a file or folder. `None` where they had none, where there
/// is nothing, and where there is a link: what lies behind it may be meant for others.
#[cfg(unix)]
pub fn restrict(path: &Path) -> Option<InsecurePermissions> {
    use std::{io, os::unix::fs::PermissionsExt};
    let open = |meta: &fs::Metadata| meta.permissions().mode().trailing_zeros() < 6;
    let meta = fs::symlink_metadata(path).ok()?;
    let mode = match meta.file_type() {
        kind if kind.is_dir() => 0o700,
        kind if kind.is_file() => 0o600,
        _ => return None,
    };
    if !open(&meta) {
        return None;
    }
    let changed = fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .and_then(|()| fs::symlink_metadata(path))
        .and_then(|meta| {
            // Some file systems take any mode and keep none.
            let why = "its file system keeps no permissions";
            (!open(&meta))
                .then_some(())
                .ok_or_else(|| io::Error::other(why))
        });
    Some(InsecurePermissions {
        path: path.to_owned(),
        still: changed.err().map(|e| FsError::io("make private", path, e)),
    })
}

/// A user's profile is private by its inherited access list.
#[cfg(not(unix))]
pub fn restrict(_path: &Path) -> Option<InsecurePermissions> {
    None
}

/// The same for the file that a link leads to: some people keep their own files elsewhere.
pub fn restrict_target(path: &Path) -> Option<InsecurePermissions> {
    restrict(&fs::canonicalize(path).ok()?)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn what_others_can_read_is_theirs_no_more() {
        let dir = tempfile::tempdir().unwrap();
        let (file, folder) = (dir.path().join("file"), dir.path().join("folder"));
        super::super::write(&file, b"x", super::super::Visibility::Private).unwrap();
        ensure_private_dir(&folder).unwrap();
        for (path, loose, tight) in [(&file, 0o640, 0o600), (&folder, 0o701, 0o700)] {
            assert_eq!(mode(path), tight);
            assert!(restrict(path).is_none());
            fs::set_permissions(path, fs::Permissions::from_mode(loose)).unwrap();
            let found = restrict(path).unwrap();
            assert!(found.still.is_none() && found.path == *path);
            assert_eq!(mode(path), tight);
        }
        assert!(restrict(&dir.path().join("nothing")).is_none());
    }

    #[test]
    fn nothing_is_changed_behind_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        super::super::write(&file, b"x", super::super::Visibility::Private).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&file, &link).unwrap();
        assert!(restrict(&link).is_none());
        assert_eq!(mode(&file), 0o644);
        assert!(restrict_target(&link).is_some());
        assert_eq!(mode(&file), 0o600);
    }

    // Its files can be read by all, and their mode can be changed by nobody.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_cannot_be_changed_is_said() {
        let found = restrict(Path::new("/proc/self/status")).unwrap();
        let why = found.still.unwrap().to_string();
        assert!(
            why.contains("could not make private /proc/self/status"),
            "{why}"
        );
    }
}
