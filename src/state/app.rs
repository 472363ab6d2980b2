//! What is kept of one app.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use miette::Diagnostic;
use thiserror::Error;

use super::{StateFolder, folder::folder_name};
use crate::{
    fs::{self, FsError, InsecurePermissions, Lock, LockError, Visibility},
    model::App,
};

/// The folder of one app, whether it exists yet or not.
#[derive(Clone, Debug)]
pub struct AppState {
    folder: StateFolder,
    dir: Option<PathBuf>,
}

/// The folder while this process alone may write in it. Only with one can the pending store and
/// the journal be written.
#[derive(Debug)]
pub struct Locked {
    state: AppState,
    dir: PathBuf,
    insecure: Vec<InsecurePermissions>,
    _lock: Lock,
}

/// Why nothing can be kept.
#[derive(Debug, Error, Diagnostic)]
pub enum StateError {
    /// No variable and no home, or another user's folder.
    #[error("there is no folder to keep connplan's state in")]
    #[diagnostic(
        code(connplan::state::nowhere),
        help("set HOME, or CONNPLAN_STATE_DIR to a folder of yours that stays between runs")
    )]
    Nowhere,
    /// A file of it does not say what it should.
    #[error("{file} cannot be read: {reason}")]
    #[diagnostic(
        code(connplan::state::unreadable),
        help("a newer connplan may have written it; else move it aside")
    )]
    Unreadable {
        /// The file.
        file: String,
        /// What the reader stumbled over.
        reason: String,
    },
    /// Somebody has it, or it cannot be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(#[from] LockError),
}

impl From<FsError> for StateError {
    fn from(error: FsError) -> Self {
        Self::Lock(error.into())
    }
}

impl StateFolder {
    /// The part of one app at one address.
    pub fn app(&self, app: &App) -> AppState {
        AppState::new(self.clone(), &folder_name(app))
    }
}

impl AppState {
    fn new(folder: StateFolder, name: &str) -> Self {
        let dir = folder.dir().map(|dir| dir.join("apps").join(name));
        Self { folder, dir }
    }

    /// The folder itself, if there is a place for it.
    pub fn dir(&self) -> Option<&Path> {
        self.dir.as_deref()
    }

    /// The pending store's file.
    pub fn pending_file(&self) -> Option<PathBuf> {
        Some(pending(self.dir()?))
    }

    /// Takes the rights of others away from the folder and all that is private in it, for those who
    /// read as well as for those who write; says what was open. Needs no lock.
    pub fn restrict(&self) -> Vec<InsecurePermissions> {
        self.dir().map_or_else(Vec::new, restrict)
    }

    /// The stores that this machine has used for the app.
    pub fn stores(&self) -> Result<Vec<String>, StateError> {
        let path = self.dir().ok_or(StateError::Nowhere)?.join("stores");
        match fs::read_private_text(&path, 1 << 20) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(e) if e.is_nothing() => Ok(Vec::new()),
            Err(e) => Err(e.into()),
        }
    }

    /// Remembers one of them. Says whether it is the first.
    pub fn add_store(&self, store: &str) -> Result<bool, StateError> {
        let mut known = self.stores()?;
        if known.iter().any(|known| known == store) {
            return Ok(false);
        }
        known.push(store.to_owned());
        self.write_stores(&known)?;
        Ok(known.len() == 1)
    }

    /// Remembers this one and no other. `false` if it was so already.
    pub fn choose_store(&self, store: &str) -> Result<bool, StateError> {
        let is_new = self.stores()? != [store];
        if is_new {
            self.write_stores(&[store.to_owned()])?;
        }
        Ok(is_new)
    }

    /// Forgets one of them. `false` if it was none.
    pub fn forget_store(&self, store: &str) -> Result<bool, StateError> {
        let mut known = self.stores()?;
        let before = known.len();
        known.retain(|known| known != store);
        let is_known = known.len() < before;
        if is_known {
            self.write_stores(&known)?;
        }
        Ok(is_known)
    }

    fn write_stores(&self, known: &[String]) -> Result<(), StateError> {
        let text = known.join("\n");
        let path = self.make()?.join("stores");
        Ok(fs::write(&path, text.as_bytes(), Visibility::Private)?)
    }

    /// The folder, made where it is missing.
    fn make(&self) -> Result<&Path, StateError> {
        let (Some(dir), Some(base)) = (self.dir(), self.folder.make()?) else {
            return Err(StateError::Nowhere);
        };
        for folder in [&base.join("apps"), dir] {
            fs::refuse_link(folder)?;
            fs::ensure_private_dir(folder)?;
        }
        Ok(dir)
    }

    /// Fails if nothing could be kept here. Leaves nothing behind.
    pub fn check_writable(&self) -> Result<(), StateError> {
        let dir = self.dir().ok_or(StateError::Nowhere)?;
        fs::refuse_link(dir)?;
        if dir.symlink_metadata().is_ok() {
            return Ok(fs::probe_writable(&pending(dir), 0)?);
        }
        // The nearest folder that is there would have to take the next one.
        let missing = dir.ancestors().take_while(|dir| !dir.exists());
        Ok(fs::probe_writable(missing.last().unwrap_or(dir), 0)?)
    }

    /// Creates the folder where it is missing and takes its lock.
    pub fn lock(&self, timeout: Duration, holder: &str) -> Result<Locked, StateError> {
        let dir = self.dir().ok_or(StateError::Nowhere)?;
        let lock = dir.join("lock");
        // Nothing is written through a link, and no right is changed behind one.
        for path in [dir, &lock, &pending(dir), &hosts(dir), &journal(dir)] {
            fs::refuse_link(path)?;
        }
        self.make()?;
        let lock = Lock::acquire(&lock, timeout, holder)?;
        let insecure = restrict(dir);
        fs::remove_leftovers(dir);
        Ok(Locked {
            state: self.clone(),
            dir: dir.to_owned(),
            insecure,
            _lock: lock,
        })
    }
}

fn pending(dir: &Path) -> PathBuf {
    dir.join("pending.toml")
}

fn hosts(dir: &Path) -> PathBuf {
    dir.join("hosts.toml")
}

fn journal(dir: &Path) -> PathBuf {
    dir.join("journal")
}

fn restrict(dir: &Path) -> Vec<InsecurePermissions> {
    // What lies behind a link is not this program's.
    if fs::refuse_link(dir).is_err() {
        return Vec::new();
    }
    let journals = journal(dir);
    let mut paths = vec![dir.to_owned(), pending(dir), hosts(dir), journals.clone()];
    if fs::refuse_link(&journals).is_ok() {
        // Those that cannot be listed cannot be read either.
        let files = fs::files(&journals).unwrap_or_default();
        paths.extend(files.into_iter().map(|file| file.path));
    }
    paths.iter().filter_map(|path| fs::restrict(path)).collect()
}

impl Locked {
    /// The pending store's file.
    pub fn pending_file(&self) -> PathBuf {
        pending(&self.dir)
    }

    /// The file with the hosts that links led to so far.
    pub fn hosts_file(&self) -> PathBuf {
        hosts(&self.dir)
    }

    /// The folder of the journals.
    pub fn journal_dir(&self) -> PathBuf {
        journal(&self.dir)
    }

    /// What others could read until now.
    pub fn insecure(&self) -> &[InsecurePermissions] {
        &self.insecure
    }

    /// Fails if the pending store could not be written with `more` bytes than it has, and as many
    /// for a journal.
    pub fn probe_writable(&self, more: usize) -> Result<(), FsError> {
        let path = self.pending_file();
        let length = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        let length = usize::try_from(length).unwrap_or_default();
        fs::probe_writable(&path, length + 2 * more)
    }

    /// Makes sure that the journal folder is there.
    pub fn ensure_journal_dir(&self) -> Result<PathBuf, FsError> {
        let dir = self.journal_dir();
        fs::ensure_private_dir(&dir)?;
        Ok(dir)
    }
}

impl std::ops::Deref for Locked {
    type Target = AppState;
    fn deref(&self) -> &AppState {
        &self.state
    }
}
