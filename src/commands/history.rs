//! `connplan history`.

use std::collections::BTreeMap;

use clap::Args;

use super::listening;
use crate::{
    approval::signatures,
    config::Project,
    context::{Context, ExitStatus, Failure, Format},
    ops,
    store::{HistoryEvent, What},
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
    let signers = signers_of(context, &project, &events).await;
    let name = team.memory().name();
    let accounts = context.globals.show_accounts;
    context.terminal.out(&view::history::show(
        &app, name, &events, &signers, accounts, &medium,
    ));
    Ok(ExitStatus::Done)
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
    named.collect()
}
