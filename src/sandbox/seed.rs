//! What a sandbox starts with.

use std::{collections::BTreeMap, path::Path};

use miette::{NamedSource, SourceSpan};
use serde::{Deserialize, Serialize};

use super::{
    Malformed, SandboxError,
    settings::Settings,
    tokens::{PLAIN, SeedToken, is_plain},
};
use crate::{
    escape, fs,
    model::{Account, AppId, ConnectorType, Kind, RemoteStatus, Scopes, StripeMode},
};

/// The largest seed or state file read, in bytes.
pub(super) const MAX_FILE: u64 = 16 * 1024 * 1024;

/// The content of a `--seed` file (JSON). Every key may be left out; unknown keys are refused.
///
/// It is used once, when the sandbox starts without a state or with a state file that does not
/// exist yet. Afterwards the state file has it all, and the seed is not looked at again.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Seed {
    /// The key that the sandbox accepts; `b44k_`, then letters, digits, `_`, `-` and `.`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_key: Option<String>,
    /// The personal access tokens that work. Left out: a full and a read-only one for each person.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<SeedToken>,
    /// How the platform behaves, for all apps.
    pub settings: Settings,
    /// The apps that exist already. Any other id is an app without connectors.
    pub apps: BTreeMap<AppId, SeedApp>,
}

/// One app that exists already.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SeedApp {
    /// The name that the consent page shows; the id without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its OAuth connectors.
    pub connectors: BTreeMap<ConnectorType, SeedConnector>,
    /// The Stripe installation, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stripe: Option<SeedStripe>,
    /// Types that another person holds already, whatever is asked for: a PUT answers
    /// `different_user` with this account.
    pub different_user: BTreeMap<ConnectorType, Account>,
}

/// A Stripe installation: its mode alone, or all about it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SeedStripe {
    /// A fresh one in this mode.
    Mode(StripeMode),
    /// One of a certain age.
    Whole(SeedInstallation),
}

/// All about a Stripe installation.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedInstallation {
    /// Test or real payments.
    pub mode: StripeMode,
    /// Whether somebody claimed the sandbox.
    #[serde(default)]
    pub claimed: bool,
    /// How many days ago it was installed. An unclaimed sandbox expires after 60.
    #[serde(default)]
    pub age_days: u32,
}

/// One connector as `list` is to show it. Its scopes are taken as they stand; nothing is added.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeedConnector {
    /// `active` unless said otherwise.
    #[serde(default = "active")]
    pub status: RemoteStatus,
    /// What was granted.
    #[serde(default)]
    pub scopes: Scopes,
    /// Who authorized it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// The collaborator whose connection it is; to anybody else a PUT of exactly these scopes and
    /// values answers `different_user`. Left out: everybody's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Account>,
    /// The connection's values, such as a subdomain.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connection_config: BTreeMap<String, String>,
    /// A connection of the workspace that other apps use too: removing it here only detaches it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Made through a workspace's own OAuth app: `list` leaves it out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outside_list: bool,
    /// Withdrawn at the provider: the next `list` finds out, and shows it as `expired`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

fn active() -> RemoteStatus {
    RemoteStatus::Active
}

impl Seed {
    /// Reads a seed file.
    pub fn read(path: &Path) -> Result<Self, SandboxError> {
        let text = fs::read_text(path, MAX_FILE)?;
        let seed: Self = decode(path, &text)?;
        seed.check()?;
        Ok(seed)
    }

    /// What the types alone cannot hold.
    pub(super) fn check(&self) -> Result<(), SandboxError> {
        let wrong = |reason: String| Err(SandboxError::Seed { reason });
        if let Some(key) = &self.api_key
            && !(key.starts_with("b44k_") && is_plain(key))
        {
            return wrong(format!("`api_key` must begin with `b44k_` and {PLAIN}"));
        }
        for token in &self.tokens {
            token.check(&self.settings).or_else(wrong)?;
        }
        self.settings.check().or_else(wrong)?;
        for (id, app) in &self.apps {
            let types = app.connectors.keys().chain(app.different_user.keys());
            if types.into_iter().any(|t| t.kind() == Kind::Stripe) {
                return wrong(format!(
                    "app `{id}`: Stripe is not an OAuth connector; set `\"stripe\": \"sandbox\"`"
                ));
            }
        }
        Ok(())
    }
}

/// Decodes a seed, pointing at what is wrong in it.
fn decode(path: &Path, text: &str) -> Result<Seed, SandboxError> {
    serde_json::from_str(text).map_err(|e| {
        if fs::by_link(path) {
            let (file, line) = (escape::limited(&path.display().to_string(), 200), e.line());
            let reason = format!(
                "{file}, line {line}, cannot be read as one; a link leads there, so it is not shown"
            );
            return SandboxError::Seed { reason };
        }
        let before = e.line().saturating_sub(1);
        let line_start: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
        let offset = (line_start + e.column().saturating_sub(1)).min(text.len());
        Box::new(Malformed {
            path: path.to_owned(),
            message: e.to_string(),
            text: NamedSource::new(escape::path(path), text.to_owned()),
            at: SourceSpan::from(offset),
        })
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seed(json: &str) -> Result<Seed, SandboxError> {
        decode(Path::new("seed.json"), json).and_then(|seed| seed.check().map(|()| seed))
    }

    #[test]
    fn an_empty_seed_has_the_usual_settings() {
        let seed = seed("{}").unwrap();
        assert_eq!(seed.settings, Settings::default());
        assert!(seed.apps.is_empty());
    }

    #[test]
    fn a_mistake_is_named_and_shown() {
        let error = seed("{\n  \"apps\": {\"a\": {\"connector\": {}}}\n}").unwrap_err();
        let SandboxError::Malformed(wrong) = error else {
            panic!("{error}");
        };
        assert!(wrong.message.contains("connector"), "{}", wrong.message);
        assert!(wrong.at.offset() > 2);
    }

    #[test]
    fn stripe_keys_and_foreign_keys_are_refused() {
        for bad in [
            r#"{"apps": {"a": {"connectors": {"stripe": {}}}}}"#,
            r#"{"api_key": "other_1"}"#,
            r#"{"settings": {"accounts": []}}"#,
            r#"{"apps": {"a/b": {}}}"#,
            r#"{"settings": {"rate_limit": {"every": 0}}}"#,
        ] {
            assert!(seed(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_fixture_is_a_good_seed() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sandbox/seed.json");
        let seed = Seed::read(&path).unwrap();
        assert!(!seed.apps.is_empty());
    }
}
