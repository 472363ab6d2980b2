//! Scopes against patterns and ceilings.

use std::collections::BTreeSet;

use super::{Class, Policy};
use crate::{
    catalogue::{self, Access, ScopeEquivalence},
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

/// The types that a scope is for, where that is not this one: a provider gives it to each of its types.
pub(super) fn types_of(connector: &ConnectorType, scope: &Scope) -> Vec<ConnectorType> {
    let scope = meant(connector, scope).unwrap_or(scope.as_str());
    catalogue::offered_elsewhere(connector.as_str(), scope)
        .filter_map(|name| ConnectorType::parse(name).ok())
        .collect()
}

/// The types whose limits hold a scope that asks for all that a client may have, or that nothing bounds: each of
/// the provider's.
pub(super) fn types_within(
    connector: &ConnectorType,
    scope: &Scope,
    policy: &Policy,
) -> Vec<ConnectorType> {
    let (name, text) = (connector.as_str(), scope.as_str());
    if !catalogue::is_all(name, text) && !catalogue::is_unbounded(name, text) {
        return Vec::new();
    }
    policy
        .limited_types()
        .filter(|other| *other != connector && catalogue::same_provider(name, other.as_str()))
        .cloned()
        .collect()
}

/// Whether a pattern names the scope in any of its spellings, case aside, or the same permission of another
/// service of the provider: what is denied must not come back in another dress.
pub(super) fn denied(connector: &ConnectorType, patterns: &BTreeSet<Scope>, scope: &Scope) -> bool {
    let meant = meant(connector, scope).map(Scope::from);
    let scopes = [Some(scope), meant.as_ref()].into_iter().flatten();
    scopes
        .into_iter()
        .any(|scope| named(connector, patterns, scope))
}

fn named(connector: &ConnectorType, patterns: &BTreeSet<Scope>, scope: &Scope) -> bool {
    if catalogue::is_all(connector.as_str(), scope.as_str()) {
        return !patterns.is_empty();
    }
    let rules = ScopeEquivalence::default();
    let canonical = rules.canonical(connector, scope);
    let permission = |text| catalogue::permission(connector.as_str(), text).to_lowercase();
    let named = permission(scope.as_str());
    let spellings = [
        scope.as_str(),
        catalogue::plain(connector.as_str(), scope.as_str()),
        canonical.as_ref(),
        named.as_str(),
    ];
    patterns.iter().any(|pattern| {
        let same = rules.canonical(connector, pattern) == canonical;
        let bare = catalogue::plain(connector.as_str(), pattern.as_str()).to_lowercase();
        let whole = pattern.as_str().to_lowercase();
        let mut spellings = spellings.iter().map(|text| text.to_lowercase());
        // `https://SERVICE/*` is about the service.
        let whichever =
            Some(permission(pattern.as_str())).filter(|name| !name.trim_matches('*').is_empty());
        same || whichever.is_some_and(|name| glob(&name, &named))
            || spellings.any(|text| glob(&bare, &text) || glob(&whole, &text))
    })
}

/// Whether a pattern names the scope, by the canonical form alone.
pub(super) fn allowed(
    connector: &ConnectorType,
    patterns: &BTreeSet<Scope>,
    scope: &Scope,
) -> bool {
    let rules = ScopeEquivalence::default();
    let canonical = rules.canonical(connector, scope);
    let fold = |text: &str| {
        if catalogue::ignores_case(connector.as_str()) {
            text.to_lowercase()
        } else {
            text.to_owned()
        }
    };
    patterns.iter().any(|pattern| {
        let bare = catalogue::plain(connector.as_str(), pattern.as_str());
        rules.canonical(connector, pattern) == canonical || glob(&fold(bare), &fold(&canonical))
    })
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
