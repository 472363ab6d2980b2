//! Removing one file for good.

use std::{fs, io, path::Path};

use super::{FsError, atomic::sync_folder};

/// Removes a file, and makes that last. `false` if there was none.
pub fn remove(path: &Path) -> Result<bool, FsError> {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(FsError::io("remove", path, e)),
    }
    if let Some(folder) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        sync_folder(folder).map_err(|e| FsError::io("remove", path, e))?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn removing_twice_is_no_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        super::super::write(&path, b"x", super::super::Visibility::Private).unwrap();
        assert!(remove(&path).unwrap());
        assert!(!remove(&path).unwrap());
    }
}
