//! `connplan drift`.

use std::path::PathBuf;

use clap::Args;
use jiff::SignedDuration;

use super::planning::{self, PlanningArgs};
use crate::{
    context::{Context, ExitStatus, Failure, Format},
    drift,
    syntax::MaxDuration,
    view::drift::DriftReport,
};

/// Arguments of `drift`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Ends with 0 where app and files agree, and with 2 where they do not. What waits for a person is \
                  drift\nonly after --pending-after.\n\nExamples:\n  connplan drift --receipt last.receipt\n  \
                  connplan drift --pending-after 24h --format markdown"
)]
pub struct DriftArgs {
    /// What an apply brought: tells what was changed outside from what is not applied yet
    /// (repeatable; the last one last)
    #[arg(long = "receipt", value_name = "FILE", num_args = 1.., value_hint = clap::ValueHint::FilePath)]
    pub receipts: Vec<PathBuf>,
    /// What waits longer than this for a person is drift too
    #[arg(long, value_name = "DURATION")]
    pub pending_after: Option<MaxDuration>,
    /// Read connector files from PATH instead of the project's folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Looks, and changes nothing.
pub async fn run(args: &DriftArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json, Format::Markdown])?;
    let mut situation = planning::look(context, args.dir.as_deref()).await?;
    let app = situation.app.clone();
    planning::read_receipts(context, &mut situation.files, &args.receipts, &app)?;
    // To look is never refused: nothing is removed by it.
    let planning = PlanningArgs {
        allow_remove_all: true,
        ..PlanningArgs::default()
    };
    let plan = situation.look_only(&planning.wishes())?;
    let files = &situation.files;
    let receipts: Vec<_> = files.receipts.iter().map(|saved| &saved.receipt).collect();
    let since = |connector: &_| {
        let entry = files.pending.get(&situation.app, connector);
        let since = entry.map(|entry| entry.since);
        since.or_else(|| files.receipt_since(connector))
    };
    let limit = args.pending_after.map(MaxDuration::get);
    let limit = limit.and_then(|limit| SignedDuration::try_from(limit).ok());
    let found = drift::find(
        &plan,
        &receipts,
        since,
        (context.now(), limit),
        &files.rules,
    );
    let report = DriftReport::new(&situation.app, &found);
    context.terminal.out(&report.show(&medium));
    Ok(if found.is_some() {
        ExitStatus::Changes
    } else {
        ExitStatus::Done
    })
}
