//! Scopes against patterns and ceilings.

use std::{
    borrow::Cow,
    cell::OnceCell,
    collections::{BTreeSet, HashMap, HashSet},
};

use super::Class;
use crate::{
    catalogue::{self, Access, Provider, ScopeEquivalence},
    model::{ConnectorType, Scope},
};

/// A scope as the provider may read it: one string can be several.
pub(super) fn parts(connector: &ConnectorType, scope: &Scope) -> Vec<Scope> {
    let parts: Vec<_> = catalogue::parts(connector.as_str(), scope.as_str())
        .map(Scope::from)
        .collect();
    if parts.is_empty() {
        vec![scope.clone()]
    } else {
        parts
    }
}

/// The known scope that one of which nothing is known may be read as.
pub(super) fn meant(connector: &ConnectorType, scope: &Scope) -> Option<&'static str> {
    catalogue::spelt_out(connector.as_str(), scope.as_str())
}

/// The types that a scope is for, where that is not this one: a provider gives it to each of its types. What only says
/// who signed in is for none.
pub(super) fn types_of(connector: &ConnectorType, scope: &Scope) -> Vec<ConnectorType> {
    let scope = meant(connector, scope).unwrap_or(scope.as_str());
    let fact = catalogue::fact(connector.as_str(), scope);
    if fact.is_none_or(|fact| fact.reach() == Access::Identity) {
        return Vec::new();
    }
    catalogue::offered_elsewhere(connector.as_str(), scope)
        .filter_map(|name| ConnectorType::parse(name).ok())
        .collect()
}

/// Those of these types whose limits hold a scope that asks for all that a client may have, or that nothing bounds:
/// each of the provider's.
pub(super) fn types_within<'t>(
    connector: &ConnectorType,
    scope: &Scope,
    ruled: impl Iterator<Item = &'t ConnectorType>,
) -> Vec<ConnectorType> {
    let (name, text) = (connector.as_str(), scope.as_str());
    if !catalogue::is_all(name, text) && !catalogue::is_unbounded(name, text) {
        return Vec::new();
    }
    ruled
        .filter(|other| *other != connector && catalogue::same_provider(name, other.as_str()))
        .cloned()
        .collect()
}

/// The patterns of a rule as a provider's scopes are held against them: made ready once, for there may be very many
/// of both.
pub(super) struct Patterns {
    canonical: HashSet<String>,
    /// As they are written, and without what the provider may write before them, in small letters.
    texts: Globs,
    /// The permissions that they name, where those are other texts.
    permissions: Globs,
    /// Without what the provider may write before them, in the letters that it tells apart.
    bare: Globs,
    /// Those that they name, by each scope that gives them.
    given: OnceCell<HashMap<Cow<'static, str>, &'static str>>,
}

impl Patterns {
    fn of(connector: &ConnectorType, patterns: &BTreeSet<Scope>) -> Self {
        let rules = ScopeEquivalence::default();
        let name = connector.as_str();
        let (mut texts, mut permissions) = (BTreeSet::new(), BTreeSet::new());
        for pattern in patterns {
            let pattern = pattern.as_str();
            texts.insert(pattern.to_lowercase());
            texts.insert(catalogue::plain(name, pattern).to_lowercase());
            // As people write scopes: what it may be read as is denied, and not allowed.
            let meant = catalogue::all_spelt_out(name, pattern).map(Scope::new);
            texts.extend(meant.map(|meant| rules.canonical(connector, &meant).to_lowercase()));
            let permission = catalogue::permission(name, pattern);
            // `https://SERVICE/*` is about the service.
            if !permission.trim_matches('*').is_empty() {
                permissions.insert(permission.to_lowercase());
            }
        }
        let canonical = patterns
            .iter()
            .map(|pattern| rules.canonical(connector, pattern).into_owned());
        let bare = patterns
            .iter()
            .map(|pattern| fold(connector, catalogue::plain(name, pattern.as_str())));
        Self {
            canonical: canonical.collect(),
            permissions: permissions.difference(&texts).cloned().collect(),
            texts: texts.into_iter().collect(),
            bare: bare.collect(),
            given: OnceCell::new(),
        }
    }

    /// Whether a pattern names the scope in any of its spellings, case aside, or the same permission of another
    /// service of the provider: what is denied must not come back in another dress.
    pub(super) fn deny(&self, connector: &ConnectorType, scope: &Scope) -> bool {
        let meant = meant(connector, scope).map(Scope::from);
        let mut scopes = [Some(scope), meant.as_ref()].into_iter().flatten();
        scopes.any(|scope| self.name(connector, scope))
    }

    /// A scope that a pattern names and that this one gives as well: it includes it, or the provider gives it along.
    pub(super) fn within(&self, connector: &ConnectorType, scope: &Scope) -> Option<&'static str> {
        let meant = meant(connector, scope).unwrap_or(scope.as_str());
        let fact = catalogue::fact(connector.as_str(), meant)?;
        let given = self.given.get_or_init(|| {
            let named = self.known(connector).map(|known| {
                let narrow = Scope::new(known);
                let givers = ScopeEquivalence::default().givers(connector, &narrow);
                givers.into_iter().map(move |giver| (giver, known))
            });
            named.flatten().collect()
        });
        given.get(fact.alias_of.unwrap_or(fact.scope)).copied()
    }

    /// The known scopes of the provider that a pattern names. What asks for all is named by any.
    fn known(&self, connector: &ConnectorType) -> impl Iterator<Item = &'static str> {
        let name = connector.as_str();
        let known = catalogue::of_provider(name).filter(|scope| !catalogue::is_all(name, scope));
        known.filter(|scope| self.name(connector, &Scope::new(*scope)))
    }

    fn name(&self, connector: &ConnectorType, scope: &Scope) -> bool {
        let (name, text) = (connector.as_str(), scope.as_str());
        if catalogue::is_all(name, text) {
            return !self.canonical.is_empty();
        }
        let canonical = ScopeEquivalence::default().canonical(connector, scope);
        let permission = catalogue::permission(name, text).to_lowercase();
        let spellings = [text, catalogue::plain(name, text), &canonical];
        let mut spellings: BTreeSet<_> = spellings.map(str::to_lowercase).into();
        spellings.insert(permission.clone());
        self.canonical.contains(canonical.as_ref())
            || self.permissions.fit(&permission)
            || spellings.iter().any(|text| self.texts.fit(text))
    }

    /// Whether a pattern names the scope, by the canonical form alone.
    pub(super) fn allow(&self, connector: &ConnectorType, scope: &Scope) -> bool {
        let canonical = ScopeEquivalence::default().canonical(connector, scope);
        self.canonical.contains(canonical.as_ref()) || self.bare.fit(&fold(connector, &canonical))
    }
}

/// Whether a pattern denies a scope that is known of a type's provider.
pub fn denies_known(connector: &ConnectorType, pattern: &str) -> bool {
    let patterns = Patterns::of(connector, &[Scope::new(pattern)].into());
    patterns.known(connector).next().is_some()
}

fn fold(connector: &ConnectorType, text: &str) -> String {
    if catalogue::ignores_case(connector.as_str()) {
        text.to_lowercase()
    } else {
        text.to_owned()
    }
}

/// Those that were made ready, by the list that they are of and the provider.
#[derive(Default)]
pub(super) struct Ready(HashMap<(usize, Option<Provider>), Patterns>);

impl Ready {
    /// The patterns of a list, which stays where it is for as long as this is asked.
    pub(super) fn of(
        &mut self,
        connector: &ConnectorType,
        patterns: &BTreeSet<Scope>,
    ) -> &Patterns {
        let list = std::ptr::from_ref(patterns).addr();
        let key = (list, Provider::of(connector.as_str()));
        let make = || Patterns::of(connector, patterns);
        self.0.entry(key).or_insert_with(make)
    }
}

/// Texts in which `*` stands for any text.
#[derive(Default)]
struct Globs {
    plain: HashSet<String>,
    starred: Vec<String>,
}

impl FromIterator<String> for Globs {
    fn from_iter<I: IntoIterator<Item = String>>(texts: I) -> Self {
        let mut globs = Self::default();
        for text in texts {
            if text.contains('*') {
                globs.starred.push(text);
            } else {
                globs.plain.insert(text);
            }
        }
        globs
    }
}

impl Globs {
    fn fit(&self, text: &str) -> bool {
        self.plain.contains(text) || self.starred.iter().any(|pattern| glob(pattern, text))
    }
}

/// `*` stands for any text; all else for itself.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else {
        return rest.is_empty();
    };
    for piece in pieces {
        let Some(at) = rest.find(piece) else {
            return false;
        };
        rest = rest.get(at + piece.len()..).unwrap_or_default();
    }
    rest.ends_with(last)
}

/// What a ceiling holds a scope to: its class, and how far it reaches with all that it includes; whether both
/// are known. What nothing bounds counts as the most, and what may be read as a known scope as that.
pub(super) fn weighed(
    connector: &ConnectorType,
    scope: &Scope,
) -> (Option<Class>, Option<Access>, bool) {
    let meant = meant(connector, scope);
    let Some(fact) = catalogue::fact(connector.as_str(), meant.unwrap_or(scope.as_str())) else {
        let all = catalogue::is_unbounded(connector.as_str(), scope.as_str());
        let (class, access) = (Class::Restricted, Access::Admin);
        return (all.then_some(class), all.then_some(access), false);
    };
    let class = match fact.class {
        // What `risk` calls restricted.
        Some("restricted" | "highly-sensitive" | "admin-consent" | "private") => Class::Restricted,
        Some("sensitive" | "approval" | "on-request") => Class::Sensitive,
        _ => Class::None,
    };
    let class = (!fact.class_unpublished).then_some(class);
    (
        class,
        Some(fact.reach()),
        class.is_some() && meant.is_none(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, fits) in [
            ("a", "a", true),
            ("a", "ab", false),
            ("*", "", true),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a*c", "abbc", true),
            ("a*b*c", "axbxc", true),
            ("a*b*c", "axc", false),
            ("a*a", "a", false),
            ("a*bc*c", "axbc", false),
            ("*bc*c", "bc", false),
            ("*bc*c", "bcc", true),
            ("**", "x", true),
        ] {
            assert_eq!(glob(pattern, text), fits, "{pattern} {text}");
        }
    }
}
