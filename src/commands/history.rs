//! `connplan history`.

use std::collections::{BTreeMap, BTreeSet};

use clap::Args;

use super::listening;
use crate::{
    approval::signatures,
    config::Project,
    context::{Context, ExitStatus, Failure, Format},
    model::map_of,
    ops::{self, Team},
    store::{HistoryEvent, What},
    view,
};

/// Arguments of `history`.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Examples:\n  connplan history\n  connplan history --format json --last 20")]
pub struct HistoryArgs {
    /// Show only the newest N entries
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
}

/// Lists what happened, oldest first.
pub async fn run(args: &HistoryArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json, Format::Markdown])?;
    let project = context.project(None)?;
    let app = project.app()?;
    let (mut events, mut names) = (Vec::new(), Vec::new());
    let teams = listening::teams(context, &project, &app).await?;
    let memories = teams.iter().map(Team::memory);
    let known = listening::asked(context, memories, async |memory| memory.history().await);
    for (memory, (more, unread)) in known.await? {
        let name = memory.name();
        for key in unread {
            let key = crate::escape::limited(&key, 120);
            context.warn(&format!("{key} in {name} cannot be read"));
        }
        events = merged(events, more);
        names.push(name.to_owned());
    }
    names.dedup();
    if let Some(last) = args.last {
        events.drain(..events.len().saturating_sub(last));
    }
    let signers = signers_of(context, &project, &events).await;
    let name = names.join(" and ");
    let accounts = context.globals.show_accounts;
    context.terminal.out(&view::history::show(
        &app, &name, &events, &signers, accounts, &medium,
    ));
    Ok(ExitStatus::Done)
}

/// What two memories know, each in its order. What both were told is there once.
fn merged(one: Vec<HistoryEvent>, other: Vec<HistoryEvent>) -> Vec<HistoryEvent> {
    // A signature is told to each of them.
    let name = |event: &HistoryEvent| match &event.what {
        What::Approval(_, text) => text.clone(),
        _ => event.id.clone(),
    };
    let known: BTreeSet<_> = one.iter().map(name).collect();
    let news = other
        .into_iter()
        .filter(|event| !known.contains(&name(event)));
    let mut news = news.peekable();
    let mut all = Vec::new();
    for event in one {
        while let Some(earlier) = news.next_if(|new| new.at < event.at) {
            all.push(earlier);
        }
        all.push(event);
    }
    all.extend(news);
    all
}

/// As whom the file of signers knows the keys of the approvals. Where nobody can tell, the keys say it.
async fn signers_of(
    context: &Context,
    project: &Project,
    events: &[HistoryEvent],
) -> view::history::SignersOf {
    let is_approval = |event: &&HistoryEvent| matches!(event.what, What::Approval(..));
    if !events.iter().any(|event| is_approval(&event)) {
        return BTreeMap::new();
    }
    let binding = ops::signers_that_bind(&listening::around(context), project).await;
    let Some(signers) = binding.ok().flatten() else {
        return BTreeMap::new();
    };
    let named = events.iter().filter_map(|event| {
        let What::Approval(digest, text) = &event.what else {
            return None;
        };
        let files = [("it".to_owned(), text.clone())];
        let found = signatures(&files, digest, &signers, event.at).ok()?;
        let approved = found.approvals.into_iter().map(|approval| approval.signer);
        let signer = approved.chain(found.revoked).next()?;
        Some((event.id.clone(), signer))
    });
    map_of(named)
}
