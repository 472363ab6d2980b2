//! What one plan does that another one does not: for a person who approved the other.

use super::Plan;
use crate::{
    diff::{Action, Change},
    escape,
    model::{self, Scopes},
};

/// So many scopes are named in a line.
const NAMED: usize = 8;

/// Each difference as a line, in order of connector name. `other` is what the other plan is called.
/// Escaped.
pub fn difference(this: &Plan, that: &Plan, other: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for here in changes(this) {
        let name = &here.connector;
        match changes(that).find(|there| there.connector == *name) {
            None => lines.push(format!("{name}: {} is not in {other}", said(here))),
            Some(there) => {
                let moved = between(here, there, other);
                lines.extend(moved.map(|what| format!("{name}: {what}")));
            }
        }
    }
    for there in changes(that) {
        let name = &there.connector;
        if changes(this).all(|here| here.connector != *name) {
            lines.push(format!("{name}: {} is only in {other}", said(there)));
        }
    }
    if this.expires_at != that.expires_at {
        lines.push("when it expires".to_owned());
    }
    if this.overrides != that.overrides {
        lines.push("which rules of the policy it overrides, or why".to_owned());
    }
    if this.app.app != that.app.app {
        lines.push("the app, its address or its environment".to_owned());
    }
    model::sort(&mut lines, Ord::cmp);
    lines
}

fn changes(plan: &Plan) -> impl Iterator<Item = &Change> {
    let changes = plan.changes();
    changes.filter(|change| change.action != Action::NoOp)
}

fn said(change: &Change) -> String {
    match &change.after {
        Some(after) if !after.scopes.is_empty() => {
            format!("{} ({})", change.action, names(after.scopes.iter()))
        }
        _ => change.action.to_string(),
    }
}

/// What differs between the changes of one connector, if anything that counts does.
fn between(here: &Change, there: &Change, other: &str) -> Option<String> {
    let mut parts = Vec::new();
    if here.action != there.action {
        parts.push(format!("{}, in {other} {}", here.action, there.action));
    }
    let none = Scopes::new();
    let scopes = |change: &Change| {
        let after = change.after.as_ref();
        after.map_or_else(|| none.clone(), |after| after.scopes.clone())
    };
    let (mine, theirs) = (scopes(here), scopes(there));
    let only = |one: &Scopes, two: &Scopes| -> Scopes {
        let only = one.iter().filter(|scope| !two.contains(scope));
        only.cloned().collect()
    };
    let (more, fewer) = (only(&mine, &theirs), only(&theirs, &mine));
    if !more.is_empty() {
        parts.push(format!("it asks for {} more", names(more.iter())));
    }
    if !fewer.is_empty() {
        parts.push(format!("it does not ask for {}", names(fewer.iter())));
    }
    if parts.is_empty() && here.before != there.before {
        parts.push("the app's state of it has changed since then".to_owned());
    }
    let rest = |change: &Change| {
        let wanted = change.after.as_ref();
        let wanted = wanted.map(|to| (to.account.clone(), to.connection_config.clone()));
        (wanted, change.removal, change.authorization)
    };
    if parts.is_empty() && rest(here) != rest(there) {
        parts.push("its account, its connection values, or how it is removed".to_owned());
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}

fn names<'a>(scopes: impl ExactSizeIterator<Item = &'a model::Scope>) -> String {
    let more = scopes.len().saturating_sub(NAMED);
    let mut names: Vec<_> = scopes
        .take(NAMED)
        .map(|scope| escape::limited(scope.as_str(), 200))
        .collect();
    if more > 0 {
        names.push(format!("and {more} others"));
    }
    names.join(", ")
}
