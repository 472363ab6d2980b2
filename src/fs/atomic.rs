//! Writing whole or not at all.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
};

use tempfile::{Builder, NamedTempFile};

use super::FsError;

/// How the temporary files of writes under way are called.
const PREFIX: &str = ".connplan-";
const SUFFIX: &str = ".tmp";

/// Who may read what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// The owner alone (0600 from the first byte on): tokens, links, connection ids.
    Private,
    /// As the file was before, else as the process's umask says: plans, receipts, connector files.
    Shared,
}

/// Replaces `path` with `bytes`: a temporary file beside it, flushed to disk, then renamed over it,
/// then the folder flushed. After a crash at any point there is the old file or the new one.
pub fn write(path: &Path, bytes: &[u8], visibility: Visibility) -> Result<(), FsError> {
    stage(path, bytes, visibility)?.commit()
}

/// New content that lies on the disk beside its place, complete. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Staged {
    path: PathBuf,
    target: PathBuf,
    file: NamedTempFile,
}

/// Does all of [`write()`] but the last step, which hardly ever fails. Several files are staged
/// before the first one is replaced.
pub fn stage(path: &Path, bytes: &[u8], visibility: Visibility) -> Result<Staged, FsError> {
    let failed = |e| FsError::io("write", path, e);
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // A link is written through, so that it stays a link.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(folder);

    remove_leftovers_once(folder);
    let mut file = temporary(folder, visibility).map_err(failed)?;
    if visibility == Visibility::Shared
        && let Ok(meta) = fs::metadata(&target)
    {
        file.as_file()
            .set_permissions(meta.permissions())
            .map_err(failed)?;
    }
    file.write_all(bytes).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    Ok(Staged {
        path: path.to_owned(),
        target,
        file,
    })
}

/// A temporary file that says by its lock that somebody is at work on it.
fn temporary(folder: &Path, visibility: Visibility) -> std::io::Result<NamedTempFile> {
    let mut builder = Builder::new();
    builder.prefix(PREFIX).suffix(SUFFIX);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The mode is given at creation and reduced by the umask there, as for any new file.
        let mode = match visibility {
            Visibility::Private => 0o600,
            Visibility::Shared => 0o666,
        };
        builder.permissions(fs::Permissions::from_mode(mode));
    }
    loop {
        let file = builder.tempfile_in(folder)?;
        // Where there are no locks nobody takes it for a leftover either.
        let locked = file.as_file().lock().is_ok();
        // Before it was locked, another connplan may have taken it for one.
        if !locked || file.path().exists() {
            return Ok(file);
        }
    }
}

impl Staged {
    /// Puts the content in its place, over whatever is there.
    pub fn commit(self) -> Result<(), FsError> {
        let failed = |e| FsError::io("write", &self.path, e);
        super::crash::point();
        self.file
            .persist(&self.target)
            .map_err(|e| failed(e.error))?;
        sync_folder(folder_of(&self.target)).map_err(failed)?;
        super::crash::point();
        Ok(())
    }

    /// Puts the content in its place if nothing is there, not even a link to nowhere.
    pub fn commit_new(self) -> Result<(), FsError> {
        let failed = |e| FsError::io("write", &self.path, e);
        self.file
            .persist_noclobber(&self.path)
            .map_err(|e| failed(e.error))?;
        sync_folder(folder_of(&self.path)).map_err(failed)
    }
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Writes a file that is not there yet; an error if something is.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FsError> {
    stage(path, bytes, Visibility::Shared)?.commit_new()
}

/// Creates a folder that everybody may read, and its parents.
pub fn ensure_dir(path: &Path) -> Result<(), FsError> {
    fs::create_dir_all(path).map_err(|e| FsError::io("create", path, e))
}

/// Fails if `path` could not be written, or not with so many bytes, before anything depends on it.
/// Leaves nothing behind.
pub fn probe_writable(path: &Path, bytes: usize) -> Result<(), FsError> {
    if path.is_dir() {
        return Err(FsError::NotAFile {
            path: path.to_owned(),
        });
    }
    let failed = |e| FsError::io("write", path, e);
    let mut file = Builder::new()
        .prefix(PREFIX)
        .suffix(SUFFIX)
        .tempfile_in(folder_of(path))
        .map_err(failed)?;
    // Only what is written for good takes up room: some file systems find out late.
    file.write_all(&vec![0x23; bytes])
        .and_then(|()| file.as_file().sync_all())
        .map_err(failed)
}

/// [`remove_leftovers()`] before this process's first write in `folder`.
fn remove_leftovers_once(folder: &Path) {
    static DONE: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());
    let first = DONE
        .lock()
        .is_ok_and(|mut done| done.insert(folder.to_owned()));
    if first {
        remove_leftovers(folder);
    }
}

/// Removes what writes that a crash cut short have left in `folder`: temporary files that nobody holds
/// a lock on.
pub fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || !name.starts_with(PREFIX) || !name.ends_with(SUFFIX) {
            continue;
        }
        // What can not be opened, locked or removed is somebody else's, and in nobody's way.
        let Ok(file) = fs::File::options().write(true).open(entry.path()) else {
            continue;
        };
        if file.try_lock().is_ok() {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Makes the creation of `path` last.
pub fn sync_parent(path: &Path) -> Result<(), FsError> {
    match path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        Some(parent) => sync_folder(parent).map_err(|e| FsError::io("write", parent, e)),
        None => Ok(()),
    }
}

/// Makes a rename in `folder` last. Windows has no such call and needs none.
pub(super) fn sync_folder(folder: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    fs::File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_go_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".connplan-x1.tmp", "pending.toml", ".connplan-x.toml"] {
            fs::File::create(dir.path().join(name)).unwrap();
        }
        fs::create_dir(dir.path().join(".connplan-x2.tmp")).unwrap();
        remove_leftovers(dir.path());
        assert!(!dir.path().join(".connplan-x1.tmp").exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3);
    }

    #[test]
    fn what_is_under_way_is_no_leftover() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("first");
        let first = stage(&path, b"1", Visibility::Shared).unwrap();
        write(&dir.path().join("second"), b"2", Visibility::Shared).unwrap();
        first.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"1");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
    }

    #[cfg(unix)]
    #[test]
    fn private_files_are_private_even_over_an_open_one() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        write(&path, b"open", Visibility::Shared).unwrap();
        write(&path, b"secret", Visibility::Private).unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(fs::read(&path).unwrap(), b"secret");
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no temporary file stays"
        );
    }
}
