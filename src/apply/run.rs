//! The order of an apply: first the PUTs, then the removals, then Stripe; then a look at the
//! result.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use tokio_util::sync::CancellationToken;

use super::{
    journal::{History, PendingChange, Record, Recorded, Recorder},
    read_back::{self, PostApplyDrift},
    step::Step,
};
use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, Change, ConsentNeed},
    model::{ConnectorType, Kind, Link, Observed, RemoteStatus},
    pending::PendingSet,
    plan::{AppPlan, Digest, Verified},
    receipt::{ChangeResult, Outcome, Receipt},
    remote::Remote,
};

/// How an apply goes about it.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many writes are under way at once.
    pub parallelism: usize,
    /// Whether removals run although a PUT failed.
    pub keep_going: bool,
    /// After this the app is looked at once more, where it does not show what was written.
    pub read_again: Duration,
}

/// Something worth telling while an apply runs.
#[derive(Debug)]
pub enum Event<'a> {
    /// A write is being sent.
    Started(&'a Change),
    /// A write came to an end.
    Finished(&'a ChangeResult),
}

/// All that an apply needs. It can not be had without a verified plan.
pub struct Job<'a> {
    /// The plan.
    pub verified: Verified<'a>,
    /// What names it.
    pub digest: Digest,
    /// The app.
    pub remote: &'a Remote,
    /// The remote as it was just before the first write.
    pub observed: &'a Observed,
    /// What an earlier, interrupted run did.
    pub history: &'a History,
    /// What waited for a person before.
    pub pending: &'a PendingSet,
    /// Where everything is written down.
    pub recorder: Recorder,
    /// How scopes compare.
    pub rules: &'a ScopeEquivalence,
    /// How to go about it.
    pub options: Options,
    /// Nothing new starts once this is cancelled.
    pub cancel: CancellationToken,
    /// Told what happens.
    pub events: &'a dyn Fn(&Event<'_>),
}

/// What an apply came to.
#[derive(Debug)]
pub struct Finished {
    /// What was done, change by change.
    pub receipt: Receipt,
    /// Where the remote is not as the plan says, after all.
    pub mismatches: Vec<PostApplyDrift>,
    /// Why the remote could not be read back, if so.
    pub unread: Option<String>,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Why something could not be written down: then nothing new was started.
    pub unrecorded: Option<String>,
    /// The link by which a new Stripe sandbox is claimed. Private.
    pub stripe_claim: Option<Link>,
}

/// What the phases of one run share.
pub(super) struct Shared<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) stripe_claim: Mutex<Option<Link>>,
    unrecorded: Mutex<Option<String>>,
    failed: AtomicBool,
    /// Whether anything was sent to be written.
    sent: AtomicBool,
    /// Connectors that another's connection is said to have in force.
    contested: Mutex<BTreeSet<ConnectorType>>,
}

impl Job<'_> {
    /// Carries the plan out.
    pub async fn run(self) -> Finished {
        let shared = Shared {
            job: &self,
            stripe_claim: Mutex::new(None),
            unrecorded: Mutex::new(None),
            failed: AtomicBool::new(false),
            sent: AtomicBool::new(false),
            contested: Mutex::default(),
        };
        let app = self.verified.app();
        let mut results: BTreeMap<ConnectorType, ChangeResult> = BTreeMap::new();
        for change in app
            .changes
            .iter()
            .filter(|change| change.action == Action::NoOp)
        {
            results.insert(
                change.connector.clone(),
                waiting_or_unchanged(change, app, self.pending),
            );
        }
        let oauth = |change: &&Change| change.kind() == Kind::Oauth;
        let stripe = |change: &&Change| change.kind() == Kind::Stripe;
        let writes = |change: &&Change| !matches!(change.action, Action::NoOp | Action::Delete);
        let removes = |change: &&Change| change.action == Action::Delete;
        let changes = || app.changes.iter();

        results.extend(shared.phase(changes().filter(oauth).filter(writes)).await);
        let may_remove = || self.options.keep_going || !shared.failed.load(Ordering::Relaxed);
        if may_remove() {
            results.extend(shared.phase(changes().filter(oauth).filter(removes)).await);
        }
        results.extend(shared.phase(changes().filter(stripe).filter(writes)).await);
        if may_remove() {
            results.extend(shared.phase(changes().filter(stripe).filter(removes)).await);
        }
        for change in changes() {
            results.entry(change.connector.clone()).or_insert_with(|| {
                let reason = if self.cancel.is_cancelled() {
                    "the run was interrupted"
                } else {
                    "something before it failed"
                };
                ChangeResult {
                    message: Some(reason.to_owned()),
                    ..blank(change, Outcome::NotRun)
                }
            });
        }
        let mut results: Vec<_> = results.into_values().collect();

        let interrupted = self.cancel.is_cancelled();
        let (mismatches, unread) = if interrupted {
            (Vec::new(), None)
        } else {
            shared.read_back(&mut results).await
        };
        let whole = results
            .iter()
            .all(|result| result.outcome.is_effect() || result.outcome == Outcome::Unchanged);
        if whole && let Err(e) = self.recorder.note(Record::End, PendingChange::None).await {
            shared.unrecorded(e);
        }
        let receipt = Receipt {
            plan_digest: self.digest.clone(),
            app: app.app.clone(),
            results,
            approvals: Vec::new(),
            origin: None,
        };
        Finished {
            receipt,
            mismatches,
            unread,
            interrupted,
            unrecorded: take(&shared.unrecorded),
            stripe_claim: take(&shared.stripe_claim),
        }
    }
}

impl<'a> Shared<'a> {
    /// Looks at the app after the writes. What it says decides: a write that was answered well and
    /// is not there has failed.
    async fn read_back(
        &self,
        results: &mut [ChangeResult],
    ) -> (Vec<PostApplyDrift>, Option<String>) {
        let job = self.job;
        let app = job.verified.app();
        let contested = self
            .contested
            .lock()
            .map(|set| set.clone())
            .unwrap_or_default();
        if !self.sent.load(Ordering::Relaxed) {
            return (
                read_back::mismatches(app, results, job.observed, job.rules),
                None,
            );
        }
        let mut pauses = [job.options.read_again].into_iter();
        let observed = loop {
            match job.remote.observe().await {
                Ok(observed) => {
                    let fails = read_back::fails(app, results, &observed, job.rules, &contested);
                    // The list may lag behind the writes.
                    match pauses.next().filter(|_| fails) {
                        Some(pause) => tokio::time::sleep(pause).await,
                        None => break observed,
                    }
                }
                Err(e) => {
                    for result in results
                        .iter_mut()
                        .filter(|r| contested.contains(&r.connector))
                    {
                        result.outcome = Outcome::Failed;
                    }
                    return (Vec::new(), Some(e.to_string()));
                }
            }
        };
        let before: Vec<_> = results.iter().map(|result| result.outcome).collect();
        let found = read_back::compare(app, results, &observed, job.rules, &contested);
        for (result, before) in results.iter().zip(before) {
            if result.outcome != before {
                // A later run does not take it for done.
                let recorded = Recorded {
                    connector: result.connector.clone(),
                    outcome: result.outcome,
                    message: result.message.clone(),
                    connection_id: None,
                    mode: None,
                };
                let note = job
                    .recorder
                    .note(Record::Outcome(recorded), PendingChange::None);
                if let Err(e) = note.await {
                    self.unrecorded(e);
                }
            }
        }
        self.claim(observed.stripe_claim);
        (found, None)
    }

    pub(super) fn sending(&self) {
        self.sent.store(true, Ordering::Relaxed);
    }

    pub(super) fn contested(&self, connector: &ConnectorType) {
        if let Ok(mut set) = self.contested.lock() {
            set.insert(connector.clone());
        }
    }

    /// Runs changes of one kind, several at a time. A failure of one does not stop the others.
    async fn phase(
        &self,
        changes: impl Iterator<Item = &'a Change>,
    ) -> Vec<(ConnectorType, ChangeResult)> {
        let steps = changes.map(|change| async move {
            if self.job.cancel.is_cancelled() || self.is_unrecorded() {
                return None;
            }
            let result = Step {
                shared: self,
                change,
            }
            .run()
            .await;
            if result.outcome == Outcome::Failed {
                self.failed.store(true, Ordering::Relaxed);
            }
            (self.job.events)(&Event::Finished(&result));
            Some((change.connector.clone(), result))
        });
        let parallelism = self.job.options.parallelism.max(1);
        stream::iter(steps)
            .buffer_unordered(parallelism)
            .filter_map(|r| async { r })
            .collect()
            .await
    }

    pub(super) fn claim(&self, link: Option<Link>) {
        if let (Some(link), Ok(mut slot)) = (link, self.stripe_claim.lock()) {
            *slot = Some(link);
        }
    }

    pub(super) fn unrecorded(&self, reason: String) {
        if let Ok(mut slot) = self.unrecorded.lock() {
            slot.get_or_insert(reason);
        }
    }

    fn is_unrecorded(&self) -> bool {
        self.unrecorded.lock().is_ok_and(|slot| slot.is_some())
    }
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().ok().and_then(|mut slot| slot.take())
}

/// A result that says nothing but what the plan said.
pub(super) fn blank(change: &Change, outcome: Outcome) -> ChangeResult {
    ChangeResult {
        connector: change.connector.clone(),
        action: change.action,
        outcome,
        message: None,
        scopes: change
            .after
            .as_ref()
            .map(|after| after.scopes.clone())
            .unwrap_or_default(),
        before: change.before.as_ref().map(|before| before.scopes.clone()),
        connection_id: None,
        account: change
            .after
            .as_ref()
            .and_then(|after| after.account.clone()),
        connection_config: change
            .after
            .as_ref()
            .map(|after| after.connection_config.clone())
            .unwrap_or_default(),
        mode: change.before.as_ref().and_then(|before| before.mode),
    }
}

/// The receipt of a plan that was carried out, from its journal, and what has moved since then.
pub fn recorded_receipt(
    plan: &crate::plan::Plan,
    digest: &Digest,
    history: &History,
    pending: &PendingSet,
    observed: &Observed,
    rules: &ScopeEquivalence,
) -> (Receipt, Vec<PostApplyDrift>) {
    let app = &plan.app;
    let results = app.changes.iter().map(|change| {
        let Some(recorded) = history.done(&change.connector) else {
            return waiting_or_unchanged(change, app, pending);
        };
        // What waited then may have been consented to since.
        let waits = pending.get(&app.app, &change.connector).is_some();
        let is = observed.connectors.get(&change.connector);
        let in_force = is.zip(change.after.as_ref()).is_some_and(|(is, after)| {
            let diff = rules.compare(&change.connector, &after.scopes, &is.scopes);
            is.status == RemoteStatus::Active && diff.is_same()
        });
        if recorded.outcome == Outcome::Pending && !waits && in_force {
            return blank(change, Outcome::in_force(change.action));
        }
        ChangeResult {
            message: recorded.message.clone(),
            connection_id: recorded.connection_id.clone(),
            mode: recorded
                .mode
                .or(change.before.as_ref().and_then(|before| before.mode)),
            ..blank(change, recorded.outcome)
        }
    });
    let mut results: Vec<_> = results.collect();
    // The outcomes stay what they were: the plan was carried out, whatever came after it.
    let moved = read_back::mismatches(app, &results, observed, rules);
    read_back::note(&mut results, &moved);
    let receipt = Receipt {
        plan_digest: digest.clone(),
        app: app.app.clone(),
        results,
        approvals: Vec::new(),
        origin: None,
    };
    (receipt, moved)
}

/// A no-op's result: unchanged, or waiting as before.
fn waiting_or_unchanged(change: &Change, app: &AppPlan, pending: &PendingSet) -> ChangeResult {
    if change.authorization != ConsentNeed::Pending {
        return blank(change, Outcome::Unchanged);
    }
    let entry = pending.get(&app.app, &change.connector);
    ChangeResult {
        connection_id: entry.and_then(|entry| entry.connection_id.clone()),
        ..blank(change, Outcome::Pending)
    }
}
