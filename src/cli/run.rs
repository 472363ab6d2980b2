//! From arguments to an exit code.

use std::{
    cell::{Cell, OnceCell, RefCell},
    ffi::OsString,
    path::{Path, PathBuf},
    pin::Pin,
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{
    CommandFactory, FromArgMatches,
    error::{ContextKind, ContextValue, ErrorKind},
};
use miette::Diagnostic;
use thiserror::Error;

use super::{Cli, Command, log, panic, shipped, traits::Traits, watch};
use crate::{
    commands,
    context::{Context, ExitStatus, Failure, Format, Globals, Signals, UsageError},
    http::Renewals,
    model::Vars,
    remote::auth::{LoginFile, home_folder},
    state::{NotOurs, StateFolder, own_home, own_path, ships},
    syntax::{MaxDuration, closest},
    term::{self, ColorChoice, Terminal},
    view::{NextCommand, failure::FailureReport, prose},
};

/// Runs the program with the process's arguments and environment.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    panic::install();
    let args: Vec<_> = args.into_iter().collect();
    let vars = process_vars();
    let cli = match parse(&args) {
        Ok(cli) => cli,
        Err(e) => return misused(e, &args, &vars).into(),
    };
    let traits = cli.command.traits();
    let next = NextCommand {
        chdir: cli.globals.chdir.clone(),
        env: cli.globals.env.clone(),
        app_id: cli.globals.app_id.clone(),
        dir: traits.folder.cloned(),
    };
    let names_app = traits.names_app;
    let terminal = terminal(&cli.globals, &vars, traits);
    let longest = cli.globals.max_time.map(MaxDuration::get);
    let longest = longest.or(traits.time);
    let deadline = longest.and_then(|longest| Instant::now().checked_add(longest));
    let context = context(cli.globals, vars, terminal, deadline, next);
    watch::time(&context);
    let status = match execute(cli.command, &context) {
        Ok(status) => {
            tell_cut(&context, status);
            status
        }
        Err(failure) => {
            tell_failure(&context, &failure, names_app);
            context.tell(&failure)
        }
    };
    end(&context, status).into()
}

fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let shows_help = |error: &clap::Error| {
        let bare = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        error.kind() == ErrorKind::DisplayHelp || error.kind() == bare
    };
    // To lay out what help shows takes longer than all else here: only who asks for it waits for it.
    let matches = match Cli::command().try_get_matches_from(args) {
        Err(error) if shows_help(&error) => {
            Cli::grammar_at(term::columns()).try_get_matches_from(args)?
        }
        matches => matches?,
    };
    Cli::from_arg_matches(&matches)
}

/// Where this run prints.
fn terminal(globals: &Globals, vars: &Vars, traits: Traits<'_>) -> Terminal {
    let terminal = Terminal::probe(vars, globals.color, globals.no_input, globals.quiet);
    // A pipeline's log is read by many.
    let masks = vars.ci() && !globals.show_accounts;
    let logs = log::install(vars, globals.verbose, terminal.color_stderr(), masks);
    let terminal = if logs { terminal.still() } else { terminal };
    let terminal = if globals.format == Format::Text && traits.prose {
        terminal.prose()
    } else {
        terminal
    };
    if masks {
        terminal.masking(globals.format != Format::Json && !traits.document)
    } else {
        terminal
    }
}

fn context(
    globals: Globals,
    mut vars: Vars,
    terminal: Terminal,
    deadline: Option<Instant>,
    next: NextCommand,
) -> Context {
    let home = home_folder(&vars);
    let start = globals.chdir.clone().unwrap_or_else(|| PathBuf::from("."));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let starts = [&*start, Path::new(".")];
    let path = own_path(&path, &vars, home.as_deref(), &starts);
    vars.overrule("PATH", &path);
    let settings = shipped::settings(&vars, home.as_deref(), &start);
    // git would take a relative one for a folder below the one that it runs in.
    let has_odd_home = home.is_none() && vars.get("HOME").is_some();
    if settings.is_some() || has_odd_home {
        vars.overrule("GIT_CONFIG_GLOBAL", "/dev/null");
    }
    let state = StateFolder::find(&vars, home.as_deref(), &start);
    let (home, shipped) = match home.map(|home| own_home(&vars, home, &start)) {
        Some(Err(shipped)) => (None, Some(shipped)),
        own => (own.and_then(Result::ok), None),
    };
    let context = Context {
        state,
        start,
        globals,
        git: OnceCell::new(),
        vars,
        home,
        terminal: Arc::new(terminal),
        signals: Signals::default(),
        deadline,
        renewals: Renewals::default(),
        fence: crate::store::Fence::default(),
        stores: crate::store::Opened::default(),
        said: RefCell::default(),
        next,
        next_of_document: OnceCell::new(),
        said_claim: Cell::default(),
        found: RefCell::default(),
        acting: RefCell::default(),
    };
    let shown = |path: &Path| crate::escape::limited(&path.display().to_string(), 300);
    context.warn_of_gits();
    if let Some(home) = shipped.filter(|home| {
        let login = LoginFile::in_home(home);
        ships(&context.vars, login.path(), &context.start)
    }) {
        context.warn(&format!(
            "the home folder {} lies in the checkout, whose files may be what somebody proposes: the login \
             there is not used",
            shown(&home)
        ));
    }
    if let Some(settings) = settings {
        context.warn(&format!(
            "{} lies in the checkout, whose files may be what somebody proposes: git does not read it here",
            shown(&settings)
        ));
    }
    if let Some((folder, why)) = context.state.not_ours() {
        let folder = shown(folder);
        context.warn(&match why {
            NotOurs::Owner => format!(
                "the state folder {folder} belongs to another user, who can write anything into it: it \
                 is not used"
            ),
            NotOurs::Open => format!(
                "other users of this machine can write anything into the state folder {folder}: it is not \
                 used until their rights are taken away (`chmod go-w`), or another is named"
            ),
            NotOurs::OpenWay(way) => format!(
                "other users of this machine can write into {}, and so put anything in the place of the \
                 state folder {folder}: it is not used until their rights are taken away (`chmod go-w`), \
                 or another is named",
                shown(way)
            ),
            NotOurs::Checkout(tree) => format!(
                "the state folder {folder} lies in the checkout {}, whose files may be what somebody \
                 proposes: it is not used; set CONNPLAN_STATE_DIR to a folder outside it",
                shown(tree)
            ),
            NotOurs::Way(way) => format!(
                "{} belongs to another user, who can put anything in the place of the state folder \
                 {folder}: it is not used",
                shown(way)
            ),
        });
    }
    context
}

/// What a signal cut off has a document all the same.
fn tell_cut(context: &Context, status: ExitStatus) {
    if let Some(words) = context.signals.cut()
        && context.globals.format == Format::Json
        && !context.terminal.has_output()
    {
        let json = FailureReport::interrupted(&words, status.code()).to_json();
        context.terminal.out(&json);
    }
}

/// The document of a failure, unless the command printed its own and has said there why.
fn tell_failure(context: &Context, failure: &Failure, names_app: bool) {
    if context.globals.format != Format::Json || context.terminal.has_output() {
        return;
    }
    let mut told = FailureReport::new(&failure.report, failure.status.code(), context.next());
    // What comments on it knows by this whose comment that is.
    let project = names_app.then(|| context.project(None).ok()).flatten();
    if let Some(app) = project.and_then(|project| project.app().ok()) {
        told = told.of_app(&app);
    }
    context.terminal.out(&told.to_json());
}

/// How the run ends: a signal is said here, once, for one may come after the last moment in which the
/// command looked; and output that nobody got is not a success.
fn end(context: &Context, status: ExitStatus) -> ExitStatus {
    let status = match (context.signals.account_line(), context.signals.status()) {
        (Some(line), Some(interrupted)) => {
            context.terminal.insist(&line);
            match status {
                ExitStatus::Done | ExitStatus::Changes | ExitStatus::Pending => interrupted,
                other => other,
            }
        }
        _ => status,
    };
    let Some(e) = context.terminal.take_failure() else {
        return status;
    };
    context
        .terminal
        .insist(&format!("error: the output could not be written: {e}"));
    if status == ExitStatus::Done {
        ExitStatus::Error
    } else {
        status
    }
}

/// clap takes `--format` for similar to `--force`, and `validate` to `ad`: somebody in a hurry would follow it.
fn with_near_tips(mut error: clap::Error, args: &[OsString]) -> clap::Error {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.trim_start_matches('-').to_owned()),
        _ => None,
    };
    let slips = |given: &str| if given.len() < 5 { 1 } else { 2 };
    if let (Some(given), Some(ContextValue::Strings(tips))) = (
        text(ContextKind::InvalidSubcommand),
        error.get(ContextKind::SuggestedSubcommand),
    ) {
        let names: Vec<_> = tips.iter().map(String::as_str).collect();
        let begun = names.iter().copied().find(|name| name.starts_with(&given));
        let near = closest(&given, &names, slips(&given)).or(begun);
        let near = near.map(|name| ContextValue::Strings(vec![name.to_owned()]));
        error.remove(ContextKind::SuggestedSubcommand);
        if let Some(near) = near {
            error.insert(ContextKind::SuggestedSubcommand, near);
        }
        return error;
    }
    let Some(given) =
        text(ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::UnknownArgument)
    else {
        return error;
    };
    let tip = text(ContextKind::SuggestedArg);
    if tip.as_ref().is_some_and(|tip| tip.starts_with(&given)) {
        return error;
    }
    let grammar = Cli::grammar();
    let mut words = args.iter().filter_map(|word| word.to_str());
    let command = words.find_map(|word| grammar.find_subcommand(word));
    let options = command.into_iter().flat_map(clap::Command::get_arguments);
    let options = options.chain(grammar.get_arguments());
    let names: Vec<_> = options.filter_map(clap::Arg::get_long).collect();
    let near = closest(&given, &names, slips(&given)).map(|name| format!("--{name}"));
    if tip.as_deref() == near.as_deref().map(|near| near.trim_start_matches('-')) {
        return error;
    }
    error.remove(ContextKind::SuggestedArg);
    error.remove(ContextKind::Usage);
    if let Some(near) = near {
        error.insert(ContextKind::SuggestedArg, ContextValue::String(near));
    }
    error
}

/// Says what is wrong with a command line, as every other error is said; or prints the help that was
/// asked for. clap ends with 2 on a mistake; here 2 means that a plan has changes.
fn misused(error: clap::Error, args: &[OsString], vars: &Vars) -> ExitStatus {
    let given = |name: &str, value: &str| {
        let joined = format!("{name}={value}");
        args.iter().any(|arg| *arg == *joined)
            || args.windows(2).any(|w| w[0] == *name && w[1] == *value)
    };
    let color = match (given("--color", "always"), given("--color", "never")) {
        (true, _) => ColorChoice::Always,
        (_, true) => ColorChoice::Never,
        _ => ColorChoice::Auto,
    };
    let terminal = Terminal::probe(vars, color, false, false);
    // An argument may be the name of a file that somebody else chose: the complaint repeats it as text.
    let harmless = args.iter().map(|arg| {
        let text = arg.to_string_lossy();
        OsString::from(crate::escape::terminal(&text).into_owned())
    });
    let harmless: Vec<_> = harmless.collect();
    let of_harmless = (harmless != args).then(|| parse(&harmless).err()).flatten();
    let error = &with_near_tips(of_harmless.unwrap_or(error), args);
    let shown = |color: bool| prose::help_text(&error.render(), color);
    if !error.use_stderr() {
        terminal.out(&shown(terminal.color_stdout()));
        return ExitStatus::Done;
    }
    let text = shown(terminal.color_stderr());
    let bare = error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
    if bare {
        terminal.insist(&text);
    } else {
        let code = "connplan::usage";
        terminal.insist(&format!("{}\n  code: {code}", text.trim_end()));
    }
    if given("--format", "json") {
        let text = shown(false);
        let (message, help) = match text.split_once('\n') {
            _ if bare => ("no command is given", text.as_str()),
            Some(parts) => parts,
            None => (text.as_str(), ""),
        };
        let message = message.trim_start_matches("error: ");
        let mistake = UsageError::with_help(message, help.trim());
        let report = miette::Report::new(mistake);
        terminal.out(
            &FailureReport::new(&report, ExitStatus::Error.code(), &NextCommand::default())
                .to_json(),
        );
    }
    ExitStatus::Error
}

fn process_vars() -> Vars {
    // Names and values that are not Unicode mean nothing to this program.
    let vars = std::env::vars_os();
    let vars = vars
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    // Windows has it in any letters.
    vars.map(|(name, value)| match name.as_str() {
        path if cfg!(windows) && path.eq_ignore_ascii_case("PATH") => ("PATH".to_owned(), value),
        _ => (name, value),
    })
    .collect()
}

fn execute(command: Command, context: &Context) -> Result<ExitStatus, Failure> {
    if let Some(dir) = &context.globals.chdir
        && !dir.is_dir()
    {
        let dir = crate::escape::path(dir);
        return Err(UsageError::with_help(
            format!("-C {dir}: no such directory"),
            "name a folder that is there: connplan runs as if started in it",
        )
        .into());
    }
    // What neither waits nor talks to a network needs no runtime.
    macro_rules! waits {
        ($command:ident::$run:ident, $args:ident) => {
            on_runtime(context, Box::pin(commands::$command::$run(&$args, context)))
        };
    }
    match command {
        Command::Plan(args) => waits!(plan::run, args),
        Command::Apply(args) => waits!(apply::run, args),
        Command::Approve(args) => waits!(approve::run, args),
        Command::Drift(args) => waits!(drift::run, args),
        Command::Comment(args) => waits!(comment::run, args),
        Command::Authorize(args) => waits!(authorize::run, args),
        Command::Push(args) => waits!(push::run, args),
        Command::Add(args) => waits!(add::run, args),
        Command::Init(args) => waits!(init::run, args),
        Command::Doctor(args) => waits!(doctor::run, args),
        Command::Pull(args) => waits!(pull::run, args),
        Command::Status(args) => waits!(status::run, args),
        Command::History(args) => waits!(history::run, args),
        Command::Unlock(args) => waits!(unlock::run, args),
        Command::ListAvailable(args) => waits!(list_available::run, args),
        Command::RemoteState(args) => waits!(remote_state::run, args),
        Command::Login(args) => waits!(login::login, args),
        Command::Whoami(args) => waits!(login::whoami, args),
        Command::Sandbox(args) => waits!(sandbox::run, args),
        Command::Demo(args) => waits!(demo::run, args),
        Command::Schema(args) => commands::schema::run(&args, context),
        Command::Completions(args) => commands::completions::run(&args, Cli::grammar(), context),
        Command::Man(args) => commands::man::run(&args, Cli::grammar(), context),
        Command::Help(args) => commands::help::run(&args, Cli::grammar_at, context),
        Command::Scopes(args) => commands::scopes::run(&args, context),
        Command::Version(args) => commands::version::run(&args, context),
        Command::Validate(args) => commands::validate::run(&args, context),
        Command::Show(args) => waits!(show::run, args),
        Command::Logout(args) => commands::login::logout(&args, context),
        Command::Trust(args) => waits!(trust::run, args),
        Command::Policy(args) => waits!(policy::run, args),
    }
}

/// The machine has no file or no memory left for it.
#[derive(Debug, Error, Diagnostic)]
#[error("connplan could not start: {0}")]
#[diagnostic(code(connplan::runtime))]
struct NoRuntime(#[source] std::io::Error);

/// How long a renewal may keep the end of a command waiting without a word.
const PROMPT: Duration = Duration::from_secs(1);

fn on_runtime(
    context: &Context,
    command: Pin<Box<dyn Future<Output = Result<ExitStatus, Failure>> + '_>>,
) -> Result<ExitStatus, Failure> {
    shipped::check(&context.vars, &[&context.start, Path::new(".")])?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(NoRuntime)?;
    watch::signals(context);
    let command = Box::pin(async {
        context.look_around_home().await;
        command.await
    });
    let ended = runtime.block_on(
        context
            .signals
            .guard(command, |text| context.terminal.insist(text)),
    );
    // What ended the command does not end a renewal: its answer is the only key to the next login.
    if !runtime.block_on(context.renewals.settled(PROMPT)) {
        context
            .terminal
            .say("Waiting until the renewed login is stored.");
        runtime.block_on(context.renewals.settled(watch::RENEWAL_LIMIT));
    }
    for notice in context.renewals.take_notices() {
        context.warn(&crate::escape::limited(&notice, 600));
    }
    // A question that nobody answers any more still blocks its thread.
    runtime.shutdown_background();
    ended
}
