//! Keeps the pending file in step with a session.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::hosts::Hosts;
use crate::{
    fs::{self, LockError},
    model::{App, ConnectorType, Link},
    pending::{PendingEntry, PendingError, PendingSet, SharedPending},
    state::{AppLock, StateError},
};

/// How long what was learned waits at the end for another run.
const PATIENCE: Duration = Duration::from_mins(1);

/// The pending file, as far as one app's authorizations go. What changed is on disk after
/// [`PendingWriter::flush`], unless it is only looked at or another run has the lock.
#[derive(Debug)]
pub struct PendingWriter {
    /// `None` while only looking: then nothing is written.
    file: Option<Arc<SharedPending>>,
    app: App,
    pending: PendingSet,
    /// The store that the team has.
    store: Option<String>,
    hosts: Hosts,
    changed: BTreeSet<ConnectorType>,
    learned: bool,
}

impl PendingWriter {
    /// A writer of what `pending` holds now, with this store.
    pub async fn open(
        lock: Arc<AppLock>,
        app: App,
        pending: PendingSet,
        store: Option<String>,
    ) -> Result<Self, PendingError> {
        let whose = app.clone();
        let opened = fs::off_thread(move || -> Result<_, PendingError> {
            let file = SharedPending::read(lock, whose)?;
            let hosts = Hosts::load(&*file.lock(AppLock::MOMENT)?);
            Ok((Arc::new(file), hosts))
        });
        let (file, hosts) = opened.await?;
        Ok(Self {
            file: Some(file),
            app,
            pending,
            store,
            hosts,
            changed: BTreeSet::new(),
            learned: false,
        })
    }

    /// A writer that forgets: for looking, which needs no lock.
    pub fn looking(app: App, pending: PendingSet) -> Self {
        Self {
            file: None,
            app,
            pending,
            store: None,
            hosts: Hosts::default(),
            changed: BTreeSet::new(),
            learned: false,
        }
    }

    /// Whether changes are kept, rather than only looked at.
    pub(super) fn writes(&self) -> bool {
        self.file.is_some()
    }

    /// The file, unless it is only looked at.
    pub fn file(&self) -> Option<&Arc<SharedPending>> {
        self.file.as_ref()
    }

    /// Where this provider's links led before, if this one leads elsewhere. The first host of a
    /// provider is remembered.
    pub(super) fn led_to(&mut self, connector: &ConnectorType, link: &Link) -> Option<Vec<String>> {
        let host = link.host();
        match self.hosts.of(&self.app, connector) {
            Some(known) if known.contains(&host) => None,
            Some(known) => Some(known.iter().cloned().collect()),
            None => {
                self.learn(connector, link);
                None
            }
        }
    }

    /// Remembers where a link led that somebody used.
    pub(super) fn learn(&mut self, connector: &ConnectorType, link: &Link) {
        self.learned |= self.hosts.learn(&self.app, connector, link.host());
    }

    /// What waits.
    pub fn pending(&self) -> &PendingSet {
        &self.pending
    }

    /// Replaces an entry that there is. One that came by a document is not kept, the document is; but
    /// what turned out to be missing is known to no document.
    pub(super) fn update(&mut self, connector: &ConnectorType, entry: &PendingEntry) {
        let stored = self.pending.get(&self.app, connector);
        let is_news = match stored {
            Some(stored) => *stored != entry.under(stored.asked_under.clone()),
            None => !entry.missing.is_empty(),
        };
        if is_news {
            let entry = entry.under(self.store.clone());
            self.pending.insert(&self.app, connector.clone(), entry);
            self.changed.insert(connector.clone());
        }
    }

    /// Takes an entry out; false if there was none.
    pub fn forget(&mut self, connector: &ConnectorType) -> bool {
        let removed = self.pending.remove(&self.app, connector);
        if removed {
            self.changed.insert(connector.clone());
        }
        removed
    }

    /// Makes what changed last. While another run has the lock it waits for the next time: the app's
    /// list says it again.
    pub async fn flush(&mut self) -> Result<(), PendingError> {
        match self.write(AppLock::MOMENT).await {
            Err(PendingError::State(StateError::Lock(LockError::Held { .. }))) => Ok(()),
            written => written,
        }
    }

    /// The same at the end.
    pub async fn finish(&mut self) -> Result<(), PendingError> {
        self.write(PATIENCE).await
    }

    async fn write(&mut self, patience: Duration) -> Result<(), PendingError> {
        let Some(file) = self.file.clone() else {
            return Ok(());
        };
        if self.changed.is_empty() && !self.learned {
            return Ok(());
        }
        let now = |connector: &ConnectorType| {
            let entry = self.pending.get(&self.app, connector).cloned();
            (connector.clone(), entry)
        };
        let changes: Vec<_> = self.changed.iter().map(now).collect();
        let hosts = self.learned.then(|| self.hosts.clone());
        let written = fs::off_thread(move || -> Result<(), PendingError> {
            let locked = file.lock(patience)?;
            file.write(&locked, changes)?;
            if let Some(learned) = hosts {
                let mut hosts = Hosts::load(&locked);
                hosts.merge(learned);
                hosts.save(&locked)?;
            }
            Ok(())
        });
        written.await?;
        self.changed.clear();
        self.learned = false;
        Ok(())
    }
}
