//! Where an app went apart from its files, and whose doing that is. Pure.
//!
//! A plan says what differs; the receipts say what the applies brought. What differs from both was
//! changed outside; what is as the applies left it differs because the files went on. What no apply is
//! known to have brought counts as changed outside, and the report says that it may be either.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, Change, ConsentNeed},
    model::{ConnectorType, RemoteConnector, RemoteStatus},
    plan::Plan,
    receipt::{ChangeResult, Outcome, Receipt},
};

/// What went apart.
#[derive(Clone, Debug, Default)]
pub struct Drift<'a> {
    /// Changed outside: in the app, and no apply brought it.
    pub outside: Vec<&'a Change>,
    /// In the files, and no apply brought it.
    pub not_applied: Vec<&'a Change>,
    /// Whether no apply is known of some of what counts as changed outside.
    pub unattributed: bool,
    /// Waiting for a person.
    pub waiting: Vec<Waiting<'a>>,
    /// How many others there are of which nobody knows whether they went apart.
    pub uncompared: usize,
}

/// What waits for a person.
#[derive(Clone, Debug)]
pub struct Waiting<'a> {
    /// The connector.
    pub change: &'a Change,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
    /// Whether it waits longer than it may.
    pub overdue: bool,
}

impl Drift<'_> {
    /// Whether something has to be done.
    pub fn is_some(&self) -> bool {
        let late = self.waiting.iter().any(|waiting| waiting.overdue);
        late || !self.outside.is_empty() || !self.not_applied.is_empty()
    }
}

/// Sorts what differs. `receipts` are in order, the last one last. `since` tells since when a
/// connector waits, `limit` how long one may.
pub fn find<'a>(
    plan: &'a Plan,
    receipts: &[&Receipt],
    since: impl Fn(&ConnectorType) -> Option<Timestamp>,
    (now, limit): (Timestamp, Option<SignedDuration>),
    rules: &ScopeEquivalence,
) -> Drift<'a> {
    let mut brought: BTreeMap<&ConnectorType, &ChangeResult> = BTreeMap::new();
    for result in receipts.iter().flat_map(|receipt| receipt.results()) {
        if result.outcome.is_effect() || result.outcome == Outcome::Unchanged {
            brought.insert(&result.connector, result);
        }
    }
    let mut drift = Drift::default();
    for change in plan.changes() {
        if change.action == Action::NoOp {
            if change.authorization == ConsentNeed::Pending {
                let since = since(&change.connector);
                let late = |since: Timestamp| {
                    limit.is_some_and(|limit| now.duration_since(since) >= limit)
                };
                drift.waiting.push(Waiting {
                    change,
                    since,
                    // What waits for nobody knows how long is late where there is a limit.
                    overdue: since.map_or(limit.is_some(), late),
                });
            } else if change.hides_values() || change.hides_account() {
                drift.uncompared += 1;
            }
            continue;
        }
        match brought.get(&change.connector) {
            Some(result) if is_as_left(change.before.as_ref(), result, rules) => {
                drift.not_applied.push(change);
            }
            // A file that no apply has seen.
            None if change.action == Action::Create => drift.not_applied.push(change),
            known => {
                // A receipt names each connector that had a file or was in the app.
                let told = change.action == Action::Delete && !receipts.is_empty();
                drift.unattributed |= known.is_none() && !told;
                drift.outside.push(change);
            }
        }
    }
    drift
}

/// Whether the app has a connector just as an apply left it.
fn is_as_left(
    is: Option<&RemoteConnector>,
    result: &ChangeResult,
    rules: &ScopeEquivalence,
) -> bool {
    match (result.outcome, is) {
        (Outcome::Removed, is) => is.is_none(),
        // Not authorized yet: as it was before.
        (Outcome::Pending, None) => true,
        (_, None) => false,
        (_, Some(is)) => {
            let same = |scopes| {
                let compared = rules.compare(&result.connector, scopes, &is.scopes);
                compared.is_same()
            };
            // Until somebody consents, it is as it was.
            let as_before =
                result.outcome == Outcome::Pending && result.before.as_ref().is_some_and(same);
            as_before || (is.status == RemoteStatus::Active && same(&result.scopes))
        }
    }
}
