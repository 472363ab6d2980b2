//! `connplan man`.

use std::path::PathBuf;

use clap::Args;

use crate::{
    context::{Context, EncodeError, ExitStatus, Failure, Format},
    fs,
};

/// Arguments of `man`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan man ~/.local/share/man/man1\n  connplan man | man -l -"
)]
pub struct ManArgs {
    /// The folder; without one, the main page is printed
    #[arg(value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Writes a page for the program and one for each command of its grammar.
pub fn run(
    args: &ManArgs,
    mut command: clap::Command,
    context: &Context,
) -> Result<ExitStatus, Failure> {
    context.medium(&[Format::Text])?;
    command.build();
    let Some(dir) = &args.dir else {
        context.terminal.out(&page(command)?);
        return Ok(ExitStatus::Done);
    };
    let place = context.output_place(dir)?;
    let writing = context.signals.writing();
    fs::ensure_dir(&place)?;
    let pages = command
        .get_subcommands()
        .filter(|sub| !sub.is_hide_set() && sub.get_name() != "help")
        .map(|sub| {
            let name = format!("connplan-{}", sub.get_name());
            // A page is known by the name of its file.
            (name.clone(), sub.clone().name(name))
        });
    let mut all = vec![("connplan".to_owned(), command.clone())];
    all.extend(pages);
    for (name, command) in &all {
        let file = context.output_file("DIR", &dir.join(format!("{name}.1")))?;
        file.write(page(command.clone())?.as_bytes())?;
    }
    drop(writing);
    let shown = context.path(dir).display().to_string();
    let shown = crate::escape::limited(&shown, 400);
    context
        .terminal
        .say(&format!("Wrote {} pages to {shown}.", all.len()));
    Ok(ExitStatus::Done)
}

fn page(command: clap::Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    // `-h` names the global options in one line; a page describes them.
    let command = command.mut_args(|arg| arg.hide_short_help(false));
    clap_mangen::Man::new(command)
        .render(&mut page)
        .map_err(|e| EncodeError::Encoder(e.to_string()))?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
