//! `connplan apply`.

use std::{num::NonZeroU16, path::PathBuf, rc::Rc};

use clap::Args;

use super::{
    applying::{self, Applied, Request},
    approving::ApprovalArgs,
    listening,
    planning::{self, PlanningArgs},
    printing::MarkdownArgs,
};
use crate::{
    config::Project,
    context::{Context, ExitStatus, Failure, Format, UsageError},
    diff::Action,
    fs::Destination,
    ops::{self, SavedInputs, SavedPlan},
    plan::{Digest, document},
    receipt::{self, Outcome},
    syntax::MaxDuration,
    term::Answer,
    view::{self, Medium, report::PlanReport},
};

/// Arguments of `apply`.
#[derive(Clone, Debug, Default, Args)]
#[command(
    after_help = "Examples:\n  connplan apply release.plan --receipt release.receipt\n  \
                        connplan apply release.plan --expect-digest sha256:…\n  \
                        connplan apply                       # plans, shows, asks, applies"
)]
pub struct ApplyArgs {
    /// A plan saved by `connplan plan --out`, or the digest of one in the store; without one: plan, show, ask, apply
    #[arg(value_name = "PLANFILE", value_hint = clap::ValueHint::FilePath)]
    pub plan: Option<PathBuf>,
    /// Without PLANFILE: do not ask
    #[arg(long, visible_alias = "yes", visible_short_alias = 'y')]
    pub auto_approve: bool,
    /// Refuse any plan but the one with this digest
    #[arg(long, value_name = "DIGEST")]
    pub expect_digest: Option<Digest>,
    /// Save what was done to FILE; it holds no link and no credential
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub receipt: Option<PathBuf>,
    /// How many writes at once [default: 8]
    #[arg(long, value_name = "N", hide_short_help = true)]
    pub parallelism: Option<NonZeroU16>,
    /// Do the removals even if a write failed
    #[arg(long, hide_short_help = true)]
    pub keep_going: bool,
    /// How long to wait for another connplan that works on this app [default: fail at once]
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    pub lock_timeout: Option<MaxDuration>,
    /// End with 4 if authorizations are pending
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Who approved it.
    #[command(flatten)]
    pub approval: ApprovalArgs,
    /// What to look at, without PLANFILE.
    #[command(flatten, next_help_heading = "Planning (without PLANFILE)")]
    pub planning: PlanningArgs,
}

/// Applies.
pub async fn run(args: &ApplyArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let receipt = args.receipt.as_deref();
    let receipt = receipt
        .map(|file| context.output_file("--receipt", file))
        .transpose()?;
    let applied = match &args.plan {
        Some(file) => Some(saved(args, context, file, receipt).await?),
        None => fresh(args, context, &medium, receipt).await?,
    };
    let Some(applied) = applied else {
        context
            .terminal
            .say("Apply cancelled. Nothing was written.");
        return Ok(ExitStatus::Error);
    };
    print(&applied, args, context, &medium)?;
    let pending = applied
        .receipt
        .results()
        .any(|result| result.outcome == Outcome::Pending);
    Ok(match applied.status {
        ExitStatus::Done if pending && args.detailed_exitcode => ExitStatus::Pending,
        status => status,
    })
}

/// Exactly the saved plan, without asking: having it reviewed was the question.
async fn saved(
    args: &ApplyArgs,
    context: &Context,
    file: &std::path::Path,
    receipt: Option<Destination>,
) -> Result<Applied, Failure> {
    let planning = &args.planning;
    if !planning.targets.is_empty()
        || planning.keep_unlisted
        || planning.allow_remove_all
        || planning.dir.is_some()
    {
        return Err(UsageError::with_help(
            "planning options cannot be combined with a saved plan",
            "give them to `connplan plan --out FILE`; the plan says what is done",
        )
        .into());
    }
    let listening::NamedPlan {
        digest: named,
        name,
        text,
    } = listening::named_plan(context, file).await?;
    let around = listening::around(context);
    let inputs = SavedInputs {
        name: &name,
        text,
        expected: [named.as_ref(), args.expect_digest.as_ref()],
        overrides: &planning.overrides,
        reason: planning.reason.as_deref(),
        shown: args.approval.shown(Some(file)),
    };
    let saved = SavedPlan::check(around, inputs).await?;
    let remote = context.remote(&saved.project, &saved.app).await?;
    context.say_who_acts(&remote).await;
    let inputs = saved.to_apply(&remote).await?;
    let request = request(context, args, &saved.project, receipt);
    Box::pin(applying::carry_out(context, inputs, &request)).await
}

/// Plans, shows, asks, applies. `None` if the answer was not yes.
async fn fresh(
    args: &ApplyArgs,
    context: &Context,
    medium: &Medium<'_>,
    receipt: Option<Destination>,
) -> Result<Option<Applied>, Failure> {
    let mut situation = planning::look_to_apply(context, args.planning.dir.as_deref()).await?;
    let mut plan = situation.plan(&args.planning.wishes())?;
    let around = listening::around(context);
    situation
        .explain(&mut plan, &args.planning.wishes(), &around)
        .await;
    // Where nothing is to be done nobody is asked, anywhere.
    let asks = (plan.has_changes() || plan.withdraws()) && !args.auto_approve;
    if asks && !context.terminal.is_interactive() {
        return Err(planning::cannot_ask(
            "the plan must be confirmed",
            "--auto-approve",
        ));
    }
    let digest = document::digest(&plan)?;
    let report = PlanReport::new(&plan, &digest).at(medium.now);
    view::plan::propose(report, medium, &context.terminal);
    ops::is_expected(&digest, args.expect_digest.as_ref())?;
    let plan = Rc::new(plan);
    let (around, shown) = (listening::around(context), args.approval.shown(None));
    let gate = situation
        .gate(around, (Rc::clone(&plan), digest), shown)
        .await?;
    let approved = gate.pass().await?;
    context.say_who_acts(&situation.remote).await;
    if asks && planning::confirm(context, &situation.app).await == Answer::No {
        return Ok(None);
    }
    let request = request(context, args, &situation.files.project, receipt);
    let inputs = situation.to_apply(&plan, (approved, &gate), asks);
    Box::pin(applying::carry_out(context, inputs, &request))
        .await
        .map(Some)
}

fn request(
    context: &Context,
    args: &ApplyArgs,
    project: &Project,
    receipt: Option<Destination>,
) -> Request {
    Request {
        options: applying::options(context, project, args.parallelism, args.keep_going),
        lock_timeout: args.lock_timeout.map(MaxDuration::get).unwrap_or_default(),
        receipt,
    }
}

fn print(
    applied: &Applied,
    args: &ApplyArgs,
    context: &Context,
    medium: &Medium<'_>,
) -> Result<(), Failure> {
    let options = MarkdownArgs::default().options(args.receipt.as_deref(), context);
    let digest = receipt::digest(&applied.receipt)?;
    // That there is nothing to do was said with the plan, right above.
    let mut results = applied.receipt.results();
    let idle = args.plan.is_none() && results.all(|result| result.action == Action::NoOp);
    if !(idle && medium.told && args.receipt.is_none()) {
        let end = view::receipt::End {
            before: !applied.told,
            planned: args.plan.is_none(),
        };
        let shown = view::receipt::show_end((&applied.receipt, &digest), &options, medium, end);
        context.terminal.out(&shown);
    }
    view::stripe::say(
        &context.terminal,
        &applied.receipt.app,
        &applied.receipt,
        applied.stripe_claim.as_ref(),
        &context.said_claim,
    );
    Ok(())
}
