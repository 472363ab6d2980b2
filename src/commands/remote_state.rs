//! `connplan remote-state`.

use clap::Args;

use crate::{
    config,
    context::{Context, EncodeError, ExitStatus, Failure, Format},
    ops, remote_state,
    view::json,
};

/// Arguments of `remote-state`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  connplan remote-state > state.json\n  \
                        connplan plan --remote-state state.json   # needs no credentials")]
pub struct RemoteStateArgs {}

/// Prints a snapshot of the remote.
pub async fn run(_args: &RemoteStateArgs, context: &Context) -> Result<ExitStatus, Failure> {
    context.medium(&[Format::Text, Format::Json])?;
    let project = context.project(None)?;
    project.check()?;
    let app = project.app()?;
    // Files that cannot be read do not stand in the way: what only they tell is not in it then.
    let mut declared = config::connectors::read(&project)
        .declared
        .unwrap_or_default();
    ops::policy::expect(&ops::policy::of(&project), &mut declared);
    let remote = context.remote(&project, &app).await?;
    let observed = remote.observe_all(&declared).await?;
    let show_accounts = context.globals.show_accounts;
    let snapshot = remote_state::write(&app, &observed.connectors, &declared, show_accounts);
    let snapshot = snapshot.map_err(EncodeError::from)?;
    context.terminal.out(&json::harmless(&snapshot));
    Ok(ExitStatus::Done)
}
