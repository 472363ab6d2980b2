//! Compares declared scopes with the remote's.

use serde::{Deserialize, Serialize};

use super::ScopeEquivalence;
use crate::model::{ConnectorType, Scope, Scopes};

/// The difference between the scopes declared and those of the remote.
///
/// `added` and `kept` together are the declared ones, spelt as declared; `removed` and
/// `provider_added` are of the remote, spelt as the remote does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
        let wanted = self.index(connector, declared);
        let present = self.index(connector, remote);
        // Declared scopes that are in force, for what the provider leaves out beside them.
        let normalises = self.normalises(connector);
        let held: Scopes = declared
            .iter()
            .filter(|scope| normalises && present.contains(scope))
            .cloned()
            .collect();
        let held = self.index(connector, &held);

        let in_force = |scope: &Scope| {
            present.contains(scope)
                || !remote.is_empty() && self.may_be_left_out(connector, scope)
                || normalises && held.includer(scope).is_some()
        };
        let by_provider =
            |scope: &Scope| self.added_by_provider(connector, scope) || wanted.brings(scope);

        let (kept, added) = split(declared.iter(), in_force);
        let extra = remote.iter().filter(|scope| !wanted.contains(scope));
        let (provider_added, removed) = split(extra, by_provider);
        ScopeDiff {
            added,
            removed,
            kept,
            provider_added,
        }
    }
}

/// The scopes that pass, and those that don't.
fn split<'a>(
    scopes: impl Iterator<Item = &'a Scope>,
    pass: impl Fn(&Scope) -> bool,
) -> (Scopes, Scopes) {
    let (yes, no): (Vec<_>, Vec<_>) = scopes.cloned().partition(pass);
    (yes.into_iter().collect(), no.into_iter().collect())
}
