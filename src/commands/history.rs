//! `connplan history`.

use clap::Args;

use super::listening;
use crate::{
    context::{Context, ExitStatus, Failure, Format},
    view,
};

/// Arguments of `history`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  connplan history\n  connplan history --format json --last 20")]
pub struct HistoryArgs {
    /// Only the newest N
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
}

/// Lists what happened, oldest first.
pub async fn run(args: &HistoryArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json, Format::Markdown])?;
    let project = context.project(None)?;
    let app = project.app()?;
    let team = listening::team(context, &project, &app).await?;
    let (mut events, unread) = team.memory().history().await?;
    for key in unread {
        let key = crate::escape::limited(&key, 120);
        context.warn(&format!("{key} in {} cannot be read", team.memory().name()));
    }
    if let Some(last) = args.last {
        events.drain(..events.len().saturating_sub(last));
    }
    let name = team.memory().name();
    context
        .terminal
        .out(&view::history::show(&app, name, &events, &medium));
    Ok(ExitStatus::Done)
}
