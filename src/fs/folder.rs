//! One open folder, and what is done to the names in it.
//!
//! On Unix every call goes by the folder's handle, so that whoever swaps a part of its path for a
//! link meanwhile leads nobody elsewhere. No call follows a link at the name itself.

use std::{ffi::OsStr, fs::File, io, path::Path};

/// What stands at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A regular file, with its permission bits (0 where the system has none).
    File(u32),
    /// A symbolic link, wherever it leads.
    Link,
    /// A folder, a pipe, a device, a socket.
    Other,
}

#[cfg(unix)]
use std::{
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
};

#[cfg(unix)]
#[derive(Clone, Debug)]
pub(super) struct Folder(Arc<OwnedFd>);

/// How a folder is come to.
#[cfg(unix)]
#[derive(Clone, Copy)]
struct Way {
    /// Whether what is not there is made.
    makes: bool,
    /// Whether it is to be listed, or made to last.
    lists: bool,
}

#[cfg(unix)]
impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(path, flags, Mode::empty())?;
        Ok(Self(Arc::new(folder)))
    }

    /// Opens a folder by a path in which every link is resolved already: what is a link by now was put
    /// there meanwhile, and is not followed.
    pub(super) fn open_resolved(path: &Path) -> io::Result<Self> {
        Self::by_parts(
            path,
            Way {
                makes: false,
                lists: true,
            },
        )
    }

    /// The same, and makes what is not there.
    pub(super) fn make_resolved(path: &Path) -> io::Result<Self> {
        Self::by_parts(
            path,
            Way {
                makes: true,
                lists: true,
            },
        )
    }

    /// The same, to go on from: whoever may pass through a folder may not always list it.
    pub(super) fn pass_resolved(path: &Path) -> io::Result<Self> {
        Self::by_parts(
            path,
            Way {
                makes: false,
                lists: false,
            },
        )
    }

    fn by_parts(path: &Path, way: Way) -> io::Result<Self> {
        use rustix::{
            fs::{CWD, Mode, OFlags, mkdirat, openat},
            io::Errno,
        };
        let last = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let passing = last | OFlags::PATH;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let passing = last;
        let mut parts = path.components().peekable();
        let mut folder: Option<OwnedFd> = None;
        while let Some(part) = parts.next() {
            let is_last = parts.peek().is_none();
            let flags = if is_last && way.lists { last } else { passing };
            let (at, part) = (folder.as_ref().map_or(CWD, AsFd::as_fd), part.as_os_str());
            let opened = match openat(at, part, flags, Mode::empty()) {
                Err(Errno::NOENT) if way.makes => {
                    match mkdirat(at, part, Mode::from_bits_truncate(0o777)) {
                        Ok(()) | Err(Errno::EXIST) => openat(at, part, flags, Mode::empty()),
                        Err(e) => Err(e),
                    }
                }
                opened => opened,
            };
            folder = Some(opened?);
        }
        let folder = folder.ok_or(io::ErrorKind::NotFound)?;
        Ok(Self(Arc::new(folder)))
    }

    /// What stands at a name; `None` where nothing does.
    pub(super) fn kind(&self, name: &OsStr) -> io::Result<Option<Kind>> {
        use rustix::fs::{AtFlags, FileType};
        let stat = match rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(rustix::io::Errno::NOENT) => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        let kind = FileType::from_raw_mode(stat.st_mode);
        Ok(Some(match kind {
            // The type's width differs between systems.
            FileType::RegularFile => Kind::File(stat.st_mode as u32 & 0o777),
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        }))
    }

    /// Makes a file that is not there yet, for writing.
    pub(super) fn create(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags};
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_bits_truncate(mode as rustix::fs::RawMode);
        Ok(rustix::fs::openat(&self.0, name, flags, mode)?.into())
    }

    /// Opens a file for writing as it is, and makes it where it is not there. Waits for nobody at the
    /// other end of a pipe.
    pub(super) fn open_for_writing(&self, name: &OsStr, mode: u32) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags};
        let flags =
            OFlags::CREATE | OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mode = Mode::from_bits_truncate(mode as rustix::fs::RawMode);
        Ok(rustix::fs::openat(&self.0, name, flags, mode)?.into())
    }

    /// Opens a file for reading. Waits for nobody at the other end of a pipe.
    pub(super) fn open_for_reading(&self, name: &OsStr) -> io::Result<File> {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// Puts `from` in the place of whatever file `to` names.
    pub(super) fn replace(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Names `from` as `to` if nothing has that name.
    pub(super) fn place_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        use rustix::fs::AtFlags;
        // Not every file system has either, but hardly one has none of them.
        #[cfg(any(target_os = "linux", target_os = "macos"))]
        {
            use rustix::{
                fs::{RenameFlags, renameat_with},
                io::Errno,
            };
            match renameat_with(&self.0, from, &self.0, to, RenameFlags::NOREPLACE) {
                Err(Errno::NOSYS | Errno::INVAL | Errno::NOTSUP) => {}
                other => return Ok(other?),
            }
        }
        rustix::fs::linkat(&self.0, from, &self.0, to, AtFlags::empty())?;
        self.remove(from)
    }

    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(
            &self.0,
            name,
            rustix::fs::AtFlags::empty(),
        )?)
    }

    /// Makes what was done to its names last.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }
}

#[cfg(not(unix))]
#[derive(Clone, Debug)]
pub(super) struct Folder(std::path::PathBuf);

#[cfg(not(unix))]
impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path.metadata()?.is_dir() {
            Ok(Self(path.to_owned()))
        } else {
            Err(io::ErrorKind::NotADirectory.into())
        }
    }

    pub(super) fn open_resolved(path: &Path) -> io::Result<Self> {
        Self::open(path)
    }

    pub(super) fn make_resolved(path: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(path)?;
        Self::open(path)
    }

    pub(super) fn pass_resolved(path: &Path) -> io::Result<Self> {
        Self::open(path)
    }

    pub(super) fn kind(&self, name: &OsStr) -> io::Result<Option<Kind>> {
        match self.0.join(name).symlink_metadata() {
            Ok(meta) if meta.is_symlink() => Ok(Some(Kind::Link)),
            Ok(meta) if meta.is_file() => Ok(Some(Kind::File(0))),
            Ok(_) => Ok(Some(Kind::Other)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    pub(super) fn create(&self, name: &OsStr, _mode: u32) -> io::Result<File> {
        File::options()
            .write(true)
            .create_new(true)
            .open(self.0.join(name))
    }

    pub(super) fn open_for_writing(&self, name: &OsStr, _mode: u32) -> io::Result<File> {
        File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.0.join(name))
    }

    pub(super) fn open_for_reading(&self, name: &OsStr) -> io::Result<File> {
        File::open(self.0.join(name))
    }

    pub(super) fn replace(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        std::fs::rename(self.0.join(from), self.0.join(to))
    }

    pub(super) fn place_new(&self, from: &OsStr, to: &OsStr) -> io::Result<()> {
        std::fs::hard_link(self.0.join(from), self.0.join(to))?;
        self.remove(from)
    }

    pub(super) fn remove(&self, name: &OsStr) -> io::Result<()> {
        std::fs::remove_file(self.0.join(name))
    }

    /// Windows has no such call and needs none.
    pub(super) fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
