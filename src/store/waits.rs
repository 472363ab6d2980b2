//! What waits for a person, as all machines share it: no link, no credential.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::By;
use crate::{
    diff::Action,
    model::{
        Account, ApiUrl, App, AppId, ConnectionId, ConnectorType, ExpectedAccount, RemoteStatus,
        Scopes,
    },
    plan::Digest,
};

/// One connector that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Which.
    pub connector: ConnectorType,
    /// What was approved.
    pub scopes: Scopes,
    /// The change that asked.
    pub action: Action,
    /// The plan that asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<Digest>,
    /// When it was asked for first.
    pub since: Timestamp,
    /// What the remote had before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Scopes>,
    /// Its health before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_before: Option<RemoteStatus>,
    /// Who held it before: masked, with a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_before: Option<Account>,
    /// Who is to consent: masked, with a digest; a domain stays whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<ExpectedAccount>,
    /// The connection values that were approved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connection_config: BTreeMap<String, String>,
    /// What the status is asked with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<ConnectionId>,
    /// Who asked.
    #[serde(default)]
    pub by: By,
}

/// Everything that waits in one app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits(BTreeMap<ConnectorType, Wait>);

#[derive(Serialize, Deserialize)]
struct WaitsFile {
    format_version: String,
    kind: String,
    app_id: AppId,
    api_url: ApiUrl,
    /// Makes each text unlike any other, so that a writer knows its own.
    writer: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waits: Vec<Wait>,
}

impl IntoIterator for Waits {
    type Item = Wait;
    type IntoIter = std::collections::btree_map::IntoValues<ConnectorType, Wait>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_values()
    }
}

impl FromIterator<Wait> for Waits {
    fn from_iter<I: IntoIterator<Item = Wait>>(waits: I) -> Self {
        let mut set = Self::default();
        for wait in waits {
            set.insert(wait);
        }
        set
    }
}

impl Waits {
    /// All of it, by connector.
    pub fn iter(&self) -> impl Iterator<Item = &Wait> {
        self.0.values()
    }

    /// One of them.
    pub fn get(&self, connector: &ConnectorType) -> Option<&Wait> {
        self.0.get(connector)
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one, unless a later one is there.
    pub fn insert(&mut self, wait: Wait) {
        let later = self
            .0
            .get(&wait.connector)
            .is_some_and(|there| there.since > wait.since);
        if !later {
            self.0.insert(wait.connector.clone(), wait);
        }
    }

    /// Takes one out, unless it was asked for after `until`.
    pub fn remove(&mut self, connector: &ConnectorType, until: Timestamp) -> bool {
        let gone = self
            .0
            .get(connector)
            .is_some_and(|there| there.since <= until);
        gone && self.0.remove(connector).is_some()
    }

    pub(super) fn to_toml(&self, app: &App) -> Result<String, toml::ser::Error> {
        toml::to_string(&WaitsFile {
            format_version: "1.0".to_owned(),
            kind: "waits".to_owned(),
            app_id: app.id.clone(),
            api_url: app.api_url.clone(),
            writer: uuid::Uuid::new_v4().to_string(),
            waits: self.0.values().cloned().collect(),
        })
    }

    pub(super) fn read(text: &str, app: &App) -> Result<Self, String> {
        let document: WaitsFile = toml::from_str(text).map_err(|e| super::head::reason(&e))?;
        super::head::check_head(
            &document.format_version,
            &document.app_id,
            &document.api_url,
            app,
        )?;
        if document.kind != "waits" {
            return Err("it is something else".to_owned());
        }
        let mut waits = Self::default();
        for wait in document.waits {
            let salted = Wait {
                account_before: wait.account_before.map(|account| account.salted(&app.id)),
                account: wait.account.map(|account| account.salted(&app.id)),
                ..wait
            };
            waits.insert(salted);
        }
        Ok(waits)
    }
}
