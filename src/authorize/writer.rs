//! Keeps the pending file in step with a session.

use std::sync::Arc;

use super::hosts::Hosts;
use crate::{
    fs::FsError,
    model::{App, ConnectorType, Link},
    pending::{LocalPending, PendingEntry, PendingError, PendingSet},
    state::Locked,
};

/// The pending file, as far as one app's authorizations go. What changed is on disk after
/// [`PendingWriter::flush`], unless it is only looked at.
#[derive(Debug)]
pub struct PendingWriter {
    /// `None` while only looking: then nothing is written.
    state: Option<Arc<Locked>>,
    app: App,
    pending: PendingSet,
    hosts: Hosts,
    changed: bool,
    learned: bool,
}

impl PendingWriter {
    /// A writer of what `pending` holds now.
    pub fn new(state: Arc<Locked>, app: App, pending: PendingSet) -> Self {
        Self {
            hosts: Hosts::load(&state),
            state: Some(state),
            app,
            pending,
            changed: false,
            learned: false,
        }
    }

    /// A writer that forgets: for looking, which needs no lock.
    pub fn looking(app: App, pending: PendingSet) -> Self {
        Self {
            state: None,
            app,
            pending,
            hosts: Hosts::default(),
            changed: false,
            learned: false,
        }
    }

    /// Whether changes are kept, rather than only looked at.
    pub(super) fn writes(&self) -> bool {
        self.state.is_some()
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
            Some(stored) => stored != entry,
            None => !entry.missing.is_empty(),
        };
        if is_news {
            self.pending
                .insert(&self.app, connector.clone(), entry.clone());
            self.changed = true;
        }
    }

    /// Takes an entry out; false if there was none.
    pub fn forget(&mut self, connector: &ConnectorType) -> bool {
        let removed = self.pending.remove(&self.app, connector);
        self.changed |= removed;
        removed
    }

    /// Makes what changed last.
    pub async fn flush(&mut self) -> Result<(), PendingError> {
        let Some(state) = &self.state else {
            return Ok(());
        };
        let changed = std::mem::take(&mut self.changed);
        let learned = std::mem::take(&mut self.learned);
        if !changed && !learned {
            return Ok(());
        }
        let state = Arc::clone(state);
        let pending = changed.then(|| self.pending.clone());
        let hosts = learned.then(|| self.hosts.clone());
        let written = tokio::task::spawn_blocking(move || {
            if let Some(pending) = pending {
                LocalPending::save(&state, &pending)?;
            }
            if let Some(hosts) = hosts {
                hosts.save(&state)?;
            }
            Ok(())
        });
        written.await.unwrap_or_else(|e| {
            let failed = std::io::Error::other(e.to_string());
            Err(FsError::io("write", std::path::Path::new("pending.toml"), failed).into())
        })
    }
}
