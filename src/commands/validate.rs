//! `connplan validate`.

use std::path::PathBuf;

use clap::Args;

use super::planning;
use crate::{
    config::{self, Loaded, Project},
    context::{Context, ExitStatus, Failure, Format},
    ops::{policy, unworkable},
    syntax::{Finding, Problem},
    view::{json::AppName, validate::Validation},
};

/// Arguments of `validate`.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Examples:\n  connplan validate\n  connplan validate --format sarif > connplan.sarif"
)]
pub struct ValidateArgs {
    /// Read connector files from PATH instead of the project's folder
    #[arg(long, value_name = "PATH", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Fail on warnings too
    #[arg(long)]
    pub strict: bool,
}

/// Reads and checks every file; says everything that is wrong.
pub fn run(args: &ValidateArgs, context: &Context) -> Result<ExitStatus, Failure> {
    let medium = context.medium(&[Format::Text, Format::Json, Format::Github, Format::Sarif])?;
    let project = context.project(args.dir.as_deref())?;
    planning::is_there(&project, args.dir.as_deref())?;
    let loaded = config::connectors::read(&project);
    let mut problems = loaded.problems.clone();
    let (forbidden, violations) = policy::declared(&policy::of(&project), &loaded);
    problems.extend(forbidden);
    problems.extend(unworkable(&project));
    problems.extend(no_files(&project, &loaded));
    let names = loaded.declared.iter().flat_map(|d| d.connectors.keys());
    let validation = Validation {
        apps: AppName::list(project.app().ok().as_ref()),
        names: names.collect(),
        folder: project.shown(&project.connectors_dir),
        problems: &problems,
        violations,
        strict: args.strict,
    };
    let valid = validation.is_valid();
    validation.show(&medium, &context.terminal);
    Ok(if valid {
        ExitStatus::Done
    } else {
        ExitStatus::Error
    })
}

/// A warning where nothing is declared: without it, a pipeline on a wrong branch would stay green.
fn no_files(project: &Project, loaded: &Loaded) -> Option<Problem> {
    let what = match loaded.folder {
        config::Folder::Missing => "does not exist",
        // One that cannot be read is an error, and none to be called empty.
        config::Folder::Empty if loaded.declared.is_some() => "holds no connector file",
        config::Folder::Empty | config::Folder::Read(_) => return None,
    };
    let folder = project.relative(&project.connectors_dir);
    Some(Problem::about(Finding::NoFiles { what }, &folder))
}
