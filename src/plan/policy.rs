//! What no plan of a project may do, whoever approves it. Pure.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use thiserror::Error;

use super::Plan;
use crate::{
    diff::{Action, Change},
    escape,
    model::{ConnectorType, Policies, Scope, Scopes},
};

/// The rules. `None` as a subject means every connector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// Connectors that are never removed.
    pub protected: BTreeSet<ConnectorType>,
    /// How many connectors one plan may remove.
    pub max_removals: Option<usize>,
    /// The only scopes that may be asked for.
    pub allowed: BTreeMap<Option<ConnectorType>, BTreeSet<Scope>>,
    /// Scopes that are never asked for.
    pub denied: BTreeMap<Option<ConnectorType>, BTreeSet<Scope>>,
}

/// A plan that a rule forbids.
#[derive(Clone, Debug, PartialEq, Eq, Error, Diagnostic)]
#[error("{by} forbids this plan:\n{}", .reasons.join("\n"))]
#[diagnostic(
    code(connplan::plan::policy),
    help("change the connector files, or have the policy changed by who is responsible for it")
)]
pub struct Forbidden {
    /// Whose rules they are.
    pub by: &'static str,
    /// Each rule that is broken, escaped.
    pub reasons: Vec<String>,
}

/// Holds a plan against the rules. All broken rules are told at once.
/// `workspace` is what the workspace itself lets be connected.
pub fn check(plan: &Plan, policy: &Policy, workspace: &Policies) -> Result<(), Forbidden> {
    let mut reasons = Vec::new();
    let mut by = "the policy in connplan.toml";
    let removed: Vec<_> = plan
        .changes()
        .filter(|c| c.action == Action::Delete)
        .collect();
    for change in &removed {
        if policy.protected.contains(&change.connector) {
            reasons.push(format!(
                "  {}: it is protected and would be removed",
                change.connector
            ));
        }
    }
    if let Some(most) = policy.max_removals
        && removed.len() > most
    {
        let count = removed.len();
        let plural = if count == 1 { "" } else { "s" };
        reasons.push(format!(
            "  {count} removal{plural}; at most {most} may be removed"
        ));
    }
    for change in plan
        .changes()
        .filter(|change| change.action != Action::NoOp)
    {
        reasons.extend(scopes(change, policy));
        if change.after.is_some() && workspace.forbid(&change.connector) {
            by = "the workspace's policy";
            reasons.push(format!(
                "  {}: the workspace does not let builders connect it; its administrator can",
                change.connector
            ));
        }
    }
    if reasons.is_empty() {
        Ok(())
    } else {
        Err(Forbidden { by, reasons })
    }
}

fn scopes(change: &Change, policy: &Policy) -> Vec<String> {
    let Some(after) = &change.after else {
        return Vec::new();
    };
    let connector = &change.connector;
    forbidden(policy, connector, &after.scopes)
        .into_iter()
        .map(|(scope, how)| {
            let scope = escape::limited(scope.as_str(), 200);
            format!("  {connector}: the scope {scope} is {how}")
        })
        .collect()
}

/// The scopes that a connector may not ask for, each with the rule that says so: `denied`, or
/// `not among those allowed`.
pub fn forbidden<'s>(
    policy: &Policy,
    connector: &ConnectorType,
    scopes: &'s Scopes,
) -> Vec<(&'s Scope, &'static str)> {
    let own = Some(connector.clone());
    let allowed = policy
        .allowed
        .get(&own)
        .or_else(|| policy.allowed.get(&None));
    let denied = |scope: &Scope| {
        let mut sets = [&own, &None]
            .into_iter()
            .filter_map(|s| policy.denied.get(s));
        sets.any(|set| set.contains(scope))
    };
    scopes
        .iter()
        .filter_map(|scope| {
            if denied(scope) {
                Some((scope, "denied"))
            } else if allowed.is_some_and(|allowed| !allowed.contains(scope)) {
                Some((scope, "not among those allowed"))
            } else {
                None
            }
        })
        .collect()
}
