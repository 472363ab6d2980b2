//! One authorization during a run.

use std::time::Duration;

use tokio::time::Instant;

use super::{Candidate, Resumed, State};
use crate::{
    model::{ConnectionId, ConnectorType, RemoteConnector},
    pending::LastTry,
};

/// One authorization during a run.
#[derive(Clone, Debug)]
pub struct Item {
    /// What is resumed.
    pub candidate: Candidate,
    /// How it stands.
    pub state: State,
    /// What the remote listed when the run began: tells a person's answer from what was there.
    pub(super) baseline: Option<RemoteConnector>,
    /// When this run's link was handed out.
    pub(super) handed_out: Option<Instant>,
    /// Whether a person opened this run's link, as far as that can be seen.
    pub(super) opened: bool,
    /// Whether a person left it, declined or partly granted as it is.
    pub(super) left: bool,
    /// How often its link was replaced without anybody asking for it.
    pub(super) renewals: u8,
    /// Whether one of these had died soon after it was handed out: two who replace each other's
    /// links would never end.
    pub(super) replaced_early: bool,
    /// How often the remote said ACTIVE without listing it so.
    pub(super) unlisted: u8,
    /// When it was first handed out.
    started: Option<Instant>,
    took: Option<Duration>,
}

impl Item {
    pub(super) fn new(candidate: Candidate, baseline: Option<RemoteConnector>) -> Self {
        Self {
            candidate,
            state: State::Waiting,
            baseline,
            handed_out: None,
            opened: false,
            left: false,
            renewals: 0,
            replaced_early: false,
            unlisted: 0,
            started: None,
            took: None,
        }
    }

    /// As it stands now.
    pub fn resumed(&self) -> Resumed {
        let entry = &self.candidate.entry;
        Resumed {
            connector: self.candidate.connector.clone(),
            action: entry.action,
            scopes: entry.scopes.clone(),
            plan: entry.plan_digest.clone(),
            expected: entry.account.clone(),
            since: entry.since,
            state: self.state.clone(),
            took: self.took,
        }
    }

    /// Its connector.
    pub fn connector(&self) -> &ConnectorType {
        &self.candidate.connector
    }

    /// Whether a link would be of use.
    pub fn can_be_asked(&self) -> bool {
        self.state == State::Waiting || self.state.can_be_asked_again()
    }

    pub(super) fn hand_out(&mut self) {
        let now = Instant::now();
        self.handed_out = Some(now);
        self.started.get_or_insert(now);
        self.opened = false;
        self.unlisted = 0;
        self.took = None;
    }

    /// Ends without an answer. What was granted in part before is still granted in part.
    pub(super) fn give_up(&mut self, state: &State) {
        let before = self.baseline.as_ref();
        let partly = match &self.candidate.entry.last {
            LastTry::Partial(missing) => before.map(|is| State::Partial {
                account: is.account.clone(),
                missing: missing.clone(),
            }),
            LastTry::Open | LastTry::Failed => None,
        };
        self.settle(partly.unwrap_or_else(|| state.clone()));
    }

    pub(super) fn settle(&mut self, state: State) {
        self.took = self.started.map(|started| started.elapsed());
        self.state = state;
    }

    /// What the next round of questions asks about it: nothing; its status; or, without an id, only
    /// the list can tell. What came to a bad end here may be finished by somebody else.
    pub(super) fn question(&self) -> Option<(ConnectorType, Option<ConnectionId>)> {
        let id = match &self.state {
            State::Waiting => self.candidate.entry.connection_id.clone(),
            state if state.can_be_asked_again() => None,
            _ => return None,
        };
        Some((self.candidate.connector.clone(), id))
    }
}
