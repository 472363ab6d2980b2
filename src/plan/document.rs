//! A saved plan: TOML that a person can read.
//!
//! [`to_toml`] writes it, [`read`] takes it back only if its digest names its content. It holds no token and no
//! link, and of an account only its masked form and a digest. Connection values stand in it as they are, and `why`
//! may quote files.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use toml::Table;

pub use super::envelope::{FORMAT_VERSION, LIMIT};
use super::{
    AppPlan, Digest, EncodeError, Meaning, Override, Plan, Refusal, Sealer, check,
    envelope::{CREATED_BY, DocumentKind, Sealed, read_document},
};
use crate::{
    catalogue::ScopeDiff,
    diff::{Action, Change, ConfigDiff, ConsentNeed, Desired, Removal},
    model::{ApiUrl, App, AppId, ConnectorType, Diagnostic, Kind, Origin, RemoteConnector, Scopes},
    policy, tables,
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

/// What the digest names: the app, what binds the plan, and the changes that are carried out. Not
/// what the files are called, not what stays as it is.
static MEANING: Meaning = Meaning {
    rows: "changes",
    always: true,
    key: |key| BOUND.contains(&key),
    row: |change| {
        let action = change.get("action").and_then(toml::Value::as_str);
        action != Some(Action::NoOp.as_str())
    },
    cell: |key| !["file", "why"].contains(&key),
    format: true,
};

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
    /// Read row by row, as written; here is what is something else.
    #[serde(default, skip_serializing)]
    changes: Vec<ChangeEntry>,
    #[serde(default, skip_serializing)]
    unmanaged: BTreeMap<ConnectorType, RemoteConnector>,
    #[serde(default, skip_serializing)]
    untargeted: BTreeMap<ConnectorType, RemoteConnector>,
    #[serde(default, skip_serializing)]
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
    Ok(Written::of(plan).seal()?.0)
}

/// Writes a plan as TOML, with the digest in it.
pub fn to_toml(plan: &Plan, created_at: Option<String>) -> Result<String, EncodeError> {
    let mut document = Written::of(plan);
    let (digest, record) = document.seal()?;
    document.head.digest = Some(digest.clone());
    document.head.record_digest = Some(record);
    document.head.created_at = created_at;
    document.head.created_by = Some(CREATED_BY.to_owned());
    let summary = plan.summary();
    let mut text = format!(
        "# A connplan plan for app {app} at {url}.\n\
         # {create} to add, {update} to change, {delete} to remove, {authorize} to authorize.\n\
         #\n\
         # Look at it:  connplan show FILE\n\
         # Carry it out: connplan apply FILE --expect-digest {digest}\n\
         #\n\
         # It holds no token and no link. `digest` names what it means: the app and the changes that\n\
         # are to be made. `record_digest` guards the rest that is shown. Comments, white space, key\n\
         # order and the time of planning are part of neither.\n\n",
        app = plan.app.app.id,
        url = plan.app.app.api_url,
        create = summary.create,
        update = summary.update,
        delete = summary.delete,
        authorize = summary.authorize,
    );
    let changes = (MEANING.rows, document.changes());
    tables::write(&mut text, &document.head, changes, &document.tail)?;
    DocumentKind::Plan.check_fits(&text)?;
    Ok(text)
}

/// The two digests of a plan's document: of what it means, and of all that it shows.
pub fn seal(document: &Table) -> (Digest, Digest) {
    Sealer::seal(&MEANING, document)
}

/// Reads a plan back. `file` names it in messages.
pub fn read(file: &str, text: &str) -> Result<Saved, Refusal> {
    let Sealed {
        document,
        rows,
        digest,
    } = read_document::<PlanFile, ChangeEntry>(file, text, DocumentKind::Plan, &MEANING)?;
    let created_at = document.created_at.clone();
    let plan = document.into_plan(rows);
    check::coherent(&plan)?;
    Ok(Saved {
        plan,
        digest,
        created_at,
    })
}

/// The text with the dangers that another text of the same plan has, and it lacks; none where it lacks none. The
/// digest covers no danger: where the base is not known, none is found.
pub fn united(text: &str, other: &str) -> Option<String> {
    let (mut saved, other) = (read("", text).ok()?, read("", other).ok()?);
    let said = &mut saved.plan.diagnostics;
    let mut lost = other.plan.diagnostics;
    lost.retain(|danger| danger.code == policy::LOOSENED && !said.contains(danger));
    if lost.is_empty() || saved.digest != other.digest {
        return None;
    }
    said.splice(0..0, lost);
    to_toml(&saved.plan, saved.created_at).ok()
}

/// A plan as it is written: its changes come one by one.
struct Written<'a> {
    head: PlanFile,
    plan: &'a Plan,
    tail: Tail,
}

/// What stands after the changes.
#[derive(Debug, Serialize)]
struct Tail {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    unmanaged: BTreeMap<ConnectorType, RemoteConnector>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    untargeted: BTreeMap<ConnectorType, RemoteConnector>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Written<'a> {
    fn of(plan: &'a Plan) -> Self {
        let app = &plan.app.app;
        let masked = |connectors: &BTreeMap<ConnectorType, RemoteConnector>| {
            let mut connectors = connectors.clone();
            for state in connectors.values_mut() {
                state.map_account(|account| account.to_masked(&app.id));
            }
            connectors
        };
        Self {
            head: PlanFile {
                format_version: FORMAT_VERSION.to_owned(),
                kind: "plan".to_owned(),
                digest: None,
                record_digest: None,
                created_at: None,
                created_by: None,
                app_id: app.id.clone(),
                api_url: app.api_url.clone(),
                environment: app.environment.clone(),
                speculative: plan.speculative,
                expires_at: plan.expires_at,
                untargeted_new: plan.app.untargeted_new.clone(),
                origin: plan.origin.clone(),
                overrides: plan.overrides.clone(),
                changes: Vec::new(),
                unmanaged: BTreeMap::new(),
                untargeted: BTreeMap::new(),
                diagnostics: Vec::new(),
            },
            tail: Tail {
                unmanaged: masked(&plan.app.unmanaged),
                untargeted: masked(&plan.app.untargeted),
                diagnostics: plan.masked_diagnostics(),
            },
            plan,
        }
    }

    fn changes(&self) -> impl Iterator<Item = ChangeEntry> {
        let app = &self.plan.app.app.id;
        self.plan.changes().map(|change| {
            let mut change = change.clone();
            change.map_accounts(
                |account| account.to_masked(app),
                |account| account.to_masked(app),
            );
            ChangeEntry::from(change)
        })
    }

    /// The two digests.
    fn seal(&self) -> Result<(Digest, Digest), EncodeError> {
        let mut rest = Table::try_from(&self.head)?;
        rest.extend(Table::try_from(&self.tail)?);
        let mut sealer = Sealer::begin(&MEANING, &rest);
        for change in self.changes() {
            sealer.row(&Table::try_from(change)?);
        }
        Ok(sealer.end(&rest))
    }
}

impl PlanFile {
    /// The plan that it is of, with these changes.
    fn into_plan(self, rows: Vec<ChangeEntry>) -> Plan {
        let changes = rows.into_iter().chain(self.changes).map(Change::from);
        let app = App {
            id: self.app_id,
            api_url: self.api_url,
            environment: self.environment,
        };
        let plan = Plan {
            speculative: self.speculative,
            app: AppPlan {
                app,
                changes: changes.collect(),
                unmanaged: self.unmanaged,
                untargeted: self.untargeted,
                untargeted_new: self.untargeted_new,
            },
            expires_at: self.expires_at,
            origin: self.origin,
            overrides: self.overrides,
            diagnostics: self.diagnostics,
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
