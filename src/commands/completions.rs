//! `connplan completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::{Cli, Context, ExitStatus, Failure};

/// Arguments of `completions`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan completions bash > ~/.local/share/bash-completion/completions/connplan\n  \
                        connplan completions zsh > ~/.zfunc/_connplan"
)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints completions.
pub fn run(args: &CompletionsArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "connplan", &mut script);
    context.terminal.out(&String::from_utf8_lossy(&script));
    Ok(ExitStatus::Done)
}
