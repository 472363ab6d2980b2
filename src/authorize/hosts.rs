//! Where the links of each provider led so far: a link that suddenly leads elsewhere is not opened
//! without a person looking at it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    fs::{self, FsError, Visibility},
    model::{App, ConnectorType},
    state::{Locked, WRITER, check_format_version},
};

/// A few hundred bytes for each provider.
const LIMIT: u64 = 1 << 20;

/// Hosts by address of the platform and by provider.
type ByAddress = BTreeMap<String, BTreeMap<ConnectorType, BTreeSet<String>>>;

/// The hosts that are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Hosts {
    known: ByAddress,
    /// Another version of connplan keeps them in a form of its own: it stays as it is.
    foreign: bool,
}

#[derive(Serialize, Deserialize)]
struct Document {
    format_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    #[serde(default)]
    hosts: ByAddress,
}

impl Hosts {
    /// What was seen before. A file that cannot be read teaches nothing, and nothing is lost with
    /// it.
    pub(crate) fn load(state: &Locked) -> Self {
        let text = fs::read_own_text(&state.hosts_file(), LIMIT);
        text.ok()
            .and_then(|text| Self::decode(&text))
            .unwrap_or_default()
    }

    pub(crate) fn decode(text: &str) -> Option<Self> {
        if let Err(why) = check_format_version(text, 1) {
            tracing::warn!(why, "the hosts of earlier links cannot be read");
            return Some(Self {
                foreign: true,
                ..Self::default()
            });
        }
        // Before there was a form, the hosts were all there was.
        let known = toml::from_str::<Document>(text)
            .map(|document| document.hosts)
            .or_else(|_| toml::from_str(text));
        known.ok().map(|known| Self {
            known,
            foreign: false,
        })
    }

    fn encode(&self) -> Result<String, toml::ser::Error> {
        toml::to_string(&Document {
            format_version: "1.0".to_owned(),
            created_by: Some(WRITER.to_owned()),
            hosts: self.known.clone(),
        })
    }

    /// Adds what another run learned.
    pub(crate) fn merge(&mut self, other: Self) {
        for (address, providers) in other.known {
            let known = self.known.entry(address).or_default();
            for (provider, hosts) in providers {
                known.entry(provider).or_default().extend(hosts);
            }
        }
    }

    pub(crate) fn save(&self, state: &Locked) -> Result<(), FsError> {
        if self.foreign {
            return Ok(());
        }
        let path = state.hosts_file();
        let text = self
            .encode()
            .map_err(|e| FsError::io("write", &path, std::io::Error::other(e)))?;
        fs::write(&path, text.as_bytes(), Visibility::Private)
    }

    /// The hosts seen for a provider.
    pub(crate) fn of(&self, app: &App, connector: &ConnectorType) -> Option<&BTreeSet<String>> {
        self.known.get(app.api_url.as_str())?.get(connector)
    }

    /// Remembers a host; false if it was known.
    pub(crate) fn learn(&mut self, app: &App, connector: &ConnectorType, host: String) -> bool {
        self.known
            .entry(app.api_url.as_str().to_owned())
            .or_default()
            .entry(connector.clone())
            .or_default()
            .insert(host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ApiUrl, AppId};

    #[test]
    fn hosts_are_kept_by_provider() {
        let app = App {
            id: AppId::parse("a").unwrap(),
            api_url: ApiUrl::default(),
            environment: None,
        };
        let slack = ConnectorType::parse("slack").unwrap();
        let mut hosts = Hosts::default();
        assert!(hosts.learn(&app, &slack, "slack.com".to_owned()));
        assert!(!hosts.learn(&app, &slack, "slack.com".to_owned()));
        let text = hosts.encode().unwrap();
        assert!(text.contains(WRITER), "{text}");
        assert_eq!(Hosts::decode(&text), Some(hosts.clone()));
        let before = toml::to_string(&hosts.known).unwrap();
        assert_eq!(Hosts::decode(&before), Some(hosts.clone()));
        let newer = Hosts::decode("format_version = '2.0'\nshape = ['new']").unwrap();
        assert!(newer.foreign && newer.known.is_empty());
        assert!(
            hosts
                .of(&app, &ConnectorType::parse("gmail").unwrap())
                .is_none()
        );
        assert!(hosts.of(&app, &slack).unwrap().contains("slack.com"));
    }
}
