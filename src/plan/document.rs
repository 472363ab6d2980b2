//! A saved plan: TOML that a person can read.
//!
//! [`to_toml`] writes it, [`read`] takes it back only if its digest names its content. Scopes and
//! types are all it holds of a connector: no token, no link, and of an account only its masked form
//! and a digest.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use toml::{Table, Value};

pub use super::envelope::FORMAT_VERSION;
use super::{
    AppPlan, Digest, EncodeError, Override, Plan, Refusal, check,
    envelope::{self, CREATED_BY, DocumentKind, FORMAT_MAJOR, Sealed, read_document},
};
use crate::{
    catalogue::ScopeDiff,
    diff::{Action, Change, ConfigDiff, ConsentNeed, Desired, Removal},
    model::{ApiUrl, App, AppId, ConnectorType, Diagnostic, Kind, Origin, RemoteConnector, Scopes},
};

/// What a plan means, beside its changes.
const BOUND: [&str; 7] = [
    "kind",
    "speculative",
    "app_id",
    "api_url",
    "environment",
    "expires_at",
    "overrides",
];

#[derive(Debug, Serialize, Deserialize)]
struct PlanFile {
    format_version: String,
    kind: String,
    digest: Option<Digest>,
    record_digest: Option<Digest>,
    created_at: Option<String>,
    created_by: Option<String>,
    app_id: AppId,
    api_url: ApiUrl,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    environment: Option<String>,
    speculative: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    untargeted_new: BTreeSet<ConnectorType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    overrides: Vec<Override>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    changes: Vec<ChangeEntry>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unmanaged: BTreeMap<ConnectorType, RemoteConnector>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    untargeted: BTreeMap<ConnectorType, RemoteConnector>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    diagnostics: Vec<Diagnostic>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ChangeEntry {
    connector: ConnectorType,
    kind: Kind,
    action: Action,
    authorization: ConsentNeed,
    #[serde(default, skip_serializing_if = "is_default")]
    removal: Removal,
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    dropped: Scopes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<RemoteConnector>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Desired>,
    #[serde(default, skip_serializing_if = "is_default")]
    scopes: ScopesEntry,
    #[serde(default, skip_serializing_if = "is_default")]
    connection_config: ConfigDiff,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
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

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
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
    Ok(meaning(&Table::try_from(entries(plan))?))
}

/// Writes a plan as TOML, with the digest in it.
pub fn to_toml(plan: &Plan, created_at: Option<String>) -> Result<String, EncodeError> {
    let mut document = entries(plan);
    let (digest, record) = seal(&Table::try_from(&document)?);
    document.digest = Some(digest.clone());
    document.record_digest = Some(record);
    document.created_at = created_at;
    document.created_by = Some(CREATED_BY.to_owned());
    let body = toml::to_string_pretty(&document)?;
    let summary = plan.summary();
    Ok(format!(
        "# A connplan plan for app {app} at {url}.\n\
         # {create} to add, {update} to change, {delete} to remove, {authorize} to authorize.\n\
         #\n\
         # Look at it:  connplan show FILE\n\
         # Carry it out: connplan apply FILE --expect-digest {digest}\n\
         #\n\
         # It holds no token and no link. `digest` names what it means: the app and the changes that\n\
         # are to be made. `record_digest` guards the rest that is shown. Comments, white space, key\n\
         # order and the time of planning are part of neither.\n\n\
         {body}",
        app = plan.app.app.id,
        url = plan.app.app.api_url,
        create = summary.create,
        update = summary.update,
        delete = summary.delete,
        authorize = summary.authorize,
    ))
}

/// The two digests of a plan's document: of what it means, and of all that it shows.
pub fn seal(document: &Table) -> (Digest, Digest) {
    let record = envelope::record_digest(document);
    (meaning(document), record)
}

/// Reads a plan back. `file` names it in messages.
pub fn read(file: &str, text: &str) -> Result<Saved, Refusal> {
    let Sealed { document, digest } =
        read_document::<PlanFile>(file, text, DocumentKind::Plan, meaning)?;
    let created_at = document.created_at.clone();
    let plan = Plan::from(document);
    check::coherent(&plan)?;
    Ok(Saved {
        plan,
        digest,
        created_at,
    })
}

/// What the digest names: the app, what binds the plan, and the changes that are carried out. Not
/// what the files are called, not what stays as it is.
fn meaning(document: &Table) -> Digest {
    let mut bound = Table::new();
    for key in BOUND {
        if let Some(value) = document.get(key) {
            bound.insert(key.to_owned(), value.clone());
        }
    }
    bound.insert("format".to_owned(), Value::Integer(FORMAT_MAJOR));
    let changes = document.get("changes").and_then(Value::as_array);
    let changes: Vec<_> = changes
        .into_iter()
        .flatten()
        .filter(|change| {
            let action = change.get("action").and_then(Value::as_str);
            action != Some(Action::NoOp.as_str())
        })
        .collect();
    let tables: Option<Vec<_>> = changes.iter().map(|change| change.as_table()).collect();
    if let Some(tables) = tables {
        return Digest::of_parts(&bound, ("changes", &tables, &["file", "why"]));
    }
    // It says something else than changes: whatever that is, it has a digest.
    let changes = changes.into_iter().cloned().collect();
    bound.insert("changes".to_owned(), Value::Array(changes));
    Digest::of(&bound)
}

fn entries(plan: &Plan) -> PlanFile {
    let plan = plan.masked();
    PlanFile {
        format_version: FORMAT_VERSION.to_owned(),
        kind: "plan".to_owned(),
        digest: None,
        record_digest: None,
        created_at: None,
        created_by: None,
        app_id: plan.app.app.id,
        api_url: plan.app.app.api_url,
        environment: plan.app.app.environment,
        speculative: plan.speculative,
        expires_at: plan.expires_at,
        untargeted_new: plan.app.untargeted_new,
        origin: plan.origin,
        overrides: plan.overrides,
        changes: plan
            .app
            .changes
            .into_iter()
            .map(ChangeEntry::from)
            .collect(),
        unmanaged: plan.app.unmanaged,
        untargeted: plan.app.untargeted,
        diagnostics: plan.diagnostics,
    }
}

impl From<PlanFile> for Plan {
    fn from(document: PlanFile) -> Self {
        let app = App {
            id: document.app_id,
            api_url: document.api_url,
            environment: document.environment,
        };
        let plan = Self {
            speculative: document.speculative,
            app: AppPlan {
                app,
                changes: document.changes.into_iter().map(Change::from).collect(),
                unmanaged: document.unmanaged,
                untargeted: document.untargeted,
                untargeted_new: document.untargeted_new,
            },
            expires_at: document.expires_at,
            origin: document.origin,
            overrides: document.overrides,
            diagnostics: document.diagnostics,
        };
        plan.salted()
    }
}

impl From<Change> for ChangeEntry {
    fn from(change: Change) -> Self {
        let ScopeDiff {
            added,
            removed,
            kept,
            provider_added,
        } = change.scopes;
        Self {
            kind: change.connector.kind(),
            connector: change.connector,
            action: change.action,
            authorization: change.authorization,
            removal: change.removal,
            dropped: change.dropped,
            file: change.file,
            why: change.why,
            before: change.before,
            after: change.after,
            scopes: ScopesEntry {
                added,
                removed,
                kept,
                provider_added,
            },
            connection_config: change.connection_config,
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
            connection_config: entry.connection_config,
            authorization: entry.authorization,
            removal: entry.removal,
            dropped: entry.dropped,
            why: entry.why,
        }
    }
}
