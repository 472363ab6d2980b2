//! A receipt, as the world sees it.

use std::collections::BTreeSet;

#[cfg(test)]
use schemars::JsonSchema;
use serde::Serialize;

use super::FORMAT_VERSION;
use crate::{
    approval::Approval,
    diff::Action,
    model::{
        ApiUrl, AppId, ConnectionId, ConnectorType, ExpectedAccount, Origin, Scopes, StripeMode,
        expected_shown,
    },
    plan::{Digest, Override},
    receipt::{ChangeResult, Outcome, Receipt, Summary},
    view::json,
};

/// A receipt as JSON: `apply --format json`, `show RECEIPT --format json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct ReceiptReport {
    /// The version of this shape.
    #[cfg_attr(test, schemars(extend("pattern" = r"^1\.")))]
    pub format_version: &'static str,
    /// Always `receipt`.
    #[cfg_attr(test, schemars(extend("const" = "receipt")))]
    pub kind: &'static str,
    /// What names the receipt's meaning.
    pub digest: Digest,
    /// The plan that was carried out.
    pub plan_digest: Digest,
    /// One today.
    pub apps: Vec<AppReceiptReport>,
    /// Who approved the plan, and how that was proved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// The rules of the policy that were broken on purpose, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub overrides: Vec<Override>,
    /// Where it was carried out, where a pipeline tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The counts.
    pub summary: Summary,
}

/// What an apply did to one app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct AppReceiptReport {
    /// The app.
    pub app_id: AppId,
    /// The `--env` by which it was found.
    pub environment: Option<String>,
    /// Where its API is.
    pub api_url: ApiUrl,
    /// In order of connector name.
    pub results: Vec<ResultReport>,
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct ResultReport {
    /// Which connector.
    pub connector: ConnectorType,
    /// What the plan said.
    pub action: Action,
    /// What came of it.
    pub outcome: Outcome,
    /// More about it. May quote the remote.
    pub message: Option<String>,
    /// The scopes that were approved.
    pub scopes: Scopes,
    /// What a pending authorization's status is asked with.
    pub connection_id: Option<ConnectionId>,
    /// Who is to consent, if the file says so.
    #[serde(
        skip_serializing_if = "Option::is_none",
        serialize_with = "expected_shown"
    )]
    pub account: Option<ExpectedAccount>,
    /// The names of the connection values that were approved.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub connection_config: BTreeSet<String>,
    /// Stripe alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<StripeMode>,
}

impl ReceiptReport {
    /// Reports a receipt under the digest that names it.
    pub fn new(receipt: &Receipt, digest: &Digest) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            kind: "receipt",
            digest: digest.clone(),
            plan_digest: receipt.plan_digest.clone(),
            apps: vec![AppReceiptReport::from(receipt)],
            approvals: receipt.approvals.clone(),
            overrides: receipt.overrides.clone(),
            origin: receipt.origin.clone(),
            summary: receipt.summary(),
        }
    }

    /// The report as JSON, with a line break at its end.
    pub fn to_json(&self) -> String {
        json::pretty(self)
    }

    /// Whether anything was written, or tried.
    pub fn has_effects(&self) -> bool {
        self.results()
            .any(|result| result.outcome != Outcome::Unchanged)
    }

    /// Every result of every app.
    pub fn results(&self) -> impl Iterator<Item = &ResultReport> {
        self.apps.iter().flat_map(|app| &app.results)
    }
}

impl From<&Receipt> for AppReceiptReport {
    fn from(receipt: &Receipt) -> Self {
        Self {
            app_id: receipt.app.id.clone(),
            environment: receipt.app.environment.clone(),
            api_url: receipt.app.api_url.clone(),
            results: receipt.results.iter().map(ResultReport::from).collect(),
        }
    }
}

impl From<&ChangeResult> for ResultReport {
    fn from(result: &ChangeResult) -> Self {
        Self {
            connector: result.connector.clone(),
            action: result.action,
            outcome: result.outcome,
            message: result.message.clone(),
            scopes: result.scopes.clone(),
            connection_id: result.connection_id.clone(),
            account: result.account.clone(),
            connection_config: result.connection_config.keys().cloned().collect(),
            mode: result.mode,
        }
    }
}
