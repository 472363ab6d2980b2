//! `connplan schema`.

use clap::Args;

use crate::{
    context::{Context, ExitStatus, Failure, Format},
    schema::Subject,
};

/// Arguments of `schema`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example, for editors:\n  connplan schema connector > connector.schema.json\n\n\
                        and in a connector file: \"$schema\": \"../../connector.schema.json\""
)]
pub struct SchemaArgs {
    /// What the schema is of
    #[arg(value_name = "SUBJECT", value_enum)]
    pub subject: Subject,
}

/// Prints a schema.
pub fn run(args: &SchemaArgs, context: &Context) -> Result<ExitStatus, Failure> {
    context.medium(&[Format::Text, Format::Json])?;
    context.terminal.out(&args.subject.to_json());
    Ok(ExitStatus::Done)
}
