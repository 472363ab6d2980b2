//! `connplan comment`.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::Value;

use super::{
    listening,
    printing::{MarkdownArgs, file_name, made_for},
    show::is_receipt,
};
use crate::{
    config::ConfigError,
    context::{Context, ExitStatus, Failure, Format, UsageError},
    diff::ConsentNeed,
    escape, fs,
    model::{AppId, Origin},
    ops,
    plan::{self, Digest, Refusal},
    publish::{
        self, About, Applied, Message, Overrides, Place, PublishError, Published, SUMMARY_LIMIT,
    },
    receipt,
    view::{
        comment::{AppName, CommentReport, Facts},
        markdown,
        report::{ChangeReport, PlanReport, ReceiptReport},
        shell_word,
    },
};

/// Arguments of `comment`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "On GitHub: GITHUB_TOKEN, with the permission `pull-requests: write`. On GitLab: \
                  GITLAB_TOKEN,\na project access token with the scope `api`. The rest is in the \
                  runner's variables.\n\nExamples:\n  connplan comment release.plan\n  connplan \
                  comment release.plan --dry-run        # print it, send nothing\n  connplan comment \
                  release.receipt --repo owner/name --pr 5\n  connplan comment --failed error.json       \
                  # what `connplan plan --format json` printed"
)]
pub struct CommentArgs {
    /// A saved plan or receipt ("-" is standard input)
    #[arg(value_name = "FILE", required_unless_present = "failed")]
    pub file: Option<PathBuf>,
    /// The JSON error of a plan or apply that failed, in place of FILE
    #[arg(long, value_name = "FILE", conflicts_with = "file", value_hint = clap::ValueHint::FilePath)]
    pub failed: Option<PathBuf>,
    /// Refuse any plan or receipt but the one with this digest
    #[arg(long, value_name = "DIGEST", conflicts_with = "failed")]
    pub expect_digest: Option<Digest>,
    /// Make a comment even if nothing changes
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
    Plan(PlanReport, Option<Timestamp>),
    Receipt(ReceiptReport),
    Failure(Failed),
}

/// What is known of a failure.
struct Failed {
    document: Option<Value>,
    app: String,
    environment: Option<String>,
    origin: Option<Origin>,
}

impl Paper {
    async fn read(args: &CommentArgs, context: &Context) -> Result<Self, Failure> {
        let file = match (&args.file, &args.failed) {
            (Some(file), _) => file,
            (None, Some(file)) => return Ok(Self::Failure(Failed::read(file, context)?)),
            (None, None) => return Err(UsageError::new("no file is named").into()),
        };
        let text = context.read_document(file)?;
        let name = file_name(file);
        Ok(if is_receipt(&text) {
            let mut saved = receipt::read(&name, &text)?;
            if args.expect_digest.is_some() {
                saved = ops::Brought::of(saved, args.expect_digest.as_ref())?.saved;
            }
            let app = &saved.receipt.app;
            of_here(context, &app.id, app.environment.as_deref())?;
            made_for(context, app);
            Self::Receipt(ReceiptReport::new(&saved.receipt, &saved.digest))
        } else {
            let saved = plan::document::read(&name, &text)?;
            ops::is_expected(&saved.digest, args.expect_digest.as_ref())?;
            let app = &saved.plan.app.app;
            of_here(context, &app.id, app.environment.as_deref())?;
            made_for(context, app);
            let mut report = PlanReport::new(&saved.plan, &saved.digest);
            let around = listening::around(context);
            let whose = (&saved.plan, &saved.digest);
            if let Some((dangers, binding)) = ops::dangers_here(&around, whose.0).await {
                report.add_dangers(dangers);
                report.approval_missing =
                    ops::missing_approval(&around, whose, &binding, Vec::new()).await;
            }
            let made = saved.created_at.and_then(|time| time.parse().ok());
            Self::Plan(report, made)
        })
    }

    fn apps(&self) -> Vec<(&str, Option<&str>)> {
        let apps = self.addressed().into_iter();
        apps.map(|(id, environment, _)| (id, environment)).collect()
    }

    /// The same with their addresses; none of a failure, whose document is not sealed.
    fn addressed(&self) -> Vec<(&str, Option<&str>, Option<&str>)> {
        match self {
            Self::Plan(plan, ..) => {
                let apps = plan.apps.iter();
                let app = apps.map(|a| (a.app_id.as_str(), a.environment.as_deref(), &a.api_url));
                app.map(|(id, env, url)| (id, env, Some(url.as_str())))
                    .collect()
            }
            Self::Receipt(receipt) => {
                let apps = receipt.apps.iter();
                let app = apps.map(|a| (a.app_id.as_str(), a.environment.as_deref(), &a.api_url));
                app.map(|(id, env, url)| (id, env, Some(url.as_str())))
                    .collect()
            }
            Self::Failure(failed) => vec![(&failed.app, failed.environment.as_deref(), None)],
        }
    }

    fn named(&self, context: &Context) -> Vec<AppName> {
        let named = self
            .addressed()
            .into_iter()
            .filter_map(|(id, environment, url)| {
                if let Some(url) = url {
                    return Some(AppName::new(id, environment, url));
                }
                // The address of this run.
                let (_, app) = context.project_of(&AppId::parse(id).ok()?).ok()?;
                Some(AppName::new(id, environment, app.api_url.as_str()))
            });
        named.collect()
    }

    fn markdown(&self, options: &markdown::Options) -> String {
        match self {
            Self::Plan(plan, ..) => markdown::plan(plan, options),
            Self::Receipt(receipt) => markdown::receipt(receipt, options),
            Self::Failure(failed) => {
                let name = markdown::app_name(&failed.app, failed.environment.as_deref());
                let document = failed.document.as_ref();
                markdown::failure(document, &name, failed.origin.as_ref(), options)
            }
        }
    }

    fn has_changes(&self) -> bool {
        match self {
            Self::Plan(plan, ..) => {
                plan.has_changes() || plan.withdraws() || plan.loosened().next().is_some()
            }
            Self::Receipt(receipt) => receipt.has_effects(),
            Self::Failure(_) => true,
        }
    }

    /// Whether it shows what is not a change, and may be one: what waits for a person or was left out, whoever
    /// says so, and what nobody could compare. Reviewers see what that is.
    fn leaves_open(&self) -> bool {
        let waits = |change: &ChangeReport| {
            change.authorization == ConsentNeed::Pending || !change.dropped.is_empty()
        };
        matches!(self, Self::Plan(plan, ..) if !plan.is_compared() || plan.changes().any(waits))
    }

    fn digest(&self) -> Option<&str> {
        match self {
            Self::Plan(plan, ..) => Some(plan.digest.as_str()),
            Self::Receipt(receipt) => Some(receipt.digest.as_str()),
            Self::Failure(_) => None,
        }
    }

    /// A plan may have been made elsewhere; a failure is this run's.
    fn origin(&self) -> Option<Origin> {
        match self {
            Self::Plan(plan, ..) => plan.origin.clone(),
            Self::Receipt(_) => None,
            Self::Failure(failed) => failed.origin.clone(),
        }
    }

    fn about(&self, text: String, folder: Option<&str>) -> About {
        match self {
            Self::Plan(plan, planned) => About::Plan {
                text,
                digest: plan.digest.to_string(),
                planned: *planned,
            },
            Self::Receipt(receipt) => About::Receipt {
                text,
                plan_digest: receipt.plan_digest.to_string(),
                plan_marker: publish::marker(self.apps().into_iter(), folder),
                says: says(receipt),
            },
            Self::Failure(_) => About::Failure { text },
        }
    }
}

impl Failed {
    /// Whatever the file holds, something failed, and that is said.
    fn read(file: &Path, context: &Context) -> Result<Self, Failure> {
        let document: Option<Value> = match context.read_document(file) {
            Ok(text) => serde_json::from_str(&text).ok(),
            Err(failure) => {
                context.warn(&failure.told());
                None
            }
        };
        let failed = ["error", "validation"].map(Value::from);
        let document = document.filter(|document| failed.contains(&document["kind"]));
        let named = document.as_ref().map(|document| {
            let plan = &document["plan"]["apps"][0];
            if plan.is_object() {
                plan
            } else {
                &document["apps"][0]
            }
        });
        let planned = named.and_then(|app| {
            let environment = app["environment"].as_str().map(str::to_owned);
            let id = AppId::parse(app["app_id"].as_str()?).ok()?;
            Some((id, environment))
        });
        // It passes between jobs, and nothing seals it: whose comment it is, is said here.
        let planned = planned.filter(|_| !context.is_nowhere());
        let planned = planned.map(|(app, environment)| {
            of_here(context, &app, environment.as_deref()).map(|()| (app, environment))
        });
        let (document, planned) = match planned {
            Some(Err(failure)) => {
                context.warn(&format!(
                    "the comment only says that something failed, because the file is not of this app or environment: {}",
                    failure.report
                ));
                (None, None)
            }
            Some(Ok(planned)) => (document, Some(planned)),
            None => (document, None),
        };
        let (app, environment) = if let Some((app, environment)) = planned {
            (app.as_str().to_owned(), environment)
        } else {
            let project = context.project(None)?;
            let app = project.app()?;
            (app.id.as_str().to_owned(), app.environment)
        };
        Ok(Self {
            document,
            app,
            environment,
            origin: context.origin(),
        })
    }
}

/// Fails where a document is of another app, or of another environment of it, than this run is for: it
/// passes between jobs, and whoever alters it does not choose whose comment is edited.
fn of_here(context: &Context, app: &AppId, environment: Option<&str>) -> Result<(), Failure> {
    if context.is_nowhere() {
        // Nothing else names an app.
        return Ok(());
    }
    let here = context.project(None)?;
    if here.environment.as_deref() != environment {
        let named = |environment: Option<&str>| {
            environment.map_or_else(
                || "no environment".to_owned(),
                |name| format!("the environment {}", escape::limited(name, 80)),
            )
        };
        let help = match environment {
            Some(_) if here.settings_file.is_none() => {
                "no connplan.toml is here, so there are no environments: check the project out; or leave out \
                 `--app-id` and BASE44_APP_ID, and the file says whose comment it is"
                    .to_owned()
            }
            Some(name) => format!(
                "a comment belongs to the environment of its run: give `comment` the same as `plan`, `--env {}`",
                shell_word(&escape::limited(name, 80))
            ),
            None => {
                "a comment belongs to the environment of its run: leave out `--env`, as `plan` did"
                    .to_owned()
            }
        };
        return Err(UsageError::with_help(
            format!(
                "the file is for {}, this run is for {}",
                named(environment),
                named(here.environment.as_deref())
            ),
            help,
        )
        .into());
    }
    let here = match here.app() {
        Err(ConfigError::NoAppId { .. }) => return Ok(()),
        here => here?,
    };
    if here.id != *app {
        return Err(Refusal::OtherApp {
            what: "file",
            planned: app.clone(),
            here: here.id,
        }
        .into());
    }
    Ok(())
}

/// What the plan's comment says of its apply.
fn says(receipt: &ReceiptReport) -> Applied {
    let summary = &receipt.summary;
    if summary.failed > 0 || summary.not_run > 0 {
        Applied::InPart
    } else if summary.pending > 0 {
        Applied::Waits
    } else {
        Applied::Whole
    }
}

/// Comments, or says why not.
pub async fn run(args: &CommentArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let paper = Paper::read(args, context).await?;
    // Only its name: where it lies on the runner helps nobody, and may be another place each time.
    let name = args.file.as_deref().and_then(Path::file_name);
    let options = args.markdown.options(name.map(Path::new), context);
    let message = message(&paper, &options, args, context);
    let apps = paper.named(context);
    let facts = facts(&paper, &apps, args.file.as_deref());
    if args.dry_run {
        CommentReport::dry_run(&facts, message.preview()).show(&medium, &context.terminal);
        context.terminal.say(&match place(args, context) {
            Ok(place) => format!("This would be the comment on {place}. Nothing was sent."),
            Err(error) => format!("Nothing was sent. Without --dry-run: {error}."),
        });
        return Ok(ExitStatus::Done);
    }
    let writing = context.signals.writing();
    if let Some(file) = context.vars.get("GITHUB_STEP_SUMMARY") {
        summarize(&paper, &options, &context.path(Path::new(file)), context);
    }
    let published = if args.summary_only {
        None
    } else {
        Some(comment(args, context, &message).await)
    };
    let report = CommentReport::new(&facts, published.as_ref());
    if let Some(file) = context.vars.get("GITHUB_OUTPUT") {
        let path = context.path(Path::new(file));
        if let Err(error) = fs::append(&path, &publish::outputs(&report.outputs())) {
            context.warn(&format!("the step's outputs could not be written: {error}"));
        }
    }
    drop(writing);
    report.show(&medium, &context.terminal);
    match published {
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

fn facts<'a>(paper: &'a Paper, apps: &'a [AppName], file: Option<&'a Path>) -> Facts<'a> {
    Facts {
        apps,
        digest: paper.digest(),
        has_changes: paper.has_changes(),
        file: file.and_then(Path::to_str),
    }
}

/// The comment, within the limit. Room is kept for what a later run has to say above it.
fn message(
    paper: &Paper,
    options: &markdown::Options,
    args: &CommentArgs,
    context: &Context,
) -> Message {
    /// The marker, the record, and a notice.
    const ROOM: usize = 4096;
    let folder = options.folder.as_deref();
    let apps = paper.apps().into_iter();
    let marker = match paper {
        Paper::Receipt(_) => publish::receipt_marker(apps, folder),
        Paper::Plan(..) | Paper::Failure(_) => publish::marker(apps, folder),
    };
    let room = ROOM.min(options.max_bytes / 4);
    let text = paper.markdown(&markdown::Options {
        max_bytes: options.max_bytes.saturating_sub(room),
        ..options.clone()
    });
    Message {
        about: paper.about(text, folder),
        marker,
        commit: paper.origin().and_then(|origin| origin.commit),
        create: args.always || paper.has_changes() || paper.leaves_open(),
        max_bytes: options.max_bytes,
        now: context.now(),
    }
}

fn place(args: &CommentArgs, context: &Context) -> Result<Place, PublishError> {
    let event = context.event();
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
