//! `connplan version`.

use clap::Args;

use crate::{
    context::{Context, ExitStatus, Failure, Format},
    view,
};

/// Arguments of `version`: none.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  connplan version --format json")]
pub struct VersionArgs {}

/// Prints the version.
pub fn run(_args: &VersionArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let format = context.format(&[Format::Text, Format::Json])?;
    let version = env!("CARGO_PKG_VERSION");
    context.terminal.out(&match format {
        Format::Json => view::version::json(version),
        _ => format!("connplan {version}\n"),
    });
    Ok(ExitStatus::Done)
}
