//! Waiting for people: for all of them at once.

use std::time::Duration;

use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    Command, Event, Flow, Item, State,
    flow::{UNLISTED, is_unknown},
    poll::{self, Listing, Round},
};
use crate::{model::ConnectorType, pending::PendingError, remote::AuthorizationStatus};

/// How long the last look may take, once the time is up.
const LAST_LOOK: Duration = Duration::from_secs(5);
/// How long it may take where a person wants an end.
const PARTING_LOOK: Duration = Duration::from_secs(2);
/// A link that ran out is replaced no more often than this without anybody asking for it.
const RENEWALS: u8 = 3;
/// So often the remote may say ACTIVE before its list has to agree.
const UNLISTED_ROUNDS: u8 = 3;

enum Turn {
    Round(Round),
    Command(Option<Command>),
    TimeUp,
    Cancelled,
}

/// Whether there is time for another look.
#[derive(Clone, Copy)]
enum Look<'a> {
    Another,
    /// What has come to nothing by now stands so.
    Last(&'a State),
}

impl Flow<'_> {
    /// Waits for everything that has a link until all is settled, the deadline has come, a person
    /// leaves the rest, or the run is interrupted.
    pub async fn wait(
        &mut self,
        items: &mut [Item],
        deadline: Instant,
        commands: &mut mpsc::Receiver<Command>,
        cancel: &CancellationToken,
    ) -> Result<(), PendingError> {
        let began = Instant::now();
        let mut told: Vec<ConnectorType> = Vec::new();
        let mut trouble: Option<String> = None;
        let mut commanded = true;
        let mut next = began + self.pace.pause(Duration::ZERO);
        loop {
            let open: Vec<_> = items
                .iter()
                .filter(|item| self.is_open(item))
                .map(|item| item.connector().clone())
                .collect();
            if open.is_empty() {
                return Ok(());
            }
            if open != told {
                (self.events)(&Event::Waiting(&open));
                told = open;
            }
            let remote = self.remote;
            let questions: Vec<_> = items.iter().map(Item::question).collect();
            let turn = tokio::select! {
                biased;
                () = cancel.cancelled() => Turn::Cancelled,
                command = commands.recv(), if commanded => Turn::Command(command),
                () = tokio::time::sleep_until(deadline) => Turn::TimeUp,
                round = async {
                    tokio::time::sleep_until(next).await;
                    poll::ask(remote, &questions, Listing::IfItMayTell).await
                } => Turn::Round(round),
            };
            match turn {
                Turn::Round(round) => {
                    let pause = self.pace.pause(began.elapsed());
                    let asked = round.retry_after().unwrap_or_default();
                    next = Instant::now() + pause.max(asked);
                    let now = round.trouble();
                    let kind = |reason: &String| poll::without_id(reason).to_owned();
                    if let Some(reason) = &now
                        && now.as_ref().map(kind) != trouble.as_ref().map(kind)
                    {
                        (self.events)(&Event::Unreachable(reason));
                    }
                    trouble = now;
                    self.take(items, round, Look::Another).await?;
                }
                Turn::Command(None) => commanded = false,
                Turn::Command(Some(command)) => self.obey(items, command).await?,
                Turn::TimeUp => {
                    return self.leave(items, &State::TimedOut, LAST_LOOK).await;
                }
                Turn::Cancelled => {
                    return self.leave(items, &State::Skipped, PARTING_LOOK).await;
                }
            }
        }
    }

    /// Whether it is still waited for. What can be asked for again on the page waits as well.
    fn is_open(&self, item: &Item) -> bool {
        match item.state {
            State::Waiting => true,
            State::Declined | State::Partial { .. } => self.watched && !item.left,
            _ => false,
        }
    }

    /// Ends the waiting for everything, after a last look: somebody may have finished it.
    async fn leave(
        &mut self,
        items: &mut [Item],
        state: &State,
        patience: Duration,
    ) -> Result<(), PendingError> {
        let questions: Vec<_> = items.iter().map(Item::question).collect();
        let look = poll::ask(self.remote, &questions, Listing::Always);
        if let Ok(round) = tokio::time::timeout(patience, look).await {
            self.take(items, round, Look::Last(state)).await?;
        }
        let waiting = |item: &&mut Item| item.state == State::Waiting;
        for item in items.iter_mut().filter(waiting) {
            item.give_up(state);
            (self.events)(&Event::Settled(&item.resumed()));
        }
        Ok(())
    }

    /// Whether somebody finished it, by the list as it is now. A remote that can not be asked does
    /// not say so.
    async fn finished_meanwhile(&mut self, item: &mut Item) -> Result<bool, PendingError> {
        let listing = tokio::time::timeout(PARTING_LOOK, self.remote.observe()).await;
        let Ok(Ok(observed)) = listing else {
            return Ok(false);
        };
        let finished = self.is_finished(item, &observed.connectors)?;
        if finished {
            (self.events)(&Event::Settled(&item.resumed()));
        }
        Ok(finished)
    }

    async fn obey(&mut self, items: &mut [Item], command: Command) -> Result<(), PendingError> {
        match command {
            Command::Skip => {
                let front = items.iter().position(|item| self.is_open(item));
                if let Some(item) = front.and_then(|front| items.get_mut(front)) {
                    item.left = true;
                    // Who declined and leaves it at that has declined.
                    if !self.finished_meanwhile(item).await? && item.state == State::Waiting {
                        item.give_up(&State::Skipped);
                        (self.events)(&Event::Settled(&item.resumed()));
                    }
                }
            }
            Command::Finish => {
                self.leave(items, &State::Skipped, PARTING_LOOK).await?;
                self.watched = false;
            }
            Command::Opened(connector) => {
                if let Some(item) = find(items, &connector) {
                    item.opened = true;
                }
            }
            Command::Renew(connector) => {
                if let Some(item) = find(items, &connector).filter(|item| item.can_be_asked()) {
                    item.left = false;
                    // A new link would take the consent of whoever finished it for nothing.
                    if !self.finished_meanwhile(item).await? {
                        self.renew(item).await?;
                        item.opened = true;
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes the answers of a round.
    async fn take(
        &mut self,
        items: &mut [Item],
        round: Round,
        look: Look<'_>,
    ) -> Result<(), PendingError> {
        let listed = match &round.observed {
            Some(Ok(observed)) => Some(&observed.connectors),
            _ => None,
        };
        for (item, status) in items.iter_mut().zip(round.statuses) {
            if item.state != State::Waiting {
                if item.state.can_be_asked_again()
                    && let Some(listed) = listed
                    && self.is_finished(item, listed)?
                {
                    (self.events)(&Event::Settled(&item.resumed()));
                }
                continue;
            }
            match (status, listed) {
                (Some(Ok(AuthorizationStatus::Active)), Some(listed)) => {
                    self.read_back(item, listed)?;
                    if item.state == State::Waiting {
                        item.unlisted += 1;
                        if item.unlisted >= UNLISTED_ROUNDS {
                            self.void(item)?;
                            item.settle(State::Failed(UNLISTED.to_owned()));
                        }
                    }
                }
                (Some(Err(ref e)), _) if !is_unknown(e) => {
                    if e.is_passing() {
                        continue;
                    }
                    if self.finished_meanwhile(item).await? {
                        continue;
                    }
                    item.settle(State::Failed(e.to_string()));
                }
                (Some(Ok(AuthorizationStatus::Failed) | Err(_)), Some(listed)) => {
                    // Somebody may have consented to another link of the same connector.
                    self.look(item, listed)?;
                    if item.state == State::Waiting {
                        self.void(item)?;
                        match (self.death(item), look) {
                            // Nothing is asked for anew now.
                            (Death::RanOut | Death::Early, Look::Last(state)) => {
                                item.give_up(state);
                            }
                            (Death::RanOut, Look::Another) if item.renewals < RENEWALS => {
                                item.renewals += 1;
                                // It tells what came of it itself.
                                self.renew(item).await?;
                                continue;
                            }
                            (Death::Early, Look::Another) if !item.replaced_early => {
                                item.replaced_early = true;
                                self.renew(item).await?;
                                continue;
                            }
                            _ => item.settle(State::Declined),
                        }
                    }
                }
                (None, Some(listed)) => self.look(item, listed)?,
                // By another link than this one.
                (Some(Ok(AuthorizationStatus::Pending)), Some(listed)) => {
                    self.is_finished(item, listed)?;
                }
                _ => {}
            }
            if item.state != State::Waiting {
                (self.events)(&Event::Settled(&item.resumed()));
            }
        }
        Ok(())
    }

    /// What a link died of, as far as that can be told.
    fn death(&self, item: &Item) -> Death {
        let late = item
            .handed_out
            .is_some_and(|since| since.elapsed() >= self.pace.declined_within);
        match (late, self.watched && !item.opened) {
            (true, _) => Death::RanOut,
            (false, true) => Death::Early,
            (false, false) => Death::Declined,
        }
    }
}

/// What a link died of.
enum Death {
    /// Links live for so long.
    RanOut,
    /// Nobody here opened it: it was an old one, or somebody else asked for another.
    Early,
    /// Somebody declined, or asked for another.
    Declined,
}

fn find<'a>(items: &'a mut [Item], connector: &ConnectorType) -> Option<&'a mut Item> {
    items.iter_mut().find(|item| item.connector() == connector)
}
