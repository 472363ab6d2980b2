//! Whether a saved plan says what the connector files say where it is used: whom it has consent, and
//! where it connects to, is shown masked or by name only.

use std::fmt;

use super::policy;
use crate::{
    config::{self, Project},
    diff::{Action, Desired},
    model::{ConnectorType, Declared, DeclaredConnector, Kind, Likeness, map_of},
    plan::{Plan, Refusal},
    syntax::{BadVariable, resolve_value},
};

/// Values of a plan that no file can be held against here: the variable that stands for them is not set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uncompared(Vec<String>);

impl Uncompared {
    /// Whether all could be compared.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Uncompared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the plan's connection values cannot be compared with the files, for a variable is not set here: {}",
            self.0.join(", ")
        )
    }
}

/// Refuses a plan that expects another account, or connects with other values, than the file of the
/// connector that is there. What no file declares is not compared; what cannot be is told.
pub fn agrees(project: &Project, plan: &Plan) -> Result<Uncompared, Refusal> {
    let mut uncompared = Vec::new();
    let Some(declared) = declared(project) else {
        return Ok(Uncompared(uncompared));
    };
    for change in plan.changes().filter(|c| c.action != Action::NoOp) {
        let file = declared.connectors.get(&change.connector);
        let Some((after, file)) = change.after.as_ref().zip(file) else {
            continue;
        };
        let refused = |what| Refusal::ContradictsFiles {
            connector: change.connector.clone(),
            what,
            file: crate::escape::limited(&file.file, 200),
        };
        for text in compared(project, file, after).map_err(refused)? {
            let text = format!("{} {text}", change.connector);
            uncompared.push(crate::escape::limited(&text, 300));
        }
    }
    Ok(Uncompared(uncompared))
}

/// Whether a plan is of just those connectors that the files declare, each with its scopes, account and values: it
/// may have been made elsewhere.
pub(super) fn is_of_files(project: &Project, plan: &Plan) -> bool {
    let Some(declared) = declared(project) else {
        return false;
    };
    let planned = plan.changes().filter_map(|change| {
        let after = change.after.as_ref()?;
        Some((&change.connector, after))
    });
    let planned = map_of(planned);
    let is_planned = |(name, file): (&ConnectorType, &DeclaredConnector)| {
        let after = planned.get(name);
        after.is_some_and(|after| is_same(project, (name, file), after))
    };
    planned.len() == declared.connectors.len() && declared.connectors.iter().all(is_planned)
}

/// Whether a commit declares a connector, and otherwise than a plan of all wants it.
pub(super) fn contradicts(
    project: &Project,
    commit: &Declared,
    plan: &Plan,
    name: &ConnectorType,
) -> bool {
    let mut commit = commit.clone();
    policy::expect(&policy::of(project), &mut commit);
    let change = plan.changes().find(|change| change.connector == *name);
    let after = change.and_then(|change| change.after.as_ref());
    let file = commit.connectors.get(name);
    file.is_some_and(|file| !after.is_some_and(|after| is_same(project, (name, file), after)))
}

fn is_same(
    project: &Project,
    (name, file): (&ConnectorType, &DeclaredConnector),
    after: &Desired,
) -> bool {
    // Stripe takes no scopes.
    let same_scopes = name.kind() == Kind::Stripe || after.scopes == file.scopes;
    same_scopes && compared(project, file, after).is_ok_and(|unknown| unknown.is_empty())
}

fn declared(project: &Project) -> Option<Declared> {
    let mut declared = config::connectors::read(project).declared?;
    policy::expect(&policy::of(project), &mut declared);
    Some(declared)
}

/// What differs between a file and what was planned, beside the scopes; which values cannot be compared.
fn compared(
    project: &Project,
    file: &DeclaredConnector,
    after: &Desired,
) -> Result<Vec<String>, &'static str> {
    let mut unknown = Vec::new();
    // Of whom nobody else names a reader sees the masked text alone.
    if file.account != after.account {
        return Err("another account");
    }
    let values = &after.connection_config;
    if !file.connection_config.keys().eq(values.keys()) {
        return Err("other connection values");
    }
    for (name, text) in &file.connection_config {
        let planned = values.get(name).map_or("", String::as_str);
        match alike(project, text, planned) {
            Likeness::Same => {}
            Likeness::Other => return Err("other connection values"),
            Likeness::Unknown => {
                unknown.push(format!("{name} = {planned}, the file says {text}"));
            }
        }
    }
    Ok(unknown)
}

/// Whether what a file says is what was planned.
fn alike(project: &Project, text: &str, planned: &str) -> Likeness {
    let variable = |name: &str| project.vars.get(name).map(str::to_owned);
    match resolve_value(text, super::values::variables_from(project), variable) {
        Ok(here) => Likeness::of(Some(here == planned)),
        Err(BadVariable::Unset(_)) => Likeness::Unknown,
        Err(BadVariable::Secret(_) | BadVariable::MaySecret(_) | BadVariable::Syntax) => {
            Likeness::Other
        }
    }
}
