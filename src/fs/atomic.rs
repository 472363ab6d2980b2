//! Writing whole or not at all, and only where told: no writer here follows a link, replaces what
//! is not a regular file, or leaves a run bit on what it wrote.

use std::{
    collections::BTreeSet,
    ffi::{OsStr, OsString},
    fs::{self, File},
    hash::{BuildHasher, RandomState},
    io::{BufWriter, Read, Write},
    path::{Path, PathBuf},
    sync::Mutex,
};

use super::{
    FsError,
    folder::{Folder, Kind},
    read::{read_in, text},
};

/// How the temporary files of writes under way are called.
const PREFIX: &str = ".connplan-";
const SUFFIX: &str = ".tmp";

/// Who may read what is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// The owner alone (0600 from the first byte on): tokens, links, connection ids.
    Private,
    /// As the file was before, without its run bits, else as the process's umask says: plans,
    /// receipts, connector files.
    Shared,
}

/// Replaces `path` with `bytes`: a temporary file beside it, flushed to disk, then renamed over it,
/// then the folder flushed. After a crash at any point there is the old file or the new one.
pub fn write(path: &Path, bytes: &[u8], visibility: Visibility) -> Result<(), FsError> {
    write_with(path, visibility, |out| out.write_all(bytes))
}

/// The same of what `fill` writes: long content is never there as a whole.
pub fn write_with(
    path: &Path,
    visibility: Visibility,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), FsError> {
    stage_with(path, visibility, fill)?.commit()
}

/// New content that lies on the disk beside its place, complete. Dropped, it leaves nothing behind.
#[derive(Debug)]
pub struct Staged {
    place: Place,
    temporary: Temporary,
}

/// A folder and a name in it.
#[derive(Clone, Debug)]
struct Place {
    path: PathBuf,
    folder: Folder,
    name: OsString,
}

/// A file that goes unless it is put in its place.
#[derive(Debug)]
struct Temporary {
    folder: Folder,
    name: OsString,
    // Held for its lock, which says that somebody is at work on it.
    file: File,
    placed: bool,
}

impl Place {
    fn open(path: &Path) -> Result<Self, FsError> {
        Self::with(path, || Folder::open(folder_of(path)))
    }

    fn with(
        path: &Path,
        folder: impl FnOnce() -> std::io::Result<Folder>,
    ) -> Result<Self, FsError> {
        let Some(name) = path.file_name() else {
            return Err(FsError::NotAFile {
                path: path.to_owned(),
            });
        };
        let folder = folder().map_err(|e| FsError::io("write", path, e))?;
        Ok(Self {
            path: path.to_owned(),
            folder,
            name: name.to_owned(),
        })
    }

    /// What stands there, if it may be written over: the file's mode, or `None` for nothing.
    fn replaceable(&self) -> Result<Option<u32>, FsError> {
        let path = self.path.clone();
        match self.folder.kind(&self.name) {
            Ok(None) => Ok(None),
            Ok(Some(Kind::File(mode))) => Ok(Some(mode)),
            Ok(Some(Kind::Link)) => Err(FsError::Linked { path }),
            Ok(Some(Kind::Other)) => Err(FsError::NotAFile { path }),
            Err(e) => Err(FsError::io("write", path, e)),
        }
    }
}

/// A file to be written later, in a folder that is open since it was looked at: whoever puts another folder
/// or a link in its place meanwhile leads nobody there.
#[derive(Debug)]
pub struct Destination(Place);

impl Destination {
    /// The file of this name in a folder.
    pub(super) fn in_folder(path: &Path, folder: &Folder) -> Result<Self, FsError> {
        Place::with(path, || Ok(folder.clone())).map(Self)
    }

    /// The file that `path` names, in this folder, whose path holds no link any more.
    pub(super) fn in_resolved(path: &Path, folder: &Path) -> Result<Self, FsError> {
        Place::with(path, || Folder::open_resolved(folder)).map(Self)
    }

    /// The path as the user gave it, to be shown.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Writes it as [`write()`] does; everybody may read it whom the process's umask lets.
    pub fn write(&self, bytes: &[u8]) -> Result<(), FsError> {
        self.stage(bytes)?.commit()
    }

    /// The same for its owner's eyes.
    pub fn write_private(&self, bytes: &[u8]) -> Result<(), FsError> {
        self.stage_as(bytes, Visibility::Private)?.commit()
    }

    /// Writes it if it is not there yet; an error if something is.
    pub fn write_new(&self, bytes: &[u8]) -> Result<(), FsError> {
        if matches!(self.0.folder.kind(&self.0.name), Ok(Some(_))) {
            let there = std::io::ErrorKind::AlreadyExists.into();
            return Err(FsError::io("write", &self.0.path, there));
        }
        self.stage(bytes)?.commit_new()
    }

    /// Does all of [`Destination::write`] but the last step, which hardly ever fails. Several files are
    /// staged before the first one is replaced.
    pub fn stage(&self, bytes: &[u8]) -> Result<Staged, FsError> {
        self.stage_as(bytes, Visibility::Shared)
    }

    fn stage_as(&self, bytes: &[u8], visibility: Visibility) -> Result<Staged, FsError> {
        let fill = |out: &mut dyn Write| out.write_all(bytes);
        // Wherever the path leads by now, nothing but leftovers goes.
        remove_leftovers_once(folder_of(&self.0.path));
        stage_in(self.0.clone(), visibility, fill)
    }

    /// Reads what is there, of at most `limit` bytes.
    pub fn read_text(&self, limit: u64) -> Result<String, FsError> {
        let Place { path, folder, name } = &self.0;
        text(read_in(folder, name, path, limit)?, path)
    }

    /// Removes it, a link as such, and makes that last. No error if it is not there.
    pub fn remove(&self) -> Result<(), FsError> {
        let Place { path, folder, name } = &self.0;
        let removed = match folder.remove(name) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            removed => removed.and_then(|()| folder.sync()),
        };
        removed.map_err(|e| FsError::io("remove", path, e))
    }

    /// As [`probe_writable()`].
    pub fn probe_writable(&self, bytes: usize) -> Result<(), FsError> {
        probe(&self.0, bytes)
    }
}

fn stage_with(
    path: &Path,
    visibility: Visibility,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<Staged, FsError> {
    let place = Place::open(path)?;
    place.replaceable()?;
    remove_leftovers_once(folder_of(path));
    stage_in(place, visibility, fill)
}

fn stage_in(
    place: Place,
    visibility: Visibility,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<Staged, FsError> {
    let failed = |e| FsError::io("write", &place.path, e);
    let before = place.replaceable()?;
    let temporary = temporary(&place.folder, visibility).map_err(failed)?;
    #[cfg(unix)]
    if visibility == Visibility::Shared
        && let Some(mode) = before
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::Permissions::from_mode(mode & 0o666);
        temporary.file.set_permissions(mode).map_err(failed)?;
    }
    #[cfg(not(unix))]
    let _ = before;
    {
        let mut out = BufWriter::with_capacity(1 << 16, Filling(&temporary.file));
        let filled = fill(&mut out).and_then(|()| out.flush());
        filled.map_err(failed)?;
    }
    temporary.file.sync_all().map_err(failed)?;
    Ok(Staged { place, temporary })
}

/// A file on a disk that tests may fill.
struct Filling<'a>(&'a File);

impl Write for Filling<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        super::full::take(bytes.len())?;
        self.0.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// A temporary file in this folder that says by its lock that somebody is at work on it.
fn temporary(folder: &Folder, visibility: Visibility) -> std::io::Result<Temporary> {
    // The mode is given at creation and reduced by the umask there, as for any new file.
    let mode = match visibility {
        Visibility::Private => 0o600,
        Visibility::Shared => 0o666,
    };
    loop {
        let name = RandomState::new().hash_one(std::process::id());
        let name = OsString::from(format!("{PREFIX}{name:016x}{SUFFIX}"));
        let folder = folder.clone();
        let file = match folder.create(&name, mode) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => continue,
            Err(e) => return Err(e),
        };
        // Where there are no locks nobody takes it for a leftover either.
        let locked = file.lock().is_ok();
        let temporary = Temporary {
            folder,
            name,
            file,
            placed: false,
        };
        // Before it was locked, another connplan may have taken it for one.
        if !locked || temporary.folder.kind(&temporary.name)?.is_some() {
            return Ok(temporary);
        }
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.placed {
            let _ = self.folder.remove(&self.name);
        }
    }
}

impl Staged {
    /// Puts the content in its place, over the file that is there. What was put there meanwhile and
    /// is not a file stays.
    pub fn commit(self) -> Result<(), FsError> {
        self.place.replaceable()?;
        super::crash::point();
        self.put(Folder::replace)?;
        super::crash::point();
        Ok(())
    }

    /// Puts the content in its place if nothing is there, not even a link to nowhere.
    pub fn commit_new(self) -> Result<(), FsError> {
        self.put(Folder::place_new)
    }

    fn put(
        mut self,
        how: impl Fn(&Folder, &OsStr, &OsStr) -> std::io::Result<()>,
    ) -> Result<(), FsError> {
        let Place { path, folder, name } = &self.place;
        let failed = |e| FsError::io("write", path, e);
        how(folder, &self.temporary.name, name).map_err(failed)?;
        self.temporary.placed = true;
        folder.sync().map_err(failed)
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
    Destination(Place::open(path)?).write_new(bytes)
}

/// Creates a folder that everybody may read, and its parents.
pub fn ensure_dir(path: &Path) -> Result<(), FsError> {
    fs::create_dir_all(path).map_err(|e| FsError::io("create", path, e))
}

/// Fails if `path` could not be written, or not with so many bytes, before anything depends on it.
/// Leaves nothing behind.
pub fn probe_writable(path: &Path, bytes: usize) -> Result<(), FsError> {
    probe(&Place::open(path)?, bytes)
}

fn probe(place: &Place, bytes: usize) -> Result<(), FsError> {
    let failed = |e| FsError::io("write", &place.path, e);
    place.replaceable()?;
    let mut temporary = temporary(&place.folder, Visibility::Private).map_err(failed)?;
    // Only what is written for good takes up room: some file systems find out late.
    super::full::room(bytes)
        .and_then(|()| fill(&mut temporary.file, bytes))
        .and_then(|()| temporary.file.sync_all())
        .map_err(failed)
}

/// Writes so many bytes, and holds few.
fn fill(file: &mut File, bytes: usize) -> std::io::Result<()> {
    let mut source = std::io::repeat(b'#').take(bytes as u64);
    std::io::copy(&mut source, file).map(|_| ())
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

/// Whether a name is that of a write under way, or of one that a crash cut short.
pub fn is_leftover(name: &OsStr) -> bool {
    let name = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    let random = name.and_then(|name| name.strip_suffix(SUFFIX));
    random.is_some_and(|random| {
        let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        random.len() == 16 && random.bytes().all(hex)
    })
}

/// Removes what writes that a crash cut short have left in `folder`: temporary files that nobody holds
/// a lock on.
pub fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let is_file = entry.file_type().is_ok_and(|kind| kind.is_file());
        if !is_file || !is_leftover(&entry.file_name()) {
            continue;
        }
        // What cannot be opened, locked or removed is somebody else's, and in nobody's way.
        let mut options = File::options();
        options.write(true);
        super::read::no_link(&mut options);
        let Ok(file) = options.open(entry.path()) else {
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
    Folder::open(folder)?.sync()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_go_and_the_rest_stays() {
        let dir = tempfile::tempdir().unwrap();
        let left = ".connplan-0123456789abcdef.tmp";
        for name in [
            left,
            "pending.toml",
            ".connplan-notes.tmp",
            ".connplan-x.toml",
        ] {
            File::create(dir.path().join(name)).unwrap();
        }
        fs::create_dir(dir.path().join(".connplan-0123456789abcde0.tmp")).unwrap();
        remove_leftovers(dir.path());
        assert!(!dir.path().join(left).exists());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 4);
    }

    #[test]
    fn what_is_under_way_is_no_leftover() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("first");
        let first = Destination(Place::open(&path).unwrap());
        let first = first.stage(b"1").unwrap();
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
