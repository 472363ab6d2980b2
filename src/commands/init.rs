//! `connplan init`: what a repository wants that has no connplan yet. Asks for each file, and never
//! writes over one.

use std::path::{Path, PathBuf};

use clap::Args;

use super::planning;
use crate::{
    config::{self, Project},
    context::{Context, ExitStatus, Failure, Format},
    fs::{self, Visibility},
    schema::Subject,
    term::{self, Answer},
    view::{
        self,
        init::{Did, FileDone},
    },
};

const SETTINGS: &str = include_str!("init/connplan.toml");
/// The very files that the README shows.
const PLAN: &str = include_str!("../../.github/examples/github-plan.yml");
const APPLY: &str = include_str!("../../.github/examples/github-apply.yml");
/// What a coding agent is to know.
const SKILL: &str = include_str!("../../.github/skills/connplan/SKILL.md");
/// Where each job of a workflow says what it runs on.
const RUNS_ON: &str = "    runs-on: ubuntu-latest\n";
/// More than any `.gitignore` has.
const LIMIT: u64 = 1 << 20;

/// Arguments of `init`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan init --dry-run     # what it would write\n  \
                        connplan init               # asks for each file\n  \
                        connplan init --yes         # writes them all"
)]
pub struct InitArgs {
    /// Say what would be written, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write everything without asking
    #[arg(short, long)]
    pub yes: bool,
}

/// One file that is offered.
struct Offer {
    path: PathBuf,
    what: &'static str,
    content: Content,
}

enum Content {
    New(String),
    /// A line for the end of a file that may be there.
    Line(&'static str),
}

/// Offers what is missing.
pub async fn run(args: &InitArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let format = context.format(&[Format::Text, Format::Json])?;
    let project = context.project(None)?;
    project.check()?;
    let mut open = Vec::new();
    let mut done = Vec::new();
    for offer in offers(&project) {
        if is_done(&project, &offer)? {
            done.push(told(&project, &offer, Did::Exists));
        } else {
            open.push(offer);
        }
    }
    if !open.is_empty() && !args.yes && !args.dry_run && !context.terminal.is_interactive() {
        return Err(planning::cannot_ask(
            "each file would have to be confirmed",
            "--yes",
        ));
    }
    for offer in open {
        let file = project.shown(&offer.path);
        let wanted = args.yes || args.dry_run || {
            let question = format!("Write {file} ({})?", offer.what);
            let answer = term::confirm_yes_no(&context.terminal, &question, Answer::No).await;
            answer == Answer::Yes
        };
        let did = match (wanted, &offer.content) {
            (false, _) => Did::Declined,
            (true, Content::Line(_)) if offer.path.exists() => Did::Appended,
            (true, _) => Did::Created,
        };
        if wanted && !args.dry_run {
            write(&project, &offer)?;
        }
        done.push(told(&project, &offer, did));
    }
    let next = next(context, &project);
    context.terminal.out(&match format {
        Format::Json => view::init::json(&done, args.dry_run, &next),
        _ => view::init::text(&done, args.dry_run, &next),
    });
    Ok(ExitStatus::Done)
}

fn told(project: &Project, offer: &Offer, action: Did) -> FileDone {
    FileDone {
        file: project.relative(&offer.path),
        action,
    }
}

fn offers(project: &Project) -> Vec<Offer> {
    let home = project.config_file.as_deref().and_then(Path::parent);
    let settings = match &project.settings_file {
        Some(file) => file.clone(),
        None => home.unwrap_or(&project.root).join("connplan.toml"),
    };
    let repository = repository(&project.root);
    let workflows = repository.join(".github").join("workflows");
    let template = |text: &str| {
        let inner = project
            .root
            .strip_prefix(repository)
            .unwrap_or(Path::new(""));
        let parts: Vec<_> = inner
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        Content::New(match parts.join("/") {
            inner if inner.is_empty() => text.to_owned(),
            inner => {
                // A string of JSON is one of YAML.
                let inner = serde_json::Value::from(inner);
                let within = format!(
                    "{RUNS_ON}    defaults:\n      run:\n        working-directory: {inner}\n"
                );
                text.replace(RUNS_ON, &within)
            }
        })
    };
    vec![
        Offer {
            path: settings,
            what: "settings, all of them commented out",
            content: Content::New(SETTINGS.to_owned()),
        },
        Offer {
            path: project.root.join(".gitignore"),
            what: "a line for .connplan/, which is private to each machine",
            content: Content::Line(".connplan/"),
        },
        Offer {
            path: project.schema_file(),
            what: "for editors: types and scopes to complete; `add` names it in new files",
            content: Content::New(Subject::Connector.to_json()),
        },
        Offer {
            path: repository.join(".github/skills/connplan/SKILL.md"),
            what: "for coding agents: what they may do, and what a person does",
            content: Content::New(SKILL.to_owned()),
        },
        Offer {
            path: workflows.join("connplan-plan.yml"),
            what: "GitHub workflow: plans each pull request",
            content: template(PLAN),
        },
        Offer {
            path: workflows.join("connplan-apply.yml"),
            what: "GitHub workflow: applies what was merged, once approved",
            content: template(APPLY),
        },
    ]
}

/// The folder that holds `.git`; the project where there is none.
fn repository(root: &Path) -> &Path {
    root.ancestors()
        .find(|folder| folder.join(".git").exists())
        .unwrap_or(root)
}

fn is_done(project: &Project, offer: &Offer) -> Result<bool, Failure> {
    // Even a link to nowhere is somebody's.
    let there = offer.path.symlink_metadata().is_ok();
    match (&offer.content, there) {
        (Content::New(_), there) => Ok(there || is_settings(project, offer)),
        (Content::Line(_), false) => Ok(false),
        (Content::Line(line), true) => {
            let text = fs::read_text(&offer.path, LIMIT)?;
            let bare = line.trim_end_matches('/');
            Ok(text.lines().any(|found| {
                let found = found.trim().trim_start_matches('/');
                found.trim_end_matches('/') == bare
            }))
        }
    }
}

fn is_settings(project: &Project, offer: &Offer) -> bool {
    project.settings_file.as_ref() == Some(&offer.path)
}

fn write(project: &Project, offer: &Offer) -> Result<(), Failure> {
    if let Some(folder) = offer.path.parent() {
        fs::ensure_dir_in(repository(&project.root), folder)?;
    }
    match &offer.content {
        Content::New(text) => fs::write_new(&offer.path, text.as_bytes())?,
        Content::Line(line) if offer.path.exists() => {
            let mut text = fs::read_text(&offer.path, LIMIT)?;
            let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
            if !text.is_empty() && !text.ends_with('\n') {
                text.push_str(end);
            }
            text.push_str(line);
            text.push_str(end);
            fs::write(&offer.path, text.as_bytes(), Visibility::Shared)?;
        }
        Content::Line(line) => fs::write_new(&offer.path, format!("{line}\n").as_bytes())?,
    }
    Ok(())
}

/// What to do now, by what is missing.
fn next(context: &Context, project: &Project) -> Vec<String> {
    let mut next = Vec::new();
    if context.find_credentials(&project.vars).is_err() {
        next.push("connplan login       # or set BASE44_API_KEY".to_owned());
    }
    if project.app().is_err() {
        next.push("npx base44 link      # names the app, or set BASE44_APP_ID".to_owned());
    }
    let loaded = config::connectors::read(project);
    let count = match loaded.folder {
        config::Folder::Read(count) => count,
        config::Folder::Missing | config::Folder::Empty => 0,
    };
    if count == 0 {
        next.push("connplan pull        # the app's connectors become files".to_owned());
        next.push("connplan add         # a new connector".to_owned());
    }
    next.push("connplan plan        # what would change".to_owned());
    next
}
