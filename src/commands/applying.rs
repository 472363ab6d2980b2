//! Carrying a plan out, with everything around it: the lock, the journal, the last look, the
//! receipt, the words on the way.

use std::{num::NonZeroU16, path::PathBuf, sync::Arc, time::Duration};

use super::remembering::{self, AtWork, Team};
use crate::{
    apply::{
        Event, Finished, Job, Options, PostApplyDrift, at_most_pending,
        journal::{self, History, Journal},
        recorded_receipt,
    },
    approval::Approved,
    catalogue::ScopeEquivalence,
    config::Project,
    context::{Context, ExitStatus, Failure, UsageError},
    diff::{Action, ConsentNeed},
    fs::{self, LockError, Visibility},
    model::{App, Link, Observed},
    pending::{PendingSet, Store},
    plan::{self, Plan, Refusal},
    receipt::{self, Outcome, Receipt},
    remote::Remote,
    state::{AppState, Locked, StateError},
    view::{self, Theme},
};

/// How many writes are under way at once, unless the user or the settings say otherwise.
const PARALLELISM: usize = 8;

/// What one change takes on the disk, in bytes, in the pending store, the journal and the receipt
/// each: a link may be long.
const ROOM: usize = 4096;

/// Said where nothing is left to do, whoever did it.
const ALREADY_APPLIED: &str = "This plan was already applied. Nothing was written.";

/// How an apply is asked to go about it.
pub(super) struct Request {
    pub(super) options: Options,
    pub(super) lock_timeout: Duration,
    pub(super) receipt: Option<PathBuf>,
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
    /// That it has the approval that it needs.
    pub(super) approved: Approved,
    /// The remote as the plan was just made from it; `None` where time has passed since.
    pub(super) observed: Option<Observed>,
}

/// What came of it.
pub(super) struct Applied {
    pub(super) receipt: Receipt,
    pub(super) status: ExitStatus,
    pub(super) stripe_claim: Option<Link>,
    /// Still held, so that an authorization can follow without anybody coming between.
    pub(super) workspace: Option<Arc<Locked>>,
}

/// Carries a plan out. Nothing is written to the remote before every check has passed.
pub(super) async fn carry_out(
    context: &Context,
    work: Work<'_>,
    request: &Request,
) -> Result<Applied, Failure> {
    let digest = plan::document::digest(work.plan)?;
    if !work.approved.is_for(&digest) {
        return Err(Refusal::NotApproved {
            expected: work.approved.digest().clone(),
            actual: digest,
        }
        .into());
    }
    let changes = work.plan.changes().filter(|c| c.action != Action::NoOp);
    let room = changes.count() * ROOM;
    if let Some(path) = &request.receipt {
        fs::probe_writable(&context.output_path("--receipt", path)?, room)?;
    }
    let state = context.app_state(work.project, work.app);
    let locked = Arc::new(lock(context, &state, request.lock_timeout, "apply").await?);
    let team = Team::open(context, work.project, work.app).await?;
    let at_work = team.begin(context, "apply", request.lock_timeout).await?;
    let applied = under_lease(context, work, request, digest, room, locked, &at_work).await;
    at_work.end().await;
    applied
}

/// The same with lock and lease.
async fn under_lease(
    context: &Context,
    work: Work<'_>,
    request: &Request,
    digest: plan::Digest,
    room: usize,
    locked: Arc<Locked>,
    at_work: &AtWork,
) -> Result<Applied, Failure> {
    let mut pending = Store::load(&locked)?;
    remembering::merge(&mut pending, work.app, &at_work.waits().await?);
    let undeclared = pending.undeclared(&work.plan.app);
    let note = view::authorization::undeclared(undeclared.map(|(connector, _)| connector));
    if !note.is_empty() {
        context.terminal.say(&note);
    }
    // An answer that can not be kept would be a link that nobody has.
    locked.probe_writable(room)?;
    Store::check_fits(&at_most_pending(work.plan, &digest, &pending))?;
    let path = locked
        .ensure_journal_dir()?
        .join(journal::file_name(&digest));
    let mut history = journal::read(&path, &digest)?;
    if history.torn {
        context.warn("the last record of the journal was cut off by a crash; it is dropped");
    }
    // Looked at under the lock: what another run here did meanwhile is seen, and between this look
    // and the first write lies nothing but the comparison.
    let observed = match work.observed {
        Some(observed) if !work.plan.has_changes() => observed,
        _ => {
            let reading = work.remote.observe();
            view::progress::during(&context.terminal, "Reading the app", reading).await?
        }
    };
    let fresh = std::collections::BTreeMap::new();
    if history.finished {
        let waits = pending
            .of(work.app)
            .any(|(_, e)| e.plan_digest.as_ref() == Some(&digest));
        let anew = plan::verify(
            work.plan,
            work.app,
            context.now(),
            &observed.connectors,
            &fresh,
            work.rules,
        );
        if waits || anew.is_err() || anew.is_ok_and(|anew| anew.is_all_done()) {
            let recorded = recorded_receipt(
                work.plan, &digest, &history, &pending, &observed, work.rules,
            );
            return already_applied(context, request, recorded, observed);
        }
        // Something is again as this plan saw it: it is a new plan with the same content.
        fs::remove(&path)?;
        history = History::default();
    }
    let progress = history.progress();
    let verified = plan::verify(
        work.plan,
        work.app,
        context.now(),
        &observed.connectors,
        &progress,
        work.rules,
    );
    let verified = verified.inspect_err(|_| {
        let (receipt, _) = recorded_receipt(
            work.plan, &digest, &history, &pending, &observed, work.rules,
        );
        say_earlier(context, &history, &receipt);
    })?;
    if forget_done(&mut pending, work.app, work.plan) {
        Store::save(&locked, &pending)?;
    }
    if verified.is_all_done() && !history.has_begun() {
        context.terminal.say(ALREADY_APPLIED);
    } else if history.has_begun() {
        context
            .terminal
            .say("Going on where an earlier run of this plan stopped.");
    }
    let journal = Journal::open(
        &path,
        &history,
        &digest,
        work.app,
        Arc::clone(&locked),
        pending.clone(),
    )?;
    let events = |event: &Event<'_>| {
        if let Event::Finished(result) = event {
            context.terminal.say(&view::text::progress(
                result,
                Theme::new(context.terminal.color_stderr()),
            ));
        }
    };
    let (recorder, writing) = journal.start();
    let job = Job {
        verified,
        digest: digest.clone(),
        remote: work.remote,
        observed: &observed,
        history: &history,
        pending: &pending,
        recorder,
        rules: work.rules,
        options: request.options,
        cancel: context.signals.graceful(),
        events: &events,
    };
    at_work.check().await?;
    let mut finished = view::progress::during(&context.terminal, "Applying", job.run()).await;
    finished.receipt.approvals = work.approved.approvals().to_vec();
    finished.receipt.origin = context.origin();
    // It holds the lock too. Had it failed, a note would have failed before.
    let _ = writing.await;
    match Store::load(&locked) {
        Ok(pending) => at_work.applied(context, &finished.receipt, &pending).await,
        Err(e) => context.warn(&e.to_string()),
    }
    let applied = finish(context, request, finished, locked)?;
    if applied.status == ExitStatus::Done {
        prune(&applied, &digest);
    }
    Ok(applied)
}

/// Old journals go once they are not needed. One that stays does no harm.
fn prune(applied: &Applied, digest: &plan::Digest) {
    let Some(locked) = &applied.workspace else {
        return;
    };
    let pruned = match Store::load(locked) {
        Ok(pending) => journal::prune(locked, digest, &pending).map_err(|e| e.to_string()),
        Err(e) => Err(e.to_string()),
    };
    if let Err(why) = pruned {
        tracing::info!(why, "old journals stay");
    }
}

/// A plan that was cut short and can not be finished any more: what it did stands nowhere else.
fn say_earlier(context: &Context, history: &History, recorded: &Receipt) {
    if !history.has_begun() {
        return;
    }
    let theme = Theme::new(context.terminal.color_stderr());
    let (done, unclear): (Vec<_>, Vec<_>) = recorded
        .results()
        .filter(|result| history.writes.contains_key(&result.connector))
        .partition(|result| history.done(&result.connector).is_some());
    context
        .terminal
        .insist(&view::text::cut_short(&done, &unclear, theme));
}

/// Takes out what the remote has in force as declared: somebody consented, and nobody waits. Left
/// in, it would hide that the connector breaks or goes one day.
fn forget_done(pending: &mut PendingSet, app: &App, plan: &Plan) -> bool {
    let in_force = plan.changes().filter(|change| {
        // What a consent left out stays known.
        change.action == Action::NoOp
            && change.authorization == ConsentNeed::None
            && change.dropped.is_empty()
    });
    let forgotten = in_force.filter(|change| pending.remove(app, &change.connector));
    forgotten.count() > 0
}

/// Takes the project's lock, and says what was not private in it. Waiting for it leaves signals
/// alone.
pub(super) async fn lock(
    context: &Context,
    state: &AppState,
    timeout: Duration,
    doing: &str,
) -> Result<Locked, Failure> {
    let holder = context.holder(doing);
    let locked = match state.lock(Duration::ZERO, &holder) {
        Err(StateError::Lock(LockError::Held { holder: other, .. })) if !timeout.is_zero() => {
            context
                .terminal
                .say(&format!("Waiting for another connplan: {other}"));
            let state = state.clone();
            tokio::task::spawn_blocking(move || state.lock(timeout, &holder))
                .await
                .map_err(|e| UsageError::new(format!("the lock could not be waited for: {e}")))??
        }
        other => other?,
    };
    context.warn_loose(locked.loose());
    Ok(locked)
}

/// Says and saves what an apply came to.
fn finish(
    context: &Context,
    request: &Request,
    finished: Finished,
    workspace: Arc<Locked>,
) -> Result<Applied, Failure> {
    for mismatch in &finished.mismatches {
        context.warn(&format!("after the apply, {mismatch}"));
    }
    if let Some(reason) = &finished.unread {
        context.warn(&format!(
            "the app could not be read back after the apply ({reason}); `connplan plan` shows \
             whether it is as planned"
        ));
    }
    let mut status = status(&finished, context);
    if let Some(reason) = &finished.unrecorded {
        // Nobody will be able to read it from the journal: say all of it.
        let text = receipt::to_toml(&finished.receipt, None)?;
        context.terminal.insist(&format!(
            "error: what was done could not be written down ({}). It is:\n\n{text}\n\
             Mend that (make room, say), then apply again: what is done is not done twice.",
            crate::escape::terminal(reason)
        ));
        status = ExitStatus::Error;
    }
    match save(context, request, &finished.receipt) {
        // It was shown already.
        Err(e) if finished.unrecorded.is_some() => context.warn(&e.report.to_string()),
        Err(e) => {
            let text = receipt::to_toml(&finished.receipt, None)?;
            context.terminal.insist(&format!("{text}\n"));
            return Err(e);
        }
        Ok(()) => {}
    }
    Ok(Applied {
        receipt: finished.receipt,
        status,
        stripe_claim: finished.stripe_claim,
        workspace: Some(workspace),
    })
}

fn status(finished: &Finished, context: &Context) -> ExitStatus {
    // What was waited for before counts for nothing: this plan did not ask for it.
    let any = |wanted: fn(Outcome) -> bool| {
        let mut changes = finished
            .receipt
            .results()
            .filter(|result| result.action != Action::NoOp);
        changes.any(|result| wanted(result.outcome))
    };
    let failed = any(|outcome| outcome == Outcome::Failed);
    match (finished.interrupted, failed) {
        (true, _) => context.signals.status().unwrap_or(ExitStatus::Interrupted),
        (false, false) => ExitStatus::Done,
        (false, true) if any(Outcome::is_effect) => ExitStatus::Partial,
        (false, true) => ExitStatus::Error,
    }
}

fn save(context: &Context, request: &Request, receipt: &Receipt) -> Result<(), Failure> {
    if let Some(path) = &request.receipt {
        let text = receipt::to_toml(receipt, Some(context.now().to_string()))?;
        fs::write(&context.path(path), text.as_bytes(), Visibility::Shared)?;
    }
    Ok(())
}

fn already_applied(
    context: &Context,
    request: &Request,
    (receipt, moved): (Receipt, Vec<PostApplyDrift>),
    observed: Observed,
) -> Result<Applied, Failure> {
    context.terminal.say(ALREADY_APPLIED);
    for mismatch in &moved {
        context.warn(&format!("since it was applied, {mismatch}"));
    }
    save(context, request, &receipt)?;
    Ok(Applied {
        receipt,
        status: ExitStatus::Done,
        stripe_claim: observed.stripe_claim,
        workspace: None,
    })
}
