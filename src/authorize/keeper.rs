//! Keeps the pending store in step with the flow.

use super::hosts::Hosts;
use crate::{
    model::{App, ConnectorType, Link},
    pending::{Entry, PendingError, PendingSet, Store},
    state::Locked,
};

/// The store, as far as one app's authorizations go. Every change is on disk when a call returns,
/// unless it is only looked at.
#[derive(Debug)]
pub struct Keeper {
    /// `None` while only looking: then nothing is written.
    workspace: Option<Locked>,
    app: App,
    pending: PendingSet,
    hosts: Hosts,
}

impl Keeper {
    /// A keeper of what `pending` holds now.
    pub fn new(workspace: Locked, app: App, pending: PendingSet) -> Self {
        Self {
            hosts: Hosts::load(&workspace),
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
            hosts: Hosts::default(),
        }
    }

    /// Whether changes are kept, rather than only looked at.
    pub(super) fn writes(&self) -> bool {
        self.workspace.is_some()
    }

    /// Whether a link leads where this provider's links led before, and if not, where those led.
    /// The first host of a provider is remembered.
    pub(super) fn is_familiar(
        &mut self,
        connector: &ConnectorType,
        link: &Link,
    ) -> Result<Result<(), Vec<String>>, PendingError> {
        let host = link.host();
        match self.hosts.of(&self.app, connector) {
            Some(known) if known.contains(&host) => Ok(Ok(())),
            Some(known) => Ok(Err(known.iter().cloned().collect())),
            None => self.learn(connector, link).map(Ok),
        }
    }

    /// Remembers where a link led that somebody used.
    pub(super) fn learn(
        &mut self,
        connector: &ConnectorType,
        link: &Link,
    ) -> Result<(), PendingError> {
        if self.hosts.learn(&self.app, connector, link.host())
            && let Some(workspace) = &self.workspace
        {
            self.hosts.save(workspace)?;
        }
        Ok(())
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
