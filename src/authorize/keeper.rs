//! Keeps the pending store in step with the flow.

use crate::{
    model::{App, ConnectorType},
    pending::{Entry, PendingError, PendingSet, Store},
    workspace::Locked,
};

/// The store, as far as one app's authorizations go. Every change is on disk when a call returns.
#[derive(Debug)]
pub struct Keeper {
    workspace: Locked,
    app: App,
    pending: PendingSet,
}

impl Keeper {
    /// A keeper of what `pending` holds now.
    pub fn new(workspace: Locked, app: App, pending: PendingSet) -> Self {
        Self {
            workspace,
            app,
            pending,
        }
    }

    /// What waits.
    pub fn pending(&self) -> &PendingSet {
        &self.pending
    }

    /// Adds or replaces an entry.
    pub fn keep(&mut self, connector: &ConnectorType, entry: Entry) -> Result<(), PendingError> {
        if self.pending.get(&self.app, connector) == Some(&entry) {
            return Ok(());
        }
        self.pending.insert(&self.app, connector.clone(), entry);
        Store::save(&self.workspace, &self.pending)
    }

    /// Takes an entry out.
    pub fn drop(&mut self, connector: &ConnectorType) -> Result<(), PendingError> {
        if self.pending.remove(&self.app, connector) {
            Store::save(&self.workspace, &self.pending)?;
        }
        Ok(())
    }
}
