//! What a change endangers beyond the risks that a reader is told: for what decides whether it needs
//! approval.
//!
//! | finds | level |
//! |---|---|
//! | a consent to a connector that does not work, or by another account, brings all its scopes into force, those too that it had | as [`FactReport`] says of each; a warning if nothing is known of it |
//! | a scope includes one that reaches further | as for that one |
//! | no scope is named: the provider gives what it gives | warning |
//! | scopes are taken from a connector that works | warning |

use super::{FactReport, Level};
use crate::{
    catalogue::{Access, ScopeEquivalence},
    diff::{Action, Change},
    model::{Kind, RemoteStatus, Scope, Scopes},
};

/// The gravest of it, if there is any.
pub fn beyond(change: &Change) -> Option<Level> {
    let after = change.after.as_ref()?;
    if change.kind() != Kind::Oauth || change.action == Action::NoOp {
        return None;
    }
    let works = change
        .before
        .as_ref()
        .filter(|before| before.status == RemoteStatus::Active);
    let taken = works.is_some() && !change.loses().is_empty();
    // What is not known of a provider's scopes may be some.
    let unnamed = after.scopes.is_empty() && (!change.is_in_force() || taken);
    let lost = (taken || unnamed).then_some(Level::Warning);
    let rules = ScopeEquivalence::default();
    let none = Scopes::new();
    let kept = if change.is_in_force() {
        &change.scopes.kept
    } else {
        &none
    };
    let kept = rules.index(&change.connector, kept);
    let new = change.brings().iter();
    let new = new.filter(|scope| kept.includer(scope).is_none());
    new.filter_map(|scope| gives(change, scope))
        .chain(lost)
        .max()
}

fn gives(change: &Change, scope: &Scope) -> Option<Level> {
    let fact = FactReport::of(&change.connector, scope);
    if fact.is_grave() || fact.reaches == Some(Access::Admin) {
        return Some(Level::Danger);
    }
    let reads = matches!(
        fact.reaches.or(fact.access),
        Some(Access::Identity | Access::Read)
    );
    (!reads).then_some(Level::Warning)
}
