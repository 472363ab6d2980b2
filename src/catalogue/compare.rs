//! Compares declared scopes with the remote's.

use std::{borrow::Cow, collections::BTreeSet};

use serde::Serialize;

use super::ScopeEquivalence;
use crate::model::{ConnectorType, Scope, Scopes};

/// The difference between the scopes declared and those of the remote.
///
/// `added` and `kept` together are the declared ones, spelt as declared; `removed` and
/// `provider_added` are of the remote, spelt as the remote does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ScopeDiff {
    /// Declared, and not in force.
    pub added: Scopes,
    /// In force, and no longer declared.
    pub removed: Scopes,
    /// Declared, and in force as far as the provider tells.
    pub kept: Scopes,
    /// In force, not declared, and there because of the provider: no change.
    pub provider_added: Scopes,
}

impl ScopeDiff {
    /// Whether there is nothing to change.
    pub fn is_same(&self) -> bool {
        self.added.is_empty() && self.removed.is_empty()
    }
}

impl ScopeEquivalence {
    /// Compares `declared` with what the remote has. Where it has no such connector, `remote` is
    /// empty and everything is added.
    pub fn compare(
        &self,
        connector: &ConnectorType,
        declared: &Scopes,
        remote: &Scopes,
    ) -> ScopeDiff {
        let wanted = self.canonical_set(connector, declared);
        let present = self.canonical_set(connector, remote);
        let among = |set: &BTreeSet<Cow<'_, str>>, scope: &Scope| {
            set.contains(self.canonical(connector, scope).as_ref())
        };

        let dropped = |scope: &Scope| {
            self.normalises(connector)
                && declared
                    .iter()
                    .any(|wide| among(&present, wide) && self.includes(connector, wide, scope))
        };
        let in_force = |scope: &Scope| {
            among(&present, scope)
                || !remote.is_empty() && self.may_be_left_out(connector, scope)
                || dropped(scope)
        };
        let by_provider = |scope: &Scope| {
            self.added_by_provider(connector, scope) || self.comes_with(connector, declared, scope)
        };

        let (kept, added) = split(declared.iter(), in_force);
        let extra = remote.iter().filter(|scope| !among(&wanted, scope));
        let (provider_added, removed) = split(extra, by_provider);
        ScopeDiff {
            added,
            removed,
            kept,
            provider_added,
        }
    }

    fn canonical_set<'s>(
        &self,
        connector: &ConnectorType,
        scopes: &'s Scopes,
    ) -> BTreeSet<Cow<'s, str>> {
        scopes
            .iter()
            .map(|scope| self.canonical(connector, scope))
            .collect()
    }
}

/// The scopes that pass, and those that don't.
fn split<'a>(
    scopes: impl Iterator<Item = &'a Scope>,
    pass: impl Fn(&Scope) -> bool,
) -> (Scopes, Scopes) {
    let (mut yes, mut no) = (Scopes::new(), Scopes::new());
    for scope in scopes {
        let side = if pass(scope) { &mut yes } else { &mut no };
        side.insert(scope.clone());
    }
    (yes, no)
}
