//! Where an app went apart from its files, and whose doing that is. Pure.
//!
//! A plan says what differs; the receipts say what the applies brought. What differs from both was
//! changed outside; what is as the applies left it differs because the files went on. What no apply is
//! known to have brought counts as changed outside, and the report says that it may be either.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, Change, ConfigDiff, ConsentNeed},
    model::{ConnectorType, ExpectedAccount, Likeness, RemoteConnector, RemoteStatus},
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
    /// Whether nobody can tell of some whose doing they are: no apply of them is known, or the app does not tell
    /// all that one brought.
    pub unattributed: bool,
    /// Waiting for a person.
    pub waiting: Vec<Waiting<'a>>,
    /// What no file declares, and the settings leave alone.
    pub unmanaged: Vec<&'a ConnectorType>,
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
    // What was in force last, for as long as somebody waits for what was asked for since.
    let mut in_force: BTreeMap<&ConnectorType, &ChangeResult> = BTreeMap::new();
    for result in receipts.iter().flat_map(|receipt| receipt.results()) {
        if result.outcome.is_effect() || result.outcome == Outcome::Unchanged {
            brought.insert(&result.connector, result);
            if result.outcome != Outcome::Pending {
                in_force.insert(&result.connector, result);
            } else if result.action == Action::Reauthorize {
                // That apply found it otherwise.
                in_force.remove(&result.connector);
            }
        }
    }
    let mut drift = Drift {
        unmanaged: plan.app.unmanaged.keys().collect(),
        ..Drift::default()
    };
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
        let before = in_force.get(&change.connector).copied();
        let left = brought.get(&change.connector).map(|result| {
            let left = as_left(change, result, before, rules);
            drift.unattributed |= left == Likeness::Unknown;
            left
        });
        match left {
            Some(Likeness::Same) => drift.not_applied.push(change),
            // What differs is as the apply left it; what is not told may not be.
            Some(Likeness::Unknown) if !leads_elsewhere(change) => drift.not_applied.push(change),
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

/// Whether the app has a connector just as an apply left it. `in_force`: what was in force before that, if an
/// apply brought it.
fn as_left(
    change: &Change,
    result: &ChangeResult,
    in_force: Option<&ChangeResult>,
    rules: &ScopeEquivalence,
) -> Likeness {
    let is_pending = result.outcome == Outcome::Pending;
    let Some(is) = &change.before else {
        let was_there = is_pending && result.before.is_some();
        let gone = is_pending || result.outcome == Outcome::Removed;
        return Likeness::of(Some(gone && !was_there));
    };
    let works = is.status == RemoteStatus::Active;
    let same = |scopes| {
        let compared = rules.compare(&result.connector, scopes, &is.scopes);
        compared.is_same()
    };
    let now = match result.outcome {
        Outcome::Removed => Likeness::Other,
        _ if works && same(&result.scopes) => on_terms(result, is),
        _ => Likeness::Other,
    };
    // Until somebody consents, it is as it was.
    if now != Likeness::Other || !is_pending || !result.before.as_ref().is_some_and(same) {
        return now;
    }
    match in_force {
        Some(before) if works => on_terms(before, is),
        Some(_) => Likeness::Other,
        None if leads_elsewhere(change) => Likeness::Unknown,
        None => Likeness::Same,
    }
}

/// Whether a connector is on the terms that an apply brought it on.
fn on_terms(result: &ChangeResult, is: &RemoteConnector) -> Likeness {
    let (expected, holder) = (result.account.as_ref(), is.account.as_ref());
    match ConfigDiff::likeness(&result.connection_config, is) {
        _ if ExpectedAccount::is_other(expected, holder) => Likeness::Other,
        Likeness::Same if expected.is_some() && holder.is_none() => Likeness::Unknown,
        values => values,
    }
}

/// Whether it is, or goes, to another account or place than the files say.
fn leads_elsewhere(change: &Change) -> bool {
    let expected = change
        .after
        .as_ref()
        .and_then(|after| after.account.as_ref());
    let holder = change.before.as_ref().and_then(|is| is.account.as_ref());
    !change.connection_config.is_same() || ExpectedAccount::is_other(expected, holder)
}
