//! The commit that a proposal is measured against: the base branch's, or after the merge the one
//! before it. Its settings bind, and the proposal's own do not loosen them.

use miette::Diagnostic;
use serde_json::Value;
use thiserror::Error;

use crate::{
    config::{Project, Settings, parse_settings},
    context::{Context, Failure},
    git::{Checkout, CommitId, Git, GitError, RemoteName, work_tree_of},
};

/// The base is named, and it is not here.
#[derive(Debug, Error, Diagnostic)]
#[error("the base commit is not in this clone: {commit}")]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "connplan needs its settings; fetch it: on GitHub `with: {{ fetch-depth: 0 }}` at \
         actions/checkout, on GitLab `GIT_DEPTH: 0`"
    )
)]
pub(super) struct NoBase {
    commit: String,
}

/// Has the policy of the base bind as well, where a pipeline runs for a pull or merge request.
pub(super) async fn bind(context: &Context, project: &mut Project) -> Result<(), Failure> {
    if !is_request(context) {
        return Ok(());
    }
    if let Some(base) = Base::find(context, project).await? {
        project.base_settings = base.settings().await?.map(Box::new);
    } else {
        context.warn(
            "there is no repository here: the policy of the base branch cannot be read, and does \
             not bind",
        );
    }
    Ok(())
}

/// Whether this run is for a proposal.
fn is_request(context: &Context) -> bool {
    let event = context.event().unwrap_or(Value::Null);
    event["pull_request"].is_object()
        || event["merge_group"].is_object()
        || context.vars.get("CI_MERGE_REQUEST_IID").is_some()
}

/// The base of what is checked out.
pub(super) struct Base {
    checkout: Checkout,
    commit: CommitId,
    /// The project's folder, relative to the work tree, with `/` at its end where it is one.
    folder: String,
}

impl Base {
    /// Finds it; none without a repository, or where there is nothing before this commit.
    pub(super) async fn find(
        context: &Context,
        project: &Project,
    ) -> Result<Option<Self>, Failure> {
        let home = project
            .settings_file
            .as_deref()
            .and_then(std::path::Path::parent);
        let home = home.unwrap_or(&project.root);
        let Some(root) = work_tree_of(home) else {
            return Ok(None);
        };
        let checkout = Checkout::of(&root, Git::new(&context.vars))?;
        let Some(head) = checkout.head().await? else {
            return Ok(None);
        };
        let commit = match named(context) {
            Some(name) => {
                let found = checkout.resolve(&name).await?;
                let commit = crate::escape::limited(&name, 64);
                Some(found.ok_or(NoBase { commit })?)
            }
            None => unnamed(&checkout, &head).await?,
        };
        let home = std::fs::canonicalize(home).unwrap_or_else(|_| home.to_owned());
        let inner = home.strip_prefix(checkout.root()).ok();
        let Some(inner) = inner else { return Ok(None) };
        let parts: Vec<_> = inner
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        let folder = match parts.join("/") {
            none if none.is_empty() => none,
            folder => format!("{folder}/"),
        };
        Ok(commit.map(|commit| Self {
            checkout,
            commit,
            folder,
        }))
    }

    /// A file beside the settings, as the base has it.
    pub(super) async fn file(&self, name: &str) -> Result<Option<String>, Failure> {
        let plain = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
        if !plain {
            return Ok(None);
        }
        let path = format!("{}{name}", self.folder);
        let bytes = self.checkout.show(&self.commit, &path).await?;
        Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// The settings that the base has. Those that cannot be read bind nobody: they did not then.
    pub(super) async fn settings(&self) -> Result<Option<Settings>, Failure> {
        let text = self.file("connplan.toml").await?;
        Ok(text.and_then(|text| parse_settings("connplan.toml", &text).0))
    }

    /// `abc1234`, for messages.
    pub(super) fn short(&self) -> String {
        self.commit.as_str().chars().take(7).collect()
    }
}

/// What the pipeline says: the base of a request, or what the branch was before a push, which may
/// be several commits ago.
fn named(context: &Context) -> Option<String> {
    let event = context.event().unwrap_or(Value::Null);
    let told = [
        event["pull_request"]["base"]["sha"].as_str(),
        event["merge_group"]["base_sha"].as_str(),
        event["before"].as_str(),
        context.vars.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"),
        context.vars.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"),
        context.vars.get("CI_COMMIT_BEFORE_SHA"),
    ];
    // A branch that is new has a name of zeros for what was before.
    let is_some = |name: &&str| name.bytes().any(|b| b != b'0');
    let found = told.into_iter().flatten().find(is_some);
    found.map(str::to_owned)
}

/// Where this line of history left the default branch; on it, the commit before.
async fn unnamed(checkout: &Checkout, head: &CommitId) -> Result<Option<CommitId>, Failure> {
    let origin = RemoteName::parse("origin").map_err(GitError::from)?;
    let branch = checkout.default_branch(&origin).await?;
    let main = match branch {
        Some(branch) => {
            checkout
                .resolve(&format!("refs/remotes/origin/{branch}"))
                .await?
        }
        None => None,
    };
    let left = match main {
        Some(main) => checkout.merge_base(head, &main).await?,
        None => None,
    };
    match left {
        Some(left) if left != *head => Ok(Some(left)),
        _ => Ok(checkout.first_parent(head).await?),
    }
}
