//! `.connplan/` at the project root: what one machine keeps between runs.
//!
//! The folder is for its owner alone (0700) and ignores itself in git. It holds pending
//! authorizations (`pending.toml`), where their links led (`hosts.toml`), the journals of applies
//! (`journal/`) and the lock.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::fs::{self, FsError, Lock, LockError, Loose, Visibility};

/// The folder, whether it exists yet or not.
#[derive(Clone, Debug)]
pub struct Workspace {
    dir: PathBuf,
}

/// The folder while this process alone may write in it. Only with one can the pending store and
/// the journal be written.
#[derive(Debug)]
pub struct Locked {
    workspace: Workspace,
    loose: Vec<Loose>,
    _lock: Lock,
}

impl Workspace {
    /// The workspace of the project at `root`. Touches nothing.
    pub fn at(root: &Path) -> Self {
        Self {
            dir: root.join(".connplan"),
        }
    }

    /// The folder itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The pending store's file.
    pub fn pending_file(&self) -> PathBuf {
        self.dir.join("pending.toml")
    }

    /// A mark: the pending store could be read by others, and holds links of that time.
    fn exposed_file(&self) -> PathBuf {
        self.dir.join("exposed")
    }

    /// The file with the hosts that links led to so far.
    pub fn hosts_file(&self) -> PathBuf {
        self.dir.join("hosts.toml")
    }

    /// The folder of the journals.
    pub fn journal_dir(&self) -> PathBuf {
        self.dir.join("journal")
    }

    /// Takes the rights of others away from the folder and all that is private in it, for those who
    /// read as well as for those who write; says what was open. Needs no lock.
    pub fn tighten(&self) -> Vec<Loose> {
        // A repository that somebody else made may hold a link to what is none of ours.
        if fs::refuse_link(&self.dir).is_err() {
            return Vec::new();
        }
        let journals = self.journal_dir();
        let mut paths = vec![
            self.dir.clone(),
            self.pending_file(),
            self.hosts_file(),
            journals.clone(),
        ];
        if fs::refuse_link(&journals).is_ok() {
            // Those that can not be listed can not be read either.
            let files = fs::files(&journals).unwrap_or_default();
            paths.extend(files.into_iter().map(|file| file.path));
        }
        let loose: Vec<_> = paths.iter().filter_map(|path| fs::tighten(path)).collect();
        // Who only looks may not write the store, and whoever has its lock may be at it.
        let repaired = |loose: &Loose| loose.still.is_none() && loose.path == self.pending_file();
        if loose.iter().any(repaired) {
            // Where not even this can be written, nothing here can.
            let _ = fs::write(&self.exposed_file(), b"", Visibility::Private);
        }
        loose
    }

    /// Fails if nothing could be kept here: the folder, or where there is none the project, can not
    /// be written. Leaves nothing behind.
    pub fn check_writable(&self) -> Result<(), FsError> {
        fs::refuse_link(&self.dir)?;
        let there = self.dir.symlink_metadata().is_ok();
        if there {
            fs::probe_writable(&self.pending_file(), 0)
        } else {
            fs::probe_writable(&self.dir, 0)
        }
    }

    /// Creates the folder where it is missing and takes its lock.
    pub fn lock(&self, timeout: Duration, holder: &str) -> Result<Locked, LockError> {
        let ignore = self.dir.join(".gitignore");
        let lock = self.dir.join("lock");
        // A repository that somebody else made may hold such links: nothing is written through
        // them, and no right is changed behind them.
        for path in [
            &self.dir,
            &ignore,
            &lock,
            &self.pending_file(),
            &self.hosts_file(),
            &self.journal_dir(),
        ] {
            fs::refuse_link(path)?;
        }
        fs::ensure_private_dir(&self.dir)?;
        let lock = Lock::acquire(&lock, timeout, holder)?;
        let loose = self.tighten();
        fs::remove_leftovers(&self.dir);
        if !ignore.exists() {
            let text = "# Private to this machine: links and connection ids.\n*\n";
            fs::write(&ignore, text.as_bytes(), Visibility::Shared)?;
        }
        Ok(Locked {
            workspace: self.clone(),
            loose,
            _lock: lock,
        })
    }
}

impl Locked {
    /// What others could read until now.
    pub fn loose(&self) -> &[Loose] {
        &self.loose
    }

    /// Fails if the pending store could not be written with `more` bytes than it has, and as many
    /// for a journal.
    pub fn probe_writable(&self, more: usize) -> Result<(), FsError> {
        let path = self.pending_file();
        let length = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        let length = usize::try_from(length).unwrap_or_default();
        fs::probe_writable(&path, length + 2 * more)
    }

    /// Whether others may have the links in the pending store.
    pub fn is_exposed(&self) -> bool {
        self.exposed_file().exists()
    }

    /// Those links are gone from the store.
    pub fn no_longer_exposed(&self) -> Result<(), FsError> {
        fs::remove(&self.exposed_file()).map(drop)
    }

    /// Makes sure that the journal folder is there.
    pub fn ensure_journal_dir(&self) -> Result<PathBuf, FsError> {
        let dir = self.journal_dir();
        fs::ensure_private_dir(&dir)?;
        Ok(dir)
    }
}

impl std::ops::Deref for Locked {
    type Target = Workspace;
    fn deref(&self) -> &Workspace {
        &self.workspace
    }
}
