//! Which folders the pipelines that `init` writes watch for a project: what changes elsewhere, nobody plans.

use std::{fmt, path::Path};

use crate::{
    escape,
    fs::{Owners, confine, entry, places, read_confined},
};

/// No pipeline is longer.
pub const LONGEST_PIPELINE: u64 = 1 << 20;
/// Where the list of a workflow's projects begins.
pub const LIST: &str = "          PROJECTS: |\n";
/// What each line of it begins with.
pub const ITEM: &str = "            ";
/// Between what is watched in one line.
pub const AND: char = '|';
/// In GitLab's pipeline: a folder with all that is in it.
pub const ALL_BELOW: &str = "**/*";
/// The pipelines that decide by what changed whether they plan or apply.
const PIPELINES: [&str; 3] = [
    ".github/workflows/connplan-plan.yml",
    ".github/workflows/connplan-apply.yml",
    ".gitlab-ci.yml",
];

/// A project and what is watched for it: paths relative to the repository's root, with `/` between parts; empty
/// for the root itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Watched {
    /// The project's own folder.
    pub project: String,
    /// Folders outside it that have its connector files, and links that lead there.
    pub others: Vec<String>,
}

impl Watched {
    /// The project's own folder first.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        [&self.project]
            .into_iter()
            .chain(&self.others)
            .map(String::as_str)
    }
}

/// A place of a project's files that a pipeline does not watch. Untrusted text, made safe.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unwatched {
    /// The pipeline's file.
    pub pipeline: &'static str,
    /// The folder or link, from the repository's root.
    pub place: String,
}

impl Unwatched {
    /// What else to do.
    pub const HELP: &str = "or keep the connector files in the project's folder";
}

impl fmt::Display for Unwatched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pipeline, place } = self;
        write!(
            f,
            "{pipeline} does not look at {place}, from where files of this project are read: what changes there \
             alone is neither planned nor shown; run `connplan init` again, which adds it"
        )
    }
}

/// The first place, if a pipeline of this repository is for the project and does not watch all that it is read from.
pub(super) fn unwatched(
    repository: &Path,
    owners: Owners,
    project: &Path,
    connectors: &Path,
) -> Option<Unwatched> {
    let root = repository.canonicalize().ok()?;
    let places = [project, connectors].into_iter().flat_map(places);
    let places: Vec<_> = places
        .filter_map(|place| Some(place.strip_prefix(&root).ok()?.to_owned()))
        .collect();
    let home = project.canonicalize().ok()?;
    PIPELINES.into_iter().find_map(|pipeline| {
        let path = root.join(pipeline);
        let text = read_confined(&[&root], owners, &path, LONGEST_PIPELINE).ok()?;
        let text = String::from_utf8(text).ok()?.replace("\r\n", "\n");
        let watched = rules(&text);
        // By which name it stands there is the pipeline's business.
        let own = watched
            .iter()
            .filter(|of| confine(&[&root], &root.join(&of.project)).is_ok_and(|it| it == home));
        let is_watched = |of: &Rule, place: &Path| {
            let at = root.join(place);
            let is_module =
                !place.as_os_str().is_empty() && entry(&[&root], &at.join(".git")).is_some();
            of.matches(place, is_module || at.is_symlink())
        };
        let mut lacks = own.filter_map(|of| places.iter().find(|place| !is_watched(of, place)));
        let place = lacks.next()?.to_string_lossy().replace('\\', "/");
        let place = escape::limited(&place, 200);
        Some(Unwatched { pipeline, place })
    })
}

/// The projects in the list of a workflow; none where it has no list.
pub fn listed(text: &str) -> Option<Vec<Watched>> {
    let (_, list) = text.split_once(LIST)?;
    let items = list.lines().map_while(|line| line.strip_prefix(ITEM));
    let watched = items.filter_map(|item| {
        let mut folders = item.split(AND).map(inner);
        Some(Watched {
            project: folders.next()?,
            others: folders.collect(),
        })
    });
    Some(watched.collect())
}

/// By what a pipeline decides that a project changed.
struct Rule {
    project: String,
    /// What is below them.
    folders: Vec<String>,
    /// These themselves.
    files: Vec<String>,
}

impl Rule {
    /// `is_entry`: whether git has the place as one entry, a link or a submodule, and not by what is in it.
    fn matches(&self, place: &Path, is_entry: bool) -> bool {
        let mut folders = self.folders.iter().map(Path::new);
        let mut files = self.files.iter().map(Path::new);
        folders.any(|folder| place.starts_with(folder) && !(is_entry && place == folder))
            || files.any(|file| place == file)
    }
}

/// All of a pipeline: the list of GitHub's workflow, or each `changes` of GitLab's jobs.
fn rules(text: &str) -> Vec<Rule> {
    if let Some(listed) = listed(text) {
        let rule = |of: Watched| Rule {
            folders: of.folders().map(str::to_owned).collect(),
            files: of.folders().map(str::to_owned).collect(),
            project: of.project,
        };
        return listed.into_iter().map(rule).collect();
    }
    let (mut found, mut project) = (Vec::new(), None);
    for line in text.lines() {
        if !line.starts_with(' ') {
            project = None;
        }
        let line = line.trim();
        if let Some(named) = line.strip_prefix("PROJECT: ") {
            project = serde_json::from_str::<String>(named).ok();
        } else if let (Some(project), Some(changes)) = (&project, line.strip_prefix("changes: "))
            && let Ok(changes) = serde_json::from_str::<Vec<String>>(changes)
        {
            let folder = |change: &String| {
                let folder = change.strip_suffix(ALL_BELOW)?;
                Some(folder.trim_end_matches('/').to_owned())
            };
            found.push(Rule {
                project: inner(project),
                folders: changes.iter().filter_map(folder).collect(),
                files: changes,
            });
        }
    }
    found
}

/// A folder that a pipeline names, as the rest of the program names it.
pub fn inner(folder: &str) -> String {
    if folder == "." {
        String::new()
    } else {
        folder.to_owned()
    }
}
