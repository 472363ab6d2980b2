//! `connplan completions`.

use clap::{Args, Command, builder::PossibleValuesParser};
use clap_complete::Shell;

use crate::{
    cli::{Cli, Context, ExitStatus, Failure},
    config::KNOWN_TYPES,
};

/// Arguments of `completions`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan completions bash > ~/.local/share/bash-completion/completions/connplan\n  \
                        connplan completions zsh > ~/.zfunc/_connplan\n  \
                        connplan completions fish > ~/.config/fish/completions/connplan.fish\n  \
                        connplan completions powershell >> $PROFILE"
)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// Prints completions.
pub fn run(args: &CompletionsArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let mut script = Vec::new();
    let mut command = with_types(Cli::grammar());
    clap_complete::generate(args.shell, &mut command, "connplan", &mut script);
    context.terminal.out(&String::from_utf8_lossy(&script));
    Ok(ExitStatus::Done)
}

/// Offers the known types wherever a type is wanted. Only here: the program itself takes any.
fn with_types(command: Command) -> Command {
    command.mut_subcommands(|sub| {
        sub.mut_args(|arg| {
            let named = arg.get_value_names().and_then(<[_]>::first);
            if named.is_some_and(|name| name.as_str() == "TYPE") {
                arg.value_parser(PossibleValuesParser::new(KNOWN_TYPES))
            } else {
                arg
            }
        })
    })
}
