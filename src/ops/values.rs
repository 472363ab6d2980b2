//! Connection values: their variables put in, and which of these are the user's own. A file of the checkout
//! chooses the variable, and an apply sends what it holds to the app.

use super::policy;
use crate::{
    config::{Loaded, Project},
    context::{Failure, UsageError},
    diff::Change,
    escape,
    model::{App, ConnectorType, Declared, Diagnostic, SetBy, Severity},
    plan::{Plan, UNCOMPARED},
    remote::auth,
    state::Trust,
    store::Place,
    syntax::{BadVariable, OWN_VARIABLE, VariablesFrom, own_variables, resolve_value},
};

/// A connection value that a variable of the user's own fills.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnValue {
    /// The connector.
    pub connector: ConnectorType,
    /// The value's name; escape before showing.
    pub name: String,
    /// What it comes to; escape before showing.
    pub value: String,
    /// The variable.
    pub variable: String,
    /// The file that says so; escape before showing.
    pub file: String,
    /// Where in it.
    pub line: Option<u32>,
}

impl OwnValue {
    /// File and line. Escaped.
    pub fn place(&self) -> String {
        let file = escape::limited(&self.file, 200);
        match self.line {
            Some(line) => format!("{file}, line {line}"),
            None => file,
        }
    }
}

/// Whose variables the connector files may take. A pipeline's plan is read by others, and so is a store; and where
/// a file of the checkout names the platform or a credential, it also says where a value goes.
pub(super) fn variables_from(project: &Project) -> VariablesFrom {
    let vars = &project.vars;
    let of_file = |name: &&str| vars.origin(name).is_some_and(SetBy::is_file);
    let mut leading = ["BASE44_API_URL"].iter().chain(&auth::VARIABLES);
    let led = leading.any(of_file);
    let address = project
        .selected()
        .is_some_and(|chosen| chosen.api_url.is_some());
    let store = project.settings.store.url.is_some() || vars.get(Place::VARIABLE).is_some();
    if vars.ci() || led || address || store {
        VariablesFrom::Named
    } else {
        VariablesFrom::User
    }
}

/// The values that the user's own variables fill.
fn own(project: &Project, loaded: &Loaded) -> Vec<OwnValue> {
    let files = loaded.declared.iter().flat_map(|files| &files.connectors);
    let variable = |name: &str| project.vars.get(name).map(str::to_owned);
    let from = variables_from(project);
    let mut found = Vec::new();
    for (connector, file) in files {
        for (name, text) in &file.connection_config {
            for own in own_variables(text, variable) {
                found.push(OwnValue {
                    connector: connector.clone(),
                    name: name.clone(),
                    value: resolve_value(text, from, variable).unwrap_or_default(),
                    variable: own.to_owned(),
                    file: file.file.clone(),
                    line: loaded.line_of_value(connector, name),
                });
            }
        }
    }
    found
}

/// Those of them that this app may not have, as far as the user has said.
pub fn untrusted(project: &Project, loaded: &Loaded, app: &App, trust: &Trust) -> Vec<OwnValue> {
    let mut found = own(project, loaded);
    found.retain(|value| !trust.contains_variable(app, &value.variable));
    found
}

/// That values are taken from the user's own variables: whoever wrote the file chose which.
pub(super) fn told(
    project: &Project,
    loaded: &Loaded,
    app: &App,
    trust: &Trust,
) -> Vec<Diagnostic> {
    let own = untrusted(project, loaded, app, trust).into_iter();
    own.map(|value| Diagnostic {
        severity: Severity::Warning,
        code: OWN_VARIABLE.to_owned(),
        message: format!(
            "the connection value `{}` is your own variable {}, and an apply sends it to app {}",
            value.name, value.variable, app.id
        ),
        file: Some(value.file),
        line: value.line,
        column: None,
        help: Some(format!(
            "if everybody who edits that app may have it, say so: `export CONNPLAN_VAR_{}=...`",
            value.variable
        )),
    })
    .collect()
}

/// What of a plan nobody could compare: unknown is not the same.
pub(super) fn uncompared(plan: &Plan) -> Vec<Diagnostic> {
    let (why, help) = if plan.speculative {
        (
            "the remote state does not say",
            Some("where the connector's file is: `connplan remote-state > FILE`"),
        )
    } else {
        ("the app does not tell", None)
    };
    let told = |change: &Change, message: String, help: Option<&str>| Diagnostic {
        severity: Severity::Warning,
        code: UNCOMPARED.to_owned(),
        message: format!("{message}: {why}"),
        file: change.file.clone(),
        line: None,
        column: None,
        help: help.map(str::to_owned),
    };
    let mut found = Vec::new();
    for change in plan.changes() {
        let name = &change.connector;
        if change.hides_values() {
            let message = format!("whether the connection values of {name} change is not known");
            found.push(told(change, message, help));
        }
        if change.hides_account() {
            let message =
                format!("whether the account that the file expects holds {name} is not known");
            let accounts = "`connplan remote-state --show-accounts > FILE` says it, where nobody else reads the file";
            found.push(told(change, message, help.and(Some(accounts))));
        }
    }
    found
}

/// What connector files declare, with their variables put in, and with whom the policy expects.
pub fn resolved(project: &Project, mut declared: Declared) -> Result<Declared, Failure> {
    let from = variables_from(project);
    for (connector, file) in &mut declared.connectors {
        for (name, value) in &mut file.connection_config {
            let variable = |name: &str| project.vars.get(name).map(str::to_owned);
            *value = resolve_value(value, from, variable).map_err(|why| {
                let name = escape::limited(name, 100);
                let place = escape::limited(&file.file, 200);
                let help = match &why {
                    BadVariable::Unset(variable) => {
                        let variable = escape::limited(variable, 100);
                        format!(
                            "if you want that file to have it: `export CONNPLAN_VAR_{variable}=...`; else write the value into that file"
                        )
                    }
                    _ => "change the value in that file".to_owned(),
                };
                let what = format!("{place}: the connection value `{name}` of {connector}: {why}");
                UsageError::with_help(what, help)
            })?;
        }
    }
    policy::expect(&policy::of(project), &mut declared);
    Ok(declared)
}
