//! Where the links of each provider led so far: a link that suddenly leads elsewhere is not opened
//! without a person looking at it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    fs::{self, FsError, Visibility},
    model::{App, ConnectorType},
    state::Locked,
};

/// A few hundred bytes for each provider.
const LIMIT: u64 = 1 << 20;

/// Hosts by address of the platform and by provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Hosts(BTreeMap<String, BTreeMap<ConnectorType, BTreeSet<String>>>);

impl Hosts {
    /// What was seen before. A file that cannot be read teaches nothing, and nothing is lost with
    /// it.
    pub(crate) fn load(state: &Locked) -> Self {
        let text = fs::read_text(&state.hosts_file(), LIMIT);
        text.ok()
            .and_then(|text| Self::decode(&text))
            .unwrap_or_default()
    }

    pub(crate) fn decode(text: &str) -> Option<Self> {
        toml::from_str(text).ok()
    }

    pub(crate) fn save(&self, state: &Locked) -> Result<(), FsError> {
        let path = state.hosts_file();
        let text = toml::to_string(self)
            .map_err(|e| FsError::io("write", &path, std::io::Error::other(e)))?;
        fs::write(&path, text.as_bytes(), Visibility::Private)
    }

    /// The hosts seen for a provider.
    pub(crate) fn of(&self, app: &App, connector: &ConnectorType) -> Option<&BTreeSet<String>> {
        self.0.get(app.api_url.as_str())?.get(connector)
    }

    /// Remembers a host; false if it was known.
    pub(crate) fn learn(&mut self, app: &App, connector: &ConnectorType, host: String) -> bool {
        self.0
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
        let text = toml::to_string(&hosts).unwrap();
        assert_eq!(Hosts::decode(&text), Some(hosts.clone()));
        assert!(
            hosts
                .of(&app, &ConnectorType::parse("gmail").unwrap())
                .is_none()
        );
        assert!(hosts.of(&app, &slack).unwrap().contains("slack.com"));
    }
}
