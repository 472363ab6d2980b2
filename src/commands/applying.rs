//! Carrying a plan out, as `apply` and `push` ask for it and tell of it.

use std::{num::NonZeroU16, time::Duration};

use super::listening;
use crate::{
    apply::{Options, PostApplyDrift},
    config::Project,
    context::{Context, ExitStatus, Failure},
    fs::Destination,
    model::Link,
    ops::{ApplyEnd, ApplyInputs, ApplyOutcome, ApplySession, bytes_needed},
    receipt::{self, ChangeResult, Outcome, Receipt},
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
    inputs: ApplyInputs<'_>,
    request: &Request,
) -> Result<Applied, Failure> {
    if let Some(file) = &request.receipt {
        file.probe_writable(bytes_needed(inputs.plan))?;
    }
    let around = listening::around(context);
    let (options, patience) = (request.options, request.lock_timeout);
    let mut session = ApplySession::begin(inputs, around, options, patience).await?;
    let applied = Box::pin(finish(context, &mut session, request)).await;
    session.end().await;
    context.signals.tells();
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
    // What failed for it stands in the receipt, with the same words.
    let failed = |drift: &PostApplyDrift| {
        let of_it = |result: &&ChangeResult| {
            result.connector == drift.connector && result.outcome == Outcome::Failed
        };
        let mut results = outcome.receipt.results().filter(of_it);
        results.any(|result| {
            let message = result.message.as_ref();
            message.is_some_and(|message| message.contains(&drift.text))
        })
    };
    let told = |drift: &&PostApplyDrift| context.prints_text() && failed(drift);
    for drift in outcome.drift.iter().filter(|drift| !told(drift)) {
        context.warn(&format!("{since}, {drift}"));
    }
    if let Some(reason) = &outcome.unread {
        context.warn(&format!(
            "the app could not be read back after the apply ({reason}); {} shows whether it is as \
             planned",
            context.next().within("`connplan plan`")
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
