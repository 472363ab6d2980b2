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

    /// Whether the provider (or `[providers.TYPE] adds`) adds the scope in exactly this spelling. A person
    /// may have spelled it differently.
    pub fn is_addition_as_spelt(&self, connector: &ConnectorType, scope: &Scope) -> bool {
        self.added_by_provider(connector, scope)
            && *scope.as_str() == *self.canonical(connector, scope)
    }

    /// Whether the provider grants this scope although nobody asked for it.
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
        let wide = self.canonical(connector, wide);
        self.wider(connector, narrow).contains(&wide)
    }

    /// The canonical scopes that permit all that `narrow` permits, itself left out.
    pub(super) fn wider(
        &self,
        connector: &ConnectorType,
        narrow: &Scope,
    ) -> BTreeSet<Cow<'static, str>> {
        let mut seen = BTreeSet::new();
        let Some(provider) = Provider::of(connector.as_str()) else {
            return seen;
        };
        let narrow = self.canonical(connector, narrow);
        let mut next: Vec<_> = table::find(provider, &narrow).into_iter().collect();
        while let Some(fact) = next.pop() {
            for wider in fact.included_in() {
                let wider = canonical(provider, wider);
                let known = table::find(provider, &wider);
                if seen.insert(wider) {
                    next.extend(known);
                }
            }
        }
        seen.remove(narrow.as_ref());
        seen
    }

    /// The canonical scopes that give what `narrow` permits, itself left out: those that include it, and those that
    /// the provider gives it along with.
    pub fn givers(&self, connector: &ConnectorType, narrow: &Scope) -> BTreeSet<Cow<'static, str>> {
        let mut givers = self.wider(connector, narrow);
        let canonical = self.canonical(connector, narrow);
        let pairs = Provider::of(connector.as_str()).map_or(&[][..], Provider::brings_along);
        for (asked, along) in pairs {
            if *along == canonical || givers.contains(*along) {
                givers.insert(Cow::Borrowed(asked));
            }
        }
        givers
    }

    /// The scopes by their canonical forms, for looking many of them up.
    pub fn index<'s>(&'s self, connector: &'s ConnectorType, scopes: &'s Scopes) -> ScopeIndex<'s> {
        let mut by = BTreeMap::new();
        for scope in scopes.iter() {
            by.entry(self.canonical(connector, scope)).or_insert(scope);
        }
        ScopeIndex {
            rules: self,
            connector,
            by,
        }
    }
}

/// A set of scopes of one connector, by canonical form.
#[derive(Clone, Debug)]
pub struct ScopeIndex<'s> {
    rules: &'s ScopeEquivalence,
    connector: &'s ConnectorType,
    by: BTreeMap<Cow<'s, str>, &'s Scope>,
}

impl<'s> ScopeIndex<'s> {
    /// Whether this scope is among them, however it is spelt.
    pub fn contains(&self, scope: &Scope) -> bool {
        let canonical = self.rules.canonical(self.connector, scope);
        self.by.contains_key(canonical.as_ref())
    }

    /// The first of them that includes `narrow`.
    pub fn includer(&self, narrow: &Scope) -> Option<&'s Scope> {
        let wider = self.rules.wider(self.connector, narrow);
        wider
            .iter()
            .filter_map(|wide| self.by.get(wide.as_ref()).copied())
            .min()
    }

    /// The first of them that includes `narrow` and is not included in it: of two that include each
    /// other, neither is too much.
    pub fn strict_includer(&self, narrow: &Scope) -> Option<&'s Scope> {
        let wider = self.rules.wider(self.connector, narrow);
        wider
            .iter()
            .filter_map(|wide| self.by.get(wide.as_ref()).copied())
            .filter(|wide| !self.rules.includes(self.connector, narrow, wide))
            .min()
    }

    /// Whether the provider gives this scope along with one of them (Discord's `bot` brings
    /// `applications.commands`).
    pub fn brings(&self, scope: &Scope) -> bool {
        let Some(provider) = Provider::of(self.connector.as_str()) else {
            return false;
        };
        let canonical = self.rules.canonical(self.connector, scope);
        provider
            .brings_along()
            .iter()
            .any(|(asked, along)| *along == canonical && self.by.contains_key(*asked))
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
