//! The commit itself, and where it is: in the checkout, or fetched.

use std::path::{Path, PathBuf};

use futures_util::{FutureExt, future::LocalBoxFuture};
use miette::Diagnostic;
use thiserror::Error;

use super::{
    branch_now::now,
    default_branch::default,
    fetched::{Found, answers, fetch, here_or_fetched, missing},
    heads::{check_heads, heads},
    inner::check_inner,
    places::folder_name,
    run_repository::{is_of_run, own, target},
};
use crate::{
    context::{Context, Failure},
    git::{Checkout, CommitId, Depot, EntryKind, GitError, ObjectId, Objects},
    model::{BaseName, Line, is_request},
};

/// The repository around this one cannot be read.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "connplan cannot tell whether this repository is a submodule of {folder}, the repository around it: {why}"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "make git able to read {folder} (`git status` there shows the problem), or move its `.git` away"
    )
)]
struct UnreadAround {
    folder: String,
    why: GitError,
}

/// What was refused since the app was last changed may still be to apply, and what it was refused by is not
/// here.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "the app was last changed from commit {commit}. Its settings still apply, and connplan cannot get that \
     commit: {why}"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "fetch it: on GitHub give actions/checkout `with: {{ fetch-depth: 0 }}` and no `filter`, on GitLab set \
         `GIT_DEPTH: 0`; and let the checkout keep its credentials, because the commit may no longer be on a branch"
    )
)]
struct NotApplied {
    commit: String,
    why: String,
}

impl NotApplied {
    fn of(commit: &str, why: String) -> Self {
        let commit = crate::escape::limited(commit, 64);
        Self { commit, why }
    }
}

/// A commit of a repository.
pub(super) struct CommitAt {
    pub(super) checkout: Checkout,
    pub(super) commit: CommitId,
    /// Where the commit is, if not in the checkout.
    fetched: Option<Depot>,
}

impl CommitAt {
    /// The bases of the work tree at this root; none where nothing is before what is checked out.
    ///
    /// The pipeline's names are of the repository that it runs for. In a submodule, the base is the
    /// commit that the outer repository's base has in its place: a pull request may have moved it. Where that base
    /// has none there, or the pipeline cloned what lies there, a tree's word for a submodule is not enough: its own
    /// default branch binds as well.
    pub(super) fn find<'a>(
        context: &'a Context,
        root: &'a Path,
        names: &'a [BaseName],
    ) -> LocalBoxFuture<'a, Result<Vec<Self>, Failure>> {
        async move {
            let checkout = Checkout::of(root, context.git())?;
            let mut found: Vec<Self> = Vec::new();
            // What binds in a repository of which the run is told nothing.
            let own_default = BaseName::Default(Line::untold());
            let mut names = names.to_vec();
            if let Some((outer, inner)) = submodule_of(context, root).await? {
                let mut is_known = !checkout.is_cloned();
                for mut outer in Self::find(context, &outer, &names).await? {
                    let there = outer.look(context, async |of, at| of.find(at, &inner).await);
                    let there = there.await?;
                    let Some(module) = there.filter(|there| there.kind == EntryKind::Module) else {
                        found.push(outer);
                        is_known = false;
                        continue;
                    };
                    let module = module.id.as_str();
                    let (commit, fetched) = here_or_fetched(context, &checkout, module).await?;
                    found.push(Self {
                        checkout: checkout.clone(),
                        commit,
                        fetched,
                    });
                }
                if is_known && !found.is_empty() {
                    return Ok(found);
                }
                // The names are of the outer repository's branches and commits.
                if found.is_empty() {
                    names = names.iter().filter_map(within).collect();
                } else {
                    names.retain(|name| matches!(name, BaseName::Applied(_)));
                    names.insert(0, own_default.clone());
                }
            }
            let heads = heads(context, &checkout).await?;
            check_heads(context, &heads, &names)?;
            if heads.is_empty() {
                return Ok(found);
            }
            // What a run for a request is told may be about another repository.
            let event = context.named_event()?;
            let is_request = is_request(&context.vars, event.as_ref());
            if is_request && !is_of_run(context, &checkout).await? && !names.contains(&own_default)
            {
                names.push(own_default);
            }
            let mut commits = Vec::new();
            let all = heads
                .iter()
                .flat_map(|head| names.iter().map(move |name| (head, name)));
            for (head, name) in all {
                match name {
                    BaseName::Commit(name) => {
                        commits.push(here_or_fetched(context, &checkout, name).await?);
                    }
                    BaseName::Branch(name, or) => {
                        let others = !commits.is_empty();
                        let name = (name.as_str(), or.as_deref());
                        commits.extend(target(context, &checkout, name, others).await?);
                    }
                    BaseName::MergedOnto(name) => {
                        let parents = checkout.named_parents(head).await?;
                        if let [onto, merged] = parents.as_slice()
                            && merged.eq_ignore_ascii_case(name)
                        {
                            commits.push(here_or_fetched(context, &checkout, onto).await?);
                        }
                    }
                    BaseName::Parted { before, forced } => {
                        commits.extend(parted(context, &checkout, head, before, *forced).await?);
                    }
                    BaseName::Now(branch) => {
                        commits.extend(now(context, &checkout, head, branch).await?);
                        commits.extend(own(context, &checkout, head, branch).await);
                    }
                    BaseName::Default(line) => {
                        commits.extend(default(context, &checkout, head, line).await?);
                        if let Some(name) = &line.default {
                            commits.extend(own(context, &checkout, head, name).await);
                        }
                    }
                    BaseName::Applied(names) => {
                        commits.extend(changed_from(context, &checkout, head, names).await?);
                    }
                    // `named` has asked, or refused.
                    BaseName::Asked => {}
                }
            }
            for (commit, fetched) in commits {
                if found.iter().all(|known| known.commit != commit) {
                    found.push(Self {
                        checkout: checkout.clone(),
                        commit,
                        fetched,
                    });
                }
            }
            Ok(found)
        }
        .boxed_local()
    }

    /// Looks at its folders. A clone may have a commit and not those (`filter: tree:0`): then it is fetched.
    pub(super) async fn look<T>(
        &mut self,
        context: &Context,
        look: impl AsyncFn(Objects<'_>, &CommitId) -> Result<T, GitError>,
    ) -> Result<T, Failure> {
        match look(self.objects(), &self.commit).await {
            Err(GitError::Failed { .. }) if self.fetched.is_none() => {
                self.fetched = Some(fetch(context, &self.checkout, &self.commit).await?);
                Ok(look(self.objects(), &self.commit).await?)
            }
            looked => Ok(looked?),
        }
    }

    /// Has these objects of it here. A clone may have a commit and not all that it holds.
    pub(super) async fn complete(
        &mut self,
        context: &Context,
        ids: &[ObjectId],
    ) -> Result<(), Failure> {
        if self.objects().lacking(ids).await?.is_empty() {
            return Ok(());
        }
        let depot = fetch(context, &self.checkout, &self.commit).await?;
        let lacks = depot.objects().lacking(ids).await?;
        if let Some(id) = lacks.first() {
            return Err(missing(self.commit.as_str(), format!("it lacks {id}")).into());
        }
        self.fetched = Some(depot);
        Ok(())
    }

    pub(super) fn objects(&self) -> Objects<'_> {
        match &self.fetched {
            Some(depot) => depot.objects(),
            None => self.checkout.objects(),
        }
    }
}

/// What a name of a repository means for one within it.
fn within(name: &BaseName) -> Option<BaseName> {
    match name {
        BaseName::Now(_) | BaseName::Applied(_) => None,
        BaseName::Default(line) => Some(BaseName::Default(Line {
            before: line.before,
            ..Line::untold()
        })),
        name => Some(name.clone()),
    }
}

/// The repository around this one, and where in it this one is a submodule; none where it is not. One that git cannot
/// read is an error: it may say that this is one.
pub async fn submodule_of(
    context: &Context,
    root: &Path,
) -> Result<Option<(PathBuf, String)>, Failure> {
    let mut around = context.git().work_trees_around(root).into_iter();
    // What has no HEAD is not a repository to git either.
    let is_empty = |outer: &Path| {
        let git = outer.join(".git");
        git.is_dir() && git.join("HEAD").symlink_metadata().is_err()
    };
    let Some(outer) = around.find(|outer| outer != root && !is_empty(outer)) else {
        return Ok(None);
    };
    let inner = root.strip_prefix(&outer).map(folder_name);
    let inner = inner.unwrap_or_default().trim_end_matches('/').to_owned();
    let has_it = async || -> Result<bool, GitError> {
        let checkout = Checkout::of(&outer, context.git())?;
        let Some(head) = checkout.head().await? else {
            return Ok(false);
        };
        let there = checkout.objects().find(&head, &inner).await?;
        Ok(there.is_some_and(|there| there.kind == EntryKind::Module))
    };
    let is_module = has_it().await.map_err(|why| UnreadAround {
        folder: crate::escape::path(&outer),
        why,
    })?;
    check_inner(context, root).await?;
    Ok(is_module.then_some((outer, inner)))
}

/// The newest of the commits from which the app was changed that can be had; none where that is what is checked out.
async fn changed_from(
    context: &Context,
    checkout: &Checkout,
    head: &CommitId,
    names: &[String],
) -> Result<Option<Found>, Failure> {
    /// Each is asked for at the remote.
    const TRIED: usize = 8;
    let mut lost = None;
    for name in names.iter().take(TRIED) {
        if head.as_str().eq_ignore_ascii_case(name) {
            return Ok(None);
        }
        // What was altered here is not lost.
        checkout.resolve(name).await?;
        match here_or_fetched(context, checkout, name).await {
            Ok(commit) => return Ok(Some(commit)),
            // Lost is what the remote was asked for and does not have.
            Err(failure)
                if checkout.lacks_history(head).await? || !answers(context, checkout).await =>
            {
                let why = failure.report.to_string();
                return Err(NotApplied::of(name, why).into());
            }
            Err(failure) => lost = lost.or(Some(failure)),
        }
    }
    // The repository has lost all: what is before this one binds alone.
    if let Some(failure) = lost {
        context.warn(&format!(
            "the app was last changed from a commit that the repository no longer has, so its settings do not apply here: {}",
            failure.report
        ));
    }
    Ok(None)
}

/// Where a branch that was pushed with force left what it was before. A full clone has what it goes on
/// from, so another one was left; of a shallow one the forge has to say it.
async fn parted(
    context: &Context,
    checkout: &Checkout,
    head: &CommitId,
    before: &str,
    forced: bool,
) -> Result<Vec<Found>, Failure> {
    if let Some(before) = checkout.resolve(before).await? {
        let parted = checkout.parted(head, &before).await?.at;
        if !parted.is_empty() {
            return Ok(parted.into_iter().map(|base| (base, None)).collect());
        }
    }
    if !forced && checkout.lacks_history(head).await? {
        return Ok(Vec::new());
    }
    let parents = checkout.named_parents(head).await?;
    Ok(match parents.first() {
        Some(parent) => vec![here_or_fetched(context, checkout, parent).await?],
        None => Vec::new(),
    })
}
