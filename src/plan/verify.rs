//! The last look before the first write.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;

use super::{AppPlan, Plan, Refusal};
use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, Change},
    model::{App, ConnectorType, Kind, RemoteConnector, Scope, Scopes},
};

/// A plan that was held against the live remote and may be carried out. Only [`verify`] makes one,
/// and only with one can `apply` write.
#[derive(Debug)]
pub struct Verified<'a> {
    plan: &'a Plan,
    app: &'a AppPlan,
}

impl<'a> Verified<'a> {
    /// The one app that it is for.
    pub fn app(&self) -> &'a AppPlan {
        self.app
    }

    /// The plan.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }
}

/// How far an earlier, interrupted run of the same plan came with one connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The write was announced; whether it took effect is not known.
    Begun,
    /// The write took effect.
    Done,
}

/// One field of one connector that is not as the plan saw it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    /// Which connector.
    pub connector: ConnectorType,
    /// `connector`, `status`, `scopes`, `account` or `mode`.
    pub field: &'static str,
    /// What the plan saw, escaped.
    pub was: String,
    /// What is there now, escaped.
    pub is: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: {} was {}, is {}",
            self.connector, self.field, self.was, self.is
        )
    }
}

/// Holds a plan against the app it is to be applied to and against its state now.
///
/// `progress` tells what an interrupted run of this very plan did already: its own effects don't
/// count as the remote having moved, foreign ones do.
pub fn verify<'a>(
    plan: &'a Plan,
    app: &App,
    now: Timestamp,
    observed: &BTreeMap<ConnectorType, RemoteConnector>,
    progress: &BTreeMap<ConnectorType, Progress>,
    rules: &ScopeEquivalence,
) -> Result<Verified<'a>, Refusal> {
    if plan.speculative {
        return Err(Refusal::Speculative);
    }
    if let Some(at) = plan.expires_at.filter(|at| *at <= now) {
        return Err(Refusal::Expired { at });
    }
    let planned = &plan.app;
    if planned.app.id != app.id {
        return Err(Refusal::OtherApp {
            what: "plan",
            planned: planned.app.id.clone(),
            here: app.id.clone(),
        });
    }
    if planned.app.api_url != app.api_url {
        return Err(Refusal::OtherAddress {
            what: "plan",
            planned: planned.app.api_url.clone(),
            here: app.api_url.clone(),
        });
    }
    // The server may read it as several, of which nobody was told.
    let several =
        |scope: &Scope| scope.as_str().is_empty() || scope.as_str().contains(char::is_whitespace);
    for change in planned.changes.iter().filter(|c| c.action != Action::NoOp) {
        let after = change.after.as_ref().map(|after| &after.scopes);
        if after.is_some_and(|scopes| scopes.iter().any(several)) {
            return Err(Refusal::Incoherent {
                reason: format!(
                    "`{}`: a scope that would be asked for is empty or holds white space",
                    change.connector
                ),
            });
        }
    }
    let changes: BTreeMap<_, _> = planned
        .changes
        .iter()
        .map(|change| (&change.connector, change))
        .collect();
    let before = planned.observed();
    let mut moved = Vec::new();
    let names: BTreeSet<_> = before
        .keys()
        .chain(observed.keys())
        .chain(progress.keys())
        .collect();
    for name in names {
        let (was, is) = (before.get(name), observed.get(name));
        let declared = changes.get(name).and_then(|change| change.after.as_ref());
        let declared = declared.map(|after| &after.scopes);
        let found = field_differences(name, was, is, declared, rules);
        let own = match (progress.get(name), changes.get(name)) {
            (None, _) | (_, None) => false,
            (Some(Progress::Begun), Some(change)) => {
                found.is_empty() || is_effect(change, is, rules)
            }
            // What a finished write may leave: its effect, or, while a person has not consented,
            // what was there before.
            (Some(Progress::Done), Some(change)) => {
                is_effect(change, is, rules) || (found.is_empty() && change.after.is_some())
            }
        };
        if !own {
            // A finished removal that is there again: somebody made it anew.
            if found.is_empty() && progress.get(name) == Some(&Progress::Done) {
                moved.push(Drift {
                    connector: name.clone(),
                    field: "connector",
                    was: "removed by this plan".to_owned(),
                    is: "there again".to_owned(),
                });
            }
            moved.extend(found);
        }
    }
    if moved.is_empty() {
        Ok(Verified { plan, app: planned })
    } else {
        Err(Refusal::Stale { moved })
    }
}

/// Whether `is` is what carrying out `change` leads to, wholly or on the way: no scope that was not
/// approved, and perhaps not all of them yet.
fn is_effect(change: &Change, is: Option<&RemoteConnector>, rules: &ScopeEquivalence) -> bool {
    match (&change.after, is) {
        (None, is) => is.is_none(),
        // Asked for, and not listed before somebody consents.
        (Some(_), None) => change.action == Action::Create && change.kind() == Kind::Oauth,
        (Some(after), Some(is)) => match change.kind() {
            Kind::Stripe => is.mode.is_some(),
            Kind::Oauth => rules
                .compare(&change.connector, &after.scopes, &is.scopes)
                .removed
                .is_empty(),
        },
    }
}

/// Field by field. Scopes that a provider adds by itself and other spellings are no difference,
/// unless they are `declared`: then somebody relies on them.
pub(crate) fn field_differences(
    connector: &ConnectorType,
    was: Option<&RemoteConnector>,
    is: Option<&RemoteConnector>,
    declared: Option<&Scopes>,
    rules: &ScopeEquivalence,
) -> Vec<Drift> {
    let moved = |field, was: String, is: String| Drift {
        connector: connector.clone(),
        field,
        was: crate::escape::terminal(&was).into_owned(),
        is: crate::escape::terminal(&is).into_owned(),
    };
    let (was, is) = match (was, is) {
        (None, None) => return Vec::new(),
        (Some(_), None) => {
            return vec![moved("connector", "there".to_owned(), "gone".to_owned())];
        }
        (None, Some(_)) => {
            return vec![moved(
                "connector",
                "not there".to_owned(),
                "there".to_owned(),
            )];
        }
        (Some(was), Some(is)) => (was, is),
    };
    let mut found = Vec::new();
    if was.status != is.status {
        found.push(moved(
            "status",
            was.status.to_string(),
            is.status.to_string(),
        ));
    }
    let lost = rules.compare(connector, &was.scopes, &is.scopes).added;
    let gained = rules.compare(connector, &is.scopes, &was.scopes).added;
    let none = Scopes::new();
    // Of the two sides, what the declared scopes have is listed as kept.
    let moving: Scopes = lost.iter().chain(gained.iter()).cloned().collect();
    let by_provider = rules
        .compare(connector, declared.unwrap_or(&none), &moving)
        .provider_added;
    if moving.len() > by_provider.len() {
        found.push(moved("scopes", list(was), list(is)));
    }
    if was.account != is.account {
        let name = |state: &RemoteConnector| {
            state
                .account
                .as_ref()
                .map_or("nobody".to_owned(), ToString::to_string)
        };
        found.push(moved("account", name(was), name(is)));
    }
    if was.mode != is.mode {
        let name = |state: &RemoteConnector| {
            state
                .mode
                .map_or("not installed".to_owned(), |mode| mode.to_string())
        };
        found.push(moved("mode", name(was), name(is)));
    }
    found
}

fn list(state: &RemoteConnector) -> String {
    let scopes: Vec<_> = state.scopes.iter().map(Scope::as_str).collect();
    if scopes.is_empty() {
        "none".to_owned()
    } else {
        scopes.join(" ")
    }
}
