//! Adding to a file that others add to as well: what a CI runner collects.

use std::{fs::OpenOptions, io::Write, path::Path};

use super::{FsError, read::open_file};

/// Adds text to the end of a file, in one write; makes the file if it is not there.
pub fn append(path: &Path, text: &str) -> Result<(), FsError> {
    let failed = |e| FsError::io("write", path, e);
    let mut options = OpenOptions::new();
    let mut file = open_file(path, options.create(true).append(true), "write")?;
    super::full::take(text.len()).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
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
