//! The grammar of the command line.

use clap::{Parser, Subcommand};

use crate::{
    commands::{
        self,
        help::{EXIT_CODES, FILES, columns, laid_out},
    },
    context::Globals,
    term::wrap,
    view::prose::WHOLE,
};

const START: &str = "Start here:\n  connplan demo        see it all on a sandbox, without an \
                     account\n  connplan plan        what would change, changing nothing";
const ELSEWHERE: &str = "Environment variables: `connplan help environment`.";

/// Plan, apply and authorize the OAuth connectors of a Base44 app.
#[derive(Debug, Parser)]
#[command(
    name = "connplan",
    version,
    disable_help_subcommand = true,
    propagate_version = false,
    max_term_width = 100,
    after_help = START,
    after_long_help = format!("{START}\n\n{FILES}\n{EXIT_CODES}\n{ELSEWHERE}")
)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The grammar, as it is shown: `-h` fits a screen, and names the global options in one line.
    pub fn grammar() -> clap::Command {
        const GLOBAL: &str = "Global options: -C DIR, --app-id ID, --env NAME, --format FORMAT, \
                              --color WHEN, --no-input, -v, \
                              -q (see `--help`)";
        // As it stands: taking styles out of it, where there are none, takes longer than all else here.
        let text = |help: &clap::builder::StyledStr| help.ansi().to_string();
        let condensed = |command: clap::Command| {
            let whole = command.get_after_long_help().or(command.get_after_help());
            let whole = whole.map(text).unwrap_or_default();
            let whole = if whole.contains(ELSEWHERE) {
                whole
            } else {
                let end = format!("{EXIT_CODES}\n{ELSEWHERE}");
                [whole, end].join(if command.get_after_help().is_some() {
                    "\n\n"
                } else {
                    ""
                })
            };
            let short = command.get_after_help().map(text);
            let short = short.map(|short| format!("{short}\n\n{GLOBAL}"));
            let short = short.unwrap_or_else(|| GLOBAL.to_owned());
            command.after_help(short).after_long_help(whole)
        };
        condensed(<Self as clap::CommandFactory>::command()).mut_subcommands(condensed)
    }

    /// The grammar as a terminal of this width shows it: what stands below the options is laid out
    /// here, for clap breaks commands and hangs nothing.
    pub fn grammar_at(terminal: Option<usize>) -> clap::Command {
        let columns = columns(terminal);
        let lay = |help: &clap::builder::StyledStr| {
            let mut text = help.ansi().to_string();
            for page in [START, FILES, EXIT_CODES] {
                text = text.replace(page, &laid_out(page, columns));
            }
            wrap(&text, columns).replace(' ', WHOLE)
        };
        let lay = |command: clap::Command| {
            let short = command.get_after_help().map(lay);
            let long = command.get_after_long_help().map(lay);
            let short = short.unwrap_or_default();
            command
                .after_help(short)
                .after_long_help(long.unwrap_or_default())
        };
        lay(Self::grammar().term_width(columns)).mut_subcommands(lay)
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the connector files and connplan.toml; no network, no login
    Validate(commands::validate::ValidateArgs),
    /// Show what would change; changes nothing
    Plan(commands::plan::PlanArgs),
    /// Print a saved plan or a receipt again, also as JSON or Markdown
    Show(commands::show::ShowArgs),
    /// Carry out exactly what a saved plan says
    Apply(commands::apply::ApplyArgs),
    /// Approve a saved plan: sign its digest with an SSH key
    Approve(commands::approve::ApproveArgs),
    /// Post a plan or receipt as a comment on the pull or merge request of this CI run
    Comment(commands::comment::CommentArgs),
    /// Resume pending authorizations
    Authorize(commands::authorize::AuthorizeArgs),
    /// Plan, ask, apply and authorize in one go
    Push(commands::push::PushArgs),
    /// Show where the app differs from its files, and who changed it; for scheduled runs
    Drift(commands::drift::DriftArgs),
    /// Create a connector file
    Add(commands::add::AddArgs),
    /// Write the app's connectors to the files, in place
    Pull(commands::pull::PullArgs),
    /// Show each connector: declared, in the app, account, pending
    Status(commands::status::StatusArgs),
    /// Show plans, approvals, applies and consents of the app, from the store
    History(commands::history::HistoryArgs),
    /// End the lease of a run that is gone
    Unlock(commands::unlock::UnlockArgs),
    /// List the integrations that the platform offers
    ListAvailable(commands::list_available::ListAvailableArgs),
    /// Print the remote's state as JSON, for `plan --remote-state`
    RemoteState(commands::remote_state::RemoteStateArgs),
    /// Log in to Base44 (shared with the official client)
    Login(commands::login::LoginArgs),
    /// Forget the login of this machine
    Logout(commands::login::LogoutArgs),
    /// Show who is logged in
    Whoami(commands::login::WhoamiArgs),
    /// Explain and test the policy of connplan.toml
    Policy(commands::policy::PolicyArgs),
    /// Trust an address or a store that a project file names
    Trust(commands::trust::TrustArgs),
    /// Run a local stand-in for the platform
    Sandbox(commands::sandbox::SandboxArgs),
    /// See plan, apply and authorize on a sandbox of its own
    Demo(commands::demo::DemoArgs),
    /// Set a repository up: settings, schema, workflows
    Init(commands::init::InitArgs),
    /// Check project, login, network and terminal
    Doctor(commands::doctor::DoctorArgs),
    /// List and search the scopes that are known
    Scopes(commands::scopes::ScopesArgs),
    /// Print the JSON Schema of a format
    Schema(commands::schema::SchemaArgs),
    /// Print shell completions
    Completions(commands::completions::CompletionsArgs),
    /// Write the manual pages to a folder
    Man(commands::man::ManArgs),
    /// Print the version
    Version(commands::version::VersionArgs),
    /// Print help of a command, or a page: environment, files, exit-codes
    Help(commands::help::HelpArgs),
}
