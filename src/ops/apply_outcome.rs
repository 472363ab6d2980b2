//! What an apply came to, as a whole.

use std::collections::BTreeSet;

use crate::{
    apply::{Finished, PostApplyDrift},
    diff::Action,
    model::Link,
    plan::Plan,
    receipt::{Outcome, Receipt},
    remote::Remote,
};

/// What came of it.
pub struct ApplyOutcome {
    /// What was done, change by change.
    pub receipt: Receipt,
    /// How it ended.
    pub ended: ApplyEnd,
    /// Where the remote is not as the plan says.
    pub drift: Vec<PostApplyDrift>,
    /// Why the remote could not be read back, if so.
    pub unread: Option<String>,
    /// Why something could not be written down: then nobody can read it from the journal.
    pub unrecorded: Option<String>,
    /// The link by which a new Stripe sandbox is claimed.
    pub stripe_claim: Option<Link>,
}

/// How an apply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApplyEnd {
    /// Nothing was left to do.
    AlreadyApplied,
    /// All of it is done.
    Done,
    /// Something was done, something failed.
    Partial,
    /// Nothing was done, something failed.
    Failed,
    /// A signal cut it short.
    Interrupted,
}

pub(super) fn ended(finished: &Finished) -> ApplyEnd {
    // What was waited for before counts for nothing: this plan did not ask for it.
    let any = |wanted: fn(Outcome) -> bool| {
        let mut changes = finished
            .receipt
            .results()
            .filter(|result| result.action != Action::NoOp);
        changes.any(|result| wanted(result.outcome))
    };
    let failed = any(|outcome| outcome == Outcome::Failed);
    match (finished.interrupted, failed) {
        (true, _) => ApplyEnd::Interrupted,
        (false, false) => ApplyEnd::Done,
        (false, true) if any(Outcome::is_effect) => ApplyEnd::Partial,
        (false, true) => ApplyEnd::Failed,
    }
}

/// Whether the app was looked at after the writes, and is beside them what the plan says: no digest covers its no-ops.
pub(super) fn is_looked_at(plan: &Plan, finished: &Finished) -> bool {
    let written = plan
        .changes()
        .filter(|change| change.action != Action::NoOp);
    let written: BTreeSet<_> = written.map(|change| &change.connector).collect();
    let mut moved = finished.mismatches.iter();
    let is_known = moved.all(|drift| written.contains(&drift.connector));
    is_known && finished.unread.is_none() && !finished.interrupted
}

/// Whether what the plan leaves alone connects with the values that it says: the list that the app was looked at by does
/// not tell them. Of what the platform does not tell at all nothing is known to differ.
pub(super) async fn connects_alike(plan: &Plan, remote: &Remote) -> bool {
    let left = plan.changes();
    for change in left.filter(|change| change.action == Action::NoOp) {
        let after = change.after.as_ref();
        let Some(after) = after.filter(|after| !after.connection_config.is_empty()) else {
            continue;
        };
        match remote.connection_values(&change.connector).await {
            Ok(told) => {
                let mut saved = told.saved.iter();
                if saved.any(|saved| *saved != after.connection_config) {
                    return false;
                }
            }
            Err(error) => {
                tracing::info!(%error, "what was applied last stays what it was");
                return false;
            }
        }
    }
    true
}
