//! `connplan completions`.

use clap::{Arg, Args, Command, builder::PossibleValuesParser};
use clap_complete::Shell;

use crate::{
    context::{Context, ExitStatus, Failure, Format},
    syntax::KNOWN_TYPES,
    view,
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

/// Prints completions of this grammar.
pub fn run(
    args: &CompletionsArgs,
    grammar: Command,
    context: &Context,
) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let mut script = Vec::new();
    let mut command = with_types(grammar);
    clap_complete::generate(args.shell, &mut command, "connplan", &mut script);
    let script = String::from_utf8_lossy(&script);
    let script = match args.shell {
        Shell::PowerShell => values_for_powershell(&script, &command),
        _ => script.into_owned(),
    };
    let shell = args.shell.to_string();
    let shown = view::prose::show("completions", Some(&shell), script, &medium);
    context.terminal.out(&shown);
    Ok(ExitStatus::Done)
}

/// The generator offers PowerShell no values, only options: they are put beside those.
fn values_for_powershell(script: &str, command: &Command) -> String {
    let takes_types = |name: &str| {
        let sub = command.find_subcommand(name);
        sub.is_some_and(|sub| sub.get_arguments().any(is_type))
    };
    let mut out = String::with_capacity(script.len());
    for line in script.split_inclusive('\n') {
        out.push_str(line);
        let block = line.trim().strip_prefix("'connplan;");
        let Some(name) = block.and_then(|block| block.strip_suffix("' {")) else {
            continue;
        };
        if takes_types(name) {
            for kind in KNOWN_TYPES {
                let value = format!(
                    "            [CompletionResult]::new('{kind}', '{kind}', \
                     [CompletionResultType]::ParameterValue, '{kind}')\n"
                );
                out.push_str(&value);
            }
        }
    }
    out
}

fn is_type(arg: &Arg) -> bool {
    let named = arg.get_value_names().and_then(<[_]>::first);
    named.is_some_and(|name| name.as_str() == "TYPE")
}

/// Offers the known types wherever a type is wanted. Only here: the program itself takes any.
fn with_types(command: Command) -> Command {
    command.mut_subcommands(|sub| {
        sub.mut_args(|arg| {
            if is_type(&arg) {
                arg.value_parser(PossibleValuesParser::new(KNOWN_TYPES))
            } else {
                arg
            }
        })
    })
}
