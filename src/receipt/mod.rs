//! The receipt: what an apply did, change by change. It holds no link and no credential, so a
//! pipeline may publish it.

mod document;

pub use document::{Saved, digest, read, seal, to_toml};

use std::collections::BTreeMap;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    approval::Approval,
    diff::{Action, Waiting},
    model::{App, ConnectionId, ConnectorType, ExpectedAccount, Origin, Scopes, StripeMode},
    plan::{Digest, Override},
};

/// What an apply did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The plan that was carried out.
    pub plan_digest: Digest,
    /// The app and its address.
    pub app: App,
    /// In order of connector name: one for every change of the plan.
    pub results: Vec<ChangeResult>,
    /// Who approved the plan, and how that was proved.
    pub approvals: Vec<Approval>,
    /// The rules of the policy that were broken with somebody's consent.
    pub overrides: Vec<Override>,
    /// Where it was carried out. No part of its meaning.
    pub origin: Option<Origin>,
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangeResult {
    /// Which connector.
    pub connector: ConnectorType,
    /// What the plan said.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
    /// More about it: the server's reason, a mismatch found on reading back. Untrusted text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The scopes that were approved.
    #[serde(default)]
    pub scopes: Scopes,
    /// The scopes that the connector had; none where it is new. Tells one's own change from
    /// another's when the authorization is resumed elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Scopes>,
    /// What the pending authorization's status is asked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<ConnectionId>,
    /// Who is to consent, if the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<ExpectedAccount>,
    /// The connection values that were approved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connection_config: BTreeMap<String, String>,
    /// Stripe alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<StripeMode>,
    /// How the outcome is known, unless this plan's apply wrote it and saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
}

/// How an outcome is known that an apply did not write and then see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// It was so before this apply: nothing was written.
    Found,
    /// The platform answered so, and nobody could look.
    Answered,
}

/// What came of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was there; its scopes are in force as planned.
    Synced,
    /// It is new and in force.
    Added,
    /// It is gone.
    Removed,
    /// Stripe's sandbox is installed.
    Provisioned,
    /// Written; a person has to consent.
    Pending,
    /// Not carried out, or not known to be.
    Failed,
    /// A no-op.
    Unchanged,
    /// Not tried, because not removed, because another change failed (`--keep-going` removes it all the same) or the run was interrupted.
    NotRun,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Synced,
        Self::Added,
        Self::Removed,
        Self::Provisioned,
        Self::Pending,
        Self::Failed,
        Self::Unchanged,
        Self::NotRun,
    ];

    /// The contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Provisioned => "provisioned",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Unchanged => "unchanged",
            Self::NotRun => "not_run",
        }
    }

    /// What a connector in force is called: new, or as it was to become.
    pub(crate) fn in_force(action: Action) -> Self {
        match action {
            Action::Create => Self::Added,
            _ => Self::Synced,
        }
    }

    /// Whether the remote was changed by it.
    pub fn is_effect(self) -> bool {
        matches!(
            self,
            Self::Synced | Self::Added | Self::Removed | Self::Provisioned | Self::Pending
        )
    }
}

crate::model::display_as_str!(Outcome);

/// How many changes had each outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct Summary {
    /// In force, was there before.
    pub synced: usize,
    /// In force, new.
    pub added: usize,
    /// Gone.
    pub removed: usize,
    /// Stripe installed.
    pub provisioned: usize,
    /// Waiting for a person.
    pub pending: usize,
    /// Failed.
    pub failed: usize,
    /// No-ops.
    pub unchanged: usize,
    /// Not tried.
    pub not_run: usize,
}

impl Receipt {
    /// Every result.
    pub fn results(&self) -> impl Iterator<Item = &ChangeResult> {
        self.results.iter()
    }

    /// What waits for a person.
    pub fn waiting(&self) -> impl Iterator<Item = (&ConnectorType, Waiting)> {
        let pending = |result: &&ChangeResult| result.outcome == Outcome::Pending;
        self.results().filter(pending).map(|result| {
            let waiting = Waiting {
                scopes: result.scopes.clone(),
                before: result.before.clone(),
                account_before: None,
                missing: Scopes::new(),
                settled: false,
                connection_config: result.connection_config.clone(),
                account: result.account.clone(),
            };
            (&result.connector, waiting)
        })
    }

    /// The counts.
    pub fn summary(&self) -> Summary {
        let mut summary = Summary::default();
        for result in self.results() {
            let count = match result.outcome {
                Outcome::Synced => &mut summary.synced,
                Outcome::Added => &mut summary.added,
                Outcome::Removed => &mut summary.removed,
                Outcome::Provisioned => &mut summary.provisioned,
                Outcome::Pending => &mut summary.pending,
                Outcome::Failed => &mut summary.failed,
                Outcome::Unchanged => &mut summary.unchanged,
                Outcome::NotRun => &mut summary.not_run,
            };
            *count += 1;
        }
        summary
    }
}
