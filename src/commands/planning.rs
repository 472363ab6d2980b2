//! Files and remote to a plan: what the commands that read a project have in common.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{listening, own_variables, printing::file_name};
use crate::{
    base,
    config::{self, Loaded, Project},
    context::{Context, Failure, UsageError},
    escape,
    model::{App, ConnectorType, SetBy},
    ops::{self, Files, LazyBinding, PlanInputs, PlanSession, Wishes},
    plan::{Plan, UNCOMPARED, envelope::DocumentKind},
    receipt,
    remote::{Remote, auth::CredentialOrigin},
    syntax::{Finding, Problem},
    term::{self, Answer},
    view,
};

/// What a plan is to look at.
#[derive(Clone, Debug, Default, Args)]
pub struct PlanningArgs {
    /// Read connector files from PATH instead of the project's folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Plan only this connector (repeatable)
    #[arg(long = "target", value_name = "TYPE", value_delimiter = ',')]
    pub targets: Vec<ConnectorType>,
    /// Leave remote connectors without a file alone
    #[arg(long)]
    pub keep_unlisted: bool,
    /// Allow a plan that removes every connector because there are no files
    #[arg(long)]
    pub allow_remove_all: bool,
    /// Break this rule of the policy, where it has `override = true` (repeatable)
    #[arg(
        long = "override",
        value_name = "RULE",
        requires = "reason",
        help_heading = "Policy",
        hide_short_help = true
    )]
    pub overrides: Vec<String>,
    /// Why; recorded in the plan and the receipt
    #[arg(
        long,
        value_name = "TEXT",
        requires = "overrides",
        help_heading = "Policy",
        hide_short_help = true
    )]
    pub reason: Option<String>,
}

impl PlanningArgs {
    /// What of it decides what is planned.
    pub(super) fn wishes(&self) -> Wishes<'_> {
        Wishes {
            targets: &self.targets,
            keep_unlisted: self.keep_unlisted,
            allow_remove_all: self.allow_remove_all,
            overrides: &self.overrides,
            reason: self.reason.as_deref(),
        }
    }
}

/// Fails where `--dir` names nothing: no files declare no connectors, and a slip of the pen would look so.
pub(super) fn is_there(project: &Project, dir: Option<&Path>) -> Result<(), UsageError> {
    match dir {
        Some(dir) if !project.connectors_dir.is_dir() => Err(UsageError::with_help(
            format!("--dir {}: no such directory", escape::path(dir)),
            "name the folder that holds the connector files",
        )),
        _ => Ok(()),
    }
}

/// Says what nobody could compare, where nothing else of the plan is said.
pub(super) fn say_uncompared(context: &Context, plan: &Plan) {
    let found = plan.diagnostics.iter();
    for uncompared in found.filter(|found| found.code == UNCOMPARED) {
        context.warn(&uncompared.message);
    }
}

/// Reads the files. Every problem is said; an error ends the run.
pub(super) fn read_files(context: &Context, dir: Option<&Path>) -> Result<Files, Failure> {
    let project = context.project(dir)?;
    is_there(&project, dir)?;
    files_of(context, project)
}

fn files_of(context: &Context, project: Project) -> Result<Files, Failure> {
    let loaded = config::connectors::read(&project);
    view::problems::say(&context.terminal, &loaded.problems, context.next());
    usable(context, project, loaded)
}

/// The same for a command that is about none of these files: of mere warnings it says how many.
pub(super) fn read_other_files(context: &Context, dir: Option<&Path>) -> Result<Files, Failure> {
    let project = context.project(dir)?;
    let loaded = config::connectors::read(&project);
    if loaded.declared.is_none() {
        view::problems::say(&context.terminal, &loaded.problems, context.next());
    } else if let Some(line) = view::problems::elsewhere(loaded.problems.len(), context.next()) {
        context.terminal.say(&line);
    }
    usable(context, project, loaded)
}

fn usable(context: &Context, project: Project, loaded: Loaded) -> Result<Files, Failure> {
    if loaded.declared.is_none() {
        return Err(view::problems::Invalid::of(&loaded.problems).into());
    }
    // Who cannot reach the team's memory does not work without it.
    let problems = ops::unworkable_store(&project);
    if !problems.is_empty() {
        view::problems::say(&context.terminal, &problems, context.next());
        return Err(view::problems::Invalid::of(&problems).into());
    }
    // Nothing is known of an app that nobody names; who needs it says so.
    let app = project.app().ok();
    let state = app.map(|app| context.app_state(&project, &app));
    Files::of(project, loaded, state.as_ref(), context.trust())
}

/// Reads the files and the remote.
pub(super) async fn look(context: &Context, dir: Option<&Path>) -> Result<PlanSession, Failure> {
    read(context, read_files(context, dir)?, false).await
}

/// The same for what makes the folder if it is not there.
pub(super) async fn look_into(
    context: &Context,
    dir: Option<&Path>,
) -> Result<PlanSession, Failure> {
    let project = context.project(dir)?;
    read(context, files_of(context, project)?, false).await
}

/// The same for what may be carried out: with what the types need that it adds.
pub(super) async fn look_to_change(
    context: &Context,
    dir: Option<&Path>,
) -> Result<PlanSession, Failure> {
    read(context, read_files(context, dir)?, true).await
}

/// The same for what is carried out, or goes into a file that an apply takes: with the user's own variables
/// only where the app may have them.
pub(super) async fn look_to_apply(
    context: &Context,
    dir: Option<&Path>,
) -> Result<PlanSession, Failure> {
    let mut files = read_files(context, dir)?;
    let app = files.project.app()?;
    own_variables::may_be_used(context, &files.project, &files.loaded, &app).await?;
    // Where that was asked just now.
    files.trust = context.trust();
    read(context, files, true).await
}

async fn read(
    context: &Context,
    mut files: Files,
    to_change: bool,
) -> Result<PlanSession, Failure> {
    files.binding = LazyBinding::at(base::bind(context, &mut files.project).await?);
    let app = files.project.app()?;
    let remote = context.remote(&files.project, &app).await?;
    if context.vars.ci()
        && let Some(problem) = proposal_acts(&app, &remote)
    {
        view::problems::say(
            &context.terminal,
            std::slice::from_ref(&problem),
            context.next(),
        );
        files.loaded.problems.push(problem);
    }
    let state = context.app_state(&files.project, &app);
    let around = listening::around(context);
    let inputs = PlanInputs {
        files,
        app,
        remote,
        state,
        to_change,
    };
    let reading = Box::pin(PlanSession::begin(inputs, &around));
    view::progress::during(&context.terminal, "Reading the app", reading).await
}

/// A pipeline that runs by what a proposal brings: its plan is good for nothing but to be looked at.
fn proposal_acts(app: &App, remote: &Remote) -> Option<Problem> {
    let origin = remote.who().origin.as_ref()?;
    let finding = Finding::ProposalActs {
        by: origin.to_string(),
        address: escape::limited(app.api_url.as_str(), 200),
    };
    let CredentialOrigin::Variable(_, SetBy::File { file, .. }) = origin else {
        return None;
    };
    Some(Problem::about(finding, file))
}

/// Says how long an unclaimed Stripe sandbox is left.
pub(super) fn say_time_left(context: &Context, session: &PlanSession) {
    if let Some(line) = view::stripe::time_left(session.observed.stripe_expires_at, context.now()) {
        context.terminal.say(&line);
    }
}

/// Takes the receipts that the command line names: they have to be this app's.
pub(super) fn read_receipts(
    context: &Context,
    files: &mut Files,
    named: &[PathBuf],
    app: &App,
) -> Result<(), Failure> {
    for file in named {
        let saved = receipt::read(
            &file_name(file),
            &context.read_saved(file, DocumentKind::Receipt)?,
        )?;
        app.takes("receipt", &saved.receipt.app)?;
        files.receipts.push(saved);
    }
    Ok(())
}

/// The same, with what of them the memory knows to wait no more.
pub(super) async fn take_receipts(
    context: &Context,
    session: &mut PlanSession,
    named: &[PathBuf],
) -> Result<(), Failure> {
    let app = session.app.clone();
    read_receipts(context, &mut session.files, named, &app)?;
    session.end_receipts(&listening::around(context)).await;
    Ok(())
}

/// Asks whether the plan that was shown is to be carried out; only `yes` is yes.
pub(super) async fn confirm(context: &Context, app: &App) -> Answer {
    let question = format!(
        "\nDo you want to carry out these changes on app {} at {}?",
        app.id, app.api_url
    );
    term::confirm_word(&context.terminal, &question).await
}

/// A question that cannot be asked, and the flag that decides it.
pub(super) fn cannot_ask(question: &str, flag: &str) -> Failure {
    UsageError::with_help(
        format!("{question}, and this run is not interactive"),
        format!("give `{flag}`, or run it in a terminal without CI and --no-input"),
    )
    .into()
}
