//! Carrying a plan out, as `apply` and `push` ask for it and tell of it.

use std::{num::NonZeroU16, time::Duration};

use super::listening;
use crate::{
    apply::Options,
    approval::Approved,
    catalogue::ScopeEquivalence,
    config::Project,
    context::{Context, ExitStatus, Failure},
    fs::Destination,
    model::{App, Link, Observed},
    ops::{
        ApplyEnd, ApplyInputs, ApplyOutcome, ApplySession, ApprovalGate, PlanSession, bytes_needed,
    },
    plan::{Override, Plan},
    policy::Judgement,
    receipt::{self, Receipt},
    remote::Remote,
    view,
};

/// How many writes are under way at once, unless the user or the settings say otherwise.
const PARALLELISM: usize = 8;

/// How an apply is asked to go about it.
pub(super) struct Request {
    pub(super) options: Options,
    pub(super) lock_timeout: Duration,
    pub(super) receipt: Option<Destination>,
}

/// The command line's options, else the settings', else the defaults.
pub(super) fn options(
    context: &Context,
    project: &Project,
    parallelism: Option<NonZeroU16>,
    keep_going: bool,
) -> Options {
    let settings = &project.settings.apply;
    let parallelism = parallelism.or(settings.parallelism);
    Options {
        parallelism: parallelism.map_or(PARALLELISM, |n| usize::from(n.get())),
        keep_going: keep_going || settings.keep_going.unwrap_or(false),
        read_again: context.retry_base().unwrap_or(Duration::from_secs(1)),
    }
}

/// What is to be carried out, where.
pub(super) struct Work<'a> {
    pub(super) app: &'a App,
    pub(super) project: &'a Project,
    pub(super) remote: &'a Remote,
    pub(super) rules: &'a ScopeEquivalence,
    pub(super) plan: &'a Plan,
    /// What the policy in force says to it, where the app has so many connectors.
    pub(super) judge: &'a dyn Fn(usize) -> Judgement,
    /// The rules that it breaks with somebody's consent.
    pub(super) overrides: Vec<Override>,
    /// That it has the approval that it needs.
    pub(super) approved: Approved,
    /// What looks whether it still has.
    pub(super) gate: &'a ApprovalGate<'a>,
    /// The remote as the plan was just made from it; `None` where time has passed since.
    pub(super) observed: Option<&'a Observed>,
}

impl<'a> Work<'a> {
    /// A plan that was made just now. While somebody thought about it, the app may have changed.
    pub(super) fn fresh(
        session: &'a PlanSession,
        plan: &'a Plan,
        judge: &'a dyn Fn(usize) -> Judgement,
        (approved, gate): (Approved, &'a ApprovalGate<'a>),
        asked: bool,
    ) -> Self {
        Self {
            app: &session.app,
            project: &session.files.project,
            remote: &session.remote,
            rules: &session.files.rules,
            plan,
            judge,
            overrides: plan.overrides.clone(),
            approved,
            gate,
            observed: (!asked).then_some(&session.observed),
        }
    }
}

/// What came of it.
pub(super) struct Applied {
    pub(super) receipt: Receipt,
    pub(super) status: ExitStatus,
    pub(super) stripe_claim: Option<Link>,
    /// Whether each write was told as it came.
    pub(super) told: bool,
}

/// Carries a plan out, and says and saves what came of it.
pub(super) async fn carry_out(
    context: &Context,
    work: Work<'_>,
    request: &Request,
) -> Result<Applied, Failure> {
    if let Some(file) = &request.receipt {
        file.probe_writable(bytes_needed(work.plan))?;
    }
    let cancel = || context.signals.graceful();
    let inputs = ApplyInputs {
        app: work.app,
        project: work.project,
        remote: work.remote,
        rules: work.rules,
        plan: work.plan,
        judge: work.judge,
        overrides: work.overrides,
        approved: work.approved,
        gate: work.gate,
        observed: work.observed,
        state: context.app_state(work.project, work.app),
        options: request.options,
        patience: request.lock_timeout,
        cancel: &cancel,
    };
    let mut session = ApplySession::begin(inputs, listening::around(context)).await?;
    let applied = Box::pin(finish(context, &mut session, request)).await;
    session.end().await;
    applied
}

async fn finish(
    context: &Context,
    session: &mut ApplySession<'_>,
    request: &Request,
) -> Result<Applied, Failure> {
    let terminal = &context.terminal;
    let reading = session.observe();
    let observed = view::progress::during(terminal, "Reading the app", reading).await?;
    let running = Box::pin(session.run(observed));
    let outcome = view::progress::during(terminal, "Applying", running).await?;
    let status = report(context, request, &outcome)?;
    if outcome.ended == ApplyEnd::Done && status == ExitStatus::Done {
        session.prune();
    }
    Ok(Applied {
        receipt: outcome.receipt,
        status,
        told: outcome.ended != ApplyEnd::AlreadyApplied,
        stripe_claim: outcome.stripe_claim,
    })
}

/// Says and saves what an apply came to.
fn report(
    context: &Context,
    request: &Request,
    outcome: &ApplyOutcome,
) -> Result<ExitStatus, Failure> {
    let account = view::text::account(&outcome.receipt);
    context.signals.account(account);
    let since = match outcome.ended {
        ApplyEnd::AlreadyApplied => "since it was applied",
        _ => "after the apply",
    };
    for drift in &outcome.drift {
        context.warn(&format!("{since}, {drift}"));
    }
    if let Some(reason) = &outcome.unread {
        context.warn(&format!(
            "the app could not be read back after the apply ({reason}); {} shows whether it is as \
             planned",
            view::in_context("`connplan plan`")
        ));
    }
    let mut status = match outcome.ended {
        ApplyEnd::AlreadyApplied | ApplyEnd::Done => ExitStatus::Done,
        ApplyEnd::Partial => ExitStatus::Partial,
        ApplyEnd::Failed => ExitStatus::Error,
        ApplyEnd::Interrupted => context.signals.status().unwrap_or(ExitStatus::Interrupted),
    };
    if let Some(reason) = &outcome.unrecorded {
        // Nobody will be able to read it from the journal: say all of it.
        let text = receipt::to_toml(&outcome.receipt, None)?;
        context.terminal.insist(&format!(
            "error: the record of what was done could not be saved ({}). It is:\n\n{text}\n\
             Fix that (for example, free disk space), then apply again: nothing is done twice.",
            crate::escape::terminal(reason)
        ));
        status = ExitStatus::Error;
    }
    match save(context, request, &outcome.receipt) {
        // It was shown already.
        Err(e) if outcome.unrecorded.is_some() => context.warn(&e.report.to_string()),
        Err(e) if outcome.ended != ApplyEnd::AlreadyApplied => {
            let text = receipt::to_toml(&outcome.receipt, None)?;
            context.terminal.insist(&format!("{text}\n"));
            return Err(e);
        }
        saved => saved?,
    }
    Ok(status)
}

fn save(context: &Context, request: &Request, receipt: &Receipt) -> Result<(), Failure> {
    if let Some(file) = &request.receipt {
        let text = receipt::to_toml(receipt, Some(context.now().to_string()))?;
        file.write(text.as_bytes())?;
    }
    Ok(())
}
