//! `connplan init`: what a repository wants that has no connplan yet. Asks for each file, and replaces
//! none; where projects came or went, it offers the difference and writes it into the file.

mod difference;
mod github;
mod gitlab;
mod pipeline;
mod workflows;

use std::path::{Path, PathBuf};

use clap::Args;

use self::{
    difference::{Difference, difference},
    workflows::Repository,
};
use super::planning;
use crate::{
    config::{self, Project, watched::LONGEST_PIPELINE},
    context::{Context, ExitStatus, Failure, Format, UsageError},
    escape, fs,
    schema::Subject,
    term::{self, Answer},
    view::{
        self,
        init::{Did, FileDone},
    },
};

const SETTINGS: &str = include_str!("init/connplan.toml");
/// What a coding agent is to know.
const SKILL: &str = include_str!("../../.github/skills/connplan/SKILL.md");

/// Arguments of `init`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan init --dry-run     # what it would write\n  \
                        connplan init               # asks for each file\n  \
                        connplan init --yes         # writes them all"
)]
pub struct InitArgs {
    /// Show what would be written; write nothing
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
    text: String,
    /// What stands there, and is to be another text.
    before: Option<String>,
    /// Projects that a file of somebody's does not name.
    lacks: Vec<String>,
}

impl Offer {
    fn new(path: PathBuf, what: &'static str, text: String) -> Self {
        Self {
            path,
            what,
            text,
            before: None,
            lacks: Vec::new(),
        }
    }
}

/// With projects only below this folder: the command for one of them, which serves all.
fn below(context: &Context) -> Option<UsageError> {
    const SHOWN: usize = 5;
    let here = &context.start;
    let found = config::projects_below(here);
    if found.contains(here) {
        return None;
    }
    let names: Vec<_> = found
        .iter()
        .filter_map(|project| project.strip_prefix(here).ok())
        .map(|project| escape::path(&context.path(project)))
        .collect();
    let first = view::shell_word(names.first()?);
    let more = match names.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let shown: Vec<_> = names.iter().take(SHOWN).map(String::as_str).collect();
    Some(UsageError::with_help(
        format!(
            "no Base44 project here; below are {}{more}",
            shown.join(", ")
        ),
        format!(
            "run `connplan -C {first} init`: the workflows that it writes cover all projects of the repository"
        ),
    ))
}

/// Offers what is missing.
pub async fn run(args: &InitArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let project = context
        .project(None)
        .map_err(|failure| below(context).map_or(failure, Failure::from))?;
    project.check()?;
    let mut open = Vec::new();
    let mut done = Vec::new();
    let repository = Repository::of(&project.root, &context.vars, context.git()).await;
    for unnamed in &repository.unnamed {
        context.warn(&format!(
            "no pipeline is written for {}: the folder's name has characters with a special meaning \
             in YAML or the shell; rename the folder",
            escape::limited(unnamed, 200)
        ));
    }
    for same in repository.namesakes() {
        context.warn(&format!(
            "the pipelines call these projects by one name, and so take one variable for the app of each: {}; rename \
             all but one of the folders",
            escape::limited(&same.join(", "), 300)
        ));
    }
    for offer in offers(&project, &repository) {
        if offer.before.is_none() && is_done(&project, &repository, &offer) {
            done.push(told(&project, &offer, Did::Exists));
        } else {
            open.push(offer);
        }
    }
    if !open.is_empty() && !args.yes && !args.dry_run && !context.terminal.is_interactive() {
        return Err(planning::cannot_ask("each file must be confirmed", "--yes"));
    }
    for offer in open {
        let file = project.shown(&offer.path);
        let change = offer.before.as_deref();
        let change = change.map(|before| {
            let inner = offer.path.strip_prefix(&repository.root);
            let inner = inner.unwrap_or(&offer.path).display().to_string();
            view::init::diff(&inner, before, &offer.text)
        });
        if let Some(change) = &change {
            context.terminal.say(change);
        }
        let wanted = args.yes || args.dry_run || {
            let verb = if change.is_some() { "Change" } else { "Write" };
            let question = format!("{verb} {file} ({})?", offer.what);
            let answer = term::confirm_yes_no(&context.terminal, &question, Answer::No).await;
            answer == Answer::Yes
        };
        let did = match (wanted, change) {
            (true, None) => Did::Created,
            (true, Some(_)) => Did::Updated,
            (false, _) => Did::Declined,
        };
        if wanted && !args.dry_run {
            let _writing = context.signals.writing();
            write(&repository.root, &offer)?;
        }
        done.push(told(&project, &offer, did));
    }
    let mut next = next(context, &project);
    let written = |file: &&str| {
        let path = project.relative(&repository.root.join(file));
        let by = |done: &FileDone| done.action == Did::Created && done.file == path;
        done.iter().any(by)
    };
    next.extend(repository.needs(written));
    context
        .terminal
        .out(&view::init::show(&done, args.dry_run, &next, &medium));
    Ok(ExitStatus::Done)
}

fn told(project: &Project, offer: &Offer, action: Did) -> FileDone {
    FileDone {
        file: project.relative(&offer.path),
        action,
        lacks: offer.lacks.clone(),
    }
}

fn offers(project: &Project, repository: &Repository) -> Vec<Offer> {
    let home = project.config_file.as_deref().and_then(Path::parent);
    let settings = match &project.settings_file {
        Some(file) => file.clone(),
        None => home.unwrap_or(&project.root).join("connplan.toml"),
    };
    let mut offers = vec![
        Offer::new(
            settings,
            "settings, all of them commented out",
            SETTINGS.to_owned(),
        ),
        Offer::new(
            project.schema_file(),
            "for editors: types and scopes to complete; `add` names it in new files",
            Subject::Connector.to_json(),
        ),
        Offer::new(
            repository.root.join(".github/skills/connplan/SKILL.md"),
            "for coding agents: what they may do, and what a person does",
            SKILL.to_owned(),
        ),
    ];
    for pipeline in repository.pipelines() {
        let path = repository.root.join(&pipeline.file);
        // A link is somebody's, and so is what one leads to on the way there.
        let file = fs::entry(&[&repository.root], &path).is_some_and(|meta| meta.is_file());
        let read =
            || fs::read_confined(&[&repository.root], project.owners, &path, LONGEST_PIPELINE).ok();
        let there = file.then(read).flatten();
        let there = there.and_then(|bytes| String::from_utf8(bytes).ok());
        let found = there
            .as_deref()
            .map(|there| difference(repository, &pipeline, there));
        let mut offer = Offer::new(path, pipeline.what, pipeline.text);
        match found {
            Some(Difference::Text(text)) => {
                offer.text = text;
                offer.before = there;
            }
            Some(Difference::Lacks(projects)) => offer.lacks = projects,
            Some(Difference::None) | None => {}
        }
        offers.push(offer);
    }
    offers
}

fn is_done(project: &Project, repository: &Repository, offer: &Offer) -> bool {
    // Even a link to nowhere is somebody's.
    let there = fs::entry(&[&project.root, &repository.root], &offer.path);
    there.is_some() || project.settings_file.as_ref() == Some(&offer.path)
}

fn write(root: &Path, offer: &Offer) -> Result<(), Failure> {
    let (folder, name) = (offer.path.parent(), offer.path.file_name());
    let folder = fs::OpenFolder::make_in(root, folder.unwrap_or(root))?;
    let file = folder.file(name.unwrap_or_default())?;
    let text = offer.text.as_bytes();
    match offer.before {
        None => file.write_new(text)?,
        Some(_) => file.write(text)?,
    }
    Ok(())
}

/// What to do now, by what is missing.
fn next(context: &Context, project: &Project) -> Vec<String> {
    let mut next = Vec::new();
    let found = context.find_credentials(&project.vars);
    let usable = match (&found, project.address()) {
        (Ok(found), Ok(address)) => found.check(&address, |_| true).is_ok(),
        (found, _) => found.is_ok(),
    };
    if !usable {
        next.push("connplan login       # or set BASE44_ACCESS_TOKEN".to_owned());
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
    next.iter()
        .map(|step| context.next().within(step))
        .collect()
}
