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
    let medium = context.medium(&[Format::Text, Format::Json])?;
    context
        .terminal
        .out(&view::version::show(env!("CARGO_PKG_VERSION"), &medium));
    Ok(ExitStatus::Done)
}
