//! Adding to a file that others add to as well: what a CI runner collects.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
};

use super::{
    FsError,
    folder::Folder,
    read::{open_file, refuse_other, regular},
};

/// Adds text to the end of a file, in one write; makes the file if it is not there.
pub fn append(path: &Path, text: &str) -> Result<(), FsError> {
    let failed = |e| FsError::io("write", path, e);
    let mut options = OpenOptions::new();
    let mut file = open_file(path, options.create(true).append(true), "write")?;
    super::full::take(text.len()).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

/// Opens a file that others may not read, for writing; makes it if it is not there. Goes by the handle
/// of its folder and follows no link at its name.
pub fn open_private(path: &Path) -> Result<File, FsError> {
    let failed = |e| FsError::io("write", path, e);
    let name = path.file_name().ok_or_else(|| FsError::NotAFile {
        path: path.to_owned(),
    })?;
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let folder = Folder::open(parent.unwrap_or(Path::new("."))).map_err(failed)?;
    refuse_other(folder.kind(name).map_err(failed)?, path)?;
    let file = folder.open_for_writing(name, 0o600).map_err(failed)?;
    regular(file, path, "write")
}

/// How many bytes a file has; none if it is not there.
pub fn size(path: &Path) -> Result<u64, FsError> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() => Ok(meta.len()),
        Ok(_) => Err(FsError::NotAFile {
            path: path.to_owned(),
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(0),
        Err(e) => Err(FsError::io("read", path, e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_opened_through_no_link() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let (path, link) = (dir.path().join("journal"), dir.path().join("link"));
        drop(open_private(&path).unwrap());
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        drop(open_private(&path).unwrap());
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert!(matches!(open_private(&link), Err(FsError::Linked { .. })));
        let found = open_private(dir.path());
        assert!(matches!(found, Err(FsError::NotAFile { .. })));
    }

    #[test]
    fn what_was_there_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("summary");
        assert_eq!(size(&path).unwrap(), 0);
        append(&path, "one\n").unwrap();
        append(&path, "two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(size(&path).unwrap(), 8);
        assert!(matches!(size(dir.path()), Err(FsError::NotAFile { .. })));
    }
}
