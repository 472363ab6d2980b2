//! A saved plan: TOML that a person can read.
//!
//! [`to_toml`] writes it, [`read`] takes it back only if its digest names its content. Scopes and
//! types are all it holds of a connector: no token, no link, nothing private but the e-mail address
//! of the account that a removal concerns.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use super::frame::FORMAT_VERSION;
use super::{
    AppPlan, Digest, EncodeError, Plan, Refusal, check,
    frame::{CREATED_BY, DocumentKind, FINDINGS, read_document},
};
use crate::{
    catalogue::ScopeDiff,
    diff::{Action, Change, ConsentNeed, Desired},
    model::{ApiUrl, App, AppId, ConnectorType, Diagnostic, Kind, RemoteConnector, Scopes},
};

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    format_version: String,
    kind: String,
    digest: Option<Digest>,
    created_at: Option<String>,
    created_by: Option<String>,
    #[serde(default)]
    speculative: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    diagnostics_digest: Option<Digest>,
    apps: Vec<AppEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Serialize, Deserialize)]
struct AppEntry {
    app_id: AppId,
    api_url: ApiUrl,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    untargeted_new: BTreeSet<ConnectorType>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ChangeEntry>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unmanaged: BTreeMap<ConnectorType, RemoteConnector>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    untargeted: BTreeMap<ConnectorType, RemoteConnector>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ChangeEntry {
    connector: ConnectorType,
    kind: Kind,
    action: Action,
    authorization: ConsentNeed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<RemoteConnector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Desired>,
    #[serde(default, skip_serializing_if = "ScopesEntry::is_empty")]
    scopes: ScopesEntry,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct ScopesEntry {
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    added: Scopes,
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    removed: Scopes,
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    kept: Scopes,
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    provider_added: Scopes,
}

impl ScopesEntry {
    fn is_empty(&self) -> bool {
        [&self.added, &self.removed, &self.kept, &self.provider_added]
            .iter()
            .all(|s| s.is_empty())
    }
}

/// A plan as it was read from a file, with the digest that names it.
#[derive(Clone, Debug)]
pub struct Saved {
    /// The plan.
    pub plan: Plan,
    /// What names its meaning.
    pub digest: Digest,
    /// When it was made, if it says so (RFC 3339). Not covered by the digest.
    pub created_at: Option<String>,
}

/// The digest of a plan that may never have been saved.
pub fn digest(plan: &Plan) -> Result<Digest, EncodeError> {
    Ok(Digest::of(&toml::Table::try_from(entries(plan))?))
}

/// Writes a plan as TOML, with the digest in it.
pub fn to_toml(plan: &Plan, created_at: Option<String>) -> Result<String, EncodeError> {
    let mut document = entries(plan);
    let table = toml::Table::try_from(&document)?;
    let digest = Digest::of(&table);
    document.digest = Some(digest.clone());
    document.diagnostics_digest = table.get(FINDINGS).map(Digest::of_part);
    document.created_at = created_at;
    document.created_by = Some(CREATED_BY.to_owned());
    let body = toml::to_string_pretty(&document)?;
    let summary = plan.summary();
    let apps: Vec<_> = plan
        .apps
        .iter()
        .map(|app| format!("{} at {}", app.app.id, app.app.api_url))
        .collect();
    Ok(format!(
        "# A connplan plan for app {apps}.\n\
         # {create} to add, {update} to change, {delete} to remove, {authorize} to authorize.\n\
         #\n\
         # Look at it:  connplan show FILE\n\
         # Carry it out: connplan apply FILE --expect-digest {digest}\n\
         #\n\
         # It holds no token and no link. Any change to its meaning is noticed by its digest;\n\
         # comments, white space, key order and the time of planning are not part of that.\n\n\
         {body}",
        apps = apps.join(", "),
        create = summary.create,
        update = summary.update,
        delete = summary.delete,
        authorize = summary.authorize,
    ))
}

/// Reads a plan back. `file` names it in messages.
pub fn read(file: &str, text: &str) -> Result<Saved, Refusal> {
    let (document, digest): (Document, Digest) = read_document(file, text, DocumentKind::Plan)?;
    let plan = Plan {
        speculative: document.speculative,
        apps: document.apps.into_iter().map(AppPlan::from).collect(),
        diagnostics: document.diagnostics,
    };
    check::coherent(&plan)?;
    Ok(Saved {
        plan,
        digest,
        created_at: document.created_at,
    })
}

fn entries(plan: &Plan) -> Document {
    Document {
        format_version: FORMAT_VERSION.to_owned(),
        kind: "plan".to_owned(),
        digest: None,
        created_at: None,
        created_by: None,
        diagnostics_digest: None,
        speculative: plan.speculative,
        apps: plan.apps.iter().map(AppEntry::from).collect(),
        diagnostics: plan.diagnostics.clone(),
    }
}

impl From<&AppPlan> for AppEntry {
    fn from(plan: &AppPlan) -> Self {
        Self {
            app_id: plan.app.id.clone(),
            api_url: plan.app.api_url.clone(),
            environment: plan.app.environment.clone(),
            changes: plan.changes.iter().map(ChangeEntry::from).collect(),
            unmanaged: plan.unmanaged.clone(),
            untargeted: plan.untargeted.clone(),
            untargeted_new: plan.untargeted_new.clone(),
        }
    }
}

impl From<AppEntry> for AppPlan {
    fn from(entry: AppEntry) -> Self {
        Self {
            app: App {
                id: entry.app_id,
                api_url: entry.api_url,
                environment: entry.environment,
            },
            changes: entry.changes.into_iter().map(Change::from).collect(),
            unmanaged: entry.unmanaged,
            untargeted: entry.untargeted,
            untargeted_new: entry.untargeted_new,
        }
    }
}

impl From<&Change> for ChangeEntry {
    fn from(change: &Change) -> Self {
        let ScopeDiff {
            added,
            removed,
            kept,
            provider_added,
        } = change.scopes.clone();
        Self {
            connector: change.connector.clone(),
            kind: change.kind(),
            action: change.action,
            authorization: change.authorization,
            file: change.file.clone(),
            before: change.before.clone(),
            after: change.after.clone(),
            scopes: ScopesEntry {
                added,
                removed,
                kept,
                provider_added,
            },
        }
    }
}

impl From<ChangeEntry> for Change {
    fn from(entry: ChangeEntry) -> Self {
        let ScopesEntry {
            added,
            removed,
            kept,
            provider_added,
        } = entry.scopes;
        Self {
            connector: entry.connector,
            action: entry.action,
            file: entry.file,
            before: entry.before,
            after: entry.after,
            scopes: ScopeDiff {
                added,
                removed,
                kept,
                provider_added,
            },
            authorization: entry.authorization,
        }
    }
}
