//! The run: look, ask for links, wait for all at once, read back.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, future::join_all, stream};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{Candidate, Command, Event, Keeper, Pace, Resumed, State, Verdict, judge};
use crate::{
    apply::refusal,
    catalogue::Rules,
    diff::Action,
    model::{ConnectorType, Observed, RemoteConnector},
    pending::{LastTry, PendingError},
    remote::{AuthorizationStatus, PutAnswer, Remote, RemoteError},
};

/// How many links are asked for at once.
const PARALLELISM: usize = 16;

/// How long the last question may take once the time is up.
const LAST_QUESTION: Duration = Duration::from_secs(5);

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
                // What the remote does not know any more can not come true either.
                Some(Ok(AuthorizationStatus::Failed) | Err(RemoteError::NotFound { .. })) => {
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
            // Asked for fewer scopes, it still has all of them: nobody has consented yet.
            Verdict::Granted { .. } if self.is_as_before(candidate, is) => Ok(()),
            Verdict::Granted { .. } => self.read_back(item, connectors),
            // What was there before the change looks partial, and is not a person's answer.
            Verdict::Partial { .. } | Verdict::WrongAccount { .. } | Verdict::NotInForce => Ok(()),
        }
    }

    fn is_as_before(&self, candidate: &Candidate, is: Option<&RemoteConnector>) -> bool {
        let same = |a, b| self.rules.compare(&candidate.connector, a, b).is_same();
        candidate.entry.action == Action::Update
            && candidate
                .entry
                .before
                .as_ref()
                .zip(is)
                .is_some_and(|(before, is)| same(before, &is.scopes) && same(&is.scopes, before))
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
                if let Some(link) = &entry.link {
                    self.keeper.learn(&connector, link)?;
                }
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
        let wanting = items.iter().enumerate().filter(|(_, item)| {
            let entry = &item.candidate.entry;
            !item.state.is_done() && (entry.link.is_none() || entry.connection_id.is_none())
        });
        let questions: Vec<_> = wanting
            .map(|(index, item)| {
                let connector = item.candidate.connector.clone();
                let scopes = item.candidate.entry.scopes.clone();
                async move { (index, remote.put_integration(&connector, &scopes).await) }
            })
            .collect();
        let mut answers = stream::iter(questions).buffer_unordered(PARALLELISM);
        let mut in_force = Vec::new();
        while let Some((index, answer)) = answers.next().await {
            let Some(item) = items.get_mut(index) else {
                continue;
            };
            let connector = item.candidate.connector.clone();
            match answer {
                Ok(PutAnswer::NeedsAuthorization {
                    link,
                    connection_id,
                }) => {
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
                Ok(PutAnswer::InForce | PutAnswer::AlreadyAuthorized) => in_force.push(index),
                Ok(PutAnswer::Refused {
                    error,
                    message,
                    other_account,
                }) => {
                    let reason = refusal(&error, message.as_deref(), other_account.as_ref());
                    item.state = State::Failed(reason);
                }
                Err(e) => item.state = State::Failed(e.to_string()),
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
                (State::Waiting, Some(link)) => match self.keeper.is_familiar(connector, link)? {
                    Ok(()) => (self.events)(&Event::LinkReady(connector, link)),
                    Err(known) => (self.events)(&Event::OtherHost(connector, link, &known)),
                },
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
            // Nothing is lost where a question is dropped: what an answer changes is on disk before
            // the next await.
            let end = tokio::select! {
                asked = async {
                    tokio::time::sleep_until(pause.min(deadline)).await;
                    let latest = deadline.max(Instant::now() + LAST_QUESTION);
                    tokio::time::timeout_at(latest, self.ask(items)).await
                } => {
                    asked.unwrap_or(Ok(()))?;
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
                (Some(Ok(AuthorizationStatus::Failed) | Err(RemoteError::NotFound { .. })), _) => {
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
