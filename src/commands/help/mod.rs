//! `connplan help`: of a command, or one of the pages that belong to none.

mod page;

use clap::Args;

pub use self::page::laid_out;

use crate::{
    context::{Context, ExitStatus, Failure, Format, UsageError},
    view,
};

/// All variables that are read.
pub const ENVIRONMENT: &str = include_str!("environment.txt");
/// All files that are read or written.
pub const FILES: &str = include_str!("files.txt");
/// How a run ends.
pub const EXIT_CODES: &str = include_str!("exit-codes.txt");

/// Arguments of `help`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Pages:\n  connplan help environment   # variables\n  connplan help files\n  \
                  connplan help exit-codes"
)]
pub struct HelpArgs {
    /// A command, or a page: environment, files, exit-codes
    #[arg(value_name = "COMMAND")]
    pub topic: Vec<String>,
}

/// Prints the help of a command, a page, or the whole.
pub fn run(
    args: &HelpArgs,
    grammar: impl Fn(Option<usize>) -> clap::Command,
    context: &Context,
) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let mut grammar = grammar(medium.columns);
    grammar.build();
    let page = |text: &str| laid_out(text, columns(medium.columns));
    let styled =
        |mut command: clap::Command| view::prose::help(&command.render_long_help(), &medium);
    let topic = args.topic.join(" ");
    let text = match topic.as_str() {
        "" => styled(grammar),
        "environment" => page(ENVIRONMENT),
        "files" => page(FILES),
        "exit-codes" => page(EXIT_CODES),
        name => {
            let mut words = args.topic.iter();
            let found = words.try_fold(&grammar, |within, word| within.find_subcommand(word));
            let Some(command) = found else {
                let name = crate::escape::limited(name, 100);
                return Err(UsageError::with_help(
                    format!("there is no command `{name}`, and no page of that name"),
                    "`connplan help` lists the commands; pages: environment, files, exit-codes",
                )
                .into());
            };
            styled(command.clone())
        }
    };
    let about = Some(topic.as_str()).filter(|topic| !topic.is_empty());
    let shown = view::prose::show("help", about, text, &medium);
    context.terminal.out(&shown);
    Ok(ExitStatus::Done)
}

/// How wide help is on a terminal, and where there is none.
pub fn columns(terminal: Option<usize>) -> usize {
    terminal.unwrap_or(100)
}
