//! The order of an apply: first the PUTs, then the removals, then Stripe; then a look at the
//! result.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt, stream};

use super::{
    entry::dropped_by_platform,
    job::{ApplyEvent, Finished, Job, Shared, blank},
    journal::{History, PendingChange, Record, Recorded},
    read_back::{self, PostApplyDrift},
    step::{INTERRUPTED, Step},
};
use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, Change, ConsentNeed},
    model::{ConnectorType, Kind, Observed, RemoteStatus},
    pending::PendingSet,
    plan::{AppPlan, Digest},
    receipt::{Basis, ChangeResult, Outcome, Receipt},
};

/// Said of a connector that waited, and does not any more.
const FORGOTTEN: &str = "it waits no longer: it was forgotten, or somebody changed the connector; a new \
                         plan shows what is left";

/// Said of a connector that waits by the word of the plan alone.
const UNKNOWN: &str = "the plan says that it waits, but nothing here proves that anybody asked for it: continue with the \
                       receipt of the apply that did";

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
            advice: Mutex::default(),
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
                waiting_or_unchanged(
                    change,
                    app,
                    self.with.pending,
                    (self.verified.observed(), self.with.rules),
                ),
            );
        }
        let oauth = |change: &&Change| change.kind() == Kind::Oauth;
        let stripe = |change: &&Change| change.kind() == Kind::Stripe;
        let writes = |change: &&Change| !matches!(change.action, Action::NoOp | Action::Delete);
        let removes = |change: &&Change| change.action == Action::Delete;
        let changes = || app.changes.iter();

        results.extend(shared.phase(changes().filter(oauth).filter(writes)).await);
        let may_remove = || self.with.options.keep_going || !shared.failed.load(Ordering::Relaxed);
        if may_remove() {
            results.extend(shared.phase(changes().filter(oauth).filter(removes)).await);
        }
        results.extend(shared.phase(changes().filter(stripe).filter(writes)).await);
        if may_remove() {
            results.extend(shared.phase(changes().filter(stripe).filter(removes)).await);
        }
        for change in changes() {
            results.entry(change.connector.clone()).or_insert_with(|| {
                let reason = if self.with.cancel.is_cancelled() {
                    INTERRUPTED
                } else {
                    "not removed, because another change failed (`--keep-going` removes it all the same)"
                };
                ChangeResult {
                    message: Some(reason.to_owned()),
                    ..blank(change, Outcome::NotRun)
                }
            });
        }
        let mut results: Vec<_> = results.into_values().collect();

        let interrupted = self.with.cancel.is_cancelled();
        let (mismatches, unread) = if interrupted {
            (Vec::new(), None)
        } else {
            shared.read_back(&mut results).await
        };
        let whole = results
            .iter()
            .all(|result| result.outcome.is_effect() || result.outcome == Outcome::Unchanged);
        // What nobody looked at is not at its end: the next run of this plan looks.
        let whole = whole && unread.is_none();
        if whole
            && let Err(e) = self
                .with
                .recorder
                .note(Record::End, PendingChange::None)
                .await
        {
            shared.unrecorded(e);
        }
        let receipt = Receipt {
            plan_digest: self.verified.digest().clone(),
            app: app.app.clone(),
            results,
            approvals: Vec::new(),
            overrides: Vec::new(),
            origin: None,
        };
        Finished {
            receipt,
            mismatches,
            unread,
            advice: shared
                .advice
                .lock()
                .map(|all| all.clone())
                .unwrap_or_default(),
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
                read_back::mismatches(app, results, job.verified.observed(), job.with.rules),
                None,
            );
        }
        let mut pauses = [job.with.options.read_again].into_iter();
        let observed = loop {
            let written = app.changes.iter().filter(|c| c.action != Action::NoOp);
            let wanted = written.filter_map(Change::values);
            match job.remote.observe_with(wanted).await {
                Ok(observed) => {
                    let fails =
                        read_back::fails(app, results, &observed, job.with.rules, &contested);
                    // The list may lag behind the writes.
                    match pauses.next().filter(|_| fails) {
                        Some(pause) => tokio::select! {
                            () = job.with.cancel.cancelled() => break observed,
                            () = tokio::time::sleep(pause) => {}
                        },
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
                    self.unconfirmed(results).await;
                    return (Vec::new(), Some(e.to_string()));
                }
            }
        };
        let before: Vec<_> = results.iter().map(|result| result.outcome).collect();
        let mut found = read_back::compare(app, results, &observed, job.with.rules, &contested);
        self.ask_again(app, results, &observed, &mut found).await;
        for ((result, before), change) in results.iter_mut().zip(before).zip(&app.changes) {
            let missing = read_back::dropped(change, result, &observed, job.with.rules);
            let learnt = if missing.is_empty() {
                PendingChange::None
            } else {
                if let Some(message) = &mut result.message {
                    message.push_str(read_back::NOT_PASSED_ON);
                }
                let is = observed.connectors.get(&change.connector);
                let entry = dropped_by_platform(
                    change,
                    job.verified.digest(),
                    is,
                    missing,
                    job.with.overrides,
                );
                PendingChange::Add(change.connector.clone(), Box::new(entry))
            };
            if result.outcome != before || !matches!(learnt, PendingChange::None) {
                // A later run does not take it for done.
                let recorded = Recorded {
                    connector: result.connector.clone(),
                    outcome: result.outcome,
                    message: Recorded::said(result.message.as_deref()),
                    connection_id: result.connection_id.clone(),
                    mode: result.mode,
                    basis: result.basis,
                };
                let note = job.with.recorder.note(Record::Outcome(recorded), learnt);
                if let Err(e) = note.await {
                    self.unrecorded(e);
                }
            }
        }
        self.claim(observed.stripe_claim);
        (found, None)
    }

    /// Nobody could look at what these writes came to: the next run of the plan takes none of them for
    /// done, and looks.
    async fn unconfirmed(&self, results: &mut [ChangeResult]) {
        let judged = |result: &&mut ChangeResult| {
            result.outcome.is_effect() && result.outcome != Outcome::Pending
        };
        for result in results.iter_mut().filter(judged) {
            result.basis.get_or_insert(Basis::Answered);
            let connector = result.connector.clone();
            let note = self
                .job
                .with
                .recorder
                .note(Record::Intent { connector }, PendingChange::None);
            if let Err(e) = note.await {
                self.unrecorded(e);
            }
        }
    }

    /// Where the platform says that all is in force and its list lacks a part, it is asked once more:
    /// one answer may be wrong, and a scope that the platform drops is dropped each time.
    async fn ask_again(
        &self,
        app: &AppPlan,
        results: &mut [ChangeResult],
        observed: &Observed,
        found: &mut Vec<PostApplyDrift>,
    ) {
        for (change, result) in app.changes.iter().zip(results) {
            if read_back::dropped(change, result, observed, self.job.with.rules).is_empty() {
                continue;
            }
            let step = Step {
                shared: self,
                change,
            };
            let Some(again) = step.put_again().await else {
                return;
            };
            if again.outcome != result.outcome {
                *result = again;
                found.retain(|found| found.connector != change.connector);
            }
        }
    }

    /// Runs changes of one kind, several at a time. A failure of one does not stop the others.
    async fn phase(
        &self,
        changes: impl Iterator<Item = &'a Change>,
    ) -> Vec<(ConnectorType, ChangeResult)> {
        let steps = changes.map(|change| async move {
            if self.job.with.cancel.is_cancelled() || self.is_unrecorded() {
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
            // What no signal let begin is said once, at the end.
            if result.outcome != Outcome::NotRun {
                (self.job.with.events)(&ApplyEvent::Finished(&result));
            }
            Some((change.connector.clone(), result))
        });
        let parallelism = self.job.with.options.parallelism.max(1);
        stream::iter(steps)
            .buffer_unordered(parallelism)
            .filter_map(|r| async { r })
            .collect()
            .await
    }
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().ok().and_then(|mut slot| slot.take())
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
            return waiting_or_unchanged(change, app, pending, (observed, rules));
        };
        // What waited then may have been consented to since.
        let waits = pending.get(&app.app, &change.connector).is_some();
        let in_force = is_in_force(change, observed, rules);
        if recorded.outcome == Outcome::Pending && !waits && in_force {
            return blank(change, Outcome::in_force(change.action));
        }
        if recorded.outcome == Outcome::Pending && !waits {
            return ChangeResult {
                message: Some(FORGOTTEN.to_owned()),
                ..blank(change, Outcome::NotRun)
            };
        }
        ChangeResult {
            message: recorded.message.clone(),
            connection_id: recorded.connection_id.clone(),
            mode: recorded
                .mode
                .or(change.before.as_ref().and_then(|before| before.mode)),
            basis: recorded.basis,
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
        overrides: Vec::new(),
        origin: None,
    };
    (receipt, moved)
}

/// A no-op's result: unchanged, or waiting as before, unless somebody consented since the plan was made. No digest
/// covers what a plan says of a no-op, and the receipt is to be believed: it waits where `pending` says so, too.
fn waiting_or_unchanged(
    change: &Change,
    app: &AppPlan,
    pending: &PendingSet,
    (observed, rules): (&Observed, &ScopeEquivalence),
) -> ChangeResult {
    if change.authorization != ConsentNeed::Pending || is_in_force(change, observed, rules) {
        // A connector may have no scopes: then nothing else tells that the plan does without it.
        let basis = change.after.is_none().then_some(Basis::Found);
        return ChangeResult {
            basis,
            ..blank(change, Outcome::Unchanged)
        };
    }
    let entry = pending.get(&app.app, &change.connector);
    let asked = entry.zip(change.after.as_ref()).filter(|(entry, after)| {
        let diff = rules.compare(&change.connector, &after.scopes, &entry.scopes);
        diff.is_same() && entry.terms().fit(&after.terms())
    });
    match asked {
        Some((entry, _)) => ChangeResult {
            connection_id: entry.connection_id.clone(),
            ..blank(change, Outcome::Pending)
        },
        None => ChangeResult {
            message: Some(UNKNOWN.to_owned()),
            ..blank(change, Outcome::Unchanged)
        },
    }
}

/// Whether the app has the connector as the plan wants it, and it works.
fn is_in_force(change: &Change, observed: &Observed, rules: &ScopeEquivalence) -> bool {
    let is = observed.connectors.get(&change.connector);
    is.zip(change.after.as_ref()).is_some_and(|(is, after)| {
        let diff = rules.compare(&change.connector, &after.scopes, &is.scopes);
        is.status == RemoteStatus::Active && diff.is_same()
    })
}
