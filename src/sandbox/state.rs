//! Everything the sandbox remembers, and the file it is kept in.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    SandboxError,
    login::Login,
    random,
    seed::{MAX_FILE, Seed, Settings},
};
use crate::{
    fs,
    model::{Account, AppId, ConnectorType, RemoteStatus, Scopes, StripeMode},
};

/// The version of the state file that is read and written.
pub(super) const VERSION: u64 = 1;

/// The key of a sandbox that keeps no state, so that examples can be copied.
const FIXED_KEY: &str = "b44k_sandbox_development";

/// The whole of a sandbox. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pub(super) version: u64,
    pub(super) api_key: String,
    /// The port of the last run, taken again if it is free, so that links stay good.
    pub(super) port: u16,
    /// How far the sandbox's clock was set ahead.
    pub(super) clock_ahead_ms: i64,
    pub(super) settings: Settings,
    pub(super) apps: BTreeMap<AppId, App>,
    /// Every authorization that was ever asked for, by connection id.
    pub(super) connections: BTreeMap<String, Connection>,
    pub(super) login: Login,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    pub(super) name: Option<String>,
    pub(super) connectors: BTreeMap<ConnectorType, Connector>,
    pub(super) stripe: Option<Stripe>,
    pub(super) different_user: BTreeMap<ConnectorType, Account>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connector {
    pub(super) status: RemoteStatus,
    pub(super) scopes: Scopes,
    pub(super) account: Option<Account>,
    /// The authorization it rests on; none for what a seed or an administrator put there.
    pub(super) connection: Option<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stripe {
    pub(super) mode: StripeMode,
    /// The secret of the claim link, until the installation was claimed.
    pub(super) claim: Option<String>,
}

impl Stripe {
    pub(super) fn new(mode: StripeMode) -> Self {
        let claim = (mode == StripeMode::Sandbox).then(random::secret);
        Self { mode, claim }
    }
}

/// One authorization that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connection {
    pub(super) app: AppId,
    pub(super) connector: ConnectorType,
    pub(super) scopes: Scopes,
    pub(super) created_ms: i64,
    pub(super) progress: Progress,
    /// What the link carries beside the connection id, which receipts may publish.
    pub(super) ticket: String,
    /// What the consent form carries, so that no other page can post it.
    pub(super) form_token: String,
}

/// How far an authorization got. Running out of time is found by the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Progress {
    Pending,
    Approved,
    Denied,
    /// A later PUT made another one, or made it needless.
    Superseded,
    /// The connector was removed.
    Removed,
}

impl State {
    /// A new state. Without a seeded key it has one of its own if it is `kept`, else the fixed one.
    pub(super) fn new(seed: Seed, kept: bool) -> Self {
        let api_key = seed.api_key.unwrap_or_else(|| {
            if kept {
                random::id("b44k_sandbox")
            } else {
                FIXED_KEY.to_owned()
            }
        });
        let apps = seed.apps.into_iter().map(|(id, app)| {
            let connectors = app.connectors.into_iter().map(|(connector, c)| {
                let (status, scopes, account) = (c.status, c.scopes, c.account);
                let connection = None;
                (
                    connector,
                    Connector {
                        status,
                        scopes,
                        account,
                        connection,
                    },
                )
            });
            let app = App {
                name: app.name,
                connectors: connectors.collect(),
                stripe: app.stripe.map(Stripe::new),
                different_user: app.different_user,
            };
            (id, app)
        });
        Self {
            version: VERSION,
            api_key,
            port: 0,
            clock_ahead_ms: 0,
            settings: seed.settings,
            apps: apps.collect(),
            connections: BTreeMap::new(),
            login: Login::default(),
        }
    }

    /// Reads a state file; `None` if there is none yet.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, SandboxError> {
        #[derive(Deserialize)]
        struct Head {
            version: u64,
        }
        let text = match fs::read_text(path, MAX_FILE) {
            Ok(text) => text,
            Err(e) if e.is_not_found() => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        // Not quoted: it holds links and tokens.
        let unreadable = |e: serde_json::Error| SandboxError::State {
            path: path.to_owned(),
            line: e.line(),
        };
        let head: Head = serde_json::from_str(&text).map_err(unreadable)?;
        if head.version != VERSION {
            return Err(SandboxError::Version {
                path: path.to_owned(),
                found: head.version,
                known: VERSION,
            });
        }
        serde_json::from_str(&text).map(Some).map_err(unreadable)
    }

    /// The name by which a person knows the app.
    pub(super) fn app_name<'a>(&'a self, id: &'a AppId) -> &'a str {
        let name = self.apps.get(id).and_then(|app| app.name.as_deref());
        name.unwrap_or(id.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_kept_state_has_a_key_of_its_own() {
        assert_eq!(State::new(Seed::default(), false).api_key, FIXED_KEY);
        let key = State::new(Seed::default(), true).api_key;
        assert!(
            key.starts_with("b44k_sandbox_") && key != FIXED_KEY,
            "{key}"
        );
    }

    #[test]
    fn what_can_not_be_read_is_not_taken_for_empty() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        assert!(State::read(&path).unwrap().is_none());
        let write = |text: &str| fs::write(&path, text.as_bytes(), fs::Visibility::Private);
        write("{\n\"version\": canary").unwrap();
        let error = State::read(&path).unwrap_err();
        assert!(
            matches!(error, SandboxError::State { line: 2, .. }),
            "{error}"
        );
        assert!(!error.to_string().contains("canary"), "{error}");
        write(r#"{"version": 2}"#).unwrap();
        let error = State::read(&path).unwrap_err();
        assert!(
            matches!(error, SandboxError::Version { found: 2, .. }),
            "{error}"
        );
        write(r#"{"version": 1}"#).unwrap();
        assert!(State::read(&path).is_err());
    }
}
