//! Keeps the pending store in step with the flow.

use crate::{
    model::{App, ConnectorType},
    pending::{Entry, PendingError, PendingSet, Store},
    workspace::Locked,
};

/// The store, as far as one app's authorizations go. Every change is on disk when a call returns,
/// unless it is only looked at.
#[derive(Debug)]
pub struct Keeper {
    /// `None` while only looking: then nothing is written.
    workspace: Option<Locked>,
    app: App,
    pending: PendingSet,
}

impl Keeper {
    /// A keeper of what `pending` holds now.
    pub fn new(workspace: Locked, app: App, pending: PendingSet) -> Self {
        Self {
            workspace: Some(workspace),
            app,
            pending,
        }
    }

    /// A keeper that forgets: for looking, which needs no lock.
    pub fn looking(app: App, pending: PendingSet) -> Self {
        Self {
            workspace: None,
            app,
            pending,
        }
    }

    /// What waits.
    pub fn pending(&self) -> &PendingSet {
        &self.pending
    }

    /// Whether there is an entry.
    pub fn has(&self, connector: &ConnectorType) -> bool {
        self.pending.get(&self.app, connector).is_some()
    }

    /// Adds or replaces an entry.
    pub fn keep(&mut self, connector: &ConnectorType, entry: Entry) -> Result<(), PendingError> {
        if self.pending.get(&self.app, connector) == Some(&entry) {
            return Ok(());
        }
        self.pending.insert(&self.app, connector.clone(), entry);
        self.save()
    }

    /// Takes an entry out.
    pub fn drop(&mut self, connector: &ConnectorType) -> Result<(), PendingError> {
        if self.pending.remove(&self.app, connector) {
            self.save()?;
        }
        Ok(())
    }

    fn save(&self) -> Result<(), PendingError> {
        match &self.workspace {
            Some(workspace) => Store::save(workspace, &self.pending),
            None => Ok(()),
        }
    }
}
