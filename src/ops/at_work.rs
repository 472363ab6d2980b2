//! The memory while this command is at work: under a lease where others share it.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{
    Around, OpEvent, PendingBefore, Team,
    applied::{self, Carried},
    in_git::check_none_is_known,
    team::place,
    withdrawn,
};
use crate::{
    config::Project,
    context::Failure,
    diff::Action,
    model::{App, ConnectorType},
    pending::{PendingEntry, PendingSet},
    plan::Digest,
    receipt::{self, Basis, Outcome, Receipt},
    state::{AppLock, AppState, Locked},
    store::{Consented, HistoryEvent, Lease, LeaseError, Memory, Wait, Waits, What},
};

/// How long a lease lasts unless it is renewed. Longer than any one request may take.
const LEASE: Duration = Duration::from_mins(4);

/// How long what an authorization came to waits for another connplan.
const RECORDING: Duration = Duration::from_secs(10);

/// How long a renewal that is under way may take to end.
const LAST_RENEWAL: Duration = Duration::from_secs(5);

/// The memory, with the lease of this command.
#[derive(Debug)]
pub struct AtWork {
    team: Team,
    doing: String,
    /// The lock of this machine, where it is taken in turns as the lease is.
    lock: Option<Arc<AppLock>>,
    at: Mutex<LeaseState>,
}

/// Where the lease is.
#[derive(Debug, Default)]
struct LeaseState {
    /// The lock of this machine, while it is this command's turn.
    locked: Option<Arc<Locked>>,
    /// `None` while it is not held, and where the kernel's lock is enough: nobody else shares this
    /// memory.
    held: Option<Held>,
    /// The one before, on its way back.
    going: Option<JoinHandle<()>>,
    /// The newest that was held.
    epoch: u64,
}

#[derive(Debug)]
struct Held {
    lease: Arc<Lease>,
    stop: CancellationToken,
    keeping: JoinHandle<()>,
}

impl Held {
    fn new(lease: Lease) -> Self {
        let (lease, stop) = (Arc::new(lease), CancellationToken::new());
        let (kept, stopped) = (Arc::clone(&lease), stop.clone());
        let keeping = tokio::spawn(async move {
            // It closes the fence: what would be started next says why it is not.
            if let Err(lost) = kept.keep(&stopped).await {
                tracing::warn!(%lost, "the lease is lost");
            }
        });
        Self {
            lease,
            stop,
            keeping,
        }
    }

    /// One that stays ends by itself.
    async fn give_back(mut self) {
        self.stop.cancel();
        if tokio::time::timeout(LAST_RENEWAL, &mut self.keeping)
            .await
            .is_err()
        {
            self.keeping.abort();
        }
        if let Err(e) = self.lease.give_back().await {
            tracing::info!(%e, "the lease ends by itself");
        }
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(held) = &self.at().held {
            held.keeping.abort();
        }
    }
}

impl AtWork {
    /// Opens the team's memory and takes the lease. Where the store is away nothing starts, and that is
    /// said.
    pub(super) async fn begin(
        around: &Around<'_>,
        (project, app, state): (&Project, &App, &AppState),
        doing: &str,
        patience: Duration,
    ) -> Result<Self, Failure> {
        if place(around, project)?.is_none() {
            check_none_is_known(around, state, app)?;
        }
        let begun = async {
            let at_work = Self {
                team: Team::open(around, project, app, state).await?,
                doing: doing.to_owned(),
                lock: None,
                at: Mutex::default(),
            };
            at_work.resume(around, patience).await?;
            at_work.team.was_used(around);
            Ok(at_work)
        };
        begun.await.inspect_err(|failure: &Failure| {
            let held = matches!(failure.report.downcast_ref(), Some(LeaseError::Held { .. }));
            if !held && !matches!(place(around, project), Ok(None)) {
                around.tell(&OpEvent::NotBegun);
            }
        })
    }

    /// Alone with the app's consents, with lock and lease, whatever comes of the work. Both are given up by
    /// [`AtWork::pause`], once the work has dropped the lock.
    pub async fn on_consents<T>(
        around: &Around<'_>,
        place: (&Project, &App, &AppState),
        doing: &str,
        patience: Duration,
        work: impl AsyncFnOnce(Arc<Locked>, &Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let lock = around.lock_of(place.2, "authorize");
        let locked = around.lock(&lock, patience).await?;
        let mut at_work = Self::begin(around, place, doing, patience).await?;
        at_work.lock = Some(lock);
        at_work.at().locked = Some(Arc::clone(&locked));
        let ended = work(locked, &at_work).await;
        at_work.end().await;
        ended
    }

    fn at(&self) -> MutexGuard<'_, LeaseState> {
        self.at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How the lock of this machine is taken, where that goes in turns.
    pub(super) fn lock(&self) -> Option<Arc<AppLock>> {
        self.lock.clone()
    }

    /// Takes lock and lease, unless they are held. One at a time calls it.
    pub(super) async fn resume(
        &self,
        around: &Around<'_>,
        patience: Duration,
    ) -> Result<(), Failure> {
        let free = self.lock.as_ref().filter(|_| self.at().locked.is_none());
        if let Some(lock) = free {
            let locked = around.lock(lock, patience).await?;
            self.at().locked = Some(locked);
        }
        if !self.memory().is_shared() || self.at().held.is_some() {
            return Ok(());
        }
        let going = mem::take(&mut self.at().going);
        if let Some(going) = going {
            let _ = going.await;
        }
        let test = around.context.vars.get("__CONNPLAN_TEST_LEASE_MS");
        let length = test
            .and_then(|ms| ms.parse().ok())
            .map_or(LEASE, Duration::from_millis);
        let waiting = |holder: &str| {
            around.tell(&OpEvent::WaitingFor(holder));
        };
        let memory = self.memory();
        let lease = memory.lease(
            &self.doing,
            length,
            patience,
            &around.context.fence,
            waiting,
        );
        let lease = lease.await?;
        let mut at = self.at();
        at.epoch = lease.epoch();
        at.held = Some(Held::new(lease));
        Ok(())
    }

    /// Lets others work until `resume`: nothing is written, and a person may take minutes.
    pub fn pause(&self) {
        let mut at = self.at();
        at.locked = None;
        if let Some(held) = at.held.take() {
            held.lease.put_down();
            at.going = Some(tokio::spawn(held.give_back()));
        }
    }

    /// What waits. Read under the lease: a failure ends what was to begin.
    pub(super) async fn waits(&self, own: &PendingSet) -> Result<Waits, Failure> {
        Ok(self.team.waits(own).await?)
    }

    /// The app.
    pub(super) fn app(&self) -> &App {
        &self.team.app
    }

    /// The memory itself.
    pub fn memory(&self) -> &Memory {
        &self.team.memory
    }

    /// Makes sure that the lease is still held.
    pub async fn check(&self) -> Result<(), Failure> {
        let lease = self.at().held.as_ref().map(|held| Arc::clone(&held.lease));
        if let Some(lease) = lease {
            lease.check().await?;
        }
        Ok(())
    }

    fn epoch(&self) -> u64 {
        self.at().epoch
    }

    /// Tells that an apply of a plan begins that somebody had to approve: where it is killed nothing else
    /// says that the approval was used.
    pub(super) async fn begins(&self, digest: &Digest) -> Result<(), Failure> {
        // On one machine there is no lease that counts.
        let epoch = self.epoch().max(1);
        let by = self.memory().by().clone();
        let event = HistoryEvent::now(by, epoch, What::Plan(digest.clone()));
        Ok(self.memory().record(&event).await?)
    }

    /// Tells what an apply did. What cannot be told now is kept, and told by the next command. `of`: what
    /// it was of, where the app is as the plan says. Returns what it withdraws.
    pub(super) async fn applied(
        &self,
        around: &Around<'_>,
        receipt: &Receipt,
        pending: &PendingSet,
        of: Option<Carried<'_>>,
    ) -> Vec<ConnectorType> {
        // Whoever reads the repository reads it.
        let stored = masked(receipt);
        let text = match receipt::to_toml(&stored, Some(around.context.now().to_string())) {
            Ok(text) => text,
            Err(e) => {
                around.warn(e);
                return Vec::new();
            }
        };
        let what = What::Apply(receipt.plan_digest.clone(), text);
        let (applied_from, withdrawn) = match of {
            Some(of) => (
                applied::moves_to(around.context, of, receipt, self.memory()).await,
                withdrawn::ended(around, of, receipt).await,
            ),
            None => (None, Vec::new()),
        };
        let event = HistoryEvent {
            applied_from,
            withdrawn: withdrawn.clone(),
            ..HistoryEvent::now(self.memory().by().clone(), self.epoch(), what)
        };
        let changed = receipt
            .results()
            .filter(|result| result.action != Action::NoOp);
        let (mut waits, mut done) = (Vec::new(), withdrawn.clone());
        for result in changed {
            match result.outcome {
                Outcome::Pending => {
                    let entry = pending.get(&self.team.app, &result.connector);
                    waits.extend(entry.map(|entry| self.wait(&result.connector, entry)));
                }
                Outcome::Failed | Outcome::NotRun => {}
                // What another plan asked for since waits still.
                _ if result.basis == Some(Basis::Found) => {
                    let entry = pending.get(&self.team.app, &result.connector);
                    let plan = entry.and_then(|entry| entry.plan_digest.as_ref());
                    if plan == Some(&receipt.plan_digest) {
                        done.push(result.connector.clone());
                    }
                }
                _ => done.push(result.connector.clone()),
            }
        }
        self.tell(around, &event, waits, done).await;
        if let Some(keep) = self.team.keep
            && let Ok(before) = around.context.now().checked_sub(keep.get())
            && let Err(e) = self.memory().expire(before, super::used::proofs).await
        {
            tracing::info!(%e, "old entries stay in the store");
        }
        withdrawn
    }

    fn wait(&self, connector: &ConnectorType, entry: &PendingEntry) -> Wait {
        self.team.wait(connector, entry, self.epoch())
    }

    /// Tells that nobody waits for these any more.
    pub(super) async fn forgotten(&self, around: &Around<'_>, connectors: Vec<ConnectorType>) {
        let what = What::Forget(connectors.clone());
        let event = HistoryEvent::now(self.memory().by().clone(), self.epoch(), what);
        self.tell(around, &event, Vec::new(), connectors).await;
    }

    /// Tells what an authorization came to: what waited before and does not any more, what it asked for and somebody
    /// consented to, whatever waited before, and what was asked for anew. `granted`: what is in force, and whether it
    /// asked for it. Of what somebody else changed meanwhile, the store knows it better.
    pub(super) async fn authorized(
        &self,
        around: &Around<'_>,
        before: &PendingBefore,
        after: &PendingSet,
        granted: &BTreeMap<&ConnectorType, bool>,
    ) {
        let app = &self.team.app;
        let gone = before.pending.of(app).map(|(name, _)| name);
        let gone = gone.filter(|name| after.get(app, name).is_none());
        let (mut consented, forgotten): (BTreeSet<_>, BTreeSet<_>) =
            gone.partition(|name| granted.contains_key(name));
        consented.extend(
            granted
                .iter()
                .filter_map(|(name, asked)| asked.then_some(*name)),
        );
        // What was learnt on the way is told too: what a consent left out, say.
        let new = after.of(app);
        let new = new.filter(|(name, entry)| before.pending.get(app, name) != Some(entry));
        let new: Vec<_> = new.map(|(name, entry)| (name.clone(), entry)).collect();
        if consented.is_empty() && forgotten.is_empty() && new.is_empty() {
            return;
        }
        // Without a lease it is told all the same, with the epoch of the last one: what was asked for
        // later stays.
        let over = match self.resume(around, RECORDING).await {
            Ok(()) => {
                let since = before.since(app, self.memory()).await;
                since.unwrap_or_default().changed
            }
            Err(failure) => {
                tracing::info!(why = %failure.report, "recorded without the lease");
                BTreeSet::new()
            }
        };
        let mine = |name: &ConnectorType| !over.contains(name);
        let new = new.into_iter().filter(|(name, _)| mine(name));
        let new: Vec<_> = new.map(|(name, entry)| self.wait(&name, entry)).collect();
        if !consented.is_empty() || !new.is_empty() {
            let consents = consented.iter().copied().cloned();
            let what = What::Consent(consents.map(Consented::authorized).collect());
            let event = HistoryEvent::now(self.memory().by().clone(), self.epoch(), what);
            // What is settled stays known.
            consented.retain(|name| mine(name) && after.get(app, name).is_none());
            let done = consented.into_iter().cloned().collect();
            self.tell(around, &event, new, done).await;
        }
        let forgotten = forgotten.into_iter().filter(|name| mine(name));
        let forgotten: Vec<_> = forgotten.cloned().collect();
        if !forgotten.is_empty() {
            self.forgotten(around, forgotten).await;
        }
    }

    async fn tell(
        &self,
        around: &Around<'_>,
        event: &HistoryEvent,
        waits: Vec<Wait>,
        done: Vec<ConnectorType>,
    ) {
        let memory = self.memory();
        let told = if memory.is_shared() {
            self.team.outbox.send(memory, event, &waits, &done).await
        } else {
            memory.record(event).await
        };
        if let Err(e) = told {
            around.tell(&OpEvent::StoreNotTold(memory.is_shared(), e.to_string()));
        }
    }

    /// Gives the lease back.
    pub async fn end(self) {
        let (held, going) = {
            let mut at = self.at();
            (at.held.take(), at.going.take())
        };
        if let Some(held) = held {
            held.give_back().await;
        }
        if let Some(going) = going {
            let _ = going.await;
        }
    }
}

/// A receipt as all may read it: signers are often named by their address.
fn masked(receipt: &Receipt) -> Receipt {
    let mut receipt = receipt.clone();
    let mask = |text: &mut String| *text = crate::escape::mask_accounts(text).into_owned();
    for approval in &mut receipt.approvals {
        mask(&mut approval.signer);
        approval.by.iter_mut().for_each(mask);
    }
    receipt
}
