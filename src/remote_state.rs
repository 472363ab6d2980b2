//! A snapshot of the remote, for planning where there are no credentials.
//!
//! It holds types, states and scopes; whole accounts only if asked for, else masked and with a digest, where files or
//! policy expect one; of connection values a digest, where they were read. The app's id salts the digests. A plan made from it is speculative and is never applied.

use std::collections::BTreeMap;

use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::model::{
    Account, ApiUrl, App, AppId, ConnectorType, Declared, Kind, RemoteConnector, RemoteStatus,
    SavedValue, Scopes, Sha256, StripeMode,
};

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Whose.
    pub app: App,
    /// What it had. Connection values are digests, until they are revealed.
    pub connectors: BTreeMap<ConnectorType, RemoteConnector>,
}

impl Snapshot {
    /// Has values read as they are declared, where that is what the digest is of: what is declared is then seen to
    /// differ, or not.
    pub fn reveal(&mut self, declared: &Declared) {
        for (connector, wanted) in declared.values() {
            let is = self.connectors.get_mut(connector);
            let Some(saved) = is.and_then(|is| is.connection_config.as_mut()) else {
                continue;
            };
            for (name, value) in wanted {
                if let Some(saved) = saved.get_mut(name)
                    && saved.as_str() == digest(&self.app.id, connector, name, value)
                {
                    *saved = SavedValue::Told(value.clone());
                }
            }
        }
    }
}

fn digest(app: &AppId, connector: &ConnectorType, name: &str, value: &str) -> String {
    let mut hash = Sha256::default();
    for part in [
        "connplan value",
        &app.folded(),
        connector.as_str(),
        name,
        value,
    ] {
        hash.update(part.len().to_string().as_bytes());
        hash.update(b"\n");
        hash.update(part.as_bytes());
    }
    format!("sha256:{}", hash.hex())
}

/// The text is not a snapshot.
#[derive(Debug, Error, Diagnostic)]
#[error("{file} is not a remote state that can be read: {reason}")]
#[diagnostic(
    code(connplan::remote_state::unreadable),
    help("make it with `connplan remote-state > FILE`")
)]
pub struct SnapshotError {
    /// The file, escaped.
    file: String,
    reason: String,
}

impl SnapshotError {
    /// The same, without what is wrong: those words may hold some of the file's.
    #[must_use]
    pub fn unshown(self) -> Self {
        Self {
            reason: "a link leads there, so what is wrong is not shown".to_owned(),
            ..self
        }
    }
}

#[derive(Serialize, Deserialize)]
struct SnapshotFile {
    format_version: String,
    kind: String,
    app_id: AppId,
    api_url: ApiUrl,
    #[serde(default)]
    apps: Vec<AppEntry>,
    connectors: Vec<Entry>,
}

/// As every document names its app. For others: it is read from above.
#[derive(Serialize, Deserialize)]
struct AppEntry {
    app_id: AppId,
    environment: Option<String>,
    api_url: ApiUrl,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    connector: ConnectorType,
    kind: Kind,
    status: RemoteStatus,
    scopes: Scopes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<Account>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mode: Option<StripeMode>,
    /// Of each connection value a digest; none where they are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connection_values: Option<BTreeMap<String, String>>,
}

/// Writes a snapshot as JSON.
pub fn write(
    app: &App,
    connectors: &BTreeMap<ConnectorType, RemoteConnector>,
    declared: &Declared,
    show_accounts: bool,
) -> Result<String, serde_json::Error> {
    let kept = |connector, account: &Account| {
        if show_accounts {
            return Some(account.clone());
        }
        let file = declared.connectors.get(connector)?;
        file.account.as_ref().map(|_| account.to_masked(&app.id))
    };
    let entries = connectors.iter().map(|(connector, state)| Entry {
        connector: connector.clone(),
        kind: connector.kind(),
        status: state.status,
        scopes: state.scopes.clone(),
        account: state.account.as_ref().and_then(|is| kept(connector, is)),
        mode: state.mode,
        connection_values: state.connection_config.as_ref().map(|values| {
            let digests = values.iter().map(|(name, value)| {
                (
                    name.clone(),
                    digest(&app.id, connector, name, value.as_str()),
                )
            });
            crate::model::map_of(digests)
        }),
    });
    let document = SnapshotFile {
        format_version: "1.0".to_owned(),
        kind: "remote-state".to_owned(),
        app_id: app.id.clone(),
        api_url: app.api_url.clone(),
        apps: vec![AppEntry {
            app_id: app.id.clone(),
            environment: app.environment.clone(),
            api_url: app.api_url.clone(),
        }],
        connectors: entries.collect(),
    };
    Ok(format!("{}\n", serde_json::to_string_pretty(&document)?))
}

/// Reads a snapshot. `file` names it in messages.
pub fn read(file: &str, text: &str) -> Result<Snapshot, SnapshotError> {
    let fail = |reason: String| SnapshotError {
        file: file.to_owned(),
        reason,
    };
    let document: SnapshotFile = serde_json::from_str(text)
        .map_err(|e| fail(crate::escape::terminal(&e.to_string()).into_owned()))?;
    if document.kind != "remote-state" {
        return Err(fail("its `kind` is not `remote-state`".to_owned()));
    }
    if document.format_version.split('.').next() != Some("1") {
        return Err(fail("it was written by a newer connplan".to_owned()));
    }
    let mut connectors = BTreeMap::new();
    for entry in document.connectors {
        let state = RemoteConnector {
            status: entry.status,
            scopes: entry.scopes,
            account: entry.account.map(|is| is.salted(&document.app_id)),
            mode: entry.mode,
            connection_config: entry.connection_values.map(|digests| {
                let other = |(name, digest)| (name, SavedValue::Other { digest });
                crate::model::map_of(digests.into_iter().map(other))
            }),
        };
        if (entry.connector.kind() == Kind::Stripe) != state.mode.is_some() {
            return Err(fail(format!(
                "`{}`: only Stripe has a mode",
                entry.connector
            )));
        }
        if connectors.insert(entry.connector.clone(), state).is_some() {
            return Err(fail(format!("`{}` is in it twice", entry.connector)));
        }
    }
    let app = App {
        id: document.app_id,
        api_url: document.api_url,
        environment: None,
    };
    Ok(Snapshot { app, connectors })
}
