//! The pending file of an app, while other runs of this machine may write it too.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{LocalPending, PendingEntry, PendingError, PendingSet};
use crate::{
    model::{App, ConnectorType},
    state::{AppLock, Locked},
};

/// The pending file, as far as one run knows it. Each write changes what that run changed, and leaves alone
/// what another run changed meanwhile.
#[derive(Debug)]
pub struct SharedPending {
    lock: Arc<AppLock>,
    app: App,
    /// Each entry as this run last read or wrote it.
    seen: Mutex<PendingSet>,
}

impl SharedPending {
    /// Reads the file.
    pub fn read(lock: Arc<AppLock>, app: App) -> Result<Self, PendingError> {
        let locked = lock.take(AppLock::MOMENT)?;
        let seen = Mutex::new(LocalPending::load(&locked)?);
        Ok(Self { lock, app, seen })
    }

    /// Takes the lock for a write.
    pub fn lock(&self, timeout: Duration) -> Result<Arc<Locked>, PendingError> {
        Ok(self.lock.take(timeout)?)
    }

    fn seen(&self) -> MutexGuard<'_, PendingSet> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether another run changed this entry.
    pub fn is_moved(&self, connector: &ConnectorType) -> Result<bool, PendingError> {
        let now = LocalPending::load(&*self.lock(AppLock::MOMENT)?)?;
        Ok(now.get(&self.app, connector) != self.seen().get(&self.app, connector))
    }

    /// Writes what this run changed: each entry with its new content, none where it goes.
    pub fn write(
        &self,
        locked: &Locked,
        changes: Vec<(ConnectorType, Option<PendingEntry>)>,
    ) -> Result<(), PendingError> {
        let (app, mut seen) = (&self.app, self.seen());
        let mut now = LocalPending::load(locked)?;
        let before = now.clone();
        let mut mine = Vec::new();
        for (connector, entry) in changes {
            if now.get(app, &connector) != seen.get(app, &connector) {
                continue;
            }
            set(&mut now, app, &connector, entry);
            mine.push(connector);
        }
        if now != before {
            LocalPending::save(locked, &now)?;
            now = LocalPending::load(locked)?;
        }
        for connector in mine {
            let entry = now.get(app, &connector).cloned();
            set(&mut seen, app, &connector, entry);
        }
        Ok(())
    }
}

fn set(
    pending: &mut PendingSet,
    app: &App,
    connector: &ConnectorType,
    entry: Option<PendingEntry>,
) {
    match entry {
        Some(entry) => pending.insert(app, connector.clone(), entry),
        None => drop(pending.remove(app, connector)),
    }
}
