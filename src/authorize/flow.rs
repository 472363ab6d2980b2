//! The run: look, ask for links, wait for all at once, read back.

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Candidate, Command, Event, Keeper, Pace, Resumed, State, Verdict, judge};
use crate::{
    apply::refusal,
    catalogue::Rules,
    model::{ConnectorType, Observed, RemoteConnector},
    pending::{LastTry, PendingError},
    remote::{AuthorizationStatus, PutAnswer, Remote},
};

/// One authorization during a run.
#[derive(Clone, Debug)]
pub struct Item {
    /// What is resumed.
    pub candidate: Candidate,
    /// How it stands.
    pub state: State,
    /// When this run's link was handed out.
    started: Option<Instant>,
    took: Option<Duration>,
}

impl Item {
    fn new(candidate: Candidate) -> Self {
        Self {
            candidate,
            state: State::Waiting,
            started: None,
            took: None,
        }
    }

    /// As it stands now.
    pub fn resumed(&self) -> Resumed {
        Resumed {
            connector: self.candidate.connector.clone(),
            action: self.candidate.entry.action,
            scopes: self.candidate.entry.scopes.clone(),
            since: self.candidate.entry.since,
            state: self.state.clone(),
            took: self.took,
        }
    }

    fn settle(&mut self, state: State) {
        self.took = self.started.map(|started| started.elapsed());
        self.state = state;
    }
}

/// What a run needs.
pub struct Flow<'a> {
    /// The app.
    pub remote: &'a Remote,
    /// How scopes compare.
    pub rules: &'a Rules,
    /// Where every change is kept.
    pub keeper: &'a mut Keeper,
    /// How often the remote is asked.
    pub pace: Pace,
    /// Told what happens.
    pub events: &'a dyn Fn(&Event<'_>),
}

impl Flow<'_> {
    /// Asks for the status of everything that is pending: what meanwhile became ACTIVE is done,
    /// what FAILED needs a fresh link. Changes nothing on the remote.
    pub async fn inspect(
        &mut self,
        candidates: Vec<Candidate>,
        observed: &Observed,
    ) -> Result<Vec<Item>, PendingError> {
        let statuses = join_all(candidates.iter().map(|candidate| async {
            let id = candidate.entry.connection_id.as_ref()?;
            Some(
                self.remote
                    .integration_status(&candidate.connector, id)
                    .await,
            )
        }))
        .await;
        let mut items = Vec::new();
        let mut fresh: Option<Observed> = None;
        for (candidate, status) in candidates.into_iter().zip(statuses) {
            let mut item = Item::new(candidate);
            match status {
                Some(Ok(AuthorizationStatus::Failed)) => {
                    item.candidate.entry.link = None;
                    item.candidate.entry.connection_id = None;
                    item.candidate.entry.last = LastTry::Failed;
                    if item.candidate.stored {
                        self.keeper
                            .keep(&item.candidate.connector, item.candidate.entry.clone())?;
                    }
                }
                Some(Ok(AuthorizationStatus::Active)) => {
                    // It may have become so after the list was read.
                    if fresh.is_none() {
                        fresh = self.remote.observe().await.ok();
                    }
                    let observed = fresh.as_ref().unwrap_or(observed);
                    self.read_back(&mut item, &observed.connectors)?;
                }
                // Without a status the list decides; a remote that is not to be asked is asked
                // again once somebody waits.
                Some(Ok(AuthorizationStatus::Pending) | Err(_)) | None => {
                    self.look(&mut item, &observed.connectors)?;
                }
            }
            items.push(item);
        }
        Ok(items)
    }

    /// Whether the list alone shows that nothing is left to do.
    fn look(
        &mut self,
        item: &mut Item,
        connectors: &BTreeMap<ConnectorType, RemoteConnector>,
    ) -> Result<(), PendingError> {
        let candidate = &item.candidate;
        let is = connectors.get(&candidate.connector);
        let verdict = judge(&candidate.connector, &candidate.entry, is, self.rules);
        match verdict {
            Verdict::Granted { .. } => self.read_back(item, connectors),
            // What was there before the change looks partial, and is not a person's answer.
            Verdict::Partial { .. } | Verdict::WrongAccount { .. } | Verdict::NotInForce => Ok(()),
        }
    }

    /// Takes what the remote shows after ACTIVE as the result.
    fn read_back(
        &mut self,
        item: &mut Item,
        connectors: &BTreeMap<ConnectorType, RemoteConnector>,
    ) -> Result<(), PendingError> {
        let connector = item.candidate.connector.clone();
        let is = connectors.get(&connector);
        let verdict = judge(&connector, &item.candidate.entry, is, self.rules);
        let entry = &mut item.candidate.entry;
        let state = match verdict {
            Verdict::Granted {
                account,
                instead_of,
                unasked,
            } => {
                self.keeper.drop(&connector)?;
                item.settle(State::Granted {
                    account,
                    instead_of,
                    unasked,
                });
                return Ok(());
            }
            Verdict::Partial { account, missing } => {
                entry.last = LastTry::Partial(missing.clone());
                State::Partial { account, missing }
            }
            Verdict::WrongAccount { account, expected } => {
                State::WrongAccount { account, expected }
            }
            Verdict::NotInForce => State::Failed(
                "the remote says ACTIVE, and does not list it as active; look at the dashboard"
                    .to_owned(),
            ),
        };
        // Spent: the next try needs a link of its own.
        entry.link = None;
        entry.connection_id = None;
        let entry = entry.clone();
        item.settle(state);
        self.keeper.keep(&connector, entry)
    }

    /// Makes sure that everything that waits has a link, all at the same time.
    pub async fn links(&mut self, items: &mut [Item]) -> Result<(), PendingError> {
        let remote = self.remote;
        let answers = join_all(items.iter().map(|item| async move {
            let entry = &item.candidate.entry;
            if item.state.is_done() || (entry.link.is_some() && entry.connection_id.is_some()) {
                return None;
            }
            Some(
                remote
                    .put_integration(&item.candidate.connector, &entry.scopes)
                    .await,
            )
        }))
        .await;
        let mut in_force = Vec::new();
        for (index, (item, answer)) in items.iter_mut().zip(answers).enumerate() {
            let connector = item.candidate.connector.clone();
            match answer {
                None => {}
                Some(Ok(PutAnswer::NeedsAuthorization {
                    link,
                    connection_id,
                })) => {
                    let entry = &mut item.candidate.entry;
                    entry.connection_id = connection_id;
                    item.state = State::Waiting;
                    match link {
                        Ok(link) => entry.link = Some(link),
                        Err(e) => {
                            entry.link = None;
                            item.state = State::Failed(e.to_string());
                        }
                    }
                    // On disk before anybody can see it.
                    self.keeper.keep(&connector, entry.clone())?;
                }
                Some(Ok(PutAnswer::InForce | PutAnswer::AlreadyAuthorized)) => in_force.push(index),
                Some(Ok(PutAnswer::Refused {
                    error,
                    message,
                    other_account,
                })) => {
                    let reason = refusal(&error, message.as_deref(), other_account.as_ref());
                    item.state = State::Failed(reason);
                }
                Some(Err(e)) => item.state = State::Failed(e.to_string()),
            }
        }
        if !in_force.is_empty() {
            match self.remote.observe().await {
                Ok(observed) => {
                    for index in in_force {
                        if let Some(item) = items.get_mut(index) {
                            self.read_back(item, &observed.connectors)?;
                        }
                    }
                }
                Err(e) => (self.events)(&Event::Unreachable(&e.to_string())),
            }
        }
        for item in items.iter_mut().filter(|item| item.state == State::Waiting) {
            item.started = Some(Instant::now());
        }
        for item in items.iter() {
            let connector = &item.candidate.connector;
            match (&item.state, &item.candidate.entry.link) {
                (State::Waiting, Some(link)) => (self.events)(&Event::LinkReady(connector, link)),
                (State::Failed(reason), _) => (self.events)(&Event::NoLink(connector, reason)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits for everything that has a link until all is settled, the time is up, a person skips
    /// the rest, or the run is interrupted.
    pub async fn wait(
        &mut self,
        items: &mut [Item],
        timeout: Duration,
        mut commands: mpsc::Receiver<Command>,
        cancel: &CancellationToken,
    ) -> Result<(), PendingError> {
        let began = Instant::now();
        let deadline = began + timeout;
        let mut commanded = true;
        loop {
            let waiting = items
                .iter()
                .filter(|item| item.state == State::Waiting)
                .count();
            if waiting == 0 {
                return Ok(());
            }
            (self.events)(&Event::Waiting(waiting));
            let pause = Instant::now() + self.pace.pause(began.elapsed());
            let end = tokio::select! {
                () = tokio::time::sleep_until(pause.min(deadline)) => {
                    self.ask(items).await?;
                    (Instant::now() >= deadline).then_some(State::TimedOut)
                }
                command = commands.recv(), if commanded => {
                    commanded = command.is_some();
                    command.map(|Command::Skip| State::Skipped)
                }
                () = cancel.cancelled() => Some(State::Skipped),
            };
            if let Some(end) = end {
                for item in items.iter_mut().filter(|item| item.state == State::Waiting) {
                    item.settle(end.clone());
                    (self.events)(&Event::Settled(&item.resumed()));
                }
            }
        }
    }

    /// Asks for every waiting one's status, all at the same time.
    async fn ask(&mut self, items: &mut [Item]) -> Result<(), PendingError> {
        let remote = self.remote;
        let answers = join_all(items.iter().map(|item| async move {
            if item.state != State::Waiting {
                return None;
            }
            // Nothing to poll: the list tells.
            let id = item.candidate.entry.connection_id.as_ref()?;
            Some(
                remote
                    .integration_status(&item.candidate.connector, id)
                    .await,
            )
        }))
        .await;
        let unpolled = items.iter().any(|item| {
            item.state == State::Waiting && item.candidate.entry.connection_id.is_none()
        });
        let active = answers
            .iter()
            .any(|a| matches!(a, Some(Ok(AuthorizationStatus::Active))));
        let observed = if active || unpolled {
            match self.remote.observe().await {
                Ok(observed) => Some(observed),
                Err(e) => {
                    (self.events)(&Event::Unreachable(&e.to_string()));
                    return Ok(());
                }
            }
        } else {
            None
        };
        for (item, answer) in items.iter_mut().zip(answers) {
            if item.state != State::Waiting {
                continue;
            }
            match (answer, &observed) {
                (Some(Ok(AuthorizationStatus::Active)), Some(observed)) => {
                    self.read_back(item, &observed.connectors)?;
                }
                (Some(Ok(AuthorizationStatus::Failed)), _) => {
                    let connector = item.candidate.connector.clone();
                    let entry = &mut item.candidate.entry;
                    entry.link = None;
                    entry.connection_id = None;
                    entry.last = LastTry::Failed;
                    self.keeper.keep(&connector, entry.clone())?;
                    item.settle(State::Declined);
                }
                (Some(Err(e)), _) => {
                    (self.events)(&Event::Unreachable(&e.to_string()));
                    continue;
                }
                (None, Some(observed)) => self.look(item, &observed.connectors)?,
                _ => continue,
            }
            if item.state != State::Waiting {
                (self.events)(&Event::Settled(&item.resumed()));
            }
        }
        Ok(())
    }
}
