//! How the make-believe platform behaves, as a seed or its page sets it.

use std::{collections::BTreeMap, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::model::{Account, ConnectorType, Scope, Scopes};

/// How the platform behaves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// How long an authorization link opens, in seconds (600). With 0 every link has run out.
    pub link_lifetime_seconds: u32,
    /// How long after the call a person may still approve, in seconds (300).
    pub approval_seconds: u32,
    /// Whether `status` tells of a link that ran out as `FAILED` (false: it stays `PENDING`).
    pub late_links_fail: bool,
    /// Whether a PUT of fewer scopes than are in force is done at once (false: it needs a consent).
    pub narrows_at_once: bool,
    /// How long an access token works, in seconds (3600).
    pub token_lifetime_seconds: u32,
    /// How long a device code works, in seconds (600).
    pub device_lifetime_seconds: u32,
    /// How often a device may ask for its token, in seconds (1). Quicker gets `slow_down`.
    pub device_interval_seconds: u32,
    /// Whether `list` shows a connector that was asked for but never authorized, as
    /// `disconnected` (false: it is absent).
    pub list_unauthorized: bool,
    /// Answers every n-th API request with 429.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_limit: Option<RateLimit>,
    /// The platform's own limits for each class of call. The command sets them unless told not to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Whether a workspace key is refused by the connectors' calls, as the platform does (false).
    pub strict_keys: bool,
    /// Whether the subscription includes connectors (true).
    pub connectors_in_plan: bool,
    /// People without editor rights: every connector call of theirs is refused.
    pub viewers: Vec<Account>,
    /// Types that the workspace forbids, each with the message of the 403.
    pub forbidden: BTreeMap<ConnectorType, String>,
    /// Whether the connector policies can be read, so that a plan foretells those refusals (true).
    pub policies_readable: bool,
    /// Connection values that a type needs, by name, instead of those that it usually needs.
    pub needed_values: BTreeMap<ConnectorType, Vec<String>>,
    /// Whether `available-integrations` can be read, so that a plan knows those values (true).
    pub offers_readable: bool,
    /// Scopes that the platform drops without a word, by type.
    pub dropped_scopes: BTreeMap<ConnectorType, Scopes>,
    /// Scopes that the platform adds without a word, by type, beside what providers add.
    pub added_scopes: BTreeMap<ConnectorType, Scopes>,
    /// Whether `auto-added-scopes` tells what is added (false: 404).
    pub auto_added_readable: bool,
    /// The people: collaborators who call, and accounts that the consent and login pages offer; the
    /// first one is the usual one.
    pub accounts: Vec<Person>,
}

impl Default for Settings {
    fn default() -> Self {
        let person = |email: &str, name: &str| Person {
            email: Account::new(email),
            name: name.to_owned(),
        };
        Self {
            link_lifetime_seconds: 600,
            approval_seconds: 300,
            late_links_fail: false,
            narrows_at_once: false,
            token_lifetime_seconds: 3600,
            device_lifetime_seconds: 600,
            device_interval_seconds: 1,
            list_unauthorized: false,
            rate_limit: None,
            limits: None,
            strict_keys: false,
            connectors_in_plan: true,
            viewers: Vec::new(),
            forbidden: BTreeMap::new(),
            policies_readable: true,
            needed_values: BTreeMap::new(),
            offers_readable: true,
            dropped_scopes: BTreeMap::new(),
            added_scopes: BTreeMap::new(),
            auto_added_readable: false,
            accounts: vec![
                person("ada@example.com", "Ada Lovelace"),
                person("grace@example.com", "Grace Hopper"),
                person("ops@example.com", "Operations"),
            ],
        }
    }
}

impl Settings {
    /// What the types alone cannot hold.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.accounts.is_empty() {
            return Err("`settings.accounts` needs at least one person".to_owned());
        }
        Ok(())
    }

    /// What is left of what was asked for once the platform dropped what it is not approved for.
    pub(super) fn kept(&self, connector: &ConnectorType, asked: &Scopes) -> Scopes {
        let dropped = self.dropped_scopes.get(connector);
        let kept = |scope: &&Scope| dropped.is_none_or(|dropped| !dropped.contains(scope));
        asked.iter().filter(kept).cloned().collect()
    }

    /// The same with what the platform adds.
    pub(super) fn with_added(&self, connector: &ConnectorType, scopes: &Scopes) -> Scopes {
        let added = self.added_scopes.get(connector);
        let added = added.into_iter().flat_map(Scopes::iter).cloned();
        scopes.iter().cloned().chain(added).collect()
    }
}

/// A limit that strikes at known requests, so that what it causes can be repeated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimit {
    /// Requests number n, 2n, 3n, ... of the API are refused.
    pub every: NonZeroU32,
    /// The `Retry-After` of the refusal, in seconds; without it the header is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
}

/// The platform's limits: a sliding window of a minute for each class of call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// The subscription's multiplier of the documented numbers (1).
    #[serde(default = "one")]
    pub multiplier: NonZeroU32,
}

fn one() -> NonZeroU32 {
    NonZeroU32::MIN
}

impl Default for Limits {
    fn default() -> Self {
        Self { multiplier: one() }
    }
}

/// Someone made up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The account.
    pub email: Account,
    /// The name shown beside it.
    pub name: String,
}
