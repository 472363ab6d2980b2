//! `.connplan/` at the project root: what one machine keeps between runs.
//!
//! The folder is for its owner alone (0700) and ignores itself in git. It holds pending
//! authorizations (`pending.toml`), the journals of applies (`journal/`) and the lock.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use crate::fs::{self, FsError, Lock, LockError, Repaired, Visibility};

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
    repaired: Repaired,
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

    /// The folder of the journals.
    pub fn journal_dir(&self) -> PathBuf {
        self.dir.join("journal")
    }

    /// Creates the folder where it is missing and takes its lock.
    pub fn lock(&self, timeout: Duration, holder: &str) -> Result<Locked, LockError> {
        let repaired = fs::ensure_private_dir(&self.dir)?;
        let ignore = self.dir.join(".gitignore");
        if !ignore.exists() {
            let text = "# Private to this machine: links and connection ids.\n*\n";
            fs::write(&ignore, text.as_bytes(), Visibility::Shared)?;
        }
        let lock = Lock::acquire(&self.dir.join("lock"), timeout, holder)?;
        Ok(Locked {
            workspace: self.clone(),
            repaired,
            _lock: lock,
        })
    }
}

impl Locked {
    /// Whether others could read the folder until now.
    pub fn repaired(&self) -> Repaired {
        self.repaired
    }

    /// Makes sure that the journal folder is there.
    pub fn ensure_journal_dir(&self) -> Result<PathBuf, FsError> {
        let dir = self.journal_dir();
        let _ = fs::ensure_private_dir(&dir)?;
        Ok(dir)
    }
}

impl std::ops::Deref for Locked {
    type Target = Workspace;
    fn deref(&self) -> &Workspace {
        &self.workspace
    }
}
