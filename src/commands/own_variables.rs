//! Whether an app may have the user's own variables that the connector files name.

use std::collections::BTreeSet;

use crate::{
    config::{Loaded, Project},
    context::{Context, Failure, UsageError},
    escape,
    model::App,
    ops,
    state::Trust,
    term::{self, Answer},
};

/// Fails unless the user lets the app have each of them. That is asked where somebody can answer, and
/// remembered.
pub(super) async fn may_be_used(
    context: &Context,
    project: &Project,
    loaded: &Loaded,
    app: &App,
) -> Result<(), Failure> {
    let values = ops::untrusted(project, loaded, app, &context.trust());
    let Some(first) = values.first() else {
        return Ok(());
    };
    if context.terminal.is_interactive() {
        let taken = values.iter().map(|value| {
            let name = escape::limited(&value.name, 100);
            let text = escape::limited(&value.value, 200);
            let (connector, variable, place) = (&value.connector, &value.variable, value.place());
            format!("  {connector} {name} = {text}, from {variable} ({place})\n")
        });
        let question = format!(
            "\nThe connector files take values from your own variables:\n{}Whoever edits app {} at {} can read them.\n\
             May it have them?",
            taken.collect::<String>(),
            app.id,
            app.api_url
        );
        if term::confirm_word(&context.terminal, &question).await == Answer::Yes {
            let names: BTreeSet<_> = values.into_iter().map(|value| value.variable).collect();
            if let Err(why) = Trust::add_variables(&context.state, app, names, context.now()) {
                context.warn(&format!("this will be asked again: {why}"));
            }
            return Ok(());
        }
    }
    let (variable, id) = (&first.variable, &app.id);
    let what = format!(
        "{}: the connection value `{}` of {} is your own variable {variable}, and you have not said that app {id} may have it",
        first.place(),
        escape::limited(&first.name, 100),
        first.connector,
    );
    let help = format!(
        "if it may: `connplan trust {variable} --app-id {id}`; `export CONNPLAN_VAR_{variable}=...` names a value for connector files alone"
    );
    Err(UsageError::with_help(what, help).into())
}
