//! What waits for a person: asked for by an apply, not consented to yet.
//!
//! On this machine that is one private file, `pending.toml`. It holds no link: a link is asked for when a person is there to
//! open it, and is dead soon after. The file is written whole, and only by who holds the lock;
//! reading needs no lock.

mod among_runs;
mod store;

pub use among_runs::SharedPending;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use store::fuzz;
pub use store::{LocalPending, PendingError};

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    diff::{Action, Waiting},
    model::{
        Account, ApiUrl, App, AppId, ConnectionId, ConnectorType, ExpectedAccount, RemoteConnector,
        RemoteStatus, Scopes, Terms, map_of,
    },
    plan::{AppPlan, Digest},
};

/// One connector that waits, as this machine's file and a team's store keep it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingEntry {
    /// The change that asked.
    pub action: Action,
    /// When it was asked for first.
    pub since: Timestamp,
    /// What was approved: exactly these are asked for again.
    pub scopes: Scopes,
    /// The plan that asked; none where `authorize` found the connector broken by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<Digest>,
    /// What the remote had when it was asked for; tells one's own change from another's. None where
    /// it had nothing.
    #[serde(flatten, with = "before")]
    pub before: Option<Before>,
    /// Who is to consent, if the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<ExpectedAccount>,
    /// The connection that the apply began: its status is asked with this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_id: Option<ConnectionId>,
    /// What the last consent left out; empty where there was none.
    #[serde(default, skip_serializing_if = "Scopes::is_empty")]
    pub missing: Scopes,
    /// The platform said that all of it is in force, and lists it without what is missing: it does not
    /// pass that on, and nobody is asked for it any more.
    #[serde(
        rename = "settled",
        default,
        skip_serializing_if = "std::ops::Not::not"
    )]
    pub dropped_by_platform: bool,
    /// The connection values that were approved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connection_config: BTreeMap<String, String>,
    /// The rules that the plan broke on purpose, with the reason. Of this machine's own applies only: a
    /// store is told none and believed none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, String>,
    /// The store that the team had when this machine asked; no other is told of it.
    #[serde(rename = "store", default, skip_serializing_if = "Option::is_none")]
    pub asked_under: Option<String>,
    /// Where the file lay that declared it, from the project's root. Only of this machine's own, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
}

/// `before` as its columns in a row.
mod before {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Account, Before, RemoteStatus, Scopes};

    #[derive(Serialize, Deserialize)]
    struct Columns {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<Scopes>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        status_before: Option<RemoteStatus>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account_before: Option<Account>,
    }

    #[expect(clippy::ref_option, reason = "serde gives what the field is")]
    pub(super) fn serialize<S: Serializer>(
        before: &Option<Before>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let before = before.as_ref();
        let columns = Columns {
            before: before.map(|was| was.scopes.clone()),
            status_before: before.and_then(|was| was.status),
            account_before: before.and_then(|was| was.account.clone()),
        };
        columns.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Before>, D::Error> {
        let columns = Columns::deserialize(deserializer)?;
        Ok(columns.before.map(|scopes| Before {
            scopes,
            status: columns.status_before,
            account: columns.account_before,
        }))
    }
}

impl PendingEntry {
    /// The same with nobody's whole address, for others to read.
    #[must_use]
    pub fn to_masked(&self, app: &AppId) -> Self {
        let shown = |account: Account| account.to_masked(app);
        self.clone()
            .for_everybody()
            .with_accounts(shown, |expected| expected.to_masked(app))
    }

    /// As it is for everybody: nobody's word that a rule may be broken, nor which store was told, nor a folder of
    /// somebody's machine.
    #[must_use]
    pub(crate) fn for_everybody(self) -> Self {
        Self {
            overrides: BTreeMap::new(),
            asked_under: None,
            folder: None,
            ..self
        }
    }

    /// The same, asked for under this store.
    #[must_use]
    pub(crate) fn under(&self, store: Option<String>) -> Self {
        Self {
            asked_under: store,
            ..self.clone()
        }
    }

    /// As it was read: masked accounts are of this app.
    #[must_use]
    pub(crate) fn salted(self, app: &AppId) -> Self {
        let salted = |account: Account| account.salted(app);
        self.with_accounts(salted, |expected| expected.salted(app))
    }

    fn with_accounts(
        mut self,
        of: impl Fn(Account) -> Account,
        expected: impl Fn(ExpectedAccount) -> ExpectedAccount,
    ) -> Self {
        if let Some(before) = &mut self.before {
            before.account = before.account.take().map(of);
        }
        self.account = self.account.map(expected);
        self
    }

    /// The folder that its file lay in, if that is not the one whose files were read: that those do not declare
    /// it says nothing of it.
    pub fn elsewhere(&self, read: &str) -> Option<&str> {
        self.folder.as_deref().filter(|folder| *folder != read)
    }

    /// Whether it was found broken, and nobody has answered yet.
    pub fn is_repair(&self) -> bool {
        self.action == Action::Reauthorize && self.plan_digest.is_none() && self.missing.is_empty()
    }

    /// What it is for, beside the scopes.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            values: &self.connection_config,
            account: self.account.as_ref(),
        }
    }

    /// Whether what was approved takes a connection that works from another account.
    pub fn takes_over(&self) -> bool {
        let before = self.before.as_ref();
        let status = before.and_then(|before| before.status);
        let holder = before.and_then(|before| before.account.as_ref());
        self.action
            .takes_over(status, self.account.as_ref(), holder)
    }
}

/// A connector as it was when an authorization was asked for, as far as that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    /// Its scopes.
    pub scopes: Scopes,
    /// Its health; a receipt does not tell it.
    pub status: Option<RemoteStatus>,
    /// Who held it.
    pub account: Option<Account>,
}

impl From<&RemoteConnector> for Before {
    fn from(was: &RemoteConnector) -> Self {
        Self {
            scopes: was.scopes.clone(),
            status: Some(was.status),
            account: was.account.clone(),
        }
    }
}

/// Which app's entries.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AppKey {
    /// The address.
    pub api_url: ApiUrl,
    /// The app.
    pub app_id: AppId,
}

impl From<&App> for AppKey {
    fn from(app: &App) -> Self {
        Self {
            api_url: app.api_url.clone(),
            app_id: app.id.clone(),
        }
    }
}

/// Everything that waits, by app and connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PendingSet {
    apps: BTreeMap<AppKey, BTreeMap<ConnectorType, PendingEntry>>,
}

impl PendingSet {
    /// One app's entries.
    pub fn of(&self, app: &App) -> impl Iterator<Item = (&ConnectorType, &PendingEntry)> {
        self.apps.get(&AppKey::from(app)).into_iter().flatten()
    }

    /// The connection values of one app's entries.
    pub fn values(
        &self,
        app: &App,
    ) -> impl Iterator<Item = (&ConnectorType, &BTreeMap<String, String>)> {
        self.of(app)
            .map(|(connector, entry)| (connector, &entry.connection_config))
    }

    /// What waits although no file declared it when this was planned.
    pub fn undeclared<'a>(
        &'a self,
        plan: &'a AppPlan,
    ) -> impl Iterator<Item = (&'a ConnectorType, &'a PendingEntry)> {
        let planned: BTreeSet<_> = plan.changes.iter().map(|c| &c.connector).collect();
        self.of(&plan.app).filter(move |(connector, _)| {
            !planned.contains(connector)
                && !plan.untargeted.contains_key(connector)
                && !plan.untargeted_new.contains(connector)
        })
    }

    /// One entry.
    pub fn get(&self, app: &App, connector: &ConnectorType) -> Option<&PendingEntry> {
        self.apps.get(&AppKey::from(app))?.get(connector)
    }

    /// What one app's entries wait for, as a comparison wants it.
    pub fn waiting(&self, app: &App) -> BTreeMap<ConnectorType, Waiting> {
        let waiting = |entry: &PendingEntry| Waiting {
            scopes: entry.scopes.clone(),
            before: entry.before.as_ref().map(|was| was.scopes.clone()),
            account_before: entry.before.as_ref().and_then(|was| was.account.clone()),
            missing: entry.missing.clone(),
            settled: entry.dropped_by_platform,
            connection_config: entry.connection_config.clone(),
            account: entry.account.clone(),
        };
        map_of(
            self.of(app)
                .map(|(connector, entry)| (connector.clone(), waiting(entry))),
        )
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.apps.values().map(BTreeMap::len).sum()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty()
    }

    /// The plans that something waits for, whichever app's.
    pub fn plans(&self) -> impl Iterator<Item = &Digest> {
        self.all()
            .filter_map(|(_, _, entry)| entry.plan_digest.as_ref())
    }

    /// Adds or replaces an entry.
    pub fn insert(&mut self, app: &App, connector: ConnectorType, entry: PendingEntry) {
        self.apps
            .entry(AppKey::from(app))
            .or_default()
            .insert(connector, entry);
    }

    /// Takes an entry out; false if there was none.
    pub fn remove(&mut self, app: &App, connector: &ConnectorType) -> bool {
        let key = AppKey::from(app);
        let Some(entries) = self.apps.get_mut(&key) else {
            return false;
        };
        let removed = entries.remove(connector).is_some();
        if entries.is_empty() {
            self.apps.remove(&key);
        }
        removed
    }

    fn all(&self) -> impl Iterator<Item = (&AppKey, &ConnectorType, &PendingEntry)> {
        self.apps
            .iter()
            .flat_map(|(app, entries)| entries.iter().map(move |(name, entry)| (app, name, entry)))
    }
}
