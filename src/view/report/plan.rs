//! A plan, as the world sees it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::{FORMAT_VERSION, FactReport};
use crate::{
    approval::Missing,
    diff::{Action, Change, ConfigDiff, ConsentNeed, Removal},
    model::{
        Account, ApiUrl, AppId, ConnectorType, Diagnostic, ExpectedAccount, Kind, Origin,
        RemoteConnector, RemoteStatus, Scope, Scopes, StripeMode, expected_shown, map_of, shown,
    },
    plan::{AppPlan, Digest, Override, Plan, Summary, UNCOMPARED, WITHDRAWN},
    policy::{self, Violation},
    risk::{self, Level, Risk, RiskKind},
    view::json,
};

/// A plan as JSON: `plan --format json`, `show PLAN --format json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct PlanReport {
    /// The version of this shape.
    #[cfg_attr(test, schemars(extend("pattern" = r"^1\.")))]
    pub format_version: &'static str,
    /// Always `plan`.
    #[cfg_attr(test, schemars(extend("const" = "plan")))]
    pub kind: &'static str,
    /// What names the plan's meaning.
    pub digest: Digest,
    /// Made from a snapshot; `apply` refuses it.
    pub speculative: bool,
    /// After this, no apply takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, schemars(with = "Option<String>"))]
    pub expires_at: Option<Timestamp>,
    /// Where it was made, where a pipeline tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// What approval it lacks, of that which this project's settings demand; left out where it
    /// lacks none, or where nobody looked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_missing: Option<Missing>,
    /// The rules that it breaks with somebody's consent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// One today.
    pub apps: Vec<AppReport>,
    /// The counts.
    pub summary: Summary,
    /// The connectors of it that wait for a person already: who asked, and since when. Not part of a saved plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waiting: Vec<WaitingReport>,
    /// What was found in the files while planning.
    pub diagnostics: Vec<Diagnostic>,
    /// The rules of the policy that it breaks and may break: those that warn, and those that somebody
    /// overrode. No part of a saved plan.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
    /// Whether its time was over when it was shown. The document itself says when that is.
    #[serde(skip)]
    pub expired: bool,
    /// Whether the team's store has it: whoever approves it finds it there.
    #[serde(skip)]
    pub kept: bool,
}

/// A connector that waits for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct WaitingReport {
    /// Which.
    pub connector: ConnectorType,
    /// When it was asked for first.
    #[cfg_attr(test, schemars(with = "String"))]
    pub since: Timestamp,
    /// Who asked, where the store, or this machine's history, tells: a user, or a pipeline's run. Untrusted.
    pub asked_by: Option<String>,
}

/// The part of a plan that concerns one app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct AppReport {
    /// The app.
    pub app_id: AppId,
    /// The `--env` by which it was found.
    pub environment: Option<String>,
    /// Where its API is.
    pub api_url: ApiUrl,
    /// In order of connector name, no-ops included.
    pub changes: Vec<ChangeReport>,
    /// Remote connectors without a file that are left alone.
    pub unmanaged: Vec<UnmanagedReport>,
    /// Remote connectors that `--target` left out of sight.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub untargeted: Vec<UnmanagedReport>,
    /// Declared connectors that the remote lacks and that `--target` left out of sight.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub untargeted_new: BTreeSet<ConnectorType>,
}

impl AppReport {
    /// The names of all that `--target` left out of sight, in order.
    pub fn not_looked_at(&self) -> BTreeSet<&str> {
        let remote = self.untargeted.iter().map(|state| &state.connector);
        remote
            .chain(&self.untargeted_new)
            .map(ConnectorType::as_str)
            .collect()
    }
}

/// What is to happen to one connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct ChangeReport {
    /// Which connector.
    pub connector: ConnectorType,
    /// OAuth or Stripe.
    pub kind: Kind,
    /// What happens.
    pub action: Action,
    /// The file that declares it, relative to the project root; null for a removal.
    pub file: Option<String>,
    /// What the remote has.
    pub before: Option<BeforeReport>,
    /// What the files declare; null for a removal.
    pub after: Option<AfterReport>,
    /// `before` against `after`, scope by scope.
    pub scopes: ScopesReport,
    /// The names of the connection values that differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection_config: Option<ConfigReport>,
    /// What the connection values become, for a reader.
    #[serde(skip)]
    pub values: BTreeMap<String, String>,
    /// Whether a person has to consent.
    pub authorization: ConsentNeed,
    /// Declared scopes that a consent to them left out; they do not count as a change any more.
    #[serde(skip_serializing_if = "Scopes::is_empty")]
    pub dropped: Scopes,
    /// Of a removal: how, where the tokens alone go.
    #[serde(skip_serializing_if = "is_plain")]
    pub removal: Removal,
    /// Of a removal: why no file declares it, where that can be told. May quote files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What is dangerous about it, gravest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub risks: Vec<RiskReport>,
    /// Whether it names no scope although it could: it gets what its provider gives then.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub default_scopes: bool,
    /// What the scopes permit that are added, removed, or asked for.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub scope_facts: BTreeMap<Scope, FactReport>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_plain(removal: &Removal) -> bool {
    *removal == Removal::Remove
}

/// The names of connection values that differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct ConfigReport {
    /// Declared, and not saved with the connection.
    pub added: BTreeSet<String>,
    /// Both, with another value.
    pub changed: BTreeSet<String>,
    /// Saved with the connection, and no longer declared.
    pub removed: BTreeSet<String>,
}

impl ConfigReport {
    fn of(diff: &ConfigDiff) -> Option<Self> {
        (!diff.is_same()).then(|| Self {
            added: diff.added.clone(),
            changed: diff.changed.clone(),
            removed: diff.removed.clone(),
        })
    }
}

/// A connector as the remote has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct BeforeReport {
    /// What was granted.
    pub scopes: Scopes,
    /// Whether it works.
    pub status: RemoteStatus,
    /// Who authorized it, where the remote says so.
    #[serde(serialize_with = "shown")]
    pub account: Option<Account>,
    /// Stripe alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<StripeMode>,
}

/// A connector as the files declare it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct AfterReport {
    /// Exactly these are asked for.
    pub scopes: Scopes,
    /// Who is to consent, if the file says so.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "expected_shown"
    )]
    pub account: Option<ExpectedAccount>,
}

/// `before` against `after`. Each list is sorted and free of duplicates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct ScopesReport {
    /// Declared, and not in force.
    pub added: Scopes,
    /// In force, and no longer declared.
    pub removed: Scopes,
    /// Both.
    pub kept: Scopes,
    /// In force because the provider adds them; no change.
    pub provider_added: Scopes,
    /// Of `kept`, those that come into force by this change alone: the connector does not work, or another
    /// account holds it.
    #[serde(skip_serializing_if = "Scopes::is_empty")]
    pub renewed: Scopes,
}

/// A remote connector that is left alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct UnmanagedReport {
    /// Which connector.
    pub connector: ConnectorType,
    /// OAuth or Stripe.
    pub kind: Kind,
    /// What was granted.
    pub scopes: Scopes,
    /// Whether it works.
    pub status: RemoteStatus,
    /// Who authorized it, where the remote says so.
    #[serde(serialize_with = "shown")]
    pub account: Option<Account>,
    /// Stripe alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<StripeMode>,
}

/// One danger, with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct RiskReport {
    /// How much it matters.
    pub level: Level,
    /// Which rule found it.
    pub kind: RiskKind,
    /// Why, as one clause. May quote a file or the remote.
    pub reason: String,
    /// The same in pieces, for views that mark and mask them.
    #[serde(skip)]
    pub(in crate::view) source: Risk,
}

impl PlanReport {
    /// Reports a plan under the digest that names it.
    pub fn new(plan: &Plan, digest: &Digest) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            kind: "plan",
            digest: digest.clone(),
            speculative: plan.speculative,
            expires_at: plan.expires_at,
            origin: plan.origin.clone(),
            approval_missing: None,
            kept: false,
            waiting: Vec::new(),
            overrides: plan.overrides.clone(),
            apps: vec![AppReport::from(&plan.app)],
            summary: plan.summary(),
            diagnostics: plan.diagnostics.clone(),
            violations: Vec::new(),
            expired: false,
        }
    }

    /// As it is at this time: it may have expired.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        let expired = self.expires_at.is_some_and(|end| end <= now);
        Self { expired, ..self }
    }

    /// Puts dangers first: a file that passed between jobs may lack them, or have many others before them.
    pub fn add_dangers(&mut self, dangers: Vec<Diagnostic>) {
        let name = |danger: &Diagnostic| (danger.code.clone(), danger.message.clone());
        let found: Vec<_> = dangers.iter().map(name).collect();
        self.diagnostics.retain(|said| !found.contains(&name(said)));
        self.diagnostics.splice(0..0, dangers);
    }

    /// What the proposal loosens of the base's settings: the gravest of all.
    pub fn loosened(&self) -> impl Iterator<Item = &str> {
        let loosened = self
            .diagnostics
            .iter()
            .filter(|d| d.code == policy::LOOSENED);
        loosened.map(|d| d.message.strip_prefix("danger: ").unwrap_or(&d.message))
    }

    /// Whether nothing declared was left out of the comparison.
    pub fn is_compared(&self) -> bool {
        self.diagnostics.iter().all(|d| d.code != UNCOMPARED)
    }

    /// Whether an apply of it ends what another plan asked for.
    pub fn withdraws(&self) -> bool {
        self.diagnostics.iter().any(|d| d.code == WITHDRAWN)
    }

    /// What was found, but what is loosened. What the policy says goes first: others may be many, and some
    /// views show the first few.
    pub(in crate::view) fn findings(&self) -> Vec<Diagnostic> {
        let found = self
            .diagnostics
            .iter()
            .filter(|d| d.code != policy::LOOSENED);
        let (first, others): (Vec<_>, Vec<_>) = found.cloned().partition(|d| policy::says(&d.code));
        [first, others].concat()
    }

    /// The report as JSON, with a line break at its end. The same plan gives the same bytes.
    pub fn to_json(&self) -> String {
        json::pretty(self)
    }

    /// Every change of every app.
    pub fn changes(&self) -> impl Iterator<Item = &ChangeReport> {
        self.apps.iter().flat_map(|app| &app.changes)
    }

    /// Whether anything would be written.
    pub fn has_changes(&self) -> bool {
        self.changes().any(|change| change.action != Action::NoOp)
    }
}

impl ChangeReport {
    /// The gravest level among its risks.
    pub fn level(&self) -> Option<Level> {
        self.risks.iter().map(|risk| risk.level).max()
    }
}

impl From<&AppPlan> for AppReport {
    fn from(plan: &AppPlan) -> Self {
        let listed = |connectors: &BTreeMap<ConnectorType, RemoteConnector>| {
            connectors.iter().map(UnmanagedReport::from).collect()
        };
        Self {
            app_id: plan.app.id.clone(),
            environment: plan.app.environment.clone(),
            api_url: plan.app.api_url.clone(),
            changes: plan.changes.iter().map(ChangeReport::from).collect(),
            unmanaged: listed(&plan.unmanaged),
            untargeted: listed(&plan.untargeted),
            untargeted_new: plan.untargeted_new.clone(),
        }
    }
}

impl From<&Change> for ChangeReport {
    fn from(change: &Change) -> Self {
        let scopes = &change.scopes;
        let moved = scopes.added.iter().chain(scopes.removed.iter());
        // `max_class` and `max_access` apply to kept scopes too.
        let asked = change.is_asked();
        let after = change.after.iter().filter(|_| asked);
        let default_scopes =
            after.clone().any(|after| after.scopes.is_empty()) && change.kind() == Kind::Oauth;
        let told = moved.chain(after.flat_map(|after| after.scopes.iter()));
        Self {
            connector: change.connector.clone(),
            kind: change.kind(),
            action: change.action,
            file: change.file.clone(),
            before: change.before.as_ref().map(|before| BeforeReport {
                scopes: before.scopes.clone(),
                status: before.status,
                account: before.account.clone(),
                mode: before.mode,
            }),
            after: change.after.as_ref().map(|after| AfterReport {
                scopes: after.scopes.clone(),
                account: after.account.clone(),
            }),
            scopes: ScopesReport {
                added: scopes.added.clone(),
                removed: scopes.removed.clone(),
                kept: scopes.kept.clone(),
                provider_added: scopes.provider_added.clone(),
                renewed: change.renewed(),
            },
            connection_config: ConfigReport::of(&change.connection_config),
            values: change
                .after
                .as_ref()
                .filter(|_| asked)
                .map_or_else(BTreeMap::new, |after| after.connection_config.clone()),
            authorization: change.authorization,
            dropped: change.dropped.clone(),
            removal: change.removal,
            why: change.why.clone(),
            risks: risk::assess(change)
                .into_iter()
                .map(RiskReport::from)
                .collect(),
            default_scopes,
            scope_facts: map_of(
                told.map(|scope| (scope.clone(), FactReport::of(&change.connector, scope))),
            ),
        }
    }
}

impl From<(&ConnectorType, &RemoteConnector)> for UnmanagedReport {
    fn from((connector, state): (&ConnectorType, &RemoteConnector)) -> Self {
        Self {
            connector: connector.clone(),
            kind: connector.kind(),
            scopes: state.scopes.clone(),
            status: state.status,
            account: state.account.clone(),
            mode: state.mode,
        }
    }
}

impl From<Risk> for RiskReport {
    fn from(source: Risk) -> Self {
        Self {
            level: source.level,
            kind: source.kind,
            reason: source.reason().to_string(),
            source,
        }
    }
}
