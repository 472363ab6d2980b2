//! The settings as types; their doc comments are the reference.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU16,
    time::Duration,
};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    approval::{FromRisk, Need, Requirement},
    catalogue::Access,
    model::{ApiUrl, AppId, ConnectorType, ExpectedAccount, Removal, Scope},
    policy::{Class, Rule, Severity},
};

/// The whole of `connplan.toml`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Settings {
    /// `unlisted = "remove"` or `"keep"`: what becomes of remote connectors without a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<Unlisted>,
    /// `on_remove = "remove"` or `"disconnect"`: how connectors without a file go. A disconnected one
    /// keeps its scopes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub on_remove: Option<Removal>,
    /// `[providers.TYPE]`: what is peculiar to a provider.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub providers: BTreeMap<ConnectorType, ProviderSettings>,
    /// `[environments.NAME]`: the apps that `--env NAME` chooses from.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub environments: BTreeMap<String, Environment>,
    /// `[plan]`: defaults of `plan`'s options.
    pub plan: PlanSettings,
    /// `[apply]`: defaults of `apply`'s options.
    pub apply: ApplySettings,
    /// `[authorize]`: defaults of `authorize`'s options.
    pub authorize: AuthorizeSettings,
    /// `[platform]`: what the workspace's subscription allows.
    pub platform: PlatformSettings,
    /// `[policy]`: what no plan may do.
    pub policy: PolicySettings,
    /// `[approval]`: who has to approve a plan before it is applied.
    pub approval: ApprovalSettings,
    /// `[store]`: where a team keeps what its machines share.
    pub store: StoreSettings,
}

impl Settings {
    /// What becomes of remote connectors without a file: the environment's word, else these settings', else they
    /// are removed.
    pub fn unlisted(&self, environment: Option<&str>) -> Unlisted {
        let environment = environment.and_then(|name| self.environments.get(name)?.unlisted);
        environment.or(self.unlisted).unwrap_or_default()
    }
}

/// What becomes of a remote connector that has no file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Unlisted {
    /// It is removed, as the official client does.
    #[default]
    Remove,
    /// It is left alone and listed as unmanaged.
    Keep,
}

/// `[providers.TYPE]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct ProviderSettings {
    /// `adds = ["openid"]`: scopes that this provider grants without being asked. They are no
    /// difference, in addition to those known of the provider already.
    pub adds: BTreeSet<Scope>,
}

/// `[environments.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct Environment {
    /// `app_id = "..."`: the app. Goes before `BASE44_APP_ID`, not before `--app-id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<AppId>,
    /// `api_url = "https://..."`: the platform's address. `BASE44_API_URL` of the process goes before
    /// it, one in `.env` does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_url: Option<ApiUrl>,
    /// `connectors_dir = "connectors/staging"`: another connectors folder, relative to the Base44
    /// config's folder. Goes before its `connectorsDir`, not before `--dir`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connectors_dir: Option<String>,
    /// `unlisted`, for this environment alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlisted: Option<Unlisted>,
}

/// `[plan]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct PlanSettings {
    /// `expires = "72h"`: no apply takes a plan after this time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<Lifetime>,
}

/// `[apply]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct ApplySettings {
    /// `parallelism = 8`: how many changes are carried out at the same time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<NonZeroU16>,
    /// `keep_going = true`: removals are carried out even if another change failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep_going: Option<bool>,
}

/// `[authorize]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct AuthorizeSettings {
    /// `timeout = "10m"`: how long to wait for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<MaxDuration>,
}

/// `[store]`: where a team keeps what its machines share. This machine by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct StoreSettings {
    /// `url = "git:origin"`, `"s3://bucket/prefix"`, `"gs://..."` or `"az://..."`. `CONNPLAN_STORE`
    /// goes before it. It names a place and brings no credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `keep = "180d"`: how long plans and receipts are kept there. What something waits for and the
    /// newest receipt stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keep: Option<String>,
}

/// `[platform]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct PlatformSettings {
    /// `multiplier = 2`: how many times the documented number of requests a minute the workspace's
    /// subscription allows (Builder 2, Pro 3, Business 5, Enterprise 10).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub multiplier: Option<NonZeroU16>,
}

/// `[approval]`: who has to approve a plan before it is applied. Nobody by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct ApprovalSettings {
    /// `require = "review"`, `"signature"` or `"either"`: what `apply` demands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require: Option<Requirement>,
    /// `count = 2`: how many persons have to approve.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<NonZeroU16>,
    /// `signers = "allowed_signers"`: whose signatures count, a file in OpenSSH's format, relative
    /// to `connplan.toml`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signers: Option<String>,
    /// `from_risk = "danger"`: only plans that are as risky as this need approval: `none`, `write`
    /// or `danger`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_risk: Option<FromRisk>,
}

impl ApprovalSettings {
    /// What a plan needs, if anything.
    pub fn need(&self) -> Option<Need> {
        Some(Need {
            require: self.require?,
            count: self.count.map_or(1, |count| usize::from(count.get())),
            from_risk: self.from_risk.unwrap_or_default(),
            signers: true,
        })
    }
}

/// `[policy]`: what no plan may do. Nothing is forbidden by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct PolicySettings {
    /// `protected = ["stripe"]`: connectors that are never removed.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub protected: BTreeSet<ConnectorType>,
    /// `max_removals = 1`, or `"10%"` of those that the app has: how many connectors one plan may
    /// remove at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_removals: Option<MaxRemovals>,
    /// `allowed_types = ["slack"]`: only these may be declared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_types: Option<BTreeSet<ConnectorType>>,
    /// `denied_types = ["gmail"]`: these may not be declared.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub denied_types: BTreeSet<ConnectorType>,
    /// `max_class = "sensitive"`, for all or by type: the gravest class that a scope may have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_class: Option<PerType<Class>>,
    /// `max_access = "read"`, for all or by type: the furthest that a scope may reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_access: Option<PerType<Access>>,
    /// `accounts = { gmail = "@example.com" }`: who is to consent, where the file does not say
    /// so itself; what the file says has to fit.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub accounts: BTreeMap<Subject, ExpectedAccount>,
    /// `unknown_scopes = "deny"`: what a scope does of which class or access is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown_scopes: Option<Severity>,
    /// `[policy.rules.max_removals]`: how a rule acts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<Rule, RuleSettings>,
    /// `allowed_scopes = { gmail = ["..."] }`: for a connector listed here (or `"*"`, any that is
    /// not), only these scopes may be declared.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub allowed_scopes: BTreeMap<Subject, BTreeSet<Scope>>,
    /// `denied_scopes = { "*" = ["admin"] }`: scopes that this connector (`"*"`: any connector) may
    /// not declare.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub denied_scopes: BTreeMap<Subject, BTreeSet<Scope>>,
}

/// `[policy.rules.RULE]`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(default)]
#[cfg_attr(test, schemars(deny_unknown_fields))]
pub struct RuleSettings {
    /// `level = "warn"`: it is said, and the plan goes on. `"deny"` is the default. Of `unknown_scopes` it
    /// is the rule itself: the stricter of both counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Severity>,
    /// `message = "ask #security"`: said with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// `override = true`: `--override RULE --reason TEXT` breaks it.
    #[serde(rename = "override", skip_serializing_if = "std::ops::Not::not")]
    pub overridable: bool,
}

/// One value for every type, or one by type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
pub enum PerType<T> {
    /// For every type.
    All(T),
    /// By type; `"*"` is any that is not listed.
    Each(BTreeMap<Subject, T>),
}

/// A number, or a percentage such as `"10%"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(untagged)]
pub enum MaxRemovals {
    /// That many.
    Count(u32),
    /// That share of those that the app has.
    Share(Percent),
}

/// `"10%"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, schemars(with = "String", extend("pattern" = r"^([0-9]|[1-9][0-9]|100)%$")))]
pub struct Percent(u8);

impl Percent {
    /// From 0 to 100.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl TryFrom<String> for Percent {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let share = text.strip_suffix('%').and_then(|share| share.parse().ok());
        match share {
            Some(share @ 0..=100) => Ok(Self(share)),
            _ => Err("a percentage is written like \"10%\", from 0% to 100%"),
        }
    }
}

impl From<Percent> for String {
    fn from(share: Percent) -> Self {
        format!("{}%", share.0)
    }
}

/// Whom a rule is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, schemars(extend("pattern" = r"^(\*|[A-Za-z0-9_-]{1,128})$")))]
pub enum Subject {
    /// `"*"`: every connector.
    Any,
    /// One connector.
    Type(ConnectorType),
}

impl TryFrom<String> for Subject {
    type Error = crate::model::ConnectorTypeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        match text.as_str() {
            "*" => Ok(Self::Any),
            _ => ConnectorType::parse(text).map(Self::Type),
        }
    }
}

impl From<Subject> for String {
    fn from(subject: Subject) -> Self {
        match subject {
            Subject::Any => "*".to_owned(),
            Subject::Type(connector) => connector.into(),
        }
    }
}

/// A span of time as people write it: `90s`, `10m`, `1h 30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub struct MaxDuration(Duration);

/// The text is not a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a time like `90s`, `10m`, `1h 30m` or `2d`, at most 7 days")]
pub struct MaxDurationError;

impl MaxDuration {
    /// The longest that anything waits.
    pub const MAX: Duration = Duration::from_hours(7 * 24);

    /// A time in whole seconds, cut to the longest.
    pub fn seconds(time: Duration) -> Self {
        Self(Duration::from_secs(time.min(Self::MAX).as_secs()))
    }

    /// The time.
    pub fn get(self) -> Duration {
        self.0
    }
}

/// How long something is good for: `90m`, `72h`, `7d`, `2w`. At least a second, at most a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, schemars(with = "String"))]
pub struct Lifetime(jiff::SignedDuration);

/// The text is not a lifetime.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a time is written like `90m`, `72h`, `7d` or `2w`, and is at most one year")]
pub struct LifetimeError;

impl Lifetime {
    /// The time.
    pub fn get(self) -> jiff::SignedDuration {
        self.0
    }
}

impl std::str::FromStr for Lifetime {
    type Err = LifetimeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let days = |number: &str, each: i64| {
            let hours = number
                .trim()
                .parse::<u16>()
                .ok()
                .map(|n| i64::from(n) * each * 24);
            hours.map(jiff::SignedDuration::from_hours)
        };
        let time = match (text.strip_suffix('d'), text.strip_suffix('w')) {
            (Some(number), _) => days(number, 1),
            (_, Some(number)) => days(number, 7),
            (None, None) => text.parse().ok(),
        };
        let bounds =
            jiff::SignedDuration::from_secs(1)..=jiff::SignedDuration::from_hours(366 * 24);
        time.filter(|time| bounds.contains(time))
            .map(Self)
            .ok_or(LifetimeError)
    }
}

impl TryFrom<String> for Lifetime {
    type Error = LifetimeError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Lifetime> for String {
    fn from(time: Lifetime) -> Self {
        format!("{:#}", time.0)
    }
}

impl std::str::FromStr for MaxDuration {
    type Err = MaxDurationError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let days = text.strip_suffix('d').map(str::trim);
        let time = if let Some(days) = days.and_then(|days| days.parse::<u16>().ok()) {
            Duration::from_hours(u64::from(days) * 24)
        } else {
            let span: jiff::SignedDuration = text.parse().map_err(|_| MaxDurationError)?;
            Duration::try_from(span).map_err(|_| MaxDurationError)?
        };
        if time <= Self::MAX {
            Ok(Self(time))
        } else {
            Err(MaxDurationError)
        }
    }
}

impl TryFrom<String> for MaxDuration {
    type Error = MaxDurationError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<MaxDuration> for String {
    fn from(time: MaxDuration) -> Self {
        time.to_string()
    }
}

impl std::fmt::Display for MaxDuration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match jiff::SignedDuration::try_from(self.0) {
            Ok(time) => write!(f, "{time:#}"),
            Err(_) => write!(f, "{}s", self.0.as_secs()),
        }
    }
}
