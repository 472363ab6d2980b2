//! `trust.toml`: the addresses and stores that a project file may name for this user's credentials, and the
//! user's own variables that an app may have.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{StateError, StateFolder, WRITER, check_format_version};
use crate::{
    fs::{self, Lock, Visibility},
    model::{ApiUrl, App, AppId, map_of},
};

/// Nobody trusts as many addresses.
const LIMIT: u64 = 1 << 20;
/// Another process writes a few lines.
const PATIENCE: Duration = Duration::from_secs(10);
const FORMAT: &str = "1.0";

/// Addresses that the user has trusted on this machine, each with the time of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    addresses: BTreeMap<ApiUrl, Timestamp>,
    /// Stores of a team, as settings name them.
    stores: BTreeMap<String, Timestamp>,
    /// The user's own variables, each for one app.
    variables: BTreeMap<TrustedVariable, Timestamp>,
}

/// A variable of the user's own that an app may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrustedVariable {
    /// Where the app is.
    pub api_url: ApiUrl,
    /// The app.
    pub app_id: AppId,
    /// The variable.
    pub name: String,
}

impl TrustedVariable {
    /// A variable for an app.
    pub fn of(app: &App, name: &str) -> Self {
        Self {
            api_url: app.api_url.clone(),
            app_id: app.id.clone(),
            name: name.to_owned(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct TrustFile {
    format_version: String,
    #[serde(default)]
    created_by: Option<String>,
    #[serde(default)]
    address: Vec<Record>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    store: Vec<StoreRecord>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    variable: Vec<VariableRecord>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    url: ApiUrl,
    since: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct VariableRecord {
    name: String,
    app_id: AppId,
    api_url: ApiUrl,
    since: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct StoreRecord {
    url: String,
    since: Timestamp,
}

impl Trust {
    /// What is trusted so far; nothing where there is no file.
    pub fn load(folder: &StateFolder) -> Result<Self, StateError> {
        let Some(path) = file(folder) else {
            return Ok(Self::default());
        };
        match fs::read_private_text(&path, LIMIT) {
            Ok(text) => Self::decode(&text).map_err(|reason| StateError::Unreadable {
                file: crate::escape::path(&path),
                reason,
            }),
            Err(e) if e.is_nothing() => Ok(Self::default()),
            Err(e) => Err(e.into()),
        }
    }

    /// Whether credentials may go there although only a project file names it.
    pub fn contains(&self, url: &ApiUrl) -> bool {
        self.addresses.contains_key(url)
    }

    /// The addresses, each with the time it was trusted at.
    pub fn iter(&self) -> impl Iterator<Item = (&ApiUrl, Timestamp)> {
        self.addresses.iter().map(|(url, since)| (url, *since))
    }

    /// Whether a store may be used, or may know what waits on this machine, although only a project file
    /// names it: it was trusted, or the part of a bucket that it lies in was.
    pub fn contains_store(&self, url: &str) -> bool {
        self.stores.keys().any(|trusted| {
            let below = url.strip_prefix(trusted.as_str());
            let within = |rest: &str| rest.starts_with('/') && !url.starts_with("git:");
            below.is_some_and(|rest| rest.is_empty() || within(rest))
        })
    }

    /// The stores, each with the time it was trusted at.
    pub fn stores(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        self.stores
            .iter()
            .map(|(url, since)| (url.as_str(), *since))
    }

    /// Trusts a store from now on. `false` if it was trusted already.
    pub fn add_store(folder: &StateFolder, url: &str, now: Timestamp) -> Result<bool, StateError> {
        Self::change(folder, |trust| {
            let new = !trust.stores.contains_key(url);
            trust.stores.entry(url.to_owned()).or_insert(now);
            new
        })
    }

    /// Trusts a store no longer. `false` if it was not trusted.
    pub fn remove_store(folder: &StateFolder, url: &str) -> Result<bool, StateError> {
        Self::change(folder, |trust| trust.stores.remove(url).is_some())
    }

    /// Whether an app may have a variable of the user's own.
    pub fn contains_variable(&self, app: &App, name: &str) -> bool {
        self.variables.contains_key(&TrustedVariable::of(app, name))
    }

    /// The variables, each with the time it was trusted at.
    pub fn variables(&self) -> impl Iterator<Item = (&TrustedVariable, Timestamp)> {
        self.variables
            .iter()
            .map(|(variable, since)| (variable, *since))
    }

    /// Lets an app have these from now on. `false` if it had all of them already.
    pub fn add_variables(
        folder: &StateFolder,
        app: &App,
        names: impl IntoIterator<Item = String>,
        now: Timestamp,
    ) -> Result<bool, StateError> {
        Self::change(folder, |trust| {
            let before = trust.variables.len();
            for name in names {
                let variable = TrustedVariable::of(app, &name);
                trust.variables.entry(variable).or_insert(now);
            }
            trust.variables.len() > before
        })
    }

    /// Lets an app have a variable no longer. `false` if it could not have it.
    pub fn remove_variable(
        folder: &StateFolder,
        app: &App,
        name: &str,
    ) -> Result<bool, StateError> {
        let variable = TrustedVariable::of(app, name);
        Self::change(folder, |trust| trust.variables.remove(&variable).is_some())
    }

    /// Trusts an address from now on. `false` if it was trusted already.
    pub fn add(folder: &StateFolder, url: &ApiUrl, now: Timestamp) -> Result<bool, StateError> {
        Self::change(folder, |trust| {
            let new = !trust.contains(url);
            trust.addresses.entry(url.clone()).or_insert(now);
            new
        })
    }

    /// Trusts an address no longer. `false` if it was not trusted.
    pub fn remove(folder: &StateFolder, url: &ApiUrl) -> Result<bool, StateError> {
        Self::change(folder, |trust| trust.addresses.remove(url).is_some())
    }

    fn change(
        folder: &StateFolder,
        change: impl FnOnce(&mut Self) -> bool,
    ) -> Result<bool, StateError> {
        let (Some(dir), Some(path)) = (folder.make()?, file(folder)) else {
            return Err(StateError::Nowhere);
        };
        let holder = format!("connplan trust, process {}", std::process::id());
        let _lock = Lock::acquire(&dir.join("trust.lock"), PATIENCE, &holder)?;
        let mut trust = Self::load(folder)?;
        let changed = change(&mut trust);
        if changed {
            fs::write(&path, trust.encode().as_bytes(), Visibility::Private)?;
        }
        Ok(changed)
    }

    fn decode(text: &str) -> Result<Self, String> {
        check_format_version(text, 1)?;
        let document: TrustFile = toml::from_str(text).map_err(|e| e.message().to_owned())?;
        let records = document.address.into_iter();
        let stores = document.store.into_iter();
        Ok(Self {
            addresses: map_of(records.map(|r| (r.url, r.since))),
            stores: map_of(stores.map(|r| (r.url, r.since))),
            variables: map_of(document.variable.into_iter().map(|r| {
                let VariableRecord {
                    name,
                    app_id,
                    api_url,
                    since,
                } = r;
                (
                    TrustedVariable {
                        api_url,
                        app_id,
                        name,
                    },
                    since,
                )
            })),
        })
    }

    fn encode(&self) -> String {
        let document = TrustFile {
            format_version: FORMAT.to_owned(),
            created_by: Some(WRITER.to_owned()),
            address: self
                .iter()
                .map(|(url, since)| Record {
                    url: url.clone(),
                    since,
                })
                .collect(),
            store: self
                .stores()
                .map(|(url, since)| StoreRecord {
                    url: url.to_owned(),
                    since,
                })
                .collect(),
            variable: self
                .variables()
                .map(|(variable, since)| VariableRecord {
                    name: variable.name.clone(),
                    app_id: variable.app_id.clone(),
                    api_url: variable.api_url.clone(),
                    since,
                })
                .collect(),
        };
        let head = "# What this user trusts: addresses and stores that a project file may name, variables that an \
                    app may have. `connplan trust` keeps it.\n\n";
        // Strings and times: there is nothing in it that could fail.
        format!("{head}{}", toml::to_string(&document).unwrap_or_default())
    }
}

fn file(folder: &StateFolder) -> Option<PathBuf> {
    Some(folder.dir()?.join("trust.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_trusted_stays_until_it_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let folder = StateFolder::at(&dir.path().join("state"));
        let url = ApiUrl::parse("https://example.com/").unwrap();
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        assert!(!Trust::load(&folder).unwrap().contains(&url));
        assert!(Trust::add(&folder, &url, now).unwrap());
        assert!(!Trust::add(&folder, &url, now).unwrap());
        let trust = Trust::load(&folder).unwrap();
        assert_eq!(trust.iter().collect::<Vec<_>>(), [(&url, now)]);
        assert!(Trust::remove(&folder, &url).unwrap());
        assert!(!Trust::remove(&folder, &url).unwrap());
        assert_eq!(Trust::load(&folder).unwrap(), Trust::default());
    }

    #[test]
    fn a_trusted_store_covers_what_lies_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = StateFolder::at(&dir.path().join("state"));
        let now = "2026-01-02T03:04:05Z".parse().unwrap();
        assert!(Trust::add_store(&folder, "s3://team/plans", now).unwrap());
        assert!(!Trust::add_store(&folder, "s3://team/plans", now).unwrap());
        let trust = Trust::load(&folder).unwrap();
        for (url, covered) in [
            ("s3://team/plans", true),
            ("s3://team/plans/a", true),
            ("s3://team/plansx", false),
            ("s3://team", false),
            ("gs://team/plans", false),
        ] {
            assert_eq!(trust.contains_store(url), covered, "{url}");
        }
        assert!(Trust::remove_store(&folder, "s3://team/plans").unwrap());
        assert_eq!(Trust::load(&folder).unwrap(), Trust::default());
    }

    #[test]
    fn a_file_of_another_format_is_refused() {
        assert!(
            Trust::decode("format_version = '2.0'")
                .unwrap_err()
                .contains("format 2.0")
        );
        assert!(Trust::decode("x").is_err());
    }
}
