//! `connplan validate`.

use std::path::PathBuf;

use clap::Args;

use crate::{
    cli::{Context, ExitStatus, Failure, Format},
    config::{self, Problem},
    view,
};

/// Arguments of `validate`.
#[derive(Clone, Debug, Args)]
pub struct ValidateArgs {
    /// Read connector files from PATH instead of the project's folder
    #[arg(long, value_name = "PATH")]
    pub dir: Option<PathBuf>,
}

/// Reads and checks every file; says everything that is wrong.
pub fn run(args: &ValidateArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let format =
        context.format(&[Format::Text, Format::Json, Format::Github, Format::Sarif])?;
    let project = context.project(args.dir.as_deref())?;
    let loaded = config::connectors::read(&project);
    let diagnostics: Vec<_> = loaded.problems.iter().map(Problem::to_diagnostic).collect();
    let valid = loaded.declared.is_some();
    match format {
        Format::Json => context.terminal.out(&view::validation::json(valid, &diagnostics)?),
        Format::Github => context.terminal.out(&view::runner::annotations(&diagnostics)),
        Format::Sarif => context.terminal.out(&view::sarif::log(&diagnostics)?),
        _ => {
            view::problems::say(&context.terminal, &loaded.problems);
            let count = loaded.declared.as_ref().map_or(0, |declared| declared.connectors.len());
            let folder = project.shown(&project.connectors_dir);
            context.terminal.out(&view::validation::text(
                valid,
                count,
                &folder,
                &loaded.folder,
                &diagnostics,
            ));
        }
    }
    Ok(if valid { ExitStatus::Done } else { ExitStatus::Error })
}
