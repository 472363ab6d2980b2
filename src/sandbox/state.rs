//! Everything the sandbox remembers, and the file it is kept in.

use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
    path::Path,
};

use serde::{Deserialize, Serialize};

use super::{
    SandboxError,
    login::Login,
    random,
    seed::{MAX_FILE, Seed, SeedConnector, SeedStripe},
    settings::Settings,
    tokens::{self, SeedToken, is_plain},
};
use crate::{
    fs,
    model::{Account, AppId, ConnectorType, RemoteStatus, Scopes, StripeMode, map_of},
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
    /// The personal access tokens that work.
    #[serde(default)]
    pub(super) tokens: Vec<SeedToken>,
    /// What the forms of the sandbox's own pages carry, so that no other page can post them.
    #[serde(default = "random::secret")]
    pub(super) form_token: String,
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
    /// The connectors that have a file in the app's own code.
    #[serde(default)]
    pub(super) files: BTreeSet<ConnectorType>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connector {
    pub(super) status: RemoteStatus,
    pub(super) scopes: Scopes,
    pub(super) account: Option<Account>,
    /// The authorization it rests on; none for what a seed or an administrator put there.
    pub(super) connection: Option<String>,
    /// Who asked for that; none: anybody's own.
    #[serde(default)]
    pub(super) owner: Option<Account>,
    #[serde(default)]
    pub(super) connection_config: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) shared: bool,
    #[serde(default)]
    pub(super) outside_list: bool,
    /// Withdrawn at the provider, and not noticed yet.
    #[serde(default)]
    pub(super) withdrawn: bool,
}

impl From<SeedConnector> for Connector {
    fn from(seed: SeedConnector) -> Self {
        Self {
            status: seed.status,
            scopes: seed.scopes,
            account: seed.account,
            connection: None,
            owner: seed.owner,
            connection_config: seed.connection_config,
            shared: seed.shared,
            outside_list: seed.outside_list,
            withdrawn: seed.withdrawn,
        }
    }
}

/// After so long an unclaimed Stripe sandbox expires.
const STRIPE_SANDBOX_MS: i64 = 60 * DAY_MS;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stripe {
    pub(super) mode: StripeMode,
    /// The secret of the claim link, until the installation was claimed.
    pub(super) claim: Option<String>,
    /// When it was installed; none: just now, as states of older sandboxes have it.
    #[serde(default)]
    pub(super) created_ms: Option<i64>,
}

/// Where a Stripe sandbox stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StripeState {
    Unclaimed,
    Claimed,
    Expired,
    Live,
}

impl StripeState {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Unclaimed => "unclaimed",
            Self::Claimed => "claimed",
            Self::Expired => "expired",
            Self::Live => "live",
        }
    }
}

impl Stripe {
    pub(super) fn new(mode: StripeMode, now_ms: i64) -> Self {
        let claim = (mode == StripeMode::Sandbox).then(random::secret);
        let created_ms = Some(now_ms);
        Self {
            mode,
            claim,
            created_ms,
        }
    }

    pub(super) fn seeded(seed: SeedStripe, now_ms: i64) -> Self {
        match seed {
            SeedStripe::Mode(mode) => Self::new(mode, now_ms),
            SeedStripe::Whole(whole) => {
                let created = now_ms - i64::from(whole.age_days) * DAY_MS;
                let mut stripe = Self::new(whole.mode, created);
                if whole.claimed {
                    stripe.claim = None;
                }
                stripe
            }
        }
    }

    /// When the sandbox expires, unless somebody claims it.
    pub(super) fn expires_ms(&self) -> Option<i64> {
        self.claim.as_ref()?;
        Some(self.created_ms?.saturating_add(STRIPE_SANDBOX_MS))
    }

    pub(super) fn state(&self, now_ms: i64) -> StripeState {
        match (self.mode, &self.claim) {
            (StripeMode::Live, _) => StripeState::Live,
            (StripeMode::Sandbox, None) => StripeState::Claimed,
            _ if self.expires_ms().is_some_and(|end| now_ms >= end) => StripeState::Expired,
            _ => StripeState::Unclaimed,
        }
    }
}

/// One authorization that was asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Connection {
    pub(super) app: AppId,
    pub(super) connector: ConnectorType,
    pub(super) scopes: Scopes,
    #[serde(default)]
    #[expect(clippy::struct_field_names, reason = "as the platform names it")]
    pub(super) connection_config: BTreeMap<String, String>,
    /// Who asked for it: to all others it reads PENDING for ever.
    #[serde(default)]
    pub(super) caller: Option<Account>,
    pub(super) created_ms: i64,
    pub(super) progress: AttemptStatus,
    /// What the link carries beside the connection id, which receipts may publish.
    pub(super) ticket: String,
    /// What the consent form carries, so that no other page can post it.
    pub(super) form_token: String,
}

/// How far an authorization got. Running out of time is found by the clock, and is not an end: what
/// nobody completes stays pending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum AttemptStatus {
    Pending,
    Approved,
    Denied,
    /// A person approved after the time for it.
    TooLate,
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
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let apps = seed.apps.into_iter().map(|(id, app)| {
            let connectors = app.connectors.into_iter();
            let connectors = map_of(connectors.map(|(name, c)| (name, Connector::from(c))));
            let app = App {
                name: app.name,
                files: connectors.keys().cloned().collect(),
                connectors,
                stripe: app.stripe.map(|stripe| Stripe::seeded(stripe, now_ms)),
                different_user: app.different_user,
            };
            (id, app)
        });
        Self {
            version: VERSION,
            api_key,
            tokens: if seed.tokens.is_empty() {
                tokens::usual(&seed.settings, kept)
            } else {
                seed.tokens
            },
            form_token: random::secret(),
            port: 0,
            clock_ahead_ms: 0,
            settings: seed.settings,
            apps: map_of(apps),
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
        let mut state: Self = serde_json::from_str(&text).map_err(unreadable)?;
        // Somebody else may have written it, and they are printed for a shell.
        let tokens = state.tokens.iter().map(|token| &token.token);
        if !iter::once(&state.api_key)
            .chain(tokens)
            .all(|secret| is_plain(secret))
        {
            return Err(SandboxError::Secret {
                path: path.to_owned(),
            });
        }
        if state.tokens.is_empty() {
            // Kept by a sandbox that had none.
            state.tokens = tokens::usual(&state.settings, true);
        }
        Ok(Some(state))
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
    fn what_cannot_be_read_is_not_taken_for_empty() {
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
