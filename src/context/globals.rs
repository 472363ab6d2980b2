//! The options that every command takes.

use std::path::PathBuf;

use clap::Args;

use crate::{syntax::MaxDuration, term::ColorChoice, view::Format};

/// Options of every command.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Run as if started in DIR
    #[arg(short = 'C', value_name = "DIR", global = true, hide_short_help = true)]
    pub chdir: Option<PathBuf>,
    /// The app, instead of the environment's or the project's
    #[arg(long, value_name = "ID", global = true, hide_short_help = true)]
    pub app_id: Option<String>,
    /// An environment of connplan.toml
    #[arg(long, value_name = "NAME", global = true, hide_short_help = true)]
    pub env: Option<String>,
    /// Output format
    #[arg(
        long,
        value_name = "FORMAT",
        global = true,
        hide_short_help = true,
        value_enum,
        default_value_t
    )]
    pub format: Format,
    /// Colour
    #[arg(
        long,
        value_name = "WHEN",
        global = true,
        hide_short_help = true,
        value_enum,
        default_value_t
    )]
    pub color: ColorChoice,
    /// Never ask; fail where a question would be asked
    #[arg(long, global = true, hide_short_help = true)]
    pub no_input: bool,
    /// Show e-mail addresses in full, in pipelines (where CI is set) and in Markdown too
    #[arg(long, global = true, hide_short_help = true)]
    pub show_accounts: bool,
    /// Print more (-v requests, -vv details), on standard error
    #[arg(short, long, global = true, hide_short_help = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Print less: no progress, no advice
    #[arg(short, long, global = true, hide_short_help = true)]
    pub quiet: bool,
    /// Time limit for the whole command [default: 10m for commands that only read, 1h for a saved plan]
    #[arg(long, value_name = "DURATION", global = true, hide_short_help = true)]
    pub max_time: Option<MaxDuration>,
    /// Let credentials travel to another machine over plain http
    #[arg(long, global = true, hide_short_help = true)]
    pub allow_http: bool,
}
