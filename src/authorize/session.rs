//! A run: gathers evidence, lets [`step`] decide, does what has to be done.

use std::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
    time::Duration,
};

use futures_util::{
    FutureExt, StreamExt,
    future::{BoxFuture, LocalBoxFuture, OptionFuture},
    stream::FuturesUnordered,
};
use tokio::{sync::mpsc, time::Instant};
use tokio_util::sync::CancellationToken;

use super::{
    AuthorizeEvent, Candidate, Command, Effect, End, EntryRetention, Evidence, Item, NotResumable,
    Pace, PendingWriter, Stage, State,
    round::{PARALLELISM, Question, Round, without_id},
    schedule, step,
    turns::{self, Asked, Look, WriteTurns},
};
use crate::{
    catalogue::ScopeEquivalence,
    model::{ConnectorType, RemoteConnector},
    pending::PendingError,
    remote::{AuthorizationStatus, Remote, RemoteError},
};

/// How long the last look may take, once the time is nearly up or a person wants an end.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// When links are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asking {
    /// When a person wants one ([`Command::Want`]).
    OnDemand,
    /// All at once: they are shown, or opened.
    AtOnce,
    /// One when the one before it is settled.
    OneByOne,
}

/// What a run needs.
pub struct Session<'a> {
    /// The app.
    pub remote: &'a Remote,
    /// How scopes compare.
    pub rules: &'a ScopeEquivalence,
    /// Where every change is kept.
    pub writer: &'a mut PendingWriter,
    /// How often the remote is asked.
    pub pace: Pace,
    /// When links are asked for.
    pub asking: Asking,
    /// Whose turn it is to write.
    pub turns: &'a dyn WriteTurns,
    /// Told what happens.
    pub events: &'a dyn Fn(&AuthorizeEvent<'_>),
}

/// What a run has under way.
pub(super) struct Run<'r> {
    pub(super) round: Option<BoxFuture<'r, Round>>,
    pub(super) asks: FuturesUnordered<LocalBoxFuture<'r, (usize, Asked)>>,
    /// For those who ask at once.
    pub(super) look: Rc<Look>,
    /// Links to ask for, in turn.
    pub(super) queue: VecDeque<usize>,
    /// To be skipped after the next list, or at this time at the latest: somebody may have finished it.
    pub(super) leaving: Option<(usize, Instant)>,
    pub(super) statuses: schedule::StatusQueue,
    /// When the list is read next.
    pub(super) next: Instant,
    /// Before that, nothing at all is asked: the remote wants to be left alone.
    pub(super) quiet_until: Instant,
    pub(super) trouble: Option<String>,
    pub(super) told: Vec<ConnectorType>,
}

enum Wake {
    Round(Round),
    Answered(usize, Asked),
    Command(Option<Command>),
    LinkRanOut,
    Quiet,
    Leave(usize),
    End(End),
}

impl<'a> Session<'a> {
    /// Forgets entries that are of no more use, so that `plan` shows their change again. What only is not
    /// declared here waits on: another branch may declare it.
    pub async fn forget(&mut self, left_alone: &mut [NotResumable]) -> Result<(), PendingError> {
        for left in left_alone {
            if left.obsolete {
                self.writer.forget(&left.connector);
            }
            if left.state == State::Undeclared(EntryRetention::Kept) && self.writer.writes() {
                left.state = State::Undeclared(EntryRetention::LeftAlone);
            }
        }
        self.writer.flush().await
    }

    /// Sees what became of everything that is pending, by the list alone. Changes nothing on the
    /// remote.
    pub async fn inspect(
        &mut self,
        candidates: Vec<Candidate>,
        listed: &BTreeMap<ConnectorType, RemoteConnector>,
    ) -> Result<Vec<Item>, PendingError> {
        let known = |candidate: Candidate| {
            let missing = &candidate.entry.missing;
            let state = match &candidate.entry.before {
                Some(before) if !missing.is_empty() => State::Consented(super::Consent::Partial {
                    account: before.account.clone(),
                    missing: missing.clone(),
                }),
                _ => State::Waiting(Stage::Idle),
            };
            Item::new(candidate, state)
        };
        let mut items: Vec<_> = candidates.into_iter().map(known).collect();
        for item in &mut items {
            let is = listed.get(item.connector());
            self.learn(item, &Evidence::Listed(is));
        }
        self.writer.flush().await?;
        Ok(items)
    }

    /// Waits until all is settled, the deadline has come, a person leaves the rest, or the run is
    /// interrupted.
    pub async fn run(
        &mut self,
        items: &mut [Item],
        deadline: Instant,
        commands: &mut mpsc::Receiver<Command>,
        cancel: &CancellationToken,
    ) -> Result<(), PendingError> {
        let began = Instant::now();
        let span = deadline.saturating_duration_since(began);
        // The last look is a part of the time, not more of it.
        let last_look = deadline - LAST_LOOK.min(span / 10);
        let mut run = Run {
            round: None,
            asks: FuturesUnordered::new(),
            look: Look::new(self.pace.busy),
            queue: VecDeque::new(),
            leaving: None,
            statuses: schedule::StatusQueue::default(),
            next: began + self.pace.busy,
            quiet_until: began,
            trouble: None,
            told: Vec::new(),
        };
        if self.asking == Asking::AtOnce {
            let all: Vec<_> = (0..items.len()).collect();
            self.want(items, &all, &mut run);
        }
        let mut commanded = true;
        loop {
            let open = self.open(items);
            let Some(front) = open.first().copied() else {
                return Ok(());
            };
            if self.asking == Asking::OneByOne {
                let item = items.get(front);
                if item.is_some_and(|item| item.asked == 0 && !item.asking) {
                    self.want(items, &[front], &mut run);
                }
            }
            self.start(items, &mut run);
            // Those whose links are on their way are waited for once they have them.
            if self.asking == Asking::OnDemand || run.queue.is_empty() && run.asks.is_empty() {
                self.say_who_is_waited_for(items, &open, &mut run);
            }
            let quiet = run.quiet_until;
            let ran_out = items
                .iter()
                .filter_map(|i| Some(i.offer.as_ref()?.until))
                .min();
            let leaving = run.leaving;
            let wake = tokio::select! {
                biased;
                () = cancel.cancelled() => Wake::End(End::Left),
                command = commands.recv(), if commanded => Wake::Command(command),
                () = tokio::time::sleep_until(last_look) => Wake::End(End::TimeUp),
                Some((index, answer)) = run.asks.next() => Wake::Answered(index, answer),
                Some(round) = OptionFuture::from(run.round.as_mut()) => Wake::Round(round),
                Some(index) = OptionFuture::from(leaving.map(|(index, until)| async move {
                    tokio::time::sleep_until(until).await;
                    index
                })) => Wake::Leave(index),
                Some(()) = OptionFuture::from(ran_out.map(tokio::time::sleep_until)) => Wake::LinkRanOut,
                () = tokio::time::sleep_until(run.next.max(quiet)), if run.round.is_none() => Wake::Quiet,
                () = tokio::time::sleep_until(quiet), if !run.queue.is_empty() && quiet > Instant::now() => Wake::Quiet,
            };
            match wake {
                Wake::Quiet => {}
                Wake::Leave(index) => self.skip(items, index, &mut run).await?,
                Wake::Round(round) => {
                    run.round = None;
                    self.take(items, round, &mut run, began).await?;
                }
                Wake::Answered(index, answer) => {
                    self.answered(items, index, answer, &mut run).await?;
                }
                Wake::LinkRanOut => self.links_ran_out(items, &mut run).await?,
                Wake::Command(None) => commanded = false,
                Wake::End(End::TimeUp) => {
                    return self.leave(items, End::TimeUp, deadline, &mut run).await;
                }
                Wake::End(End::Left) | Wake::Command(Some(Command::Finish)) => {
                    let end = Instant::now() + LAST_LOOK;
                    return self.leave(items, End::Left, end, &mut run).await;
                }
                Wake::Command(Some(command)) => self.obey(items, command, &mut run),
            }
        }
    }

    /// Who is still waited for. What can be asked for again on the page waits as well.
    fn open(&self, items: &[Item]) -> Vec<usize> {
        let again = self.asking == Asking::OnDemand;
        let open = |item: &Item| {
            item.asking
                || item.state.is_waiting()
                || again && !item.left && item.state.can_be_asked_again()
        };
        let open = items.iter().enumerate().filter(|(_, item)| open(item));
        let open = open.map(|(index, _)| index);
        if self.asking == Asking::OneByOne {
            open.take(1).collect()
        } else {
            open.collect()
        }
    }

    fn say_who_is_waited_for(&self, items: &[Item], open: &[usize], run: &mut Run<'_>) {
        let names = open.iter().filter_map(|index| items.get(*index));
        let names: Vec<_> = names.map(|item| item.connector().clone()).collect();
        if names != run.told {
            (self.events)(&AuthorizeEvent::Waiting(&names));
            run.told = names;
        }
    }

    /// Begins what is due, within what may be under way at once.
    fn start(&mut self, items: &[Item], run: &mut Run<'a>) {
        let now = Instant::now();
        if now < run.quiet_until {
            return;
        }
        let (remote, rules) = (self.remote, self.rules);
        if run.asks.is_empty() {
            run.look = Look::new(self.pace.busy);
        }
        while run.asks.len() < PARALLELISM
            && let Some(index) = run.queue.pop_front()
        {
            let Some(item) = items.get(index).filter(|item| item.asking) else {
                continue;
            };
            run.asks.push(turns::ask(
                (remote, rules),
                self.turns,
                Rc::clone(&run.look),
                (index, item),
            ));
        }
        if run.round.is_none() && now >= run.next {
            let questions = self.questions(items, &mut run.statuses);
            run.round = Some(Round::ask(remote, questions).boxed());
        }
    }

    fn questions(&self, items: &[Item], statuses: &mut schedule::StatusQueue) -> Vec<Question> {
        let question = |(index, item): (usize, &Item)| {
            let id = item.offer.as_ref()?.id.clone()?;
            item.state.is_waiting().then(|| Question {
                index,
                connector: item.connector().clone(),
                id,
            })
        };
        let all: Vec<_> = items.iter().enumerate().filter_map(question).collect();
        let turn = statuses.take(all.len(), &self.pace, Instant::now());
        let mut all: Vec<_> = all.into_iter().map(Some).collect();
        let taken = turn.into_iter().filter_map(|n| all.get_mut(n)?.take());
        taken.collect()
    }

    async fn take(
        &mut self,
        items: &mut [Item],
        round: Round,
        run: &mut Run<'_>,
        began: Instant,
    ) -> Result<(), PendingError> {
        let now = Instant::now();
        let at_it = items.iter().any(|item| item.offer.is_some());
        run.next = now + self.pace.pause(now.duration_since(began), at_it);
        run.quiet_until = now + round.retry_after();
        let trouble = round.trouble();
        let kind = |reason: &String| without_id(reason).to_owned();
        if let Some(reason) = &trouble
            && trouble.as_ref().map(kind) != run.trouble.as_ref().map(kind)
        {
            (self.events)(&AuthorizeEvent::Unreachable(reason));
        }
        run.trouble = trouble;
        self.take_in(items, round).await?;
        match run.leaving {
            Some((index, _)) => self.skip(items, index, run).await,
            None => Ok(()),
        }
    }

    async fn skip(
        &mut self,
        items: &mut [Item],
        index: usize,
        run: &mut Run<'_>,
    ) -> Result<(), PendingError> {
        run.leaving = None;
        let Some(item) = items.get_mut(index) else {
            return Ok(());
        };
        item.left = true;
        item.asking = false;
        if self.learn(item, &Evidence::Skipped).tell {
            return self.tell_all(items, &[index]).await;
        }
        Ok(())
    }

    /// The statuses first: what the list shows is then held against them.
    async fn take_in(&mut self, items: &mut [Item], round: Round) -> Result<(), PendingError> {
        let mut tell = Vec::new();
        let later: Vec<_> = items
            .iter()
            .map(|item| item.confirmed_after(round.asked))
            .collect();
        for (index, id, status) in round.statuses {
            let status = match status {
                Ok(status) => status,
                // The remote knows nothing of the connection: its link is of no use any more.
                Err(RemoteError::NotFound { .. }) => AuthorizationStatus::Failed,
                Err(_) => continue,
            };
            if let Some(item) = items.get_mut(index)
                && item
                    .offer
                    .as_ref()
                    .is_some_and(|o| o.id.as_ref() == Some(&id))
                && self.learn(item, &Evidence::Status(status)).tell
            {
                tell.push(index);
            }
        }
        if let Ok(listed) = &round.listed {
            for (index, item) in items.iter_mut().enumerate() {
                if later.get(index).copied().unwrap_or_default() {
                    continue;
                }
                let is = listed.get(item.connector());
                if self.learn(item, &Evidence::Listed(is)).tell {
                    tell.push(index);
                }
            }
        }
        self.tell_all(items, &tell).await
    }

    /// Feeds one piece of evidence, and does what needs no remote.
    pub(super) fn learn(&mut self, item: &mut Item, evidence: &Evidence<'_>) -> Due {
        let (state, effects) = step(&item.candidate, &item.state, evidence, self.rules);
        item.enter(state);
        let connector = item.candidate.connector.clone();
        let mut due = Due::default();
        for effect in effects {
            match effect {
                Effect::AskForLink => due.ask = true,
                Effect::Offer => due.offer = true,
                Effect::Tell => due.tell = true,
                Effect::DropLink => item.offer = None,
                Effect::LearnHost => {
                    if let Some(offer) = &item.offer {
                        self.writer.learn(&connector, &offer.link);
                    }
                }
                Effect::Forget => drop(self.writer.forget(&connector)),
                Effect::Remember(before) => {
                    let entry = &mut item.candidate.entry;
                    entry.before = Some(*before);
                    match &item.state {
                        State::Consented(super::Consent::Partial { missing, .. }) => {
                            entry.missing = missing.clone();
                            entry.dropped_by_platform = false;
                        }
                        State::Consented(super::Consent::Granted { dropped, .. }) => {
                            entry.missing = dropped.clone();
                            entry.dropped_by_platform = true;
                        }
                        _ => {}
                    }
                    self.writer.update(&connector, entry);
                }
            }
        }
        due
    }

    fn obey(&mut self, items: &mut [Item], command: Command, run: &mut Run<'_>) {
        match command {
            Command::Finish => {}
            Command::Skip => {
                let front = self.open(items).first().copied();
                if let (Some(index), None) = (front, run.leaving) {
                    let now = Instant::now();
                    run.leaving = Some((index, now + LAST_LOOK));
                    run.next = run.next.min(now);
                }
            }
            Command::Want(connector) => {
                let Some(index) = items.iter().position(|item| *item.connector() == connector)
                else {
                    return;
                };
                self.want(items, &[index], run);
            }
        }
    }

    /// Ends the waiting for everything, after a last look: somebody may have finished it.
    async fn leave(
        &mut self,
        items: &mut [Item],
        end: End,
        until: Instant,
        run: &mut Run<'_>,
    ) -> Result<(), PendingError> {
        let questions = self.questions(items, &mut run.statuses);
        let look = Round::ask(self.remote, questions);
        if let Ok(round) = tokio::time::timeout_at(until, look).await {
            self.take_in(items, round).await?;
        }
        let mut tell = Vec::new();
        for (index, item) in items.iter_mut().enumerate() {
            item.asking = false;
            if self.learn(item, &Evidence::Ended(end)).tell {
                tell.push(index);
            }
        }
        self.tell_all(items, &tell).await
    }

    /// On disk before anybody hears of it.
    pub(super) async fn tell_all(
        &mut self,
        items: &[Item],
        told: &[usize],
    ) -> Result<(), PendingError> {
        self.writer.flush().await?;
        for item in told.iter().filter_map(|index| items.get(*index)) {
            (self.events)(&AuthorizeEvent::Settled(&item.result()));
        }
        Ok(())
    }
}

/// What is left to do after a step.
#[derive(Clone, Copy, Default)]
pub(super) struct Due {
    pub(super) ask: bool,
    pub(super) offer: bool,
    pub(super) tell: bool,
}
