//! `connplan list-available`.

use clap::Args;

use crate::{
    context::{Context, ExitStatus, Failure, Format},
    view::{self, Theme},
};

/// Arguments of `list-available`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  connplan list-available --format json")]
pub struct ListAvailableArgs {}

/// Lists what the platform offers.
pub async fn run(_args: &ListAvailableArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let format = context.format(&[Format::Text, Format::Json])?;
    let project = context.project(None)?;
    project.check()?;
    let app = project.app()?;
    let offers = context
        .remote(&project, &app)
        .await?
        .available_integrations()
        .await?;
    let shown = if format == Format::Json {
        view::available::json(&offers)
    } else {
        let theme = Theme::new(context.terminal.color_stdout());
        view::available::table_of(&offers, theme, context.terminal.columns())
    };
    context.terminal.out(&shown);
    Ok(ExitStatus::Done)
}
