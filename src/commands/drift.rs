//! `connplan drift`.

use std::path::PathBuf;

use super::{
    listening,
    planning::{self, PlanningArgs},
};
use crate::{
    context::{Context, ExitStatus, Failure, Format},
    drift,
    model::App,
    ops::PlanSession,
    publish::{self, IssueText, Place, PublishError},
    receipt,
    store::What,
    syntax::Lifetime,
    view::{self, drift::DriftReport, markdown},
};
use clap::Args;

/// Arguments of `drift`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Ends with 0 where app and files agree, and with 2 where they do not. What waits\nfor a person is \
                  drift only after --pending-after. What the app does not tell is only said.\n\n--issue needs GITHUB_TOKEN with `issues: write`, or GITLAB_TOKEN with the scope \
                  `api`.\n\nExamples:\n  connplan drift --receipt last.receipt\n  \
                  connplan drift --pending-after 24h --format markdown\n  \
                  connplan drift --pending-after 24h --issue"
)]
pub struct DriftArgs {
    /// The receipt of an apply, if neither the store nor this machine remembers it (repeatable; newest
    /// last): tells what was changed outside from what is not applied yet
    #[arg(long = "receipt", value_name = "FILE", num_args = 1.., value_hint = clap::ValueHint::FilePath)]
    pub receipts: Vec<PathBuf>,
    /// Count what waits for a person longer than this as drift, too
    #[arg(long, value_name = "DURATION")]
    pub pending_after: Option<Lifetime>,
    /// Keep one issue of this run's GitHub or GitLab project open while there is drift, and close it after
    #[arg(long)]
    pub issue: bool,
    /// Read connector files from PATH instead of the project's folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Looks, and changes nothing.
pub async fn run(args: &DriftArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json, Format::Markdown])?;
    let mut situation = planning::look(context, args.dir.as_deref()).await?;
    planning::take_receipts(context, &mut situation, &args.receipts).await?;
    // To look is never refused: nothing is removed by it.
    let planning = PlanningArgs {
        allow_remove_all: true,
        ..PlanningArgs::default()
    };
    let plan = situation.look_only(&planning.wishes())?;
    planning::say_uncompared(context, &plan);
    let files = &situation.files;
    let known = applied(context, &situation).await?;
    let is_new = |saved: &&receipt::Saved| known.iter().all(|known| known.digest != saved.digest);
    let named = files.receipts.iter().filter(is_new);
    let receipts: Vec<_> = known
        .iter()
        .chain(named)
        .map(|saved| &saved.receipt)
        .collect();
    let since = |connector: &_| {
        let entry = files.pending.get(&situation.app, connector);
        let since = entry.map(|entry| entry.since);
        since.or_else(|| files.receipt_since(connector))
    };
    let limit = args.pending_after.map(Lifetime::get);
    let found = drift::find(
        &plan,
        &receipts,
        since,
        (context.now(), limit),
        &files.rules,
    );
    let report = DriftReport::new(&situation.app, &found);
    context.terminal.out(&report.show(&medium));
    if args.issue && found.uncompared > 0 && !found.is_some() {
        // What it is about may be what nobody could compare now.
        let left = "An issue that is open stays open: not everything could be compared.";
        context.terminal.say(left);
    } else if args.issue {
        keep_issue(context, &situation.app, &report, found.is_some()).await?;
    }
    Ok(if found.is_some() {
        ExitStatus::Changes
    } else {
        ExitStatus::Done
    })
}

/// What the applies brought that the store, or else this machine, remembers, in order.
async fn applied(
    context: &Context,
    situation: &PlanSession,
) -> Result<Vec<receipt::Saved>, Failure> {
    let team = listening::team(context, &situation.files.project, &situation.app).await?;
    let (events, _) = team.memory().history().await?;
    let texts = events.into_iter().filter_map(|event| match event.what {
        What::Apply(_, text) => Some(text),
        _ => None,
    });
    let saved = texts.filter_map(|text| receipt::read("the store's receipt", &text).ok());
    Ok(saved
        .filter(|saved| situation.app.takes("receipt", &saved.receipt.app).is_ok())
        .collect())
}

/// One issue for an app and environment: the forge's token is in the run's variables.
async fn keep_issue(
    context: &Context,
    app: &App,
    report: &DriftReport,
    drift: bool,
) -> Result<(), Failure> {
    let failed = |error: PublishError| Failure::new(ExitStatus::Error, error);
    let place = Place::of_project(&context.vars).map_err(failed)?;
    let environment = app.environment.as_deref();
    let marker = publish::drift_marker(app.id.as_str(), environment);
    // What stands around the text in the issue.
    let room = markdown::GITHUB_LIMIT.saturating_sub(marker.len() + 2);
    let issue = IssueText {
        marker,
        title: view::drift::title(app),
        text: drift.then(|| report.issue(context.next(), room)),
        closing: report.counts(),
    };
    let writing = context.signals.writing();
    let kept = publish::keep_issue(&place, &issue, context.client_options());
    let kept = kept.await.map_err(failed)?;
    drop(writing);
    context.terminal.say(&view::drift::kept(&kept));
    Ok(())
}
