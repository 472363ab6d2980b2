//! `connplan demo`: the whole way on a sandbox, with files that it brings along.

use std::{cell::OnceCell, fs as std_fs, path::Path, time::Duration};

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;

use super::{apply::ApplyArgs, authorize::AuthorizeArgs, authorizing::OfferArgs, plan::PlanArgs};
use crate::{
    context::{Context, EncodeError, ExitStatus, Failure, Format, Globals, UsageError},
    fs::{self, FsError},
    model::{ApiUrl, App, AppId, Vars},
    pending::LocalPending,
    sandbox::{self, Decision, Options, Sandbox, Seed},
    state::StateFolder,
    term::Terminal,
};

/// The app in the demo's seed.
pub(super) const APP: &str = "demo-app";
/// Where its state lies, below its folder.
const STATE: &str = "state";
/// Whoever consents where nobody can.
const PERSON: &str = "ada@example.com";
/// What the demo's project holds.
const FILES: [(&str, &str); 7] = [
    (".app.jsonc", "{ \"id\": \"demo-app\" }\n"),
    (
        "config.jsonc",
        include_str!("../../fixtures/demo/project/base44/config.jsonc"),
    ),
    (
        "connectors/gmail.jsonc",
        include_str!("../../fixtures/demo/project/base44/connectors/gmail.jsonc"),
    ),
    (
        "connectors/googlecalendar.jsonc",
        include_str!("../../fixtures/demo/project/base44/connectors/googlecalendar.jsonc"),
    ),
    (
        "connectors/notion.jsonc",
        include_str!("../../fixtures/demo/project/base44/connectors/notion.jsonc"),
    ),
    (
        "connectors/slack.jsonc",
        include_str!("../../fixtures/demo/project/base44/connectors/slack.jsonc"),
    ),
    (
        "connectors/stripe.jsonc",
        include_str!("../../fixtures/demo/project/base44/connectors/stripe.jsonc"),
    ),
];
const SEED: &str = include_str!("../../fixtures/demo/seed.json");

/// What the demo's app holds at first.
pub(super) fn seed() -> Result<Seed, EncodeError> {
    serde_json::from_str(SEED).map_err(EncodeError::from)
}

/// Arguments of `demo`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan demo\n  connplan demo --keep shop   # and keep its project"
)]
pub struct DemoArgs {
    /// Give consent without a browser
    #[arg(long)]
    pub no_browser: bool,
    /// Keep the demo's project in DIR, which must be empty or new
    #[arg(long, value_name = "DIR")]
    pub keep: Option<std::path::PathBuf>,
}

/// The demo did not come to its happy end.
#[derive(Debug, Error, Diagnostic)]
#[error("the demo failed: {0}")]
#[diagnostic(
    code(connplan::demo),
    help("nothing outside of the demo's own folder was touched; please report it")
)]
pub struct DemoError(String);

/// Plays it through. Done only if everything it says came true.
pub async fn run(args: &DemoArgs, context: &Context) -> Result<ExitStatus, Failure> {
    context.medium(&[Format::Text])?;
    let sandbox = sandbox::start(Options {
        seed: Some(seed()?),
        ..Options::default()
    })
    .await?;
    let folder = tempfile::Builder::new()
        .prefix("connplan-demo-")
        .tempdir()
        .map_err(|e| UsageError::new(format!("no folder for the demo could be made: {e}")))?;
    let root = match &args.keep {
        Some(dir) => empty_dir(&context.output_place(dir)?)?,
        None => folder.path().to_owned(),
    };
    let played = Box::pin(play(args, context, &sandbox, &root)).await;
    sandbox.stop().await?;
    played?;
    if let Some(dir) = &args.keep {
        context.terminal.say(&format!(
            "The project stays in {}, with demo.plan, demo.receipt and, in {STATE}, what connplan remembers \
             of it. Its sandbox has ended.",
            crate::escape::path(dir)
        ));
    }
    Ok(ExitStatus::Done)
}

fn empty_dir(dir: &Path) -> Result<std::path::PathBuf, Failure> {
    let taken = std_fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_some());
    if taken {
        let dir = crate::escape::path(dir);
        return Err(UsageError::with_help(
            format!("`--keep {dir}` names a folder that is not empty"),
            "name a new folder: `--keep` writes a whole project into it",
        )
        .into());
    }
    fs::ensure_dir(dir)?;
    Ok(dir.to_owned())
}

async fn play(
    args: &DemoArgs,
    context: &Context,
    sandbox: &Sandbox,
    root: &Path,
) -> Result<(), Failure> {
    let say = |text: &str| context.terminal.out(&format!("{text}\n"));
    let shell = |text: &str| context.terminal.out(&format!("\n$ connplan {text}\n"));
    let expect = |what: &str, status: ExitStatus, wanted: ExitStatus| {
        if status == wanted {
            return Ok(());
        }
        let (status, wanted) = (status.code(), wanted.code());
        Err(Failure::from(DemoError(format!(
            "{what} ended with {status}, not with {wanted}"
        ))))
    };
    write_project(root)?;
    say("A Base44 project declares its connectors in files, and the app has others.");
    for (name, text) in FILES {
        if name.starts_with("connectors/") {
            say(&format!("\n  base44/{name}"));
            for line in text.lines() {
                context.terminal.verbatim(&format!("    {line}\n"));
            }
        }
    }
    let inside = stage(context, sandbox, root);
    let plan_file = Path::new("demo.plan");
    let receipt_file = Path::new("demo.receipt");

    say("\n1. Plan: what would change, and what it means. Nothing is changed by looking.");
    shell("plan --out demo.plan");
    let plan = PlanArgs {
        out: Some(plan_file.to_owned()),
        detailed_exitcode: true,
        ..PlanArgs::default()
    };
    let status = super::plan::run(&plan, &inside).await?;
    expect("plan", status, ExitStatus::Changes)?;

    say("\n2. Apply: exactly the plan that was reviewed, if the app is still as it was then.");
    shell("apply demo.plan --receipt demo.receipt");
    let apply = ApplyArgs {
        plan: Some(plan_file.to_owned()),
        receipt: Some(receipt_file.to_owned()),
        ..ApplyArgs::default()
    };
    let status = super::apply::run(&apply, &inside).await?;
    expect("apply", status, ExitStatus::Done)?;

    say("\n3. Authorize: later, by somebody else, perhaps on another machine.");
    let browser = !args.no_browser && has_browser(context);
    if browser {
        shell("authorize --yes --timeout 2m");
        let authorize = AuthorizeArgs {
            yes: true,
            timeout: "2m".parse().ok(),
            ..AuthorizeArgs::default()
        };
        let status = super::authorize::run(&authorize, &inside).await?;
        if status == ExitStatus::Pending {
            say("\nNot all of it was consented to in the browser.");
        }
    }
    if consent(sandbox, root).await? > 0 {
        say(&format!(
            "\n(There is no browser here, or it was not used: the demo itself consents, as {PERSON}.)"
        ));
        shell("authorize --yes --no-browser");
        let authorize = AuthorizeArgs {
            yes: true,
            offer: OfferArgs {
                no_browser: true,
                ..OfferArgs::default()
            },
            ..AuthorizeArgs::default()
        };
        let status = super::authorize::run(&authorize, &inside).await?;
        expect("authorize", status, ExitStatus::Done)?;
    }

    say("\n4. Plan again: the app is as the files say.");
    shell("plan --detailed-exitcode");
    let again = PlanArgs {
        detailed_exitcode: true,
        ..PlanArgs::default()
    };
    let status = super::plan::run(&again, &inside).await?;
    expect("the second plan", status, ExitStatus::Done)?;
    say("\nThat is all of it. With your own project: `connplan login`, then `connplan plan`.");
    Ok(())
}

fn write_project(root: &Path) -> Result<(), Failure> {
    // Links that the user's own way there has are followed now, and none later.
    let root = &root
        .canonicalize()
        .map_err(|e| FsError::io("write", root, e))?;
    let base = root.join("base44");
    let connectors = base.join("connectors");
    // Others may write where `--keep` says: what they put there meanwhile leads nowhere.
    fs::ensure_dir_in(root, &connectors)?;
    for (name, text) in FILES {
        let file = fs::destination(&base.join(name), |_| Some(root.to_owned()))?;
        file.write(text.as_bytes())?;
    }
    Ok(())
}

/// The demo's own surroundings: its project, its home, the sandbox's address and key, and nothing of
/// the user's Base44 settings.
fn stage(context: &Context, sandbox: &Sandbox, root: &Path) -> Context {
    let mut vars: Vars = context
        .vars
        .without_prefix("BASE44_")
        .without_prefix("CONNPLAN_STORE");
    for (name, value) in sandbox.environment() {
        vars.set_default(name, value);
    }
    vars.set_default("BASE44_APP_ID", APP);
    // Somebody who watches should not wait two seconds for what has happened already.
    vars.set_default("__CONNPLAN_TEST_POLL_MS", "100");
    // Its sandbox keeps to no limit.
    vars.set_default("__CONNPLAN_TEST_MINUTE_MS", "500");
    // The demo is its own person, in a pipeline too.
    let vars = vars.at_a_desk();
    let globals = Globals {
        no_input: false,
        ..context.globals.clone()
    };
    let terminal = Terminal::probe(&vars, globals.color, true, globals.quiet).prose();
    let terminal = if context.vars.ci() && !globals.show_accounts {
        terminal.masking(true)
    } else {
        terminal
    };
    Context {
        globals: Globals {
            app_id: None,
            env: None,
            chdir: None,
            ..globals
        },
        git: OnceCell::new(),
        vars,
        start: root.to_owned(),
        home: Some(root.to_owned()),
        state: StateFolder::at(&root.join(STATE)),
        terminal: terminal.into(),
        signals: context.signals.clone(),
        deadline: context.deadline,
        renewals: context.renewals.clone(),
        fence: crate::store::Fence::default(),
        stores: crate::store::Opened::default(),
        said: context.said.clone(),
        next: context.next().clone(),
        next_of_document: OnceCell::new(),
        said_claim: context.said_claim.clone(),
        found: std::cell::RefCell::default(),
        acting: context.acting.clone(),
    }
}

/// Whether a person with a browser seems to be here.
fn has_browser(context: &Context) -> bool {
    let display = cfg!(any(windows, target_os = "macos"))
        || context.vars.get("DISPLAY").is_some()
        || context.vars.get("WAYLAND_DISPLAY").is_some();
    display && context.terminal.is_interactive()
}

/// Consents to everything that waits, as the person would on the consent page. Says how many.
async fn consent(sandbox: &Sandbox, root: &Path) -> Result<usize, Failure> {
    let fault = |e: &dyn std::fmt::Display| DemoError(e.to_string());
    let app = App {
        id: AppId::parse(APP).map_err(|e| fault(&e))?,
        api_url: ApiUrl::parse(sandbox.api_url()).map_err(|e| fault(&e))?,
        environment: None,
    };
    let pending = LocalPending::load(&StateFolder::at(&root.join(STATE)).app(&app))?;
    let mut consented = 0;
    for (_, entry) in pending.of(&app) {
        if let Some(id) = &entry.connection_id {
            sandbox
                .consent_to(id.as_str(), Decision::approve(PERSON))
                .await?;
            consented += 1;
        }
    }
    // A person is not that quick; what is to be seen is that the status is asked for.
    tokio::time::sleep(Duration::from_millis(50)).await;
    Ok(consented)
}
