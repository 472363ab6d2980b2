//! `connplan authorize`.

use std::path::PathBuf;

use clap::Args;

use super::{
    applying,
    authorizing::{self, Phase, Ran, Waiting},
    planning,
    printing::file_name,
};
use crate::{
    authorize::{self, Item, Keeper, Resumed, Sources, State},
    cli::{Context, ExitStatus, Failure, Format, UsageError},
    config::{self, MaxDuration, Project},
    model::{App, ConnectorType, Declared, RemoteStatus},
    pending::{LastTry, Store},
    plan::Refusal,
    receipt::{self, Receipt},
    view::{self, Theme},
    workspace::Workspace,
};

/// How long a person has, unless the user or the settings say otherwise.
pub(super) const TIMEOUT_SECONDS: u64 = 600;

/// Arguments of `authorize`.
#[derive(Clone, Debug, Default, Args)]
#[command(
    after_help = "Examples:\n  connplan authorize                        # everything that waits\n  \
                        connplan authorize --receipt FILE         # from another machine's apply\n  \
                        connplan authorize --list                 # 4 if anything waits"
)]
pub struct AuthorizeArgs {
    /// Only these connectors
    #[arg(value_name = "TYPE")]
    pub connectors: Vec<ConnectorType>,
    /// Resume what a receipt says is pending ("-" is standard input)
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub receipt: Option<PathBuf>,
    /// Only show what is pending
    #[arg(long)]
    pub list: bool,
    /// Print the links, open nothing
    #[arg(long)]
    pub no_browser: bool,
    /// How long to wait for all of them together [default: 10m]
    #[arg(long, value_name = "DURATION")]
    pub timeout: Option<MaxDuration>,
    /// Do not ask before opening
    #[arg(short, long)]
    pub yes: bool,
    /// How long to wait for another connplan in this project
    #[arg(long, value_name = "DURATION")]
    pub lock_timeout: Option<MaxDuration>,
}

/// Resumes.
pub async fn run(args: &AuthorizeArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let format = context.format(&[Format::Text, Format::Json])?;
    let receipt = args
        .receipt
        .as_deref()
        .map(|file| read_receipt(context, file))
        .transpose()?;
    let (project, app) = locate(context, receipt.as_ref())?;
    let declared = declared(context, &project)?;
    let rules = planning::rules(&project);
    let remote = context.remote(&project, &app)?;
    let workspace = Workspace::at(&project.root);
    let timeout = args.lock_timeout.map(MaxDuration::get).unwrap_or_default();
    let locked = applying::lock(context, &workspace, timeout, "authorize").await?;
    let pending = Store::load(&locked)?;
    let observed = remote.observe().await?;
    let found = authorize::candidates(&Sources {
        app: &app,
        pending: &pending,
        receipt: receipt.as_ref(),
        declared: declared.as_ref(),
        observed: &observed.connectors,
        targets: &args.connectors.iter().cloned().collect(),
        rules: &rules,
        now: context.now(),
    });
    for connector in &args.connectors {
        let known = found.resumable.iter().any(|c| c.connector == *connector)
            || found.untouched.iter().any(|u| u.connector == *connector);
        let is = observed.connectors.get(connector);
        // Said again after it was done, the same command is done.
        let done = is.is_some_and(|is| is.status == RemoteStatus::Active);
        if !known && !done {
            return Err(UsageError::with_help(
                format!("no authorization of {connector} is pending"),
                "`connplan authorize --list` shows what is, `connplan plan` what is to be applied",
            )
            .into());
        }
    }
    let mut keeper = Keeper::new(locked, app.clone(), pending);
    let silent = |_: &authorize::Event<'_>| {};
    let mut flow = authorize::Flow {
        remote: &remote,
        rules: &rules,
        keeper: &mut keeper,
        pace: authorize::Pace::default(),
        events: &silent,
    };
    let mut items = flow.inspect(found.resumable, &observed).await?;
    let ran = if args.list {
        Ran::NothingToDo
    } else {
        let settings = project.settings.authorize.timeout;
        let timeout = args.timeout.or(settings).map(MaxDuration::get);
        let waiting = Waiting {
            timeout: timeout.unwrap_or(std::time::Duration::from_secs(TIMEOUT_SECONDS)),
            browser: !args.no_browser,
            yes: args.yes,
        };
        let phase = Phase {
            app: &app,
            remote: &remote,
            rules: &rules,
            keeper: &mut keeper,
            waiting,
        };
        authorizing::run(context, phase, &mut items).await?
    };
    let mut results: Vec<Resumed> = items.iter().map(Item::resumed).collect();
    results.extend(
        found
            .untouched
            .into_iter()
            .map(|left| untouched(left, context)),
    );
    results.sort_by(|a, b| a.connector.cmp(&b.connector));
    print(context, &app, &results, &items, args.list, ran, format);
    if format == Format::Text {
        view::stripe::say_claim(&context.terminal, &app, observed.stripe_claim.as_ref());
    }
    let open = results.iter().any(|result| !result.state.is_done());
    Ok(match context.signals.status() {
        Some(interrupted) => interrupted,
        None if open => ExitStatus::Pending,
        None => ExitStatus::Done,
    })
}

fn read_receipt(context: &Context, file: &std::path::Path) -> Result<Receipt, Failure> {
    let text = context.read_document(file)?;
    let what = format!("the receipt {}", file_name(file));
    Ok(receipt::read(&what, &text)?.receipt)
}

/// The project and the app; a receipt has to be for that app, and names it where nothing else does.
fn locate(context: &Context, receipt: Option<&Receipt>) -> Result<(Project, App), Failure> {
    let Some(receipt) = receipt else {
        let project = context.project(None)?;
        let app = project.app()?;
        return Ok((project, app));
    };
    let [theirs] = receipt.apps.as_slice() else {
        return Err(Refusal::Incoherent {
            reason: format!(
                "the receipt holds {} apps, and this is for one",
                receipt.apps.len()
            ),
        }
        .into());
    };
    let (project, app) = context.project_of(&theirs.app.id)?;
    if app.id != theirs.app.id {
        return Err(Refusal::OtherApp {
            planned: theirs.app.id.clone(),
            here: app.id,
        }
        .into());
    }
    if app.api_url != theirs.app.api_url {
        let (planned, here) = (theirs.app.api_url.clone(), app.api_url);
        return Err(Refusal::OtherAddress { planned, here }.into());
    }
    Ok((project, app))
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

fn untouched(left: authorize::Untouched, context: &Context) -> Resumed {
    Resumed {
        connector: left.connector,
        action: crate::diff::Action::NoOp,
        scopes: crate::model::Scopes::new(),
        since: context.now(),
        state: State::Untouched(left.reason),
        took: None,
    }
}

fn print(
    context: &Context,
    app: &App,
    results: &[Resumed],
    items: &[Item],
    list: bool,
    ran: Ran,
    format: Format,
) {
    if format == Format::Json {
        context
            .terminal
            .out(&view::authorization::json(app, results));
        return;
    }
    let plans: std::collections::BTreeMap<_, _> = items
        .iter()
        .map(|item| {
            let entry = &item.candidate.entry;
            let failed = entry.last == LastTry::Failed;
            (
                item.candidate.connector.clone(),
                (entry.plan_digest.clone(), failed),
            )
        })
        .collect();
    let theme = Theme::new(context.terminal.color_stdout());
    let text = if list {
        view::authorization::list(app, results, &plans, theme)
    } else {
        view::authorization::summary(app, results, theme)
    };
    context.terminal.out(&text);
    match ran {
        Ran::NotInteractive => context.terminal.say(
            "Nobody can be asked here. Run `connplan authorize` in a terminal, on this machine or, \
             with `--receipt FILE`, on another.",
        ),
        Ran::Declined => context
            .terminal
            .say("Authorization skipped. Run `connplan authorize` again to complete it."),
        Ran::Yes | Ran::NothingToDo => {}
    }
}
