//! `connplan authorize`.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use clap::Args;

use super::{
    authorizing::{self, Offer, OfferArgs, SessionOutcome, Waiting},
    listening, own_variables, planning,
    printing::file_name,
};
use crate::{
    config::{self, Project},
    context::{Context, ExitStatus, Failure, Format, UsageError},
    model::{App, ConnectorType, Declared, Observed, RemoteStatus},
    ops::{
        self, AtWork, AuthorizeInputs, AuthorizeSession, Brought, FirstLook, FirstLookInputs,
        LazyBinding,
    },
    plan::{Digest, envelope::DocumentKind},
    receipt,
    remote::Remote,
    state::{AppState, Locked},
    syntax::{MaxDuration, closest, type_meant},
    view::{
        self, Medium, NextCommand,
        authorization::{Again, Idle, Standing},
    },
};

/// Arguments of `authorize`.
#[derive(Clone, Debug, Default, Args)]
#[command(
    after_help = "Examples:\n  connplan authorize                        # everything that waits, on one page\n  \
                        connplan authorize --receipt FILE         # from another machine's apply\n  \
                        connplan authorize --no-browser --qr      # consent on a phone\n  \
                        connplan authorize --list                 # 4 if anything waits"
)]
pub struct AuthorizeArgs {
    /// Only these connectors
    #[arg(value_name = "TYPE")]
    pub connectors: Vec<ConnectorType>,
    /// Resume what a receipt says is pending ("-" is standard input)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub receipt: Option<PathBuf>,
    /// Refuse any receipt but the one with this digest; needed outside a project, where no connector
    /// files say which scopes are wanted
    #[arg(long, value_name = "DIGEST", requires = "receipt")]
    pub expect_digest: Option<Digest>,
    /// Only show what is pending
    #[arg(long, conflicts_with_all = ["one_by_one", "qr", "print_links", "timeout", "page_host"])]
    pub list: bool,
    /// Stop waiting for TYPE: forgets its pending authorization, and asks the platform for nothing
    #[arg(
        long,
        value_name = "TYPE",
        num_args = 1..,
        conflicts_with_all = ["connectors", "receipt", "list", "timeout", "yes", "no_browser",
            "one_by_one", "qr", "print_links", "page_host"]
    )]
    pub forget: Vec<ConnectorType>,
    /// How long to wait for all of them together [default: 10m]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<MaxDuration>,
    /// Open the page without asking
    #[arg(short, long)]
    pub yes: bool,
    /// How long to wait for another connplan that works on this app [default: fail at once]
    #[arg(long, value_name = "DURATION", hide_short_help = true)]
    pub lock_timeout: Option<MaxDuration>,
    /// Read connector files from PATH instead of the project's folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// How links come to a person.
    #[command(flatten)]
    pub offer: OfferArgs,
}

/// Resumes.
pub async fn run(args: &AuthorizeArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    if !args.forget.is_empty() {
        return forget(args, context, &medium).await;
    }
    let offer = if args.list {
        None
    } else {
        Some(args.offer.offer(context)?)
    };
    let brought = brought(args, context)?;
    let (mut project, app) = locate(args, context, brought.as_ref())?;
    listening::hold_store(context, &mut project, &app).await;
    let remote = context.remote(&project, &app).await?;
    let actor = if args.list {
        String::new()
    } else {
        context.say_who_acts(&remote).await
    };
    let state = context.app_state(&project, &app);
    let here = Here {
        medium,
        offer,
        brought,
        actor,
        project,
        app,
        remote,
    };
    let place = (&here.project, &here.app, &state);
    if args.list {
        // Looking needs no lock.
        return resume(args, context, &here, &state, None).await;
    }
    let timeout = args.lock_timeout.map(MaxDuration::get).unwrap_or_default();
    let around = listening::around(context);
    let work = async |locked, at_work: &AtWork| {
        resume(args, context, &here, &state, Some((locked, at_work))).await
    };
    AtWork::on_consents(&around, place, "authorize", timeout, work).await
}

/// What a run of `authorize` is about.
struct Here<'a> {
    medium: Medium<'a>,
    offer: Option<Offer>,
    brought: Option<Brought>,
    actor: String,
    project: Project,
    app: App,
    remote: Remote,
}

/// The same: with lock and lease, or only looking.
async fn resume(
    args: &AuthorizeArgs,
    context: &Context,
    here: &Here<'_>,
    state: &AppState,
    held: Option<(Arc<Locked>, &AtWork)>,
) -> Result<ExitStatus, Failure> {
    let (project, app, remote) = (&here.project, &here.app, &here.remote);
    let around = listening::around(context);
    if held.is_some() {
        project.check_gates()?;
    }
    let declared = declared(args, context, project, app).await?;
    let binding = LazyBinding::to_write();
    let inputs = FirstLookInputs {
        project,
        app,
        remote,
        state,
        declared: declared.as_ref(),
        brought: here.brought.as_ref(),
        binding: &binding,
    };
    let at_work = held.as_ref().map(|(_, at_work)| *at_work);
    let look = match held {
        Some(held) => FirstLook::under_lease(&around, inputs, held).await?,
        None => FirstLook::alone(&around, inputs).await?,
    };
    let FirstLook {
        pending,
        observed,
        waits,
        rules,
        brought,
    } = look;
    let targets = args.connectors.iter().cloned().collect();
    let inputs = AuthorizeInputs {
        app,
        remote,
        listed: &observed.connectors,
        rules: &rules,
        project,
        binding: &binding,
        declared: declared.as_ref(),
        receipt: brought.as_ref().map(Brought::receipt),
        targets: &targets,
        pending,
    };
    let mut idle = Vec::new();
    let waiting = |session: &AuthorizeSession<'_>| {
        idle = idle_of(args, session, &observed)?;
        Ok(here.offer.map(|offer| Waiting {
            medium: here.medium,
            timeout: authorizing::time_limit(args.timeout, project),
            offer,
            page_host: args.offer.page_host.as_ref(),
            yes: args.yes || args.offer.print_links,
            actor: &here.actor,
        }))
    };
    let (session, outcome) = authorizing::resume(context, inputs, at_work, waiting).await?;
    let results = session.results();
    // The waiting took its time.
    let medium = here.medium.at(context.now());
    let standing = Standing {
        app,
        results: &results,
        again: &again(args, project, context.next()).as_known_to(waits.from()),
        waits: &waits,
        interrupted: context.signals.status().is_some(),
        idle: &idle,
        others: session.others(),
    };
    print(context, args, &standing, outcome, &medium);
    // Whoever stopped it is told how it stands, and no more.
    let claim = observed
        .stripe_claim
        .as_ref()
        .filter(|_| !standing.interrupted);
    view::stripe::show_claim(
        &medium,
        &context.terminal,
        app,
        claim,
        None,
        &context.said_claim,
    );
    let open = results.iter().any(|result| result.state.has_work_left());
    Ok(match context.signals.status() {
        Some(interrupted) => interrupted,
        None if open => ExitStatus::Pending,
        None => ExitStatus::Done,
    })
}

/// What was named and does not wait. Said again after it was done, the same command is done: what
/// works is not a mistake.
fn idle_of(
    args: &AuthorizeArgs,
    session: &AuthorizeSession<'_>,
    observed: &Observed,
) -> Result<Vec<Idle>, Failure> {
    let named = BTreeSet::from_iter(&args.connectors);
    let idle = named.into_iter().filter(|name| !session.knows(name));
    idle.map(|connector| {
        let is = observed.connectors.get(connector);
        if let Some(is) = is.filter(|is| is.status == RemoteStatus::Active) {
            return Ok(Idle {
                connector: connector.clone(),
                account: is.account.clone(),
            });
        }
        let waiting: Vec<_> = session.waiting().collect();
        Err(does_not_wait(connector, &waiting))
    })
    .collect()
}

fn does_not_wait(connector: &ConnectorType, waiting: &[&ConnectorType]) -> Failure {
    let waiting: Vec<_> = waiting.iter().map(|name| name.as_str()).collect();
    let meant = closest(connector.as_str(), &waiting, 2).or(type_meant(connector.as_str()));
    let meant = meant.map(|meant| format!("did you mean `{meant}`? "));
    let list = match waiting.as_slice() {
        [] => "`connplan authorize --list` shows what waits".to_owned(),
        some => format!(
            "waiting: {} (`connplan authorize --list` tells more)",
            some.join(", ")
        ),
    };
    UsageError::with_help(
        view::authorization::does_not_wait(connector),
        format!(
            "{}{list}; `connplan plan` shows what is not applied yet",
            meant.unwrap_or_default()
        ),
    )
    .into()
}

/// Drops entries of the state folder. Asks nobody, not even the app.
async fn forget(
    args: &AuthorizeArgs,
    context: &Context,
    medium: &Medium<'_>,
) -> Result<ExitStatus, Failure> {
    let mut project = context.project(args.dir.as_deref())?;
    let app = project.app()?;
    listening::hold_store(context, &mut project, &app).await;
    let state = context.app_state(&project, &app);
    let timeout = args.lock_timeout.map(MaxDuration::get).unwrap_or_default();
    let around = listening::around(context);
    let work = async |locked, at_work: &AtWork| {
        let _writing = context.signals.writing();
        match at_work.forget(&around, &locked, &args.forget).await? {
            Some(unknown) => Err(does_not_wait(&unknown, &[])),
            None => Ok(()),
        }
    };
    AtWork::on_consents(
        &around,
        (&project, &app, &state),
        "authorize",
        timeout,
        work,
    )
    .await?;
    let shown = view::authorization::show_forgotten(&app, &args.forget, medium);
    context.terminal.out(&shown);
    Ok(ExitStatus::Done)
}

/// What was brought along from another machine.
fn brought(args: &AuthorizeArgs, context: &Context) -> Result<Option<Brought>, Failure> {
    let Some(file) = &args.receipt else {
        return Ok(None);
    };
    let text = context.read_saved(file, DocumentKind::Receipt)?;
    let saved = receipt::read(&file_name(file), &text)?;
    Ok(Some(Brought::of(saved, args.expect_digest.as_ref())?))
}

/// The project and the app; a receipt has to be for that app, and names it where nothing else does.
fn locate(
    args: &AuthorizeArgs,
    context: &Context,
    brought: Option<&Brought>,
) -> Result<(Project, App), Failure> {
    let dir = args.dir.as_deref();
    let (project, app) = match brought {
        None => {
            let project = context.project(dir)?;
            let app = project.app()?;
            (project, app)
        }
        Some(brought) => {
            let theirs = &brought.saved.receipt.app;
            let (project, app) = context.project_with(&theirs.id, dir)?;
            app.takes("file", theirs)?;
            (project, app)
        }
    };
    planning::is_there(&project, dir)?;
    // Looking asks for nothing.
    if let Some(brought) = brought.filter(|_| !args.list) {
        brought.check(&project)?;
    }
    Ok((project, app))
}

/// What the files declare; nothing without a project or its folder.
async fn declared(
    args: &AuthorizeArgs,
    context: &Context,
    project: &Project,
    app: &App,
) -> Result<Option<Declared>, Failure> {
    let loaded = config::connectors::read(project);
    if loaded.declared.is_none() {
        view::problems::say(&context.terminal, &loaded.problems, context.next());
        return Err(view::problems::Invalid::of(&loaded.problems).into());
    }
    if loaded.folder == config::Folder::Missing && project.config_file.is_none() {
        return Ok(None);
    }
    let declared = loaded.declared.clone();
    let declared = declared.map(|declared| ops::resolved(project, declared));
    let declared = declared.transpose()?;
    if !args.list {
        own_variables::may_be_used(context, project, &loaded, app).await?;
    }
    Ok(declared)
}

/// The command to go on with.
fn again(args: &AuthorizeArgs, project: &Project, next: &NextCommand) -> Again {
    let again = Again::new(next);
    let Some(file) = &args.receipt else {
        return again;
    };
    let needed = project.config_file.is_none();
    let file = file.display().to_string();
    again.with_receipt(&file, args.expect_digest.as_ref(), needed)
}

fn print(
    context: &Context,
    args: &AuthorizeArgs,
    standing: &Standing<'_>,
    outcome: SessionOutcome,
    medium: &Medium<'_>,
) {
    let Standing { results, again, .. } = *standing;
    let terminal = &context.terminal;
    let account = view::authorization::account(results, again);
    context.signals.account(account);
    terminal.out(&if args.list {
        standing.show_list(medium)
    } else {
        standing.show(medium)
    });
    if standing.interrupted {
        return;
    }
    let command = again.command();
    match outcome {
        SessionOutcome::NotInteractive => {
            let other = if again.has_document() {
                ""
            } else if again.store().is_some() {
                ", in any clone"
            } else {
                ", on this machine or, with `--receipt FILE`, on another"
            };
            // In a pipeline it would ask for nothing either.
            let unasked = if context.vars.ci() || context.globals.no_input {
                ""
            } else {
                " Without a terminal, `--yes --print-links` prints the links here and waits."
            };
            terminal.say(&format!(
                "Not interactive: no link was requested. Run `{command}` in a terminal{other}.{unasked}"
            ));
        }
        // What resumes it was told with what is left to do, right above.
        SessionOutcome::Declined if medium.told => terminal.say("Authorization skipped."),
        SessionOutcome::Declined => terminal.say(&format!(
            "Authorization skipped. Run `{command}` again to complete it."
        )),
        SessionOutcome::Waited | SessionOutcome::NothingToDo => {}
    }
}
