//! `connplan status`.

use std::path::PathBuf;

use clap::Args;

use super::planning::{self, PlanningArgs};
use crate::{
    context::{Context, ExitStatus, Failure, Format},
    diff::Action,
    view,
};

/// Arguments of `status`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  connplan status --detailed-exitcode   # 2: files and remote differ"
)]
pub struct StatusArgs {
    /// Read connector files from PATH instead of the project's folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Take the pending authorizations from this receipt too (repeatable)
    #[arg(long = "receipt", value_name = "FILE", num_args = 1.., value_hint = clap::ValueHint::FilePath)]
    pub receipts: Vec<PathBuf>,
    /// End with 2 if files and remote differ; what only waits for a person does not count
    #[arg(long)]
    pub detailed_exitcode: bool,
}

/// Shows a row for each connector.
pub async fn run(args: &StatusArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let mut situation = planning::look(context, args.dir.as_deref()).await?;
    planning::take_receipts(context, &mut situation, &args.receipts).await?;
    let situation = situation;
    // To look is never refused: nothing is removed by it.
    let planning = PlanningArgs {
        allow_remove_all: true,
        ..PlanningArgs::default()
    };
    let plan = situation.look_only(&planning.wishes())?;
    planning::say_uncompared(context, &plan);
    let pending = &situation.files.pending;
    let folder = situation.files.project.folder();
    let undeclared: Vec<_> = pending
        .undeclared(&plan.app)
        .map(|(connector, entry)| {
            let elsewhere = entry.elsewhere(&folder).map(str::to_owned);
            (connector.clone(), elsewhere)
        })
        .collect();
    let mut rows = view::status::rows(
        &plan,
        |connector| {
            pending
                .get(&situation.app, connector)
                .map(|entry| entry.since)
                .or_else(|| situation.files.receipt_since(connector))
        },
        |connector| match pending.get(&situation.app, connector) {
            Some(entry) => !entry.dropped_by_platform,
            None => situation.files.receipt_since(connector).is_some(),
        },
        &undeclared,
    );
    for row in rows.iter_mut().filter(|row| row.pending_since.is_some()) {
        row.asked_by = situation.waits.asked_by(&row.connector);
    }
    context
        .terminal
        .out(&view::status::show(&situation.app, &rows, &medium));
    let claim = situation.observed.stripe_claim.as_ref();
    view::stripe::show_claim(
        &medium,
        &context.terminal,
        &situation.app,
        claim,
        view::stripe::time_left(situation.observed.stripe_expires_at, context.now()).as_deref(),
        &context.said_claim,
    );
    if !args.detailed_exitcode {
        return Ok(ExitStatus::Done);
    }
    // As `plan --detailed-exitcode`: a connector that lost its authorization is a difference too.
    let differs = plan.changes().any(|change| change.action != Action::NoOp);
    Ok(if differs {
        ExitStatus::Changes
    } else {
        ExitStatus::Done
    })
}
