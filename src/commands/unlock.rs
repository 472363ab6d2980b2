//! `connplan unlock`.

use clap::Args;

use super::{listening, planning};
use crate::{
    context::{Context, ExitStatus, Failure, Format},
    model::{self, ahead},
    ops::Team,
    term::{self, Answer},
    view,
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
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let project = context.project(None)?;
    let app = project.app()?;
    let teams = listening::teams(context, &project, &app).await?;
    let shared = teams.iter().map(Team::memory).filter(|m| m.is_shared());
    let found = listening::asked(context, shared, async |memory| memory.leased().await);
    let mut found = found.await?;
    // The first that somebody holds.
    model::sort_by_key(&mut found, |(_, seen)| seen.holder.is_none());
    let seen = found.into_iter().next();
    let holder = seen.as_ref().and_then(|(_, seen)| seen.holder.as_ref());
    let ended = |ended: bool| {
        view::history::show_unlocked(&app, holder, ended, &medium, &context.terminal);
    };
    let Some((memory, seen)) = &seen else {
        context.terminal.say(
            "There is nothing to unlock: without a store, the lock of this machine ends with its \
             process.",
        );
        ended(false);
        return Ok(ExitStatus::Done);
    };
    let Some(holder) = holder else {
        context
            .terminal
            .say(&format!("Nobody holds the lease on app {}.", app.id));
        ended(false);
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
            "{who}.\nIf it is still running, two runs would change the app at the same time. End the lease on app {}?",
            app.id
        );
        if term::confirm_word(&context.terminal, &question).await == Answer::No {
            context.terminal.say("The lease stays.");
            ended(false);
            return Ok(ExitStatus::Error);
        }
    }
    let writing = context.signals.writing();
    let is_ended = memory.unlock(seen).await?;
    drop(writing);
    if is_ended {
        context
            .terminal
            .say(&format!("Ended the lease: {}.", holder.said()));
        ended(true);
    } else {
        context
            .terminal
            .say("Somebody else took the lease in the meantime, so it was not ended.");
        ended(false);
        return Ok(ExitStatus::Error);
    }
    Ok(ExitStatus::Done)
}
