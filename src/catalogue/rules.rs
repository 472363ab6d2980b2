//! When two scopes, and two sets of them, are the same.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{Provider, table};
use crate::model::{ConnectorType, Scope, Scopes};

/// How scopes compare: what the providers do, and what a project's settings say beyond that.
#[derive(Clone, Debug, Default)]
pub struct ScopeEquivalence {
    /// By connector type in lower case: canonical scopes that its provider adds.
    added: BTreeMap<String, BTreeSet<String>>,
}

impl ScopeEquivalence {
    /// The providers' rules, and further scopes that a provider adds by itself.
    pub fn with_settings(added: BTreeMap<ConnectorType, Vec<Scope>>) -> Self {
        let mut rules = Self::default();
        for (connector, scopes) in added {
            let canonical = scopes
                .iter()
                .map(|scope| rules.canonical(&connector, scope).into_owned())
                .collect::<BTreeSet<_>>();
            let key = connector.as_str().to_ascii_lowercase();
            rules.added.entry(key).or_default().extend(canonical);
        }
        rules
    }

    /// The one spelling that stands for all spellings of this scope. For comparing, not for
    /// showing: a reader knows the scope as it was written.
    pub fn canonical<'a>(&self, connector: &ConnectorType, scope: &'a Scope) -> Cow<'a, str> {
        match Provider::of(connector.as_str()) {
            Some(provider) => canonical(provider, scope.as_str()),
            None => Cow::Borrowed(scope.as_str()),
        }
    }

    /// Whether the provider puts this scope on a token though nobody asked for it.
    pub fn added_by_provider(&self, connector: &ConnectorType, scope: &Scope) -> bool {
        let canonical = self.canonical(connector, scope);
        let by_settings = self
            .added
            .get(&connector.as_str().to_ascii_lowercase())
            .is_some_and(|scopes| scopes.contains(canonical.as_ref()));
        by_settings
            || Provider::of(connector.as_str())
                .is_some_and(|provider| provider.adds().contains(&canonical.as_ref()))
    }

    /// Whether this scope comes along with one of those `declared` (Discord's `bot` brings
    /// `applications.commands`).
    pub fn comes_with(&self, connector: &ConnectorType, declared: &Scopes, scope: &Scope) -> bool {
        let Some(provider) = Provider::of(connector.as_str()) else {
            return false;
        };
        let canonical = self.canonical(connector, scope);
        provider.brings_along().iter().any(|(asked, along)| {
            *along == canonical
                && declared
                    .iter()
                    .any(|d| self.canonical(connector, d) == *asked)
        })
    }

    /// Whether the provider may leave this scope out of what it reports, granted or not.
    pub fn may_be_left_out(&self, connector: &ConnectorType, scope: &Scope) -> bool {
        Provider::of(connector.as_str()).is_some_and(|provider| {
            let canonical = self.canonical(connector, scope);
            provider.leaves_out().contains(&canonical.as_ref())
        })
    }

    /// Whether the provider drops scopes that another granted one includes.
    pub fn normalises(&self, connector: &ConnectorType) -> bool {
        Provider::of(connector.as_str()).is_some_and(Provider::normalises)
    }

    /// Whether `wide` is known to permit all that `narrow` permits. A scope does not include
    /// itself. With Microsoft this speaks of the data; an endpoint may still ask for `narrow`.
    pub fn includes(&self, connector: &ConnectorType, wide: &Scope, narrow: &Scope) -> bool {
        let Some(provider) = Provider::of(connector.as_str()) else {
            return false;
        };
        let wide = self.canonical(connector, wide);
        let narrow = self.canonical(connector, narrow);
        let (mut seen, mut next) = (BTreeSet::new(), vec![narrow.clone()]);
        while let Some(scope) = next.pop() {
            let Some(fact) = table::find(provider, &scope) else {
                continue;
            };
            for wider in fact.included_in() {
                if seen.insert(wider) {
                    next.push(canonical(provider, wider));
                }
            }
        }
        wide != narrow
            && seen
                .into_iter()
                .any(|wider| canonical(provider, wider) == wide)
    }

    /// The first of `scopes` that includes `narrow`.
    pub fn included_by<'s>(
        &self,
        connector: &ConnectorType,
        scopes: &'s Scopes,
        narrow: &Scope,
    ) -> Option<&'s Scope> {
        scopes
            .iter()
            .find(|wide| self.includes(connector, wide, narrow))
    }
}

/// A listed scope by its main name, an unlisted one by what tells it from others.
fn canonical(provider: Provider, scope: &str) -> Cow<'_, str> {
    let plain = provider.plain(scope);
    match table::find(provider, plain) {
        Some(fact) => Cow::Borrowed(fact.alias_of.unwrap_or(fact.scope)),
        None => provider.key(plain),
    }
}
