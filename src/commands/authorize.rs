//! `connplan authorize`.

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use clap::Args;
use jiff::Timestamp;

use super::{
    authorizing::{self, Offer, OfferArgs, SessionOutcome, Waiting},
    listening, own_variables, planning,
    printing::file_name,
};
use crate::{
    config::{self, Project},
    context::{Context, ExitStatus, Failure, Format, UsageError},
    model::{App, ConnectorType, Declared, Observed, RemoteStatus, Terms},
    ops::{self, AtWork, AuthorizeInputs, AuthorizeSession, waits},
    pending::{LocalPending, PendingEntry},
    plan::{Digest, Refusal},
    receipt::{self, ChangeResult},
    remote::Remote,
    state::{AppState, Locked},
    syntax::MaxDuration,
    view::{
        self, Medium,
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
        conflicts_with_all = ["connectors", "receipt", "list", "timeout", "yes", "no_browser",
            "one_by_one", "qr", "print_links", "page_host"]
    )]
    pub forget: Vec<ConnectorType>,
    /// How long to wait for all of them together [default: 10m]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<MaxDuration>,
    /// Do not ask before opening
    #[arg(short, long)]
    pub yes: bool,
    /// How long to wait for another connplan of this app [default: fail at once]
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
    let brought = Brought::read(args, context)?;
    let (project, app) = brought.locate(args, context)?;
    brought.check(args, &project)?;
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
struct Here {
    medium: Medium,
    offer: Option<Offer>,
    brought: Brought,
    actor: String,
    project: Project,
    app: App,
    remote: Remote,
}

/// The same: with lock and lease, or only looking.
async fn resume(
    args: &AuthorizeArgs,
    context: &Context,
    here: &Here,
    state: &AppState,
    held: Option<(Arc<Locked>, &AtWork)>,
) -> Result<ExitStatus, Failure> {
    let (project, app, remote) = (&here.project, &here.app, &here.remote);
    let around = listening::around(context);
    if held.is_some() {
        project.check_gates()?;
    }
    let declared = declared(args, context, project, app).await?;
    let (mut pending, observed, waits) = if let Some((locked, at_work)) = &held {
        let (pending, waits) = at_work.known(locked).await?;
        (pending, remote.observe().await?, waits)
    } else {
        let pending = LocalPending::load(state)?;
        let look = waits::look(&around, project, app, state, &pending);
        let (observed, waits) = tokio::join!(remote.observe(), look);
        (pending, observed?, waits)
    };
    let at_work = held.map(|(_, at_work)| at_work);
    let rules = match &declared {
        Some(files) => ops::rules_for_listed(project, remote, files, &observed.connectors).await?,
        None => ops::rules(project),
    };
    let news = |connector: &ConnectorType| pending.get(app, connector).is_none();
    waits::tell(&around, &waits, news);
    let now = ops::Now {
        observed: &observed.connectors,
        rules: &rules,
    };
    let waits = match at_work {
        Some(at_work) => {
            // Whoever can write to the store must not make anybody ask for what no file declares.
            let waits = waits::declared_only(&around, waits, declared.as_ref(), &rules);
            let memory = at_work.memory();
            ops::approved_only(&around, project, app, memory, &now, waits).await?
        }
        // All clones show the same, and nothing is asked for.
        None => waits,
    };
    waits::merge(&mut pending, app, &waits);
    if let (Some(at_work), Some(saved), None) = (at_work, &here.brought.0, &args.expect_digest) {
        let is_known = |result: &ChangeResult| {
            let known = pending.get(app, &result.connector);
            known.is_some_and(|known| {
                let asked = Terms {
                    values: &result.connection_config,
                    account: result.account.as_ref(),
                };
                known.scopes == result.scopes && known.terms() == asked
            })
        };
        let whose = (project, app);
        ops::receipt_approved(&around, whose, at_work.memory(), &now, saved, is_known).await?;
    }
    let withheld = match at_work {
        Some(at_work) => {
            let sources = ops::AskedFor {
                pending: &pending,
                receipt: here.brought.receipt().map(|(receipt, _)| receipt),
            };
            ops::withheld(&around, (project, app), at_work.memory(), &now, &sources).await?
        }
        None => ops::Withheld::default(),
    };
    let why = |connector: &ConnectorType, entry: &PendingEntry| withheld.why(connector, entry);
    let targets = args.connectors.iter().cloned().collect();
    let inputs = AuthorizeInputs {
        app,
        remote,
        listed: &observed.connectors,
        rules: &rules,
        project,
        withheld: &why,
        declared: declared.as_ref(),
        receipt: here.brought.receipt(),
        targets: &targets,
        pending,
        store: at_work.and_then(|at_work| at_work.memory().identity()),
        lock: at_work.and_then(AtWork::lock),
        now: context.now(),
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
        again: &again(args, project).as_known_to(waits.from()),
        waits: &waits,
        interrupted: context.signals.status().is_some(),
        idle: &idle,
        others: session.others(),
    };
    print(context, args, &standing, outcome, &medium);
    let claim = observed.stripe_claim.as_ref();
    view::stripe::show_claim(
        &medium,
        &context.terminal,
        app,
        claim,
        None,
        &context.said_claim,
    );
    let open = results.iter().any(|result| result.state.is_open());
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
    let list = match waiting.as_slice() {
        [] => "`connplan authorize --list` shows what waits".to_owned(),
        some => format!(
            "waiting: {} (`connplan authorize --list` tells more)",
            some.join(", ")
        ),
    };
    UsageError::with_help(
        view::authorization::does_not_wait(connector),
        format!("{list}; `connplan plan` shows what is not applied yet"),
    )
    .into()
}

/// Drops entries of the state folder. Asks nobody, not even the app.
async fn forget(
    args: &AuthorizeArgs,
    context: &Context,
    medium: &Medium,
) -> Result<ExitStatus, Failure> {
    let project = context.project(args.dir.as_deref())?;
    let app = project.app()?;
    let state = context.app_state(&project, &app);
    let timeout = args.lock_timeout.map(MaxDuration::get).unwrap_or_default();
    let around = listening::around(context);
    let work = async |locked, at_work: &AtWork| match at_work
        .forget(&around, &locked, &args.forget)
        .await?
    {
        Some(unknown) => Err(does_not_wait(&unknown, &[])),
        None => Ok(()),
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
struct Brought(Option<receipt::Saved>);

impl Brought {
    fn read(args: &AuthorizeArgs, context: &Context) -> Result<Self, Failure> {
        let Some(file) = &args.receipt else {
            return Ok(Self(None));
        };
        let text = context.read_document(file)?;
        let mut saved = receipt::read(&file_name(file), &text)?;
        if let Some(expected) = &args.expect_digest
            && *expected != saved.digest
        {
            return Err(Refusal::OtherReceipt {
                of_plan: *expected == saved.receipt.plan_digest,
                expected: expected.clone(),
                actual: saved.digest,
            }
            .into());
        }
        if args.expect_digest.is_none() {
            // Anybody may have written that a rule may be broken.
            saved.receipt.overrides.clear();
        }
        Ok(Self(Some(saved)))
    }

    /// A forged receipt would ask for any scope of any app of the login. In a project the files
    /// stand against that; elsewhere its digest has to.
    fn check(&self, args: &AuthorizeArgs, project: &Project) -> Result<(), Failure> {
        let vouched = args.list || args.expect_digest.is_some() || project.config_file.is_some();
        match &self.0 {
            Some(saved) if !vouched => Err(UsageError::with_help(
                "outside a project, no connector file confirms what a receipt asks for",
                format!(
                    "give `--expect-digest` with the digest that `connplan apply` printed; this \
                     receipt's is {}",
                    saved.digest
                ),
            )
            .into()),
            _ => Ok(()),
        }
    }

    fn receipt(&self) -> Option<(&receipt::Receipt, Option<Timestamp>)> {
        let saved = self.0.as_ref()?;
        // Only for showing: the digest does not cover it.
        let made = saved.created_at.as_ref().and_then(|text| text.parse().ok());
        Some((&saved.receipt, made))
    }

    /// The project and the app; a receipt has to be for that app, and names it where nothing else
    /// does.
    fn locate(&self, args: &AuthorizeArgs, context: &Context) -> Result<(Project, App), Failure> {
        let dir = args.dir.as_deref();
        let (project, app) = match &self.0 {
            None => {
                let project = context.project(dir)?;
                let app = project.app()?;
                (project, app)
            }
            Some(saved) => {
                let theirs = &saved.receipt.app;
                let (project, app) = context.project_with(&theirs.id, dir)?;
                app.takes("file", theirs)?;
                (project, app)
            }
        };
        planning::is_there(&project, dir)?;
        Ok((project, app))
    }
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
        view::problems::say(&context.terminal, &loaded.problems);
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
fn again(args: &AuthorizeArgs, project: &Project) -> Again {
    let Some(file) = &args.receipt else {
        return Again::default();
    };
    let needed = project.config_file.is_none();
    let file = file.display().to_string();
    Again::with_receipt(&file, args.expect_digest.as_ref(), needed)
}

fn print(
    context: &Context,
    args: &AuthorizeArgs,
    standing: &Standing<'_>,
    outcome: SessionOutcome,
    medium: &Medium,
) {
    let Standing { results, again, .. } = *standing;
    let terminal = &context.terminal;
    terminal.out(&if args.list {
        standing.show_list(medium)
    } else {
        standing.show(medium)
    });
    let account = view::authorization::account(results, again);
    context.signals.account(account);
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
        SessionOutcome::Declined => terminal.say(&format!(
            "Authorization skipped. Run `{command}` again to complete it."
        )),
        SessionOutcome::Waited | SessionOutcome::NothingToDo => {}
    }
}
