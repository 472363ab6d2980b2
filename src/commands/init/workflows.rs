//! The pipelines that a repository wants: for the forge and the default branch that it has, each
//! project of it planned where it changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use super::{
    github, gitlab,
    pipeline::{Pipeline, slug, written},
};
use crate::{
    config::{self, FindOptions, Project, watched::Watched},
    fs,
    git::{Checkout, Git, RemoteName},
    model::{self, Vars},
};

/// Which forge a repository is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum On {
    GitHub,
    GitLab,
}

/// What is known of a repository.
#[derive(Debug)]
pub(super) struct Repository {
    pub(super) root: PathBuf,
    pub(super) on: On,
    pub(super) branch: String,
    pub(super) projects: Vec<Watched>,
    /// Folders, of projects or of their connector files, with a name that no pipeline is to hold.
    pub(super) unnamed: Vec<String>,
}

impl Repository {
    /// Looks. What git cannot say is taken for GitHub, and `main`.
    pub(super) async fn of(project: &Path, vars: &Vars, git: Git) -> Self {
        let tree = git.work_tree_of(project);
        let root = tree.and_then(|real| fs::above(project, &real));
        let root = root.unwrap_or(project);
        let mut on = if fs::entry(&[root], &root.join(".gitlab-ci.yml")).is_some() {
            On::GitLab
        } else {
            On::GitHub
        };
        let mut branch = None;
        if let Ok(checkout) = Checkout::of(root, git) {
            let origin = RemoteName::origin();
            if let Ok(address) = checkout.remote(None, &origin).await
                && let Some(host) = address.host()
            {
                on = match host.to_ascii_lowercase() {
                    host if host.contains("gitlab") => On::GitLab,
                    host if host.contains("github") => On::GitHub,
                    _ => on,
                };
            }
            branch = default_branch(&checkout, &origin).await;
        }
        let mut projects: Vec<String> = config::projects_below(root)
            .iter()
            .chain([&project.to_owned()])
            .filter_map(|folder| inner(root, folder))
            .collect();
        model::sort(&mut projects, Ord::cmp);
        projects.dedup();
        let (projects, mut unnamed): (Vec<_>, Vec<_>) =
            projects.into_iter().partition(|name| is_plain(name));
        let watched = projects.into_iter().map(|project| {
            let others = connector_folders(root, &project, vars);
            let (others, odd): (Vec<_>, Vec<_>) =
                others.into_iter().partition(|name| is_plain(name));
            unnamed.extend(odd);
            Watched { project, others }
        });
        let projects = watched.collect();
        Self {
            root: root.to_owned(),
            on,
            branch: branch.unwrap_or_else(|| "main".to_owned()),
            projects,
            unnamed,
        }
    }

    /// The pipelines of all projects.
    pub(super) fn pipelines(&self) -> Vec<Pipeline> {
        self.pipelines_of(&self.projects)
    }

    /// Projects that have one name in the pipelines, and with it one variable for their app.
    pub(super) fn namesakes(&self) -> Vec<Vec<&str>> {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for of in &self.projects {
            found
                .entry(slug(&of.project))
                .or_default()
                .push(written(&of.project));
        }
        found.retain(|_, all| all.len() > 1);
        found.into_values().collect()
    }

    /// What the pipelines that were written need from the forge before they run.
    pub(super) fn needs(&self, written: impl Fn(&&str) -> bool) -> Vec<String> {
        let files: Vec<_> = self.pipelines().into_iter().map(|one| one.file).collect();
        if !files.iter().any(|file| written(&file.as_str())) {
            return Vec::new();
        }
        match self.on {
            On::GitLab => gitlab::needs(&self.projects),
            On::GitHub => github::needs(self.projects.len() > 1),
        }
    }

    /// As they would be if these were the projects.
    pub(super) fn pipelines_of(&self, projects: &[Watched]) -> Vec<Pipeline> {
        match self.on {
            _ if projects.is_empty() => Vec::new(),
            On::GitLab => gitlab::pipelines(projects),
            On::GitHub => github::workflows(projects, &self.branch),
        }
    }
}

/// Where a project has connector files, or links that lead to them, outside its own folder, in any of its environments.
fn connector_folders(root: &Path, project: &str, vars: &Vars) -> BTreeSet<String> {
    let folder = root.join(project);
    let at = |environment: Option<&String>| {
        let options = FindOptions {
            environment: environment.cloned(),
            ..FindOptions::default()
        };
        Project::find(&folder, &options, vars).ok()
    };
    let Some(plain) = at(None) else {
        return BTreeSet::new();
    };
    let environments = plain.settings.environments.keys();
    let mut all: Vec<_> = environments.filter_map(|name| at(Some(name))).collect();
    all.push(plain);
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (root, folder) = (real(root), real(&folder));
    let used = all.iter().flat_map(|project| {
        let home = project.config_file.as_deref().and_then(Path::parent);
        home.into_iter().chain([project.connectors_dir.as_path()])
    });
    // Whoever has a link on the way lead elsewhere changes the files, too.
    used.flat_map(fs::places)
        .filter(|used| !used.starts_with(&folder))
        .filter_map(|used| inner(&root, &used))
        .collect()
}

/// What the remote says, else the first of the usual names that there is, else what is checked out.
async fn default_branch(checkout: &Checkout, origin: &RemoteName) -> Option<String> {
    if let Ok(Some(branch)) = checkout.default_branch(origin).await {
        return Some(branch);
    }
    for name in ["main", "master", "trunk"] {
        for place in ["refs/heads", "refs/remotes/origin"] {
            let found = checkout.resolve(&format!("{place}/{name}")).await;
            if matches!(found, Ok(Some(_))) {
                return Some(name.to_owned());
            }
        }
    }
    checkout.branch().await.ok().flatten()
}

/// Whether a folder's name is nothing but itself in a pipeline's file: there a line's end, `${{`, `$` or a
/// quotation mark is syntax, and folders are named by whoever proposes them.
fn is_plain(name: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@=,() ".contains(c);
    name.chars().all(plain) && name.trim() == name && !name.starts_with('-')
}

fn inner(root: &Path, folder: &Path) -> Option<String> {
    let inner = folder.strip_prefix(root).ok()?;
    let parts: Vec<_> = inner
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    Some(parts.join("/"))
}
