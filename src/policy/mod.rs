//! What no plan of a project may do, whoever approves it. Pure.
//!
//! [`Policy`] is what the settings say; [`evaluate`] holds changes against it and gives each broken
//! rule as a [`Violation`]. Without a [`Verdict`], which only a [`Judgement`] without denials gives,
//! nothing is verified and no authorization is asked for.

mod judge;
mod scopes;
mod stricter;

pub use judge::{Forbidden, Judgement, Verdict, Violation, evaluate};
pub use scopes::denies_known;
pub use stricter::{Loosened, stricter};

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalogue::Access,
    model::{ConnectorType, ExpectedAccount, Scope, Scopes},
};

/// The code of what a proposal loosens.
pub const LOOSENED: &str = "connplan::policy::loosened";

/// Whether a finding with this code comes from the policy rather than from the files themselves.
pub fn says(code: &str) -> bool {
    let codes = [
        LOOSENED,
        "connplan::config::policy",
        "connplan::config::forbidden",
        "connplan::config::forbidden_scope",
    ];
    codes.contains(&code)
}

/// By type; `None` is any type that has no entry of its own.
pub type ByType<T> = BTreeMap<Option<ConnectorType>, T>;

/// The rules. Nothing is forbidden by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Connectors that are never removed.
    pub protected: BTreeSet<ConnectorType>,
    /// How many connectors one plan may remove.
    pub max_removals: Option<Removals>,
    /// The only types that may be declared.
    pub allowed_types: Option<BTreeSet<ConnectorType>>,
    /// Types that may not be declared.
    pub denied_types: BTreeSet<ConnectorType>,
    /// The highest class that a scope may have.
    pub max_class: ByType<Class>,
    /// The furthest that a scope may reach.
    pub max_access: ByType<Access>,
    /// The only scopes that may be declared; patterns.
    pub allowed_scopes: ByType<BTreeSet<Scope>>,
    /// Scopes that may not be declared; patterns. Those of a type are added to those of any.
    pub denied_scopes: ByType<BTreeSet<Scope>>,
    /// Who is to consent.
    pub accounts: ByType<ExpectedAccount>,
    /// What happens to a scope whose class or access is not known.
    pub unknown_scopes: Option<Severity>,
    /// How each rule acts; one that is not here denies.
    pub rules: BTreeMap<Rule, Mode>,
}

impl Policy {
    /// Whether the settings say anything for this rule.
    pub fn sets(&self, rule: Rule) -> bool {
        match rule {
            Rule::Protected => !self.protected.is_empty(),
            Rule::MaxRemovals => self.max_removals.is_some(),
            Rule::AllowedTypes => self.allowed_types.is_some(),
            Rule::DeniedTypes => !self.denied_types.is_empty(),
            Rule::MaxClass => !self.max_class.is_empty(),
            Rule::MaxAccess => !self.max_access.is_empty(),
            Rule::AllowedScopes => !self.allowed_scopes.is_empty(),
            Rule::DeniedScopes => !self.denied_scopes.is_empty(),
            Rule::Accounts => !self.accounts.is_empty(),
            Rule::UnknownScopes => self.unknown_scopes.is_some(),
        }
    }

    /// Whether any rule is about scopes.
    fn weighs_scopes(&self) -> bool {
        let rules = [
            Rule::MaxClass,
            Rule::MaxAccess,
            Rule::AllowedScopes,
            Rule::DeniedScopes,
            Rule::UnknownScopes,
        ];
        rules.into_iter().any(|rule| self.sets(rule))
    }

    /// The types that have a limit of their own for their scopes.
    fn limited_types(&self) -> impl Iterator<Item = &ConnectorType> {
        let ceilings = self.max_class.keys().chain(self.max_access.keys());
        self.denied_scopes.keys().chain(ceilings).flatten()
    }

    /// Whether any rule is about the types of connectors.
    fn weighs_types(&self) -> bool {
        let rules = [Rule::AllowedTypes, Rule::DeniedTypes, Rule::Accounts];
        rules.into_iter().any(|rule| self.sets(rule))
    }

    /// Who is to consent to a connector of this type with these scopes: what its type demands, and what each type
    /// demands that a scope is for.
    fn accounts(&self, connector: &ConnectorType, scopes: &Scopes) -> Vec<&ExpectedAccount> {
        let parts = scopes
            .iter()
            .flat_map(|scope| scopes::parts(connector, scope));
        let others: BTreeSet<_> = parts
            .flat_map(|scope| scopes::types_of(connector, &scope))
            .collect();
        let others: Vec<_> = others.into_iter().collect();
        each(&self.accounts, connector, &others).collect()
    }

    /// Of these the narrowest: the one that all accept.
    pub fn account(&self, connector: &ConnectorType, scopes: &Scopes) -> Option<&ExpectedAccount> {
        if self.accounts.is_empty() {
            return None;
        }
        let all = self.accounts(connector, scopes);
        let narrow = all
            .iter()
            .find(|one| all.iter().all(|other| other.covers(one)));
        narrow.or(all.first()).copied()
    }
}

/// The entry of a type, else that of any.
fn of_type<'a, T>(by: &'a ByType<T>, connector: &ConnectorType) -> Option<&'a T> {
    own_entry(by, connector).or_else(|| by.get(&None))
}

/// The entry of a type, ignoring upper and lower case: the platform may ignore it too.
fn own_entry<'a, T>(by: &'a ByType<T>, connector: &ConnectorType) -> Option<&'a T> {
    let in_any_case = || {
        let mut entries = by.iter();
        let found = entries.find(|(named, _)| named.as_ref().is_some_and(|n| n.is_like(connector)));
        found.map(|(_, entry)| entry)
    };
    by.get(&Some(connector.clone())).or_else(in_any_case)
}

/// What binds of a type, and what the entries of others say.
fn each<'a, T>(
    by: &'a ByType<T>,
    connector: &ConnectorType,
    others: &[ConnectorType],
) -> impl Iterator<Item = &'a T> {
    of_type(by, connector)
        .into_iter()
        .chain(own_entries(by, others))
}

/// The entries of a type and of others.
fn each_own<'a, T>(
    by: &'a ByType<T>,
    connector: &ConnectorType,
    others: &[ConnectorType],
) -> impl Iterator<Item = &'a T> {
    own_entry(by, connector)
        .into_iter()
        .chain(own_entries(by, others))
}

fn own_entries<'a, T>(by: &'a ByType<T>, types: &[ConnectorType]) -> impl Iterator<Item = &'a T> {
    types.iter().filter_map(|one| own_entry(by, one))
}

/// Whether a type is among these, in whatever case it is written.
fn names(types: &BTreeSet<ConnectorType>, connector: &ConnectorType) -> bool {
    types.contains(connector) || types.iter().any(|named| named.is_like(connector))
}

/// How many connectors one plan may remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removals {
    /// That many.
    Count(u32),
    /// That share of those that the app has, in percent.
    Percent(u8),
}

impl fmt::Display for Removals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(f, "{count}"),
            Self::Percent(share) => write!(f, "{share}%"),
        }
    }
}

/// How sensitive a provider considers a scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Anybody may ask for it, or the provider has no classes.
    None,
    /// The provider looks at who asks for it.
    Sensitive,
    /// The provider restricts it.
    Restricted,
}

impl Class {
    /// The settings' word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Sensitive => "sensitive",
            Self::Restricted => "restricted",
        }
    }
}

/// What a broken rule does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It is said.
    Warn,
    /// The plan is refused.
    Deny,
}

/// How a rule acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mode {
    /// What it does when it is broken.
    pub severity: Severity,
    /// What the team says to it.
    pub message: Option<String>,
    /// Whether `--override` with a reason may break it.
    pub overridable: bool,
}

impl Default for Mode {
    fn default() -> Self {
        Self {
            severity: Severity::Deny,
            message: None,
            overridable: false,
        }
    }
}

/// The rules by their names in the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A connector that is protected is removed.
    Protected,
    /// More connectors are removed than allowed.
    MaxRemovals,
    /// A type is not among those allowed.
    AllowedTypes,
    /// A type is denied.
    DeniedTypes,
    /// A scope has a higher class than allowed.
    MaxClass,
    /// A scope reaches further than it may.
    MaxAccess,
    /// A scope is not among those allowed.
    AllowedScopes,
    /// A scope is denied.
    DeniedScopes,
    /// The file names another account than the policy, or none.
    Accounts,
    /// A scope whose class or access is not known.
    UnknownScopes,
}

impl Rule {
    /// All of them, in the order of the reference.
    pub const ALL: [Self; 10] = [
        Self::Protected,
        Self::MaxRemovals,
        Self::AllowedTypes,
        Self::DeniedTypes,
        Self::MaxClass,
        Self::MaxAccess,
        Self::AllowedScopes,
        Self::DeniedScopes,
        Self::Accounts,
        Self::UnknownScopes,
    ];

    /// The settings' word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Protected => "protected",
            Self::MaxRemovals => "max_removals",
            Self::AllowedTypes => "allowed_types",
            Self::DeniedTypes => "denied_types",
            Self::MaxClass => "max_class",
            Self::MaxAccess => "max_access",
            Self::AllowedScopes => "allowed_scopes",
            Self::DeniedScopes => "denied_scopes",
            Self::Accounts => "accounts",
            Self::UnknownScopes => "unknown_scopes",
        }
    }
}

crate::model::display_as_str!(Rule);

#[cfg(test)]
mod tests;
