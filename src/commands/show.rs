//! `connplan show`.

use std::path::PathBuf;

use clap::Args;

use super::{
    listening,
    printing::{MarkdownArgs, made_for},
};
use crate::{
    context::{Context, ExitStatus, Failure, Format, UsageError},
    ops,
    plan::{self, envelope::DocumentKind},
    receipt,
    view::{self, Medium, report::PlanReport},
};

/// Arguments of `show`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan show release.plan --format markdown\n  connplan show release.receipt"
)]
pub struct ShowArgs {
    /// A saved plan or receipt ("-" is standard input), or the digest of a plan in the store
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,
    /// How to print it.
    #[command(flatten)]
    pub markdown: MarkdownArgs,
}

/// Prints a saved plan or receipt.
pub async fn run(args: &ShowArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json, Format::Markdown, Format::Diff])?;
    let listening::NamedPlan {
        digest: named,
        name,
        text,
    } = listening::named_plan(context, &args.file).await?;
    let shown = if is_receipt(&text) {
        context
            .medium(&[Format::Text, Format::Json, Format::Markdown])
            .map_err(|_| {
                UsageError::with_help(
                    "a receipt has no diff: it says what was done",
                    "of a receipt there is: text, json, markdown; `--format diff` is of its plan",
                )
            })?;
        let saved = receipt::read(&name, &text)?;
        let next = made_for(context, &saved.receipt.app);
        let options = args.markdown.options(Some(&args.file), context);
        let medium = Medium { next, ..medium }.alone();
        view::receipt::show(&saved.receipt, &saved.digest, &options, &medium)
    } else {
        let saved = plan::document::read(&name, &text)?;
        let next = made_for(context, &saved.plan.app.app);
        let mut report = PlanReport::new(&saved.plan, &saved.digest).at(medium.now);
        if let Ok((project, true)) = context.project_for(&saved.plan.app.app) {
            match ops::agrees(&project, &saved.plan) {
                Err(why) => context.warn(&why.to_string()),
                Ok(uncompared) if uncompared.is_empty() => {}
                Ok(uncompared) => context.warn(&uncompared.to_string()),
            }
        }
        report.kept = named.is_some();
        report.approval_missing = listening::missing_approval(context, &saved, None).await;
        let (found, why) = ops::forbade(&listening::around(context), &saved.plan).await;
        report.add_dangers(found);
        if let Some(why) = why.filter(|_| report.approval_missing.is_some()) {
            context.warn(&why);
        }
        let options = args.markdown.options(Some(&args.file), context);
        view::plan::show(&report, &options, &Medium { next, ..medium })
    };
    context.terminal.out(&shown);
    Ok(ExitStatus::Done)
}

/// A glance at the kind; the reader proper checks everything.
pub(super) fn is_receipt(text: &str) -> bool {
    match text.parse::<toml::Table>() {
        Ok(table) => table.get("kind").and_then(toml::Value::as_str) == Some("receipt"),
        // One that was cut short is still told as what it was.
        Err(_) => DocumentKind::Receipt.is_said_in(text),
    }
}
