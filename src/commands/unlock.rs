//! `connplan unlock`.

use clap::Args;

use super::{listening, planning};
use crate::{
    context::{Context, ExitStatus, Failure, Format},
    model::ahead,
    term::{self, Answer},
};

/// Arguments of `unlock`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  connplan unlock     # says who holds the lease, and asks")]
pub struct UnlockArgs {
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
}

/// Ends the lease that is there.
pub async fn run(args: &UnlockArgs, context: &Context) -> Result<ExitStatus, Failure> {
    context.format(&[Format::Text])?;
    let project = context.project(None)?;
    let app = project.app()?;
    let team = listening::team(context, &project, &app).await?;
    let memory = team.memory();
    if !memory.is_shared() {
        context.terminal.say(
            "There is nothing to unlock: without a store, the lock of this machine ends with its \
             process.",
        );
        return Ok(ExitStatus::Done);
    }
    let seen = memory.leased().await?;
    let Some(holder) = &seen.holder else {
        context
            .terminal
            .say(&format!("Nobody holds the lease on app {}.", app.id));
        return Ok(ExitStatus::Done);
    };
    let who = format!(
        "{}; its lease ends by itself {}",
        holder.said(),
        ahead(holder.until, context.now())
    );
    if !args.yes {
        if !context.terminal.is_interactive() {
            return Err(planning::cannot_ask(
                &format!("{who}. The lease would be ended"),
                "--yes",
            ));
        }
        let question = format!(
            "{who}.\nIf it is still at work, two would change the app at once. End the lease on app {}?",
            app.id
        );
        if term::confirm_word(&context.terminal, &question).await == Answer::No {
            context.terminal.say("The lease stays.");
            return Ok(ExitStatus::Error);
        }
    }
    if memory.unlock(&seen).await? {
        context
            .terminal
            .say(&format!("Ended the lease: {}.", holder.said()));
    } else {
        context
            .terminal
            .say("The lease changed meanwhile; nothing was ended.");
        return Ok(ExitStatus::Error);
    }
    Ok(ExitStatus::Done)
}
