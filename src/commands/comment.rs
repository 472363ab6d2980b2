//! `connplan comment`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::{
    printing::{MarkdownArgs, file_name},
    show::is_receipt,
};
use crate::{
    context::{Context, ExitStatus, Failure, Format},
    fs, plan,
    publish::{self, Message, Overrides, Place, PublishError, Published, SUMMARY_LIMIT},
    receipt,
    view::{
        comment::{CommentReport, Facts},
        markdown,
        report::{PlanReport, ReceiptReport},
    },
};

/// Arguments of `comment`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "On GitHub: GITHUB_TOKEN, with the permission `pull-requests: write`. On GitLab: \
                  GITLAB_TOKEN,\na project access token with the scope `api`. The rest is in the \
                  runner's variables.\n\nExamples:\n  connplan comment release.plan\n  connplan \
                  comment release.plan --dry-run        # print it, send nothing\n  connplan comment \
                  release.receipt --repo owner/name --pr 5"
)]
pub struct CommentArgs {
    /// A saved plan or receipt ("-" is standard input)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Make a comment even where nothing changes
    #[arg(long)]
    pub always: bool,
    /// Fail if the comment could not be made
    #[arg(long)]
    pub strict: bool,
    /// Print the comment; send and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Only write the step summary and the step's outputs (GitHub)
    #[arg(long, conflicts_with_all = ["dry_run", "always", "strict"])]
    pub summary_only: bool,
    /// The pull or merge request [default: the one that the run is for]
    #[arg(long, value_name = "N")]
    pub pr: Option<u64>,
    /// The repository or project [default: the one that the run is for]
    #[arg(long, value_name = "OWNER/NAME")]
    pub repo: Option<String>,
    /// How it is written.
    #[command(flatten)]
    pub markdown: MarkdownArgs,
}

/// A document that can be commented with.
enum Paper {
    Plan(PlanReport),
    Receipt(ReceiptReport),
}

impl Paper {
    fn read(args: &CommentArgs, context: &Context) -> Result<Self, Failure> {
        let text = context.read_document(&args.file)?;
        let name = file_name(&args.file);
        Ok(if is_receipt(&text) {
            let saved = receipt::read(&name, &text)?;
            Self::Receipt(ReceiptReport::new(&saved.receipt, &saved.digest))
        } else {
            let saved = plan::document::read(&name, &text)?;
            Self::Plan(PlanReport::new(&saved.plan, &saved.digest))
        })
    }

    fn marker(&self) -> String {
        match self {
            Self::Plan(plan) => publish::marker(
                plan.apps
                    .iter()
                    .map(|app| (app.app_id.as_str(), app.environment.as_deref())),
            ),
            Self::Receipt(receipt) => publish::marker(
                receipt
                    .apps
                    .iter()
                    .map(|app| (app.app_id.as_str(), app.environment.as_deref())),
            ),
        }
    }

    fn markdown(&self, options: &markdown::Options) -> String {
        match self {
            Self::Plan(plan) => markdown::plan(plan, options),
            Self::Receipt(receipt) => markdown::receipt(receipt, options),
        }
    }

    fn has_changes(&self) -> bool {
        match self {
            Self::Plan(plan) => plan.has_changes(),
            Self::Receipt(receipt) => receipt.has_effects(),
        }
    }

    fn digest(&self) -> &str {
        match self {
            Self::Plan(plan) => plan.digest.as_str(),
            Self::Receipt(receipt) => receipt.digest.as_str(),
        }
    }
}

/// Comments, or says why not.
pub async fn run(args: &CommentArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let format = context.format(&[Format::Text, Format::Json])?;
    let paper = Paper::read(args, context)?;
    // Only its name: where it lies on the runner helps nobody, and may be another place each time.
    let name = args.file.file_name().filter(|name| *name != "-");
    let options = args
        .markdown
        .options(name.map(|name| name.to_string_lossy().into_owned()));
    let message = message(&paper, &options, args.always);
    if args.dry_run {
        context.terminal.verbatim(&message.body);
        context.terminal.say(&match place(args, context) {
            Ok(place) => format!("This would be the comment on {place}. Nothing was sent."),
            Err(error) => format!("Nothing was sent. Without --dry-run: {error}."),
        });
        return Ok(ExitStatus::Done);
    }
    if let Some(file) = context.vars.get("GITHUB_STEP_SUMMARY") {
        summarize(&paper, &options, &context.path(Path::new(file)), context);
    }
    let published = if args.summary_only {
        None
    } else {
        Some(comment(args, context, &message).await)
    };
    let report = CommentReport::new(&facts(&paper, &args.file), published.as_ref());
    if let Some(file) = context.vars.get("GITHUB_OUTPUT") {
        let path = context.path(Path::new(file));
        if let Err(error) = fs::append(&path, &publish::outputs(&report.outputs())) {
            context.warn(&format!("the step's outputs could not be written: {error}"));
        }
    }
    match format {
        Format::Json => context.terminal.out(&report.to_json()),
        _ if matches!(published, Some(Err(_))) => {}
        _ => context.terminal.say(&report.text()),
    }
    match published {
        // One document on standard output, and it has said why.
        Some(Err(error)) if args.strict && format == Format::Json => {
            Ok(context.tell(&Failure::new(ExitStatus::Error, error)))
        }
        Some(Err(error)) if args.strict => Err(Failure::new(ExitStatus::Error, error)),
        Some(Err(error)) => {
            use miette::Diagnostic as _;
            let help = error.help().map(|help| format!("\n  help: {help}"));
            context.warn(&format!(
                "no comment was made: {error}{}",
                help.unwrap_or_default()
            ));
            Ok(ExitStatus::Done)
        }
        Some(Ok(_)) | None => Ok(ExitStatus::Done),
    }
}

fn facts<'a>(paper: &'a Paper, file: &'a Path) -> Facts<'a> {
    Facts {
        digest: paper.digest(),
        has_changes: paper.has_changes(),
        file: file.to_str(),
    }
}

/// The comment, marker and all, within the limit.
fn message(paper: &Paper, options: &markdown::Options, always: bool) -> Message {
    let marker = paper.marker();
    let room = options.max_bytes.saturating_sub(marker.len() + 1);
    let text = paper.markdown(&markdown::Options {
        max_bytes: room,
        ..options.clone()
    });
    Message {
        body: format!("{marker}\n{text}"),
        marker,
        create: always || paper.has_changes(),
    }
}

fn place(args: &CommentArgs, context: &Context) -> Result<Place, PublishError> {
    /// GitHub sends no longer event.
    const LIMIT: u64 = 32 << 20;
    let event = context.vars.get("GITHUB_EVENT_PATH").and_then(|file| {
        let text = fs::read_text(&context.path(Path::new(file)), LIMIT).ok()?;
        serde_json::from_str(&text).ok()
    });
    let overrides = Overrides {
        repo: args.repo.clone(),
        number: args.pr,
    };
    Place::find(&context.vars, &overrides, event.as_ref())
}

async fn comment(
    args: &CommentArgs,
    context: &Context,
    message: &Message,
) -> Result<Published, PublishError> {
    let place = place(args, context)?;
    publish::publish(&place, message, context.client_options()).await
}

/// Adds the whole to the step's summary, as far as there is room. What is in the way is said, and
/// ends nothing.
fn summarize(paper: &Paper, options: &markdown::Options, file: &Path, context: &Context) {
    let written = fs::size(file).and_then(|size| {
        let taken = usize::try_from(size).unwrap_or(SUMMARY_LIMIT);
        let text = paper.markdown(&markdown::Options {
            max_bytes: SUMMARY_LIMIT.saturating_sub(taken + 1),
            ..options.clone()
        });
        fs::append(file, &format!("{text}\n"))
    });
    if let Err(error) = written {
        context.warn(&format!("the step summary could not be written: {error}"));
    }
}
