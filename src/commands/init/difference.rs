//! What a pipeline that was written earlier lacks, now that there are other projects. What people
//! changed in it stays. Pure.

use super::{github, gitlab, pipeline::Pipeline, workflows::Repository};
use crate::{
    config::watched::{ITEM, LIST, Watched, inner, listed},
    model,
};

/// What is to be done with a pipeline's file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Difference {
    /// It does for all projects.
    None,
    /// This is to stand in it.
    Text(String),
    /// It was written by somebody who does it another way, and does not name these folders.
    Lacks(Vec<String>),
}

/// Compares.
pub(super) fn difference(repository: &Repository, wanted: &Pipeline, there: &str) -> Difference {
    let there = &there.replace("\r\n", "\n");
    if *there == wanted.text {
        return Difference::None;
    }
    let earlier = projects_of(there);
    // As it was written for the projects that there were.
    let was = repository.pipelines_of(&earlier);
    let was = was.into_iter().find(|was| was.file == wanted.file);
    if earlier != repository.projects && was.is_some_and(|was| was.text == *there) {
        return Difference::Text(wanted.text.clone());
    }
    if let Some(text) = relisted(there, &repository.projects) {
        return if text == *there {
            Difference::None
        } else {
            Difference::Text(text)
        };
    }
    let lacks = |folder: &str| {
        let named = |text: &str| text.contains(folder);
        named(&wanted.text) && !named(there)
    };
    let projects = repository.projects.iter();
    let missing: Vec<_> = projects.filter(|of| of.folders().any(lacks)).collect();
    let jobs = there.contains("\n.plan:\n") && wanted.file == gitlab::FILE;
    if missing.is_empty() || !there.contains("connplan") && wanted.file != gitlab::FILE {
        Difference::None
    } else if jobs && missing.iter().all(|of| lacks(&of.project)) {
        let more = missing.into_iter().map(|of| gitlab::jobs(of, true));
        Difference::Text(format!(
            "{}\n{}",
            there.trim_end(),
            more.collect::<String>()
        ))
    } else {
        let folders = missing.into_iter().flat_map(Watched::folders);
        let folders = folders.filter(|folder| lacks(folder));
        Difference::Lacks(folders.map(str::to_owned).collect())
    }
}

/// The projects that a pipeline of ours is for.
fn projects_of(text: &str) -> Vec<Watched> {
    let mut found: Vec<Watched> = match listed(text) {
        Some(listed) => listed,
        None => text
            .lines()
            .filter_map(|line| {
                let line = line.trim_start();
                let named = line.strip_prefix("working-directory: ");
                let named = named.or_else(|| line.strip_prefix("PROJECT: "))?;
                serde_json::from_str::<String>(named).ok()
            })
            .map(|named| alone(inner(&named)))
            .collect(),
    };
    if found.is_empty() {
        found.push(alone(String::new()));
    }
    model::sort(&mut found, Ord::cmp);
    found.dedup();
    found
}

fn alone(project: String) -> Watched {
    Watched {
        project,
        others: Vec::new(),
    }
}

/// The text with another list; none where it has none.
fn relisted(text: &str, projects: &[Watched]) -> Option<String> {
    let (before, list) = text.split_once(LIST)?;
    // An older job takes the whole line for the project's folder.
    let knows_others = before.contains("IFS='|'");
    if !knows_others && projects.iter().any(|of| !of.others.is_empty()) {
        return None;
    }
    let items = list.split_inclusive('\n');
    let length: usize = items
        .take_while(|line| line.starts_with(ITEM))
        .map(str::len)
        .sum();
    let after = list.get(length..)?;
    // What an older connplan wrote: the forge does not compare all files by it.
    let is_filter = |line: &&str| line.starts_with("    paths: [");
    let lines = before.split_inclusive('\n').filter(|line| !is_filter(line));
    Some(format!(
        "{}{LIST}{}{after}",
        lines.collect::<String>(),
        github::listed(projects)
    ))
}
