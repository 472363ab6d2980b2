//! The look at the remote after the writes.

use std::{collections::BTreeSet, fmt};

use crate::{
    catalogue::ScopeEquivalence,
    diff::{Change, ConfigDiff, ConsentNeed, Removal, WRONG_ACCOUNT},
    escape,
    model::{
        ConnectorType, ExpectedAccount, Likeness, Observed, RemoteConnector, RemoteStatus, Scopes,
        map_of,
    },
    plan::{AppPlan, field_differences},
    receipt::{ChangeResult, Outcome},
};

/// One connector that is not as the plan says although its write succeeded, or that somebody else
/// changed in the meantime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostApplyDrift {
    /// Which connector.
    pub connector: ConnectorType,
    /// How it differs; reads after the name. Escaped.
    pub text: String,
}

impl fmt::Display for PostApplyDrift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.connector, self.text)
    }
}

/// Compares results with the remote. What differs is said, and stands in the result's message; a
/// write whose effect is not there has failed.
pub(super) fn compare(
    app: &AppPlan,
    results: &mut [ChangeResult],
    observed: &Observed,
    rules: &ScopeEquivalence,
    contested: &BTreeSet<ConnectorType>,
) -> Vec<PostApplyDrift> {
    let found = mismatches(app, results, observed, rules);
    for (change, result) in app.changes.iter().zip(results.iter_mut()) {
        let is = observed.connectors.get(&change.connector);
        if result.outcome == Outcome::Provisioned {
            result.mode = is.and_then(|is| is.mode).or(result.mode);
        }
        if failed(change, result, is, rules, contested) {
            result.outcome = Outcome::Failed;
        }
    }
    note(results, &found);
    found
}

/// Whether [`compare`] would find a write without its effect.
pub(super) fn fails(
    app: &AppPlan,
    results: &[ChangeResult],
    observed: &Observed,
    rules: &ScopeEquivalence,
    contested: &BTreeSet<ConnectorType>,
) -> bool {
    app.changes.iter().zip(results).any(|(change, result)| {
        let is = observed.connectors.get(&change.connector);
        failed(change, result, is, rules, contested)
            || !dropped(change, result, observed, rules).is_empty()
    })
}

/// Whether the app lacks what its answer said was done. Scopes that the platform drops or adds do not
/// count, unless nothing else shows that the write took effect.
fn failed(
    change: &Change,
    result: &ChangeResult,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
    contested: &BTreeSet<ConnectorType>,
) -> bool {
    match result.outcome {
        Outcome::Synced | Outcome::Added => {
            let works = is.is_some_and(|is| is.status == RemoteStatus::Active);
            let contested = contested.contains(&change.connector);
            !works
                || wrong_account(change, is)
                || is.is_some_and(|is| keeps(change, is, rules))
                || contested
                    && in_force(change, is, rules).is_some()
                    && lacks(change, result, is, rules).is_empty()
        }
        Outcome::Removed => match change.removal {
            Removal::Remove => is.is_some(),
            Removal::Disconnect => is.is_some_and(|is| is.status == RemoteStatus::Active),
        },
        Outcome::Provisioned => is.is_none_or(|is| is.status != RemoteStatus::Active),
        Outcome::Pending | Outcome::Failed | Outcome::Unchanged | Outcome::NotRun => false,
    }
}

/// Says in the results what differs.
pub(super) fn note(results: &mut [ChangeResult], found: &[PostApplyDrift]) {
    let found = map_of(found.iter().map(|found| (&found.connector, found)));
    for result in results {
        if let Some(mismatch) = found.get(&result.connector) {
            result.message = match result.message.take() {
                Some(said) if result.outcome == Outcome::Failed => {
                    Some(format!("{said}; {}", mismatch.text))
                }
                Some(said) => Some(said),
                None => Some(mismatch.text.clone()),
            };
        }
    }
}

/// What is not as the results say, and what was changed beside it: by another plan of this machine, or by
/// somebody else.
pub(super) fn mismatches(
    app: &AppPlan,
    results: &[ChangeResult],
    observed: &Observed,
    rules: &ScopeEquivalence,
) -> Vec<PostApplyDrift> {
    let mut found = Vec::new();
    let mut differs = |connector: &ConnectorType, text: Option<String>| {
        found.extend(text.map(|text| PostApplyDrift {
            connector: connector.clone(),
            text,
        }));
    };
    for (change, result) in app.changes.iter().zip(results) {
        let is = observed.connectors.get(&change.connector);
        let text = match result.outcome {
            Outcome::Synced | Outcome::Added => in_force(change, is, rules),
            Outcome::Removed => is.and_then(|is| still_there(change, is)),
            Outcome::Provisioned => match is {
                None => Some("it was installed, but the app does not have it".to_owned()),
                Some(is) if is.status != RemoteStatus::Active => Some(format!(
                    "it was installed, but the app says that it is {}",
                    is.status
                )),
                Some(_) => None,
            },
            // Somebody's consent may have come already; nothing of it is against the plan.
            Outcome::Pending | Outcome::Failed | Outcome::NotRun => None,
            // It waited, and somebody consented to just that.
            Outcome::Unchanged
                if change.authorization == ConsentNeed::Pending
                    && in_force(change, is, rules).is_none() =>
            {
                None
            }
            Outcome::Unchanged => foreign(
                &change.connector,
                change.before.as_ref(),
                is,
                change.after.as_ref().map(|after| &after.scopes),
                rules,
            ),
        };
        differs(&change.connector, text);
    }
    let planned = app.unmanaged.iter().chain(&app.untargeted);
    for (connector, before) in planned {
        let is = observed.connectors.get(connector);
        differs(connector, foreign(connector, Some(before), is, None, rules));
    }
    let known: BTreeSet<_> = app
        .changes
        .iter()
        .map(|change| &change.connector)
        .chain(app.unmanaged.keys())
        .chain(app.untargeted.keys())
        .chain(&app.untargeted_new)
        .collect();
    for connector in observed
        .connectors
        .keys()
        .filter(|name| !known.contains(name))
    {
        differs(
            connector,
            Some("it was added since the plan was made".to_owned()),
        );
    }
    found
}

fn still_there(change: &Change, is: &RemoteConnector) -> Option<String> {
    match (change.removal, is.status) {
        (Removal::Remove, _) => Some("it was removed, but the app still lists it".to_owned()),
        (Removal::Disconnect, RemoteStatus::Active) => {
            Some("it was disconnected, but the app says that it still works".to_owned())
        }
        (Removal::Disconnect, _) => None,
    }
}

/// Whether it still has a scope that the plan takes away. Scopes that are new since the plan do not count:
/// the platform may have added them.
fn keeps(change: &Change, is: &RemoteConnector, rules: &ScopeEquivalence) -> bool {
    let none = Scopes::new();
    let asked = change.after.as_ref().map_or(&none, |after| &after.scopes);
    let diff = rules.compare(&change.connector, asked, &is.scopes);
    diff.removed
        .iter()
        .any(|scope| change.scopes.removed.contains(scope))
}

/// Said of what [`dropped`] finds.
pub(super) const NOT_PASSED_ON: &str = "; the platform says that everything is authorized, so it does \
                                        not grant that: `connplan plan` says so from now on";

/// What was answered as in force and the list lacks: the platform does not pass that on.
pub(super) fn dropped(
    change: &Change,
    result: &ChangeResult,
    observed: &Observed,
    rules: &ScopeEquivalence,
) -> Scopes {
    let is = observed.connectors.get(&change.connector);
    lacks(change, result, is, rules)
}

fn lacks(
    change: &Change,
    result: &ChangeResult,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> Scopes {
    let (Outcome::Synced | Outcome::Added, Some(is), Some(after)) =
        (result.outcome, is, change.after.as_ref())
    else {
        return Scopes::new();
    };
    let diff = rules.compare(&change.connector, &after.scopes, &is.scopes);
    if is.status == RemoteStatus::Active && diff.removed.is_empty() {
        diff.added
    } else {
        Scopes::new()
    }
}

fn wrong_account(change: &Change, is: Option<&RemoteConnector>) -> bool {
    let expected = change
        .after
        .as_ref()
        .and_then(|after| after.account.as_ref());
    ExpectedAccount::is_other(expected, is.and_then(|is| is.account.as_ref()))
}

fn in_force(
    change: &Change,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> Option<String> {
    let Some(is) = is else {
        return Some("the app accepted it, but does not list it".to_owned());
    };
    if wrong_account(change, Some(is)) {
        let account = is
            .account
            .as_ref()
            .map(|a| escape::limited(a.as_str(), 200));
        return Some(format!(
            "{} holds it, not the account that the file names; {WRONG_ACCOUNT}",
            account.unwrap_or_default()
        ));
    }
    if is.status != RemoteStatus::Active {
        return Some(format!(
            "the app accepted it, but says that it is {}",
            is.status
        ));
    }
    let none = Scopes::new();
    let asked = change.after.as_ref().map_or(&none, |after| &after.scopes);
    let diff = rules.compare(&change.connector, asked, &is.scopes);
    match (diff.added.is_empty(), diff.removed.is_empty()) {
        (true, true) => {
            let wanted = change.values();
            let other = |values| ConfigDiff::likeness(values, is) == Likeness::Other;
            wanted.is_some_and(|(_, values)| other(values)).then(|| {
                "the app accepted it, but does not have the connection values that the plan says".to_owned()
            })
        }
        (false, _) => Some(format!("the app lacks {}", names(&diff.added))),
        (true, false) => Some(format!(
            "the app still has {}; if the provider or the platform adds that by itself, list it in \
             connplan.toml: `[providers.{}] adds`",
            names(&diff.removed),
            change.connector
        )),
    }
}

fn foreign(
    connector: &ConnectorType,
    before: Option<&RemoteConnector>,
    is: Option<&RemoteConnector>,
    declared: Option<&Scopes>,
    rules: &ScopeEquivalence,
) -> Option<String> {
    let moved = field_differences(connector, before, is, declared, rules);
    let fields: Vec<_> = moved
        .iter()
        .map(|m| format!("{} was {}, is {}", m.field, m.was, m.is))
        .collect();
    (!fields.is_empty()).then(|| {
        format!(
            "it was changed in the app, and not by this plan: {}",
            fields.join("; ")
        )
    })
}

fn names(scopes: &Scopes) -> String {
    let names: Vec<_> = scopes
        .iter()
        .map(|scope| escape::limited(scope.as_str(), 200))
        .collect();
    names.join(", ")
}
