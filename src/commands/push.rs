//! `connplan push`: plan, ask, apply, authorize in one go.

use std::{rc::Rc, sync::Arc};

use clap::Args;

use super::{
    applying::{self, Request},
    approving::ApprovalArgs,
    authorizing::{self, OfferArgs, SessionOutcome, Waiting},
    listening,
    planning::{self, PlanningArgs},
};
use crate::{
    authorize::{AuthorizationResult, Item},
    context::{Context, ExitStatus, Failure, Format},
    model::ConnectorType,
    ops::{AtWork, AuthorizeInputs, AuthorizeSession, LazyBinding, PlanSession, known},
    plan::document,
    receipt::{self, Outcome, Receipt},
    state::Locked,
    syntax::MaxDuration,
    term::Answer,
    view::{self, Medium, authorization::Again, report::PlanReport},
};

/// Arguments of `push`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan push\n  connplan push --yes        # in a pipeline; leaves authorizations pending"
)]
pub struct PushArgs {
    /// Do not ask before applying
    #[arg(short, long)]
    pub yes: bool,
    /// How long to wait for all authorizations together [default: 10m]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<MaxDuration>,
    /// How long to wait for another connplan that works on this app [default: 5 s for the authorizations, else fail at once]
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    pub lock_timeout: Option<MaxDuration>,
    /// How links come to a person.
    #[command(flatten)]
    pub offer: OfferArgs,
    /// What to look at.
    #[command(flatten)]
    pub planning: PlanningArgs,
}

/// Pushes.
pub async fn run(args: &PushArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let offer = args.offer.offer(context)?;
    let mut situation = planning::look_to_apply(context, args.planning.dir.as_deref()).await?;
    let actor = context.say_who_acts(&situation.remote).await;
    let mut plan = situation.plan(&args.planning.wishes())?;
    let around = listening::around(context);
    situation
        .explain(&mut plan, &args.planning.wishes(), &around)
        .await;
    // Where nothing is to be done nobody is asked, anywhere.
    let asks = (plan.has_changes() || plan.withdraws()) && !args.yes;
    if asks && !context.terminal.is_interactive() {
        return Err(planning::cannot_ask("the plan must be confirmed", "--yes"));
    }
    let digest = document::digest(&plan)?;
    let names: Vec<_> = situation
        .files
        .declared
        .connectors
        .keys()
        .map(ConnectorType::as_str)
        .collect();
    context.terminal.say(&match names.len() {
        0 => "No local connectors found".to_owned(),
        count => format!("Found {count} connectors to push: {}", names.join(", ")),
    });
    let report = PlanReport::new(&plan, &digest).at(medium.now);
    view::plan::push(report, &medium, &context.terminal);
    let (plan, none) = (Rc::new(plan), ApprovalArgs::default());
    let whose = (Rc::clone(&plan), digest);
    let around = listening::around(context);
    let gate = situation.gate(around, whose, none.shown(None)).await?;
    let approved = gate.pass().await?;
    if asks && planning::confirm(context, &situation.app).await == Answer::No {
        context.terminal.say("Push cancelled. Nothing was written.");
        return Ok(ExitStatus::Error);
    }
    let request = Request {
        options: applying::options(context, &situation.files.project, None, false),
        lock_timeout: args.lock_timeout.map(MaxDuration::get).unwrap_or_default(),
        receipt: None,
    };
    let inputs = situation.to_apply(&plan, (approved, &gate), asks);
    let applied = Box::pin(applying::carry_out(context, inputs, &request)).await?;
    let authorized = if context.signals.status().is_some() {
        let waits = applied
            .receipt
            .results()
            .any(|result| result.outcome == Outcome::Pending);
        if waits {
            let part = "no authorization was requested".to_owned();
            context.signals.account(part);
        }
        Ok((Vec::new(), SessionOutcome::NothingToDo))
    } else {
        authorize_all(
            args,
            (medium, offer, &actor),
            context,
            (&situation, &gate.into_binding()),
            &applied.receipt,
        )
        .await
    };
    // Whatever became of that, what was applied has to be said.
    let (results, outcome, failed) = match authorized {
        Ok((results, outcome)) => {
            if !results.is_empty() {
                let account = view::authorization::account(&results, &Again::new(context.next()));
                context.signals.account(account);
            }
            (results, outcome, None)
        }
        Err(failure) => {
            let failed = context.tell(&failure);
            (Vec::new(), SessionOutcome::NothingToDo, Some(failed))
        }
    };
    let end = view::push::PushEnd {
        app: &situation.app,
        receipt: &applied.receipt,
        digest: &receipt::digest(&applied.receipt)?,
        results: &results,
        waited: outcome == SessionOutcome::Waited,
    };
    // The waiting took its time.
    let medium = medium.at(context.now());
    context.terminal.out(&end.show(&medium));
    view::stripe::say(
        &context.terminal,
        &situation.app,
        &applied.receipt,
        applied.stripe_claim.as_ref(),
        &context.said_claim,
    );
    match outcome {
        SessionOutcome::NotInteractive => context.terminal.say(&context.next().within(
            "Skipped OAuth in non-interactive mode. Run `connplan authorize` in a terminal to \
                 complete it.",
        )),
        SessionOutcome::Declined => context.terminal.say(
            &context
                .next()
                .within("Authorization skipped. Run `connplan authorize` to complete it."),
        ),
        SessionOutcome::Waited | SessionOutcome::NothingToDo => {}
    }
    let open = results.iter().any(|result| result.state.has_work_left());
    Ok(match (context.signals.status(), failed) {
        (Some(interrupted), _) => interrupted,
        (None, _) if applied.status != ExitStatus::Done => applied.status,
        (None, Some(failed)) => failed,
        (None, None) if open => ExitStatus::Pending,
        (None, None) => ExitStatus::Done,
    })
}

async fn authorize_all(
    args: &PushArgs,
    (medium, offer, actor): (Medium<'_>, authorizing::Offer, &str),
    context: &Context,
    (situation, binding): (&PlanSession, &LazyBinding),
    receipt: &Receipt,
) -> Result<(Vec<AuthorizationResult>, SessionOutcome), Failure> {
    let files = &situation.files;
    let state = context.app_state(&files.project, &situation.app);
    let patience = std::time::Duration::from_secs(5);
    let patience = args
        .lock_timeout
        .map_or(patience, |given| given.get().max(patience));
    let around = listening::around(context);
    // The apply gave its lease back: from here on a person decides, and each link takes it again.
    let place = (&files.project, &situation.app, &state);
    let whose = (medium, offer, actor);
    let work = async |locked, at_work: &AtWork| {
        let session = (situation, binding);
        under_lease(args, whose, context, session, receipt, (locked, at_work)).await
    };
    AtWork::on_consents(&around, place, "push", patience, work).await
}

/// The same with lock and lease.
async fn under_lease(
    args: &PushArgs,
    (medium, offer, actor): (Medium<'_>, authorizing::Offer, &str),
    context: &Context,
    (situation, binding): (&PlanSession, &LazyBinding),
    receipt: &Receipt,
    (locked, at_work): (Arc<Locked>, &AtWork),
) -> Result<(Vec<AuthorizationResult>, SessionOutcome), Failure> {
    let files = &situation.files;
    let pending = known::own(&locked).await?;
    drop(locked);
    let app = &situation.app;
    let wanted = files.declared.values().chain(pending.values(app));
    let observed = situation.remote.observe_with(wanted).await?;
    let targets = args.planning.targets.iter().cloned().collect();
    let inputs = AuthorizeInputs {
        app,
        remote: &situation.remote,
        listed: &observed.connectors,
        rules: &files.rules,
        project: &files.project,
        binding,
        declared: Some(&files.declared),
        receipt: Some((receipt, None, true)),
        targets: &targets,
        pending,
    };
    let waiting = Waiting {
        medium,
        timeout: authorizing::time_limit(args.timeout, &files.project),
        offer,
        page_host: args.offer.page_host.as_ref(),
        // Opening a browser is asked for apart; where nobody is there, it is not done.
        yes: args.offer.print_links,
        actor,
    };
    let waiting = |_: &AuthorizeSession<'_>| Ok(Some(waiting));
    let (session, outcome) = authorizing::resume(context, inputs, Some(at_work), waiting).await?;
    let results: Vec<_> = session.items().iter().map(Item::result).collect();
    Ok((results, outcome))
}
