//! Whether a saved plan says what the connector files say where it is used: whom it has consent, and
//! where it connects to, is shown masked or by name only.

use super::policy;
use crate::{
    config::{self, Project},
    diff::Action,
    model::DeclaredConnector,
    plan::{Plan, Refusal},
    syntax::resolve_value,
};

/// Refuses a plan that expects another account, or connects with other values, than the file of the
/// connector that is there. What no file declares is not compared.
pub fn agrees(project: &Project, plan: &Plan) -> Result<(), Refusal> {
    let Some(mut declared) = config::connectors::read(project).declared else {
        return Ok(());
    };
    policy::expect(&policy::of(project), &mut declared);
    for change in plan.changes().filter(|c| c.action != Action::NoOp) {
        let file = declared.connectors.get(&change.connector);
        let Some((after, file)) = change.after.as_ref().zip(file) else {
            continue;
        };
        let what = if file.account.is_some() && file.account != after.account {
            "another account"
        } else if !connects_alike(project, file, &after.connection_config) {
            "other connection values"
        } else {
            continue;
        };
        return Err(Refusal::ContradictsFiles {
            connector: change.connector.clone(),
            what,
            file: crate::escape::limited(&file.file, 200),
        });
    }
    Ok(())
}

/// A variable that is not known here says nothing.
fn connects_alike(
    project: &Project,
    file: &DeclaredConnector,
    values: &std::collections::BTreeMap<String, String>,
) -> bool {
    let variable = |name: &str| project.vars.get(name).map(str::to_owned);
    file.connection_config.keys().eq(values.keys())
        && file.connection_config.iter().all(|(name, value)| {
            let here = resolve_value(value, super::plan::variables_from(project), variable);
            here.map_or(true, |here| values.get(name) == Some(&here))
        })
}
