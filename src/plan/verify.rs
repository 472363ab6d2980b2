//! The last look before the first write.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{AppPlan, Digest, Drift, Plan, Refusal, check, document};
use crate::{
    catalogue::{self, ScopeEquivalence},
    diff::{Action, Change, ConfigDiff, Removal, derive},
    model::{
        App, ConnectorType, Kind, Likeness, Observed, RemoteConnector, RemoteStatus, SavedValue,
        Scope, Scopes,
    },
    policy::Verdict,
};

/// A plan that was held against the live remote and the policy, and may be carried out. Only
/// [`verify`] makes one, and only with one can `apply` write. It holds all that it was made of, so that
/// nothing else can be carried out with it.
#[derive(Debug)]
pub struct Verified<'a> {
    plan: &'a Plan,
    digest: Digest,
    verdict: &'a Verdict,
    observed: &'a Observed,
    done: BTreeSet<&'a ConnectorType>,
}

impl<'a> Verified<'a> {
    /// The app that it is for, and its changes.
    pub fn app(&self) -> &'a AppPlan {
        &self.plan.app
    }

    /// The plan.
    pub fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// What names the plan.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// The remote as it was when the plan was held against it.
    pub fn observed(&self) -> &'a Observed {
        self.observed
    }

    /// Refuses an app that the plan is not for.
    pub fn is_for(&self, app: &App) -> Result<(), Refusal> {
        app.takes("plan", &self.plan.app.app)
    }

    /// That no rule of the policy forbids any of its changes.
    pub fn verdict(&self) -> &'a Verdict {
        self.verdict
    }

    /// Whether the connector is as the plan wants it already, whoever saw to that.
    pub fn is_done(&self, connector: &ConnectorType) -> bool {
        self.done.contains(connector)
    }

    /// Whether nothing is left to be written, although the plan changes something.
    pub fn is_all_done(&self) -> bool {
        let mut changes = self.plan.changes().filter(|c| c.action != Action::NoOp);
        self.plan.has_changes() && changes.all(|change| self.is_done(&change.connector))
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

/// Holds a plan against the app it is to be applied to and against its state now.
///
/// A plan binds what the connectors that it changes were before. One that is already as the plan
/// wants it is done. Those that it leaves alone don't matter. `progress` tells what an interrupted
/// run of this very plan did: its own effects don't count as the remote having moved, foreign ones
/// do. `verdict` has to cover every change.
pub fn verify<'a>(
    plan: &'a Plan,
    verdict: &'a Verdict,
    app: &App,
    now: Timestamp,
    observed: &'a Observed,
    progress: &BTreeMap<ConnectorType, Progress>,
    rules: &ScopeEquivalence,
) -> Result<Verified<'a>, Refusal> {
    belongs(plan, app, now)?;
    check::follows(plan, rules)?;
    for change in plan.changes().filter(|c| c.action != Action::NoOp) {
        let after = change.after.as_ref().map(|after| &after.scopes);
        if !verdict.covers(&change.connector, after) {
            return Err(Refusal::Unjudged {
                connector: change.connector.clone(),
            });
        }
    }
    let mut moved = Vec::new();
    let mut done = BTreeSet::new();
    for change in plan.changes().filter(|c| c.action != Action::NoOp) {
        let is = observed.connectors.get(&change.connector);
        if is_as_wanted(change, is, rules) {
            done.insert(&change.connector);
            continue;
        }
        let declared = change.after.as_ref().map(|after| &after.scopes);
        let before = change.before.as_ref();
        let mut found = field_differences(&change.connector, before, is, declared, rules);
        if let (Some(is), Some(values)) = (is, change.values())
            && change.hides_values()
            && ConfigDiff::likeness(values.1, is) == Likeness::Other
        {
            found.push(Drift {
                connector: change.connector.clone(),
                field: "connection values",
                was: "not told by the platform".to_owned(),
                is: "others than the plan's".to_owned(),
            });
        }
        if is.is_some_and(|is| is_told_no_more(change, is)) {
            found.push(Drift {
                connector: change.connector.clone(),
                field: "connection values",
                was: "told".to_owned(),
                is: "not told by the platform".to_owned(),
            });
        }
        let progress = progress.get(&change.connector);
        let own = match progress {
            None => found.is_empty() || waits_for_consent(change, is, rules),
            Some(Progress::Begun) => found.is_empty() || is_effect(change, is, rules),
            // What a finished write may leave: its effect, or, while a person has not consented,
            // what was there before.
            Some(Progress::Done) => {
                is_effect(change, is, rules) || (found.is_empty() && change.after.is_some())
            }
        };
        if !own {
            // A finished removal that is there again: somebody made it anew.
            if found.is_empty() && progress == Some(&Progress::Done) {
                moved.push(Drift {
                    connector: change.connector.clone(),
                    field: "connector",
                    was: "removed by this plan".to_owned(),
                    is: "there again".to_owned(),
                });
            }
            moved.extend(found);
        }
    }
    if !moved.is_empty() {
        return Err(Refusal::Stale { moved });
    }
    let digest = document::digest(plan).map_err(|why| Refusal::Incoherent {
        reason: why.to_string(),
    })?;
    Ok(Verified {
        plan,
        digest,
        verdict,
        observed,
        done,
    })
}

/// Of more scopes than these, on both sides, only the difference is told.
const MOST_SCOPES: usize = 24;

/// What can be refused without a look at the remote.
pub fn belongs(plan: &Plan, app: &App, now: Timestamp) -> Result<(), Refusal> {
    if plan.speculative {
        return Err(Refusal::Speculative);
    }
    if let Some(at) = plan.expires_at.filter(|at| *at <= now) {
        return Err(Refusal::Expired { at, now });
    }
    app.takes("plan", &plan.app.app)?;
    // The server or the provider may read it as several, of which nobody was told.
    let several = |connector: &ConnectorType, scope: &Scope| {
        !catalogue::parts(connector.as_str(), scope.as_str()).eq([scope.as_str()])
    };
    for change in plan.changes().filter(|c| c.action != Action::NoOp) {
        let after = change.after.as_ref().map(|after| &after.scopes);
        let several = |scope: &Scope| several(&change.connector, scope);
        if after.is_some_and(|scopes| scopes.iter().any(several)) {
            return Err(Refusal::Incoherent {
                reason: format!(
                    "`{}`: a scope that would be asked for is empty, or several in one",
                    change.connector
                ),
            });
        }
    }
    Ok(())
}

impl App {
    /// Refuses a document that is for another app, or for this one elsewhere.
    pub(crate) fn takes(&self, what: &'static str, theirs: &Self) -> Result<(), Refusal> {
        if self.id != theirs.id {
            return Err(Refusal::OtherApp {
                what,
                planned: theirs.id.clone(),
                here: self.id.clone(),
            });
        }
        if self.api_url != theirs.api_url {
            return Err(Refusal::OtherAddress {
                what,
                planned: theirs.api_url.clone(),
                here: self.api_url.clone(),
            });
        }
        Ok(())
    }
}

/// Whether there is nothing left to do: the connector is as the plan wants it, whoever saw to that.
fn is_as_wanted(change: &Change, is: Option<&RemoteConnector>, rules: &ScopeEquivalence) -> bool {
    match (&change.after, is) {
        (None, None) => true,
        (None, Some(is)) => {
            change.removal == Removal::Disconnect && is.status == RemoteStatus::Disconnected
        }
        (Some(_), None) => false,
        (Some(after), Some(is)) => {
            let left = derive(&change.connector, Some(is), Some(after), rules);
            left.action == Action::NoOp && !is_told_no_more(change, is)
        }
    }
}

/// Whether the platform told the connection values when this was planned, and does not tell them now: then nobody knows
/// that they are as before, or as they are to be.
fn is_told_no_more(change: &Change, is: &RemoteConnector) -> bool {
    let told = |state: &RemoteConnector| state.connection_config.is_some();
    let wanted = change.after.as_ref().map(|after| &after.connection_config);
    wanted.is_some_and(|values| !values.is_empty())
        && change.before.as_ref().is_some_and(told)
        && !told(is)
}

/// Whether this is a new connector for which somebody was asked to consent with just these scopes:
/// the platform may list it so until then.
fn waits_for_consent(
    change: &Change,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> bool {
    let (None, Some(after), Some(is)) = (&change.before, &change.after, is) else {
        return false;
    };
    let diff = rules.compare(&change.connector, &after.scopes, &is.scopes);
    is.status == RemoteStatus::Disconnected && diff.is_same()
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
            Kind::Oauth => {
                let scopes = rules.compare(&change.connector, &after.scopes, &is.scopes);
                let before = change.before.as_ref();
                // Until a person consents, those of before.
                let kept = before.is_some_and(|was| was.connection_config == is.connection_config);
                let values = ConfigDiff::likeness(&after.connection_config, is);
                scopes.removed.is_empty() && (kept || values != Likeness::Other)
            }
        },
    }
}

/// Field by field. Scopes that a provider adds by itself and other spellings do not count as a
/// difference, unless they are `declared`: then somebody relies on them.
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
        let (was, is) = if was.scopes.len() + is.scopes.len() > MOST_SCOPES {
            // Only what differs, and not all of it.
            (some(was, &lost), some(is, &gained))
        } else {
            (list(was), list(is))
        };
        found.push(moved("scopes", was, is));
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
    if let (Some(was), Some(is)) = (&was.connection_config, &is.connection_config)
        && was != is
    {
        let names = |config: &BTreeMap<String, SavedValue>| {
            let pairs: Vec<_> = config
                .iter()
                .map(|(k, v)| format!("{k}={}", v.as_str()))
                .collect();
            if pairs.is_empty() {
                "none".to_owned()
            } else {
                pairs.join(" ")
            }
        };
        found.push(moved("connection values", names(was), names(is)));
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

/// `400 with a b and 396 more`: how many scopes there are, and the first of those that the other side lacks.
fn some(state: &RemoteConnector, own: &Scopes) -> String {
    const SHOWN: usize = 5;
    let all = state.scopes.len();
    let names: Vec<_> = own.iter().take(SHOWN).map(Scope::as_str).collect();
    match (names.is_empty(), own.len().saturating_sub(SHOWN)) {
        (true, _) => all.to_string(),
        (false, 0) => format!("{all} with {}", names.join(" ")),
        (false, more) => format!("{all} with {} and {more} more", names.join(" ")),
    }
}

fn list(state: &RemoteConnector) -> String {
    let scopes: Vec<_> = state.scopes.iter().map(Scope::as_str).collect();
    if scopes.is_empty() {
        "none".to_owned()
    } else {
        scopes.join(" ")
    }
}

#[cfg(test)]
mod tests;
