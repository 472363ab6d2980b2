//! What waits for a person, as all machines share it: no link, no credential.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{By, Store};
use crate::{
    model::{ApiUrl, App, AppId, ConnectorType, Scopes, map_of},
    pending::PendingEntry,
};

/// One connector that waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// Which.
    pub connector: ConnectorType,
    /// What waits. Accounts are masked; a domain stays whole.
    #[serde(flatten)]
    pub entry: PendingEntry,
    /// Who asked.
    #[serde(default)]
    pub by: By,
    /// The lease's epoch in which it was asked for: orders what the clocks of two machines do not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub epoch: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(epoch: &u64) -> bool {
    *epoch == 0
}

/// When something happened: by the lease's epoch, and within one by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment {
    /// The epoch; 0 without a lease.
    pub epoch: u64,
    /// The clock of whoever did it.
    pub at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Ended {
    connector: ConnectorType,
    #[serde(flatten)]
    moment: Moment,
}

impl Wait {
    fn moment(&self) -> Moment {
        Moment {
            epoch: self.epoch,
            at: self.entry.since,
        }
    }
}

/// Everything that waits in one app, and when what waited before came to its end: a machine that
/// asked once learns by it that nobody waits any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waits {
    open: BTreeMap<ConnectorType, Wait>,
    ended: BTreeMap<ConnectorType, Moment>,
    gone: Option<Timestamp>,
    from: Option<String>,
    /// What tells that store from others of its name.
    identity: Option<String>,
    trusted: bool,
    /// Who asked, where no other machine has to know: as this one's history tells. Untrusted.
    askers: BTreeMap<ConnectorType, String>,
}

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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ended: Vec<Ended>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gone: Option<Timestamp>,
}

impl IntoIterator for Waits {
    type Item = Wait;
    type IntoIter = std::collections::btree_map::IntoValues<ConnectorType, Wait>;

    fn into_iter(self) -> Self::IntoIter {
        self.open.into_values()
    }
}

impl Waits {
    /// All of it, by connector.
    pub fn iter(&self) -> impl Iterator<Item = &Wait> {
        self.open.values()
    }

    /// The store that it was read from; `None` where none was.
    pub fn from(&self) -> Option<&str> {
        self.from.as_deref()
    }

    /// What tells the store that it was read from from all others; `None` where none was.
    pub fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    /// Whether what this machine asked for is the store's business: it was asked for under it, or the user
    /// trusts it with all of that.
    pub fn concern(&self, entry: &PendingEntry) -> bool {
        self.trusted || entry.asked_under == self.identity
    }

    pub(super) fn read_from(mut self, store: &dyn Store, trusted: bool) -> Self {
        self.trusted = trusted;
        self.from = Some(store.name().to_owned());
        self.identity = Some(store.identity());
        self
    }

    /// One of them.
    pub fn get(&self, connector: &ConnectorType) -> Option<&Wait> {
        self.open.get(connector)
    }

    /// Who asked for one of them: a user, or a pipeline's run. Untrusted.
    pub fn asked_by(&self, connector: &ConnectorType) -> Option<String> {
        let known = self.get(connector).map(|wait| wait.by.shown());
        known.or_else(|| self.askers.get(connector).cloned())
    }

    /// Nothing but who asked for what this machine alone knows of.
    pub fn asked_here(askers: BTreeMap<ConnectorType, String>) -> Self {
        Self {
            askers,
            ..Self::default()
        }
    }

    /// When the last wait of a connector ended, by the clock of whoever ended it.
    pub fn ended(&self, connector: &ConnectorType) -> Option<Timestamp> {
        self.ended.get(connector).map(|moment| moment.at)
    }

    /// Until when the store lacks entries, as they were taken away for their age.
    pub fn gone(&self) -> Option<Timestamp> {
        self.gone
    }

    pub(super) fn goes(&mut self, until: Timestamp) {
        self.gone = self.gone.max(Some(until));
    }

    /// The newest epoch in which a connector was asked for or done with.
    pub fn epoch(&self, connector: &ConnectorType) -> u64 {
        let ended = self.ended.get(connector).map(|moment| moment.epoch);
        let open = self.open.get(connector).map(|wait| wait.epoch);
        ended.max(open).unwrap_or_default()
    }

    /// What is said of one of them stays but for what a consent left out: that merely waits.
    pub fn doubt(&mut self, connector: &ConnectorType) {
        if let Some(wait) = self.open.get_mut(connector) {
            wait.entry.missing = Scopes::new();
            wait.entry.dropped_by_platform = false;
        }
    }

    /// Leaves out what does not count here.
    pub fn retain(&mut self, mut counts: impl FnMut(&Wait) -> bool) {
        self.open.retain(|_, wait| counts(wait));
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Adds one, unless a later one is there or it has ended already.
    pub fn insert(&mut self, mut wait: Wait) {
        let there = self.open.get(&wait.connector);
        // Somebody else learnt more of it: who asked stays the same.
        if let Some(same) = there.filter(|there| there.entry.since == wait.entry.since) {
            wait.by = same.by.clone();
        }
        let later = there.is_some_and(|there| there.moment() > wait.moment());
        let ended = self.ended.get(&wait.connector);
        let over = ended.is_some_and(|ended| *ended >= wait.moment());
        if later || over {
            return;
        }
        let since = wait.entry.since;
        if let Some(was) = self.open.insert(wait.connector.clone(), wait)
            && was.entry.since != since
        {
            self.end(&was.connector, was.moment());
        }
    }

    /// What was asked for until then is over.
    fn end(&mut self, connector: &ConnectorType, until: Moment) {
        let ended = self.ended.entry(connector.clone()).or_insert(until);
        ended.epoch = until.epoch.max(ended.epoch);
        // Whoever asked knows its entry by the time, whatever their clock said.
        ended.at = until.at.max(ended.at);
    }

    /// Ends one, unless it was asked for later.
    pub fn remove(&mut self, connector: &ConnectorType, until: Moment) -> bool {
        self.end(connector, until);
        let there = self.open.get(connector);
        let Some(since) = there
            .filter(|wait| wait.moment() <= until)
            .map(|wait| wait.entry.since)
        else {
            return false;
        };
        let at = since.max(until.at);
        self.end(connector, Moment { at, ..until });
        self.open.remove(connector).is_some()
    }

    pub(super) fn to_toml(&self, app: &App) -> Result<String, toml::ser::Error> {
        toml::to_string(&WaitsFile {
            format_version: "1.0".to_owned(),
            kind: "waits".to_owned(),
            app_id: app.id.clone(),
            api_url: app.api_url.clone(),
            writer: uuid::Uuid::new_v4().to_string(),
            waits: self.open.values().cloned().collect(),
            ended: self
                .ended
                .iter()
                .map(|(connector, moment)| Ended {
                    connector: connector.clone(),
                    moment: *moment,
                })
                .collect(),
            gone: self.gone,
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
        let mut waits = Self {
            ended: map_of(
                document
                    .ended
                    .into_iter()
                    .map(|ended| (ended.connector, ended.moment)),
            ),
            gone: document.gone,
            ..Self::default()
        };
        for wait in document.waits {
            let entry = wait.entry.salted(&app.id).for_everybody();
            waits.insert(Wait { entry, ..wait });
        }
        Ok(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diff::Action, model::Scopes};

    fn slack() -> ConnectorType {
        ConnectorType::parse("slack").unwrap()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn wait(epoch: u64, since: i64) -> Wait {
        Wait {
            connector: slack(),
            entry: PendingEntry {
                action: Action::Create,
                since: at(since),
                scopes: Scopes::default(),
                plan_digest: None,
                before: None,
                account: None,
                connection_id: None,
                missing: Scopes::default(),
                dropped_by_platform: false,
                connection_config: BTreeMap::new(),
                overrides: BTreeMap::new(),
                asked_under: None,
                folder: None,
            },
            by: By::default(),
            epoch,
        }
    }

    #[test]
    fn epochs_order_what_clocks_do_not() {
        let mut waits = Waits::default();
        // This clock is ahead.
        waits.insert(wait(1, 900));
        waits.insert(wait(2, 100));
        assert_eq!(waits.get(&slack()).unwrap().entry.since, at(100));
        // Told late, it changes nothing.
        waits.insert(wait(1, 900));
        assert_eq!(waits.get(&slack()).unwrap().epoch, 2);
        // The machine that asked first learns that its own is over.
        assert!(waits.ended(&slack()).unwrap() >= at(900));
        let until = Moment {
            epoch: 3,
            at: at(50),
        };
        assert!(waits.remove(&slack(), until));
        assert!(waits.ended(&slack()).unwrap() >= at(900));
        waits.insert(wait(2, 100));
        assert!(waits.is_empty());
        // Asked for anew, whatever the clock says.
        waits.insert(wait(4, 60));
        assert_eq!(waits.get(&slack()).unwrap().entry.since, at(60));
        // What somebody was late to tell does not end it.
        let late = Moment {
            epoch: 3,
            at: at(5000),
        };
        assert!(!waits.remove(&slack(), late));
    }
}
