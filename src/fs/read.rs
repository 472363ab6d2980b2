//! Reading within limits: a file is untrusted, its size too.

use std::{
    ffi::OsStr,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    FsError,
    folder::{Folder, Kind},
};

use crate::model;

/// Reads a regular file of at most `limit` bytes.
pub fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>, FsError> {
    all(open(path)?, path, limit)
}

/// Opens a regular file, links followed.
pub(super) fn open(path: &Path) -> Result<File, FsError> {
    // Looked at before opening: opening a named pipe would wait for a writer for ever.
    let meta = std::fs::metadata(path).map_err(|e| FsError::io("read", path, e))?;
    if !meta.is_file() {
        return Err(FsError::NotAFile {
            path: path.to_owned(),
        });
    }
    File::open(path).map_err(|e| FsError::io("read", path, e))
}

/// The rest of an open file, of at most `limit` bytes.
pub(super) fn all(file: File, path: &Path, limit: u64) -> Result<Vec<u8>, FsError> {
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

/// Opens no link, and waits for nobody at the other end of a pipe.
pub(super) fn no_link(options: &mut std::fs::OpenOptions) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
        options.custom_flags(flags.bits().try_into().unwrap_or_default());
    }
    #[cfg(not(unix))]
    let _ = options;
}

/// Reads a regular file of at most `limit` bytes in an open folder; `path` is how it is called.
pub(super) fn read_in(
    folder: &Folder,
    name: &OsStr,
    path: &Path,
    limit: u64,
) -> Result<Vec<u8>, FsError> {
    all(open_in(folder, name, path)?, path, limit)
}

/// Opens a regular file in an open folder, not what a link leads to.
pub(super) fn open_in(folder: &Folder, name: &OsStr, path: &Path) -> Result<File, FsError> {
    let failed = |e| FsError::io("read", path, e);
    refuse_other(folder.kind(name).map_err(failed)?, path)?;
    regular(folder.open_for_reading(name).map_err(failed)?, path, "read")
}

/// Fails at what is there and not a file.
pub(super) fn refuse_other(there: Option<Kind>, path: &Path) -> Result<(), FsError> {
    let path = || path.to_owned();
    match there {
        Some(Kind::Link) => Err(FsError::Linked { path: path() }),
        Some(Kind::Other) => Err(FsError::NotAFile { path: path() }),
        Some(Kind::File(_)) | None => Ok(()),
    }
}

/// What was opened, if that is a file.
pub(super) fn regular(file: File, path: &Path, action: &'static str) -> Result<File, FsError> {
    let meta = file.metadata().map_err(|e| FsError::io(action, path, e))?;
    if meta.is_file() {
        Ok(file)
    } else {
        Err(FsError::NotAFile {
            path: path.to_owned(),
        })
    }
}

/// Opens a regular file with these options; not what a link leads to.
pub(super) fn open_file(
    path: &Path,
    options: &mut std::fs::OpenOptions,
    action: &'static str,
) -> Result<File, FsError> {
    let there = || {
        let meta = path.symlink_metadata().ok()?;
        let path = path.to_owned();
        match meta.file_type() {
            kind if kind.is_symlink() => Some(FsError::Linked { path }),
            kind if kind.is_file() => None,
            _ => Some(FsError::NotAFile { path }),
        }
    };
    if let Some(error) = there() {
        return Err(error);
    }
    no_link(options);
    let file = options
        .open(path)
        .map_err(|e| there().unwrap_or_else(|| FsError::io(action, path, e)))?;
    regular(file, path, action)
}

/// Whether a link stands on the way to a file: then somebody else chose which one it is.
pub fn by_link(path: &Path) -> bool {
    path.ancestors().any(Path::is_symlink)
}

/// Reads a UTF-8 text file of at most `limit` bytes.
pub fn read_text(path: &Path, limit: u64) -> Result<String, FsError> {
    text(read_limited(path, limit)?, path)
}

/// What was read of a file, as text.
pub(super) fn text(bytes: Vec<u8>, path: &Path) -> Result<String, FsError> {
    String::from_utf8(bytes).map_err(|e| FsError::NotUtf8 {
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
    model::sort(&mut found, |a, b| a.path.cmp(&b.path));
    Ok(found)
}
