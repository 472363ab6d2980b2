//! `connplan pull`.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use clap::Args;
use miette::Diagnostic;
use thiserror::Error;

use super::planning;
use crate::{
    config::{MAX_FILE_SIZE, Project},
    context::{Context, ExitStatus, Failure, Format, UsageError},
    edit::pull::{self, FileChange, What},
    escape,
    fs::{self, Destination, FsError, OpenFolder, Owners, Staged},
    model,
    ops::PlanSession,
    term::{self, Answer},
    view::{self, Medium},
};

/// Arguments of `pull`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan pull --dry-run        # the diff, and nothing else\n  \
                        connplan pull --prune --yes    # removes files of connectors that are gone"
)]
pub struct PullArgs {
    /// Show the diff, write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Remove files whose connector the app lacks
    #[arg(long)]
    pub prune: bool,
    /// With --prune: do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Use connector files in PATH instead of the project's folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// A pull that ended halfway.
#[derive(Debug, Error, Diagnostic)]
#[error("{source}. Done before that: {done}")]
#[diagnostic(
    code(connplan::pull::halfway),
    help("fix the cause and run `connplan pull` again: what is already done is kept")
)]
pub struct Halfway {
    done: String,
    source: FsError,
}

/// Writes the remote's connectors to the files.
pub async fn run(args: &PullArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json])?;
    let situation = planning::look_into(context, args.dir.as_deref()).await?;
    let root = &situation.files.project.root;
    let folder = situation.files.project.connectors_dir.clone();
    let steps = decide(args, &situation, &folder)?;
    let removals = steps
        .iter()
        .any(|step| matches!(step.what, What::Remove(_)));
    if removals && !args.yes && !args.dry_run && !context.terminal.is_interactive() {
        return Err(planning::cannot_ask(
            "removing files must be confirmed",
            "--yes",
        ));
    }
    for step in &steps {
        check_target(step, root, &folder)?;
    }
    view::pull::show_diff(&steps, &medium, &context.terminal);
    if !args.dry_run {
        if removals && !args.yes && !confirmed(context, &steps, &medium).await {
            context.terminal.say("Pull cancelled. Nothing was written.");
            return Ok(ExitStatus::Error);
        }
        let _writing = context.signals.writing();
        write(&steps, &situation.files.project)?;
    }
    let terminal = &context.terminal;
    view::pull::show(&situation.app, &steps, args.dry_run, &medium, terminal);
    Ok(ExitStatus::Done)
}

fn decide(
    args: &PullArgs,
    situation: &PlanSession,
    folder: &Path,
) -> Result<Vec<FileChange>, Failure> {
    let files = &situation.files;
    let mut texts = BTreeMap::new();
    for declared in files.declared.connectors.values() {
        let text = read(&files.project, &declared.file)?;
        texts.insert(declared.file.clone(), text);
    }
    let declared = files.declared.connectors.keys();
    let unquoted = declared.filter(|name| !files.loaded.is_quoted(name));
    let unquoted = unquoted.cloned().collect();
    Ok(pull::decide(pull::Inputs {
        declared: &files.declared,
        texts: &texts,
        observed: &situation.observed.connectors,
        pending: &files.pending.waiting(&situation.app),
        rules: &files.rules,
        folder: &files.project.relative(folder),
        taken: &names_in(folder)?,
        unquoted: &unquoted,
        prune: args.prune,
    })?)
}

/// What a connector file says, also if it is a link within the project.
fn read(project: &Project, file: &str) -> Result<String, FsError> {
    let roots = [&*project.root, &*project.connectors_dir];
    let path = project.connectors_dir.join(name_of(file));
    let bytes = fs::read_confined(&roots, Owners::Any, &path, MAX_FILE_SIZE)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn name_of(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// Everything in the folder, folders and links to nowhere among it.
pub(super) fn names_in(folder: &Path) -> Result<BTreeSet<String>, FsError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        Err(e) => return Err(FsError::io("read", folder, e)),
    };
    entries
        .map(|entry| {
            let entry = entry.map_err(|e| FsError::io("read", folder, e))?;
            Ok(entry.file_name().to_string_lossy().to_lowercase())
        })
        .collect()
}

/// A file that is a link is written through, but not out of the folder.
fn check_target(step: &FileChange, root: &Path, folder: &Path) -> Result<(), Failure> {
    let path = root.join(&step.file);
    if !matches!(step.what, What::Edit { .. }) || !path.is_symlink() {
        return Ok(());
    }
    let real = |path: &Path| std::fs::canonicalize(path).map_err(|e| FsError::io("read", path, e));
    if real(&path)?.starts_with(real(folder)?) {
        return Ok(());
    }
    let shown = escape::limited(&step.file, 400);
    Err(UsageError::with_help(
        format!("{shown} is a link that leads out of the connectors folder; nothing was written"),
        "replace the link by a file, or edit the file that it leads to by hand",
    )
    .into())
}

async fn confirmed(context: &Context, steps: &[FileChange], medium: &Medium<'_>) -> bool {
    view::pull::propose(steps, medium, &context.terminal);
    let files: Vec<_> = steps
        .iter()
        .filter(|step| matches!(step.what, What::Remove(_)))
        .map(|step| escape::limited(&step.file, 400))
        .collect();
    let question = format!(
        "\nDo you want to write the files as shown, and remove {}?",
        files.join(", ")
    );
    term::confirm_word(&context.terminal, &question).await == Answer::Yes
}

/// First every file is written beside its place, then all are renamed: what can fail, fails before
/// anything is changed. A file that somebody changed in the meantime is not overwritten.
fn write(steps: &[FileChange], project: &Project) -> Result<(), Failure> {
    let folder = &project.connectors_dir;
    fs::remove_leftovers(folder);
    let is_kept = |step: &&FileChange| matches!(step.what, What::Unchanged | What::Kept(_));
    let steps: Vec<_> = steps.iter().filter(|step| !is_kept(step)).collect();
    if steps.is_empty() {
        return Ok(());
    }
    let open = OpenFolder::make(folder, &project.connectors_at)?;
    let mut ready: Vec<(&FileChange, Destination, Option<Staged>)> = Vec::new();
    for step in steps {
        let name = name_of(&step.file);
        let file = match &step.what {
            // Known to lead to a file of the same folder, which is the one to write.
            What::Edit { .. } if folder.join(name).is_symlink() => open.behind(name)?,
            _ => open.file(name)?,
        };
        let unchanged = |before: &str| -> Result<(), Failure> {
            let now = match file.read_text(MAX_FILE_SIZE) {
                Err(FsError::Linked { .. }) => read(project, &step.file),
                now => now,
            };
            if now? == before {
                return Ok(());
            }
            let shown = escape::limited(&step.file, 400);
            Err(UsageError::with_help(
                format!("{shown} was changed meanwhile; nothing was written"),
                "pull again",
            )
            .into())
        };
        let staged = match &step.what {
            What::Create(text) => Some(file.stage(text.as_bytes())?),
            What::Edit { before, after } => {
                unchanged(before)?;
                Some(file.stage(after.as_bytes())?)
            }
            What::Remove(before) => {
                unchanged(before)?;
                None
            }
            What::Unchanged | What::Kept(_) => continue,
        };
        ready.push((step, file, staged));
    }
    // Removals last: what is gone is harder to get back.
    model::sort_by_key(&mut ready, |(_, _, staged)| staged.is_none());
    let mut done: Vec<String> = Vec::new();
    for (step, file, staged) in ready {
        let put = match (&step.what, staged) {
            (What::Create(_), Some(staged)) => staged.commit_new(),
            (_, Some(staged)) => staged.commit(),
            (_, None) => file.remove(),
        };
        if let Err(source) = put {
            if done.is_empty() {
                return Err(source.into());
            }
            let done = done.join(", ");
            return Err(Halfway { done, source }.into());
        }
        let verb = match step.what {
            What::Remove(_) => "removed",
            _ => "wrote",
        };
        done.push(format!("{verb} {}", escape::limited(&step.file, 400)));
    }
    Ok(())
}
