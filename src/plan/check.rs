//! Whether a plan agrees with itself.
//!
//! A digest proves that a file was not altered by accident; whoever forges one can compute a new
//! digest. So what a reader is shown (action, scopes added and removed) must follow from what is
//! carried out (before, after), or the plan is refused.

use std::collections::BTreeSet;

use super::{AppPlan, Plan, Refusal};
use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, Change, ConsentNeed},
    model::{Kind, Scopes},
};

/// Refuses a plan whose parts contradict each other.
pub(super) fn coherent(plan: &Plan) -> Result<(), Refusal> {
    let refuse = |reason: String| Err(Refusal::Incoherent { reason });
    let app = &plan.app;
    {
        let mut seen = BTreeSet::new();
        let names = app.changes.iter().map(|change| &change.connector);
        for name in names
            .chain(app.unmanaged.keys())
            .chain(app.untargeted.keys())
            .chain(&app.untargeted_new)
        {
            if !seen.insert(name) {
                return refuse(format!("`{name}` stands in it twice"));
            }
        }
        sorted(app)?;
        for change in &app.changes {
            if let Err(reason) = change_agrees(change) {
                return refuse(format!("`{}`: {reason}", change.connector));
            }
        }
    }
    Ok(())
}

fn sorted(app: &AppPlan) -> Result<(), Refusal> {
    if app.changes.is_sorted_by(|a, b| a.connector < b.connector) {
        Ok(())
    } else {
        Err(Refusal::Incoherent {
            reason: "its changes are not in order of name".to_owned(),
        })
    }
}

fn change_agrees(change: &Change) -> Result<(), &'static str> {
    let stripe = change.kind() == Kind::Stripe;
    let shape = match change.action {
        Action::Create => change.before.is_none() && change.after.is_some(),
        Action::Update | Action::Reauthorize => {
            change.before.is_some() && change.after.is_some() && !stripe
        }
        Action::Delete => change.before.is_some() && change.after.is_none(),
        // Waiting for a person, it may not be listed yet.
        Action::NoOp => {
            change.after.is_some()
                && (change.before.is_some() || change.authorization == ConsentNeed::Pending)
        }
    };
    if !shape {
        return Err("`before` and `after` do not fit the action");
    }
    if change
        .before
        .as_ref()
        .is_some_and(|before| (before.mode.is_some()) != stripe)
    {
        return Err("its Stripe mode does not fit its kind");
    }
    let none = Scopes::new();
    let before = change
        .before
        .as_ref()
        .map_or(&none, |before| &before.scopes);
    let after = change.after.as_ref().map_or(&none, |after| &after.scopes);
    let diff = &change.scopes;
    if stripe && !after.is_empty() {
        return Err("Stripe takes no scopes");
    }
    if union(&diff.added, &diff.kept) != *after {
        return Err("the scopes shown as added and kept are not those that would be asked for");
    }
    if diff.added.iter().any(|scope| diff.kept.contains(scope)) {
        return Err("a scope is shown both as added and as kept");
    }
    let lost = union(&diff.removed, &diff.provider_added);
    if lost.iter().any(|scope| !before.contains(scope)) {
        return Err("a scope is shown as removed that was not there");
    }
    // Settings may name more scopes that a provider adds, never fewer that a change adds.
    let fresh = ScopeEquivalence::default().compare(&change.connector, after, before);
    if fresh.added.iter().any(|scope| !diff.added.contains(scope)) {
        return Err("a scope that would be added is not shown as added");
    }
    if change.action == Action::NoOp
        && change.authorization != ConsentNeed::Pending
        && !diff.is_same()
    {
        return Err("it says that nothing happens, but the scopes differ");
    }
    Ok(())
}

fn union(a: &Scopes, b: &Scopes) -> Scopes {
    a.iter().chain(b.iter()).cloned().collect()
}
