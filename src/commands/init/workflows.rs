//! The pipelines that a repository wants: for the forge and the default branch that it has, each
//! project of it planned where it changed.

use std::path::{Path, PathBuf};

use crate::{
    config,
    git::{Checkout, Git, RemoteName},
    model::Vars,
};

/// The very files that the README shows.
const PLAN: &str = include_str!("../../../.github/examples/github-plan.yml");
const APPLY: &str = include_str!("../../../.github/examples/github-apply.yml");
const GITLAB: &str = include_str!("../../../.github/examples/gitlab-ci.yml");
/// Where each job of a workflow says what it runs on.
const RUNS_ON: &str = "    runs-on: ubuntu-latest\n";

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
    /// The folders of its projects, relative to the root, `/` between parts; empty for the root.
    pub(super) projects: Vec<String>,
}

/// A pipeline that is offered.
pub(super) struct Pipeline {
    pub(super) path: PathBuf,
    pub(super) what: &'static str,
    pub(super) text: String,
}

impl Repository {
    /// Looks. What git cannot say is taken for GitHub, and `main`.
    pub(super) async fn of(project: &Path, vars: &Vars) -> Self {
        let root = project
            .ancestors()
            .find(|folder| folder.join(".git").exists());
        let root = root.unwrap_or(project);
        let mut on = if root.join(".gitlab-ci.yml").exists() {
            On::GitLab
        } else {
            On::GitHub
        };
        let mut branch = None;
        if let Ok(checkout) = Checkout::of(root, Git::new(vars)) {
            let origin = RemoteName::origin();
            if let Ok(address) = checkout.remote(&origin).await
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
        projects.sort_unstable();
        projects.dedup();
        Self {
            root: root.to_owned(),
            on,
            branch: branch.unwrap_or_else(|| "main".to_owned()),
            projects,
        }
    }

    /// A file for each project and purpose; one file for all on GitLab.
    pub(super) fn pipelines(&self) -> Vec<Pipeline> {
        match self.on {
            On::GitLab => vec![Pipeline {
                path: self.root.join(".gitlab-ci.yml"),
                what: "GitLab pipeline: plans each merge request, applies what was merged",
                text: self.gitlab(),
            }],
            On::GitHub => {
                let each = self.projects.iter();
                each.flat_map(|inner| self.github(inner)).collect()
            }
        }
    }

    fn github(&self, inner: &str) -> [Pipeline; 2] {
        let folder = self.root.join(".github").join("workflows");
        let many = self.projects.len() > 1;
        let of = |name: &str, what: &'static str, text: &str| {
            // One that was written while the project was the only one stays its.
            let first = folder.join(format!("connplan-{name}.yml"));
            let own = std::fs::read_to_string(&first)
                .is_ok_and(|text| text.contains(&within(inner)) && !inner.is_empty());
            let path = if many && !inner.is_empty() && !own {
                folder.join(format!("connplan-{name}-{}.yml", slug(inner)))
            } else {
                first
            };
            Pipeline {
                path,
                what,
                text: self.fitted(text, inner, many),
            }
        };
        [
            of("plan", "GitHub workflow: plans each pull request", PLAN),
            of(
                "apply",
                "GitHub workflow: applies what was merged, once approved",
                APPLY,
            ),
        ]
    }

    fn fitted(&self, text: &str, inner: &str, many: bool) -> String {
        let branch = quoted(&self.branch);
        let branches = format!("    branches: [{branch}]\n");
        let mut text = text.replace("    branches: [main]\n", &branches);
        if !inner.is_empty() {
            text = text.replace(RUNS_ON, &format!("{RUNS_ON}{}", within(inner)));
        }
        if many && !inner.is_empty() {
            // Each project by itself: its own paths, its own place in the queue, its own app.
            let paths = format!("    paths: [{}]\n", quoted(&format!("{inner}/**")));
            let slug = slug(inner);
            text = text
                .replace(
                    "on: pull_request\n",
                    &format!("on:\n  pull_request:\n{paths}"),
                )
                .replace(&branches, &format!("{branches}{paths}"))
                .replace("group: connplan-", &format!("group: connplan-{slug}-"))
                .replace(
                    "name: Plan\n",
                    &format!("name: {}\n", quoted(&format!("Plan {inner}"))),
                )
                .replace(
                    "name: Apply\n",
                    &format!("name: {}\n", quoted(&format!("Apply {inner}"))),
                )
                .replace(
                    "name: connplan-plan\n",
                    &format!("name: connplan-plan-{slug}\n"),
                )
                .replace(
                    "name: connplan-receipt\n",
                    &format!("name: connplan-receipt-{slug}\n"),
                );
        }
        text
    }

    /// The example; projects that are not at the root are a matrix, each with files of its own.
    fn gitlab(&self) -> String {
        if self.projects.iter().all(String::is_empty) {
            return GITLAB.to_owned();
        }
        let each: Vec<_> = self.projects.iter().map(|inner| quoted(inner)).collect();
        let matrix = format!(
            "  parallel:\n    matrix:\n      - PROJECT: [{}]\n",
            each.join(", ")
        );
        let mut text = GITLAB.replace("cd \"$CI_PROJECT_DIR\"", "cd \"$CI_PROJECT_DIR/$PROJECT\"");
        for stage in ["  stage: plan\n", "  stage: apply\n"] {
            text = text.replace(stage, &format!("{stage}{matrix}"));
        }
        for file in ["connplan.plan", "connplan.receipt"] {
            let own = format!("paths: [\"$PROJECT/{file}\"]");
            text = text.replace(&format!("paths: [{file}]"), &own);
        }
        text = text.replace("terraform: connplan", "terraform: $PROJECT/connplan");
        text
    }
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

fn within(inner: &str) -> String {
    let inner = quoted(inner);
    format!("    defaults:\n      run:\n        working-directory: {inner}\n")
}

/// A string of JSON is one of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn slug(inner: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    inner.chars().map(plain).collect()
}

fn inner(root: &Path, folder: &Path) -> Option<String> {
    let inner = folder.strip_prefix(root).ok()?;
    let parts: Vec<_> = inner
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    Some(parts.join("/"))
}
