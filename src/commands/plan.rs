//! `connplan plan`.

use std::path::{Path, PathBuf};

use bytes::Bytes;
use clap::Args;

use super::{
    listening,
    planning::{self, PlanningArgs},
    printing::{MarkdownArgs, file_name},
};
use crate::{
    base,
    context::{Context, ExitStatus, Failure, Format, UsageError},
    diff::ConsentNeed,
    fs,
    model::{ConnectorType, Observed},
    ops::{self, Files, LazyBinding},
    pending::PendingSet,
    plan::{Digest, Plan, document, envelope::DocumentKind},
    policy::Judgement,
    remote::auth::CredentialOrigin,
    remote_state,
    store::Waits,
    syntax::Lifetime,
    view::{
        self, NextCommand,
        report::{PlanReport, WaitingReport},
    },
};

/// Arguments of `plan`.
#[derive(Clone, Debug, Default, Args)]
#[command(after_help = "Examples:\n  connplan plan --out release.plan\n  \
                        connplan plan --detailed-exitcode   # 2 if there are changes\n  \
                        connplan plan --format markdown     # for a pull request")]
pub struct PlanArgs {
    /// Save the plan to FILE, for `connplan apply FILE`
    #[arg(short, long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// End with 2 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Take the pending authorizations from this receipt: show them as waiting, not as changes (repeatable)
    #[arg(long = "receipt", value_name = "FILE", num_args = 1.., value_hint = clap::ValueHint::FilePath)]
    pub receipts: Vec<PathBuf>,
    /// `apply` refuses the plan after this time (`72h`, `7d`). It is part of the digest
    #[arg(long, value_name = "DURATION")]
    pub expires: Option<Lifetime>,
    /// Plan against a snapshot of the remote; `apply` refuses such a plan ("-" is standard input)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub remote_state: Option<PathBuf>,
    /// What to look at.
    #[command(flatten)]
    pub planning: PlanningArgs,
    /// How to print it.
    #[command(flatten)]
    pub markdown: MarkdownArgs,
}

/// Plans, prints, saves.
pub async fn run(args: &PlanArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json, Format::Markdown, Format::Diff])?;
    let out = args.out.as_deref();
    let out = out
        .map(|out| {
            let place = context.output_file("--out", out)?;
            loses_nothing(context, out)?;
            Ok::<_, Failure>(place)
        })
        .transpose()?;
    let (mut plan, judgement, undeclared, waiting, expires, binding) = match &args.remote_state {
        None => {
            let dir = args.planning.dir.as_deref();
            let mut situation = match &out {
                Some(_) => planning::look_to_apply(context, dir).await?,
                None => planning::look_to_change(context, dir).await?,
            };
            // As `apply` does, where a file of the project brought the credential.
            let origin = situation.remote.who().origin.as_ref();
            if origin.is_some_and(CredentialOrigin::is_project_file) {
                context.say_who_acts(&situation.remote).await;
            }
            planning::say_time_left(context, &situation);
            planning::take_receipts(context, &mut situation, &args.receipts).await?;
            let (mut plan, judgement) = situation.judged(&args.planning.wishes())?;
            let newer = situation
                .explain(
                    &mut plan,
                    &args.planning.wishes(),
                    &listening::around(context),
                )
                .await;
            let undeclared = undeclared((&plan, &newer), &situation.files, context.next());
            let waiting = waiting(&plan, &situation.files.pending, &situation.waits);
            let expires = ops::expires(&situation.files.project, args.expires);
            let binding = situation.files.binding;
            (plan, judgement, undeclared, waiting, expires, binding)
        }
        Some(file) => {
            let (plan, judgement) = speculate(args, context, file).await?;
            // It is for reading, never for applying.
            let binding = LazyBinding::default();
            (
                plan,
                judgement,
                Vec::new(),
                Vec::new(),
                args.expires,
                binding,
            )
        }
    };
    plan.origin = context.origin();
    let is_cut = args.expires.is_some() && expires != args.expires;
    if let Some(lifetime) = expires.filter(|_| is_cut) {
        context.warn(&format!(
            "`--expires` is longer than [plan] `expires` of the base branch allows: the plan expires in {:#}",
            lifetime.get()
        ));
    }
    plan.expires_at = expires
        .map(|lifetime| context.now().saturating_add(lifetime.get()))
        .transpose()
        .map_err(|e| UsageError::new(format!("`--expires`: the time is too long: {e}")))?;
    let digest = document::digest(&plan)?;
    let mut report = PlanReport::new(&plan, &digest).at(medium.now);
    let violations = judgement.violations.clone();
    if let Err(mut forbidden) = judgement.verdict() {
        // Shown in full, and not saved.
        let options = args.markdown.options(None, context);
        forbidden.plan = view::plan::print_forbidden(report, &options, &medium, &context.terminal);
        return Err(forbidden.into());
    }
    if let Some(out) = &out {
        let text = document::to_toml(&plan, Some(context.now().to_string()))?;
        let text = Bytes::from(text);
        // It holds e-mail addresses at most; reviewers and pipelines read it.
        out.write(&text)?;
        if !plan.speculative {
            report.kept = keep(args, context, &plan, &digest, &text).await;
        }
    }
    if !plan.speculative {
        report.approval_missing = ops::missing_approval(
            &listening::around(context),
            (&plan, &digest),
            &binding,
            Vec::new(),
        )
        .await;
    }
    report.waiting = waiting;
    report.violations = violations;
    let options = args.markdown.options(args.out.as_deref(), context);
    view::plan::print(report, &options, &medium, &context.terminal);
    for note in undeclared {
        context.terminal.say(&note);
    }
    let changed = args.detailed_exitcode && (plan.has_changes() || plan.withdraws());
    Ok(if changed {
        ExitStatus::Changes
    } else {
        ExitStatus::Done
    })
}

/// Refuses to write over a file with something else in it than a plan, unless its name says that it is one.
fn loses_nothing(context: &Context, out: &Path) -> Result<(), UsageError> {
    let path = context.path(out);
    let is_file = path
        .symlink_metadata()
        .is_ok_and(|meta| meta.is_file() && meta.len() > 0);
    if !is_file || path.extension().is_some_and(|is| is == "plan") {
        return Ok(());
    }
    let text = fs::read_text(&path, document::LIMIT as u64).unwrap_or_default();
    if DocumentKind::Plan.is_said_in(&text) {
        return Ok(());
    }
    Err(UsageError::with_help(
        format!(
            "{} is not a plan, and `--out` would replace it; nothing was written",
            file_name(out)
        ),
        "give another name, such as `--out x.plan`, or remove that file first",
    ))
}

/// Keeps the plan in the store, if the store can be written. Whether others have it there.
async fn keep(
    args: &PlanArgs,
    context: &Context,
    plan: &Plan,
    digest: &Digest,
    text: &Bytes,
) -> bool {
    let kept = async {
        let project = context.project(args.planning.dir.as_deref())?;
        let team = listening::team(context, &project, &plan.app.app).await?;
        let around = listening::around(context);
        Ok::<_, Failure>(team.keep_plan(&around, digest, text).await)
    };
    kept.await.unwrap_or_else(|failure: Failure| {
        context.warn(&format!(
            "the plan is in its file, not in the store: {}",
            failure.told()
        ));
        false
    })
}

/// Plans against a snapshot, without credentials and without network.
async fn speculate(
    args: &PlanArgs,
    context: &Context,
    file: &Path,
) -> Result<(Plan, Judgement), Failure> {
    let snapshot = remote_state::read(&file_name(file), &context.read_document(file)?);
    let by_link = fs::by_link(&context.path(file));
    let mut snapshot = snapshot.map_err(|wrong| if by_link { wrong.unshown() } else { wrong })?;
    let mut files = planning::read_files(context, args.planning.dir.as_deref())?;
    snapshot.reveal(&files.declared);
    base::bind(context, &mut files.project).await?;
    let mut app = snapshot.app;
    app.environment.clone_from(&files.project.environment);
    // A pull request from a fork may not know its app; if it does, it has to be the same.
    if let Ok(here) = files.project.app()
        && here.id != app.id
    {
        return Err(UsageError::with_help(
            format!(
                "the snapshot is of app {}, this project is app {}",
                app.id, here.id
            ),
            "take a snapshot of this app with `connplan remote-state`",
        )
        .into());
    }
    planning::read_receipts(context, &mut files, &args.receipts, &app)?;
    let observed = Observed {
        connectors: snapshot.connectors,
        ..Observed::default()
    };
    files.judged(&args.planning.wishes(), app, &observed, true)
}

/// What waits although no file declares it: no change, and no part of the plan.
fn undeclared(
    (plan, said): (&Plan, &[ConnectorType]),
    files: &Files,
    next: &NextCommand,
) -> Vec<String> {
    let folder = files.project.folder();
    let undeclared = files.pending.undeclared(&plan.app);
    undeclared
        .filter(|(name, entry)| {
            let by = entry.plan_digest.as_ref();
            !by.is_some_and(|by| plan.withdraws_of(name, by)) && !said.contains(name)
        })
        .map(|(connector, entry)| {
            view::authorization::forgettable(connector, entry.elsewhere(&folder), next)
        })
        .collect()
}

/// Who asked for what of it, and since when.
fn waiting(plan: &Plan, pending: &PendingSet, waits: &Waits) -> Vec<WaitingReport> {
    let waiting = plan
        .changes()
        .filter(|change| change.authorization == ConsentNeed::Pending);
    let entries = waiting.filter_map(|change| {
        let entry = pending.get(&plan.app.app, &change.connector)?;
        Some(WaitingReport {
            connector: change.connector.clone(),
            since: entry.since,
            asked_by: waits.asked_by(&change.connector),
        })
    });
    entries.collect()
}
