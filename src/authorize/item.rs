//! One authorization during a run.

use std::time::Duration;

use tokio::time::Instant;

use super::{AuthorizationResult, Candidate, Stage, State};
use crate::model::{ConnectionId, ConnectorType, Link};

/// One authorization during a run.
#[derive(Clone, Debug)]
pub struct Item {
    /// What is resumed.
    pub candidate: Candidate,
    /// How it stands.
    pub state: State,
    /// This run's link, while it is of use.
    pub(super) offer: Option<Offer>,
    /// Whether a link is being asked for.
    pub(super) asking: bool,
    /// How often a link was asked for.
    pub(super) asked: u32,
    /// Whether nobody waits for it any more, although it could be asked for again.
    pub(super) left: bool,
    /// When this run's first link was handed out.
    started: Option<Instant>,
    took: Option<Duration>,
    /// When the state became what it is.
    entered: Option<Instant>,
}

/// A link that is out.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) link: Link,
    /// The id with which its status is asked.
    pub(super) id: Option<ConnectionId>,
    /// When it is too old to be used.
    pub(super) until: Instant,
}

impl Item {
    pub(super) fn new(candidate: Candidate, state: State) -> Self {
        Self {
            candidate,
            state,
            offer: None,
            asking: false,
            asked: 0,
            left: false,
            started: None,
            took: None,
            entered: None,
        }
    }

    /// Whether the remote said that it is in force after this time: what was read before then does
    /// not show it.
    pub(super) fn confirmed_after(&self, time: Instant) -> bool {
        let confirming = matches!(self.state, State::Waiting(Stage::Confirming { .. }));
        confirming && self.entered.is_some_and(|entered| entered > time)
    }

    /// As it stands now.
    pub fn result(&self) -> AuthorizationResult {
        let entry = &self.candidate.entry;
        AuthorizationResult {
            connector: self.candidate.connector.clone(),
            action: entry.action,
            scopes: entry.scopes.clone(),
            values: entry.connection_config.clone(),
            plan: entry.plan_digest.clone(),
            expected: entry.account.clone(),
            since: entry.since,
            state: self.state.clone(),
            took: self.took,
            note: self.candidate.note.clone(),
        }
    }

    /// Its connector.
    pub fn connector(&self) -> &ConnectorType {
        &self.candidate.connector
    }

    /// Whether a link would be of use.
    pub fn can_be_asked(&self) -> bool {
        self.state.is_waiting() || self.state.can_be_asked_again()
    }

    /// Whether this run asked for a link.
    pub fn was_asked(&self) -> bool {
        self.asked > 0
    }

    pub(super) fn hand_out(&mut self, offer: Offer) {
        self.started.get_or_insert_with(Instant::now);
        self.took = None;
        self.offer = Some(offer);
    }

    pub(super) fn enter(&mut self, state: State) {
        if !state.is_waiting() && self.state != state {
            self.took = self.started.map(|started| started.elapsed());
        }
        if self.state != state {
            self.entered = Some(Instant::now());
        }
        self.state = state;
    }
}
