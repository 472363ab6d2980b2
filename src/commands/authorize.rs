//! `connplan authorize`.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{
    applying,
    authorizing::{self, Offer, OfferArgs, Phase, Ran, Waiting},
    planning,
    printing::file_name,
    remembering::{self, AtWork, Before, Team},
};
use crate::{
    authorize::{self, Document, Item, Keeper, LeftAlone, Resumed, Sources},
    catalogue::ScopeEquivalence,
    config::{self, MaxDuration, Project},
    context::{Context, ExitStatus, Failure, Format, UsageError},
    model::{App, ConnectorType, Declared, RemoteStatus},
    pending::Store,
    plan::{self, Refusal},
    receipt,
    remote::Remote,
    state::{AppState, Locked},
    view::{self, Theme, authorization::Again},
};

/// How long a person has, unless the user or the settings say otherwise.
pub(super) const TIMEOUT_SECONDS: u64 = 600;

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
    /// Resume what an applied plan made pending, as far as the app shows that it was applied ("-" is
    /// standard input)
    #[arg(long, value_name = "FILE", conflicts_with = "receipt")]
    pub plan: Option<PathBuf>,
    /// Only show what is pending
    #[arg(long, conflicts_with_all = ["one_by_one", "qr", "print_links", "timeout"])]
    pub list: bool,
    /// How long to wait for all of them together [default: 10m]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<MaxDuration>,
    /// Do not ask before opening
    #[arg(short, long)]
    pub yes: bool,
    /// How long to wait for another connplan in this project
    #[arg(long, value_name = "DURATION")]
    pub lock_timeout: Option<MaxDuration>,
    /// How links come to a person.
    #[command(flatten)]
    pub offer: OfferArgs,
}

/// Resumes.
pub async fn run(args: &AuthorizeArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let format = context.format(&[Format::Text, Format::Json])?;
    let offer = if args.list {
        None
    } else {
        Some(args.offer.offer(context)?)
    };
    let brought = Brought::read(args, context)?;
    let (project, app) = brought.locate(context)?;
    let declared = declared(context, &project)?;
    let rules = planning::rules(&project);
    let remote = context.remote(&project, &app).await?;
    if !args.list {
        context.say_who_acts(&remote).await;
    }
    let state = context.app_state(&project, &app);
    let locked = if args.list {
        // Looking needs no lock.
        None
    } else {
        let timeout = args.lock_timeout.map(MaxDuration::get).unwrap_or_default();
        Some(applying::lock(context, &state, timeout, "authorize").await?)
    };
    let at_work = if args.list {
        None
    } else {
        let timeout = args.lock_timeout.map(MaxDuration::get).unwrap_or_default();
        let team = Team::open(context, &project, &app).await?;
        Some(team.begin(context, "authorize", timeout).await?)
    };
    let ended = resume(
        args,
        context,
        Here {
            format,
            offer,
            brought,
            project,
            app,
            declared,
            rules,
            remote,
            state,
            locked,
            at_work: at_work.as_ref(),
        },
    )
    .await;
    if let Some(at_work) = at_work {
        at_work.end().await;
    }
    ended
}

/// What a run of `authorize` is about.
struct Here<'a> {
    format: Format,
    offer: Option<Offer>,
    brought: Brought,
    project: Project,
    app: App,
    declared: Option<Declared>,
    rules: ScopeEquivalence,
    remote: Remote,
    state: AppState,
    locked: Option<Locked>,
    at_work: Option<&'a AtWork>,
}

/// The same with lock and lease.
async fn resume(
    args: &AuthorizeArgs,
    context: &Context,
    here: Here<'_>,
) -> Result<ExitStatus, Failure> {
    let Here {
        format,
        offer,
        brought,
        project,
        app,
        declared,
        rules,
        remote,
        state,
        locked,
        at_work,
    } = here;
    let mut pending = match &locked {
        Some(locked) => Store::load_for_people(locked)?,
        None => Store::load(&state)?,
    };
    let (observed, waits) = match at_work {
        Some(at_work) => {
            let waits = at_work.waits().await?;
            (remote.observe().await?, waits)
        }
        None => {
            let look = remembering::look(context, &project, &app);
            let (observed, waits) = tokio::join!(remote.observe(), look);
            (observed?, waits)
        }
    };
    let news = |connector: &ConnectorType| pending.get(&app, connector).is_none();
    remembering::say(context, &waits, news);
    // Whoever can write to the store must not make anybody ask for what no file declares.
    let waits = remembering::declared_only(context, waits, declared.as_ref(), &rules);
    let before = Before::of(&pending, &waits, &app);
    remembering::merge(&mut pending, &app, &waits);
    let mut found = authorize::candidates(&Sources {
        app: &app,
        pending: &pending,
        document: brought.document(),
        made: brought.made(),
        declared: declared.as_ref(),
        observed: &observed.connectors,
        targets: &args.connectors.iter().cloned().collect(),
        rules: &rules,
        now: context.now(),
    });
    // Said again after it was done, the same command is done.
    let active = |name: &ConnectorType| {
        let is = observed.connectors.get(name);
        is.is_some_and(|is| is.status == RemoteStatus::Active)
    };
    let unknown = |name: &&ConnectorType| !found.know(name) && !active(name);
    if let Some(connector) = args.connectors.iter().find(unknown) {
        return Err(UsageError::with_help(
            format!("no authorization of {connector} is pending"),
            "`connplan authorize --list` shows what is, `connplan plan` what is to be applied",
        )
        .into());
    }
    let mut keeper = match locked {
        Some(locked) => Keeper::new(locked, app.clone(), pending),
        None => Keeper::looking(app.clone(), pending),
    };
    let silent = |_: &authorize::Event<'_>| {};
    let mut flow = authorize::Flow {
        remote: &remote,
        rules: &rules,
        keeper: &mut keeper,
        pace: authorize::Pace::default(),
        watched: false,
        events: &silent,
    };
    flow.forget(&mut found.left_alone)?;
    let mut items = flow.inspect(found.resumable, &observed).await?;
    let ran = match offer {
        None => Ran::NothingToDo,
        Some(offer) => {
            let settings = project.settings.authorize.timeout;
            let timeout = args.timeout.or(settings).map(MaxDuration::get);
            let waiting = Waiting {
                timeout: timeout.unwrap_or(std::time::Duration::from_secs(TIMEOUT_SECONDS)),
                offer,
                yes: args.yes || args.offer.print_links,
            };
            let phase = Phase {
                app: &app,
                remote: &remote,
                rules: &rules,
                keeper: &mut keeper,
                waiting,
            };
            authorizing::run(context, phase, &mut items).await?
        }
    };
    let mut results: Vec<Resumed> = items.iter().map(Item::resumed).collect();
    if let Some(at_work) = at_work {
        let granted = results.iter().filter(|result| !result.state.is_open());
        let granted: Vec<_> = granted.map(|result| result.connector.clone()).collect();
        let after = Store::load(&state)?;
        at_work.authorized(context, &before, &after, &granted).await;
    }
    let left = found.left_alone.into_iter();
    results.extend(left.map(|left| left_alone(left, context)));
    results.sort_by(|a, b| a.connector.cmp(&b.connector));
    print(context, &app, &results, &Told { args, ran, format });
    if format == Format::Text {
        view::stripe::say_claim(&context.terminal, &app, observed.stripe_claim.as_ref());
    }
    let open = results.iter().any(|result| result.state.is_open());
    Ok(match context.signals.status() {
        Some(interrupted) => interrupted,
        None if open => ExitStatus::Pending,
        None => ExitStatus::Done,
    })
}

/// What was brought along from another machine.
enum Brought {
    Nothing,
    Receipt(receipt::Saved),
    Plan(plan::document::Saved),
}

impl Brought {
    fn read(args: &AuthorizeArgs, context: &Context) -> Result<Self, Failure> {
        Ok(match (&args.receipt, &args.plan) {
            (Some(file), _) => {
                let text = context.read_document(file)?;
                Self::Receipt(receipt::read(&file_name(file), &text)?)
            }
            (None, Some(file)) => {
                let text = context.read_document(file)?;
                let saved = plan::document::read(&file_name(file), &text)?;
                if saved.plan.speculative {
                    return Err(Refusal::Speculative.into());
                }
                Self::Plan(saved)
            }
            (None, None) => Self::Nothing,
        })
    }

    fn document(&self) -> Document<'_> {
        match self {
            Self::Nothing => Document::None,
            Self::Receipt(saved) => Document::Receipt(&saved.receipt),
            Self::Plan(saved) => Document::Plan(&saved.plan.app, &saved.digest),
        }
    }

    /// When it was made. Only for showing: the digest does not cover it.
    fn made(&self) -> Option<Timestamp> {
        let text = match self {
            Self::Nothing => None,
            Self::Receipt(saved) => saved.created_at.as_ref(),
            Self::Plan(saved) => saved.created_at.as_ref(),
        };
        text?.parse().ok()
    }

    /// The project and the app; a document has to be for that app, and names it where nothing else
    /// does.
    fn locate(&self, context: &Context) -> Result<(Project, App), Failure> {
        let theirs = match self {
            Self::Nothing => {
                let project = context.project(None)?;
                let app = project.app()?;
                return Ok((project, app));
            }
            Self::Receipt(saved) => &saved.receipt.app,
            Self::Plan(saved) => &saved.plan.app.app,
        };
        let (project, app) = context.project_of(&theirs.id)?;
        app.takes("file", theirs)?;
        Ok((project, app))
    }
}

/// What the files declare; nothing where there is no project, or no folder, to ask.
fn declared(context: &Context, project: &Project) -> Result<Option<Declared>, Failure> {
    let loaded = config::connectors::read(project);
    if loaded.declared.is_none() {
        view::problems::say(&context.terminal, &loaded.problems);
        return Err(view::problems::Invalid::of(&loaded.problems).into());
    }
    Ok(match loaded.folder {
        config::Folder::Missing if project.config_file.is_none() => None,
        _ => loaded.declared,
    })
}

fn left_alone(left: LeftAlone, context: &Context) -> Resumed {
    let entry = left.entry.as_ref();
    Resumed {
        connector: left.connector.clone(),
        action: entry.map_or(crate::diff::Action::NoOp, |entry| entry.action),
        scopes: entry.map(|entry| entry.scopes.clone()).unwrap_or_default(),
        plan: entry.and_then(|entry| entry.plan_digest.clone()),
        expected: entry.and_then(|entry| entry.account.clone()),
        since: entry.map_or_else(|| context.now(), |entry| entry.since),
        state: left.state,
        took: None,
    }
}

/// How the end is told.
struct Told<'a> {
    args: &'a AuthorizeArgs,
    ran: Ran,
    format: Format,
}

impl Told<'_> {
    /// The command to go on with.
    fn again(&self) -> Again {
        let (option, file) = match (&self.args.receipt, &self.args.plan) {
            (Some(file), _) => ("--receipt", file),
            (None, Some(file)) => ("--plan", file),
            (None, None) => return Again::default(),
        };
        Again::with(option, &file.display().to_string())
    }
}

fn print(context: &Context, app: &App, results: &[Resumed], told: &Told<'_>) {
    let theme = Theme::new(context.terminal.color_stdout());
    let (again, columns) = (told.again(), context.terminal.columns());
    context.terminal.out(&match (told.format, told.args.list) {
        (Format::Json, _) => view::authorization::json(app, results, &again),
        (_, true) => view::authorization::list(app, results, &again, theme),
        (_, false) => view::authorization::summary(app, results, &again, theme, columns),
    });
    let command = again.command();
    match told.ran {
        Ran::NotInteractive if again.has_document() => context.terminal.say(&format!(
            "Nobody can be asked here. Run `{command}` in a terminal."
        )),
        Ran::NotInteractive => context.terminal.say(
            "Nobody can be asked here. Run `connplan authorize` in a terminal, on this machine or, \
             with `--receipt FILE`, on another.",
        ),
        Ran::Declined => context.terminal.say(&format!(
            "Authorization skipped. Run `{command}` again to complete it."
        )),
        Ran::Yes | Ran::NothingToDo => {}
    }
}
