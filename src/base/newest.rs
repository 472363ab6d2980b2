//! Whether what is checked out is the newest that its branch has.

use std::path::{Path, PathBuf};

use super::{
    Held,
    commit::submodule_of,
    default_branch::name,
    fetched::{fetch_branch, fetch_own_branch, origin},
    heads::heads,
    named::names,
    places::folder_name,
    run_repository::instead,
};
use crate::{
    config::Project,
    context::{Context, Failure},
    git::{Checkout, CommitId},
    model::{BaseName, Line, merged_line},
    publish,
};

/// What is checked out, and is merged.
pub struct Merged {
    /// The commit.
    pub commit: CommitId,
    /// Its work tree.
    pub root: PathBuf,
    /// The project's folder in it, `/` between parts; empty where that is the root.
    pub folder: String,
}

impl Merged {
    /// The project's, where that is beyond doubt the newest commit of the default branch, or of the branch that was
    /// pushed. An older one, as a run has it that was started again, is not what the branch says.
    pub async fn of(context: &Context, project: &Project) -> Result<Option<Self>, Failure> {
        let event = context.named_event()?;
        let line = merged_line(&context.vars, event.as_ref());
        let Some(root) = outermost(context, project).await? else {
            return Ok(None);
        };
        let checkout = Checkout::of(&root, context.git())?;
        // Of two nobody knows which one the files are of.
        let Ok([commit]) = <[CommitId; 1]>::try_from(heads(context, &checkout).await?) else {
            return Ok(None);
        };
        if !is_newest(context, &checkout, &commit, line).await? {
            return Ok(None);
        }
        let place = project.root.canonicalize().ok();
        let inner = place.as_deref().and_then(|at| at.strip_prefix(&root).ok());
        Ok(inner.map(|inner| Self {
            folder: folder_name(inner).trim_end_matches('/').to_owned(),
            commit,
            root: root.clone(),
        }))
    }
}

impl Held {
    /// What is checked out, as it was committed.
    pub async fn here(context: &Context, project: &Project) -> Result<Option<Self>, Failure> {
        let Ok(checkout) = Checkout::of(&project.root, context.git()) else {
            return Ok(None);
        };
        let heads = heads(context, &checkout).await?.into_iter();
        let heads: Vec<_> = heads.map(|at| BaseName::Commit(at.to_string())).collect();
        if heads.is_empty() {
            return Ok(None);
        }
        Self::of(context, project, heads).await
    }

    /// Of a request: what the branch that it goes into has by now, and what that had where the request left it. None
    /// where nobody knows one of them.
    pub async fn around(
        context: &Context,
        project: &Project,
    ) -> Result<Option<[Self; 2]>, Failure> {
        let named = names(context).await?;
        let (mut now, mut left) = (named.clone(), named);
        let is_branch = |name: &BaseName| matches!(name, BaseName::Branch(..));
        let is_told = now.iter().any(is_branch);
        now.retain(|name| is_branch(name) || !is_told && matches!(name, BaseName::Commit(_)));
        let Some(now) = Self::of(context, project, now).await? else {
            return Ok(None);
        };
        let mut parted = Vec::new();
        for view in &now.base.views {
            for head in heads(context, view.checkout()).await? {
                parted.extend(view.checkout().parted(&view.at.commit, &head).await?.at);
            }
        }
        if parted.is_empty() {
            // A clone may well lack what is between: the forge tells it, and a merge that it made.
            let told = context.vars.get("CI_MERGE_REQUEST_DIFF_BASE_SHA");
            left.retain(|name| matches!(name, BaseName::MergedOnto(_)));
            left.extend(told.map(|told| BaseName::Commit(told.to_owned())));
        } else {
            left = parted
                .iter()
                .map(|at| BaseName::Commit(at.to_string()))
                .collect();
        }
        let left = Self::of(context, project, left).await?;
        Ok(left.map(|left| [now, left]))
    }
}

/// The work tree of which the pipeline's names are: the project's, or what has it as a submodule, of the commit that
/// is checked out in it.
async fn outermost(context: &Context, project: &Project) -> Result<Option<PathBuf>, Failure> {
    let tree = context.git().work_tree_of(&project.root);
    let Some(mut root) = tree.and_then(|tree| tree.canonicalize().ok()) else {
        return Ok(None);
    };
    while let Some((outer, inner)) = submodule_of(context, &root).await? {
        let head = async |root: &Path| {
            let checkout = Checkout::of(root, context.git())?;
            let head = checkout.head().await?;
            Ok::<_, Failure>((checkout, head))
        };
        let ((_, own), (around, outer_head)) = (head(&root).await?, head(&outer).await?);
        let there = match &outer_head {
            Some(head) => around.objects().find(head, &inner).await?,
            None => None,
        };
        if there.map(|there| there.id) != own {
            return Ok(None);
        }
        root = outer;
    }
    Ok(Some(root))
}

async fn is_newest(
    context: &Context,
    checkout: &Checkout,
    commit: &CommitId,
    line: Line,
) -> Result<bool, Failure> {
    let Some(origin) = origin(context, checkout).await? else {
        return Ok(false);
    };
    let own = line.own.as_ref().map(|(own, _)| own.clone());
    if let Some(own) = &own
        && is_head(context, checkout, commit, own).await
    {
        return Ok(true);
    }
    // Which one another repository calls so says nothing.
    let default = match instead(context, checkout).await {
        Some(_) => line.default,
        None => name(context, checkout, &origin, &line).await?,
    };
    Ok(
        match default.filter(|default| own.as_ref() != Some(default)) {
            Some(default) => is_head(context, checkout, commit, &default).await,
            None => false,
        },
    )
}

/// Whether it is the head of this branch of the run's repository, as the remote or the forge says.
async fn is_head(context: &Context, checkout: &Checkout, commit: &CommitId, branch: &str) -> bool {
    let fetched = match instead(context, checkout).await {
        Some(run) => fetch_branch(context, checkout, run, branch).await,
        None => fetch_own_branch(context, checkout, branch).await,
    };
    if let Ok((newest, _)) = fetched {
        return newest == *commit;
    }
    let asked = publish::branch_head(&context.vars, branch, context.client_options()).await;
    asked.is_ok_and(|newest| commit.as_str().eq_ignore_ascii_case(&newest))
}
