//! Reading within limits: a file is untrusted, its size too.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::FsError;

/// Reads a regular file of at most `limit` bytes.
pub fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, FsError> {
    // Looked at before opening: opening a named pipe would wait for a writer for ever.
    let meta = std::fs::metadata(path).map_err(|e| FsError::io("read", path, e))?;
    if !meta.is_file() {
        return Err(FsError::NotAFile {
            path: path.to_owned(),
        });
    }
    let file = File::open(path).map_err(|e| FsError::io("read", path, e))?;
    let mut bytes = Vec::new();
    // One more than allowed, so that a file that grows meanwhile is noticed too.
    file.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| FsError::io("read", path, e))?;
    if bytes.len() as u64 > limit {
        return Err(FsError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

/// Reads a UTF-8 text file of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FsError> {
    String::from_utf8(read_limited(path, limit)?).map_err(|e| FsError::NotUtf8 {
        path: path.to_owned(),
        offset: e.utf8_error().valid_up_to(),
    })
}

/// A file in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// When it was written last.
    pub written: SystemTime,
}

/// The regular files of a folder, links left out, in order of name; none where there is no folder.
pub fn files(folder: &Path) -> Result<Vec<Found>, FsError> {
    let failed = |e| FsError::io("read", folder, e);
    let entries = match std::fs::read_dir(folder).map_err(failed) {
        Err(e) if e.is_not_found() => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        // One that is gone meanwhile is none.
        if let Ok(meta) = entry.metadata()
            && meta.is_file()
        {
            let written = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            found.push(Found {
                path: entry.path(),
                written,
            });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}
