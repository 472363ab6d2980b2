//! `connplan list-available`.

use clap::Args;

use crate::{
    context::{Context, ExitStatus, Failure, Format},
    view,
};

/// Arguments of `list-available`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  connplan list-available --format json")]
pub struct ListAvailableArgs {}

/// Lists what the platform offers.
pub async fn run(_args: &ListAvailableArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let project = context.project(None)?;
    project.check()?;
    let app = project.app()?;
    let offers = context
        .remote(&project, &app)
        .await?
        .available_integrations()
        .await?;
    context
        .terminal
        .out(&view::available::show(&app, &offers, &medium));
    Ok(ExitStatus::Done)
}
