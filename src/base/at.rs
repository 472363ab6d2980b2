//! The commit itself, and where it is: in the checkout, or fetched.

use std::path::{Path, PathBuf};

use futures_util::{FutureExt, future::LocalBoxFuture};
use miette::Diagnostic;
use thiserror::Error;

use super::{
    fetched::{Found, depot},
    now::now,
    places::folder_name,
};
use crate::{
    context::{Context, Failure},
    git::{Checkout, CommitId, Depot, EntryKind, Git, ObjectId, Objects, RemoteName, work_tree_of},
    model::BaseName,
};

/// The base commit is named, but it is neither in this clone nor can it be fetched.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "the base commit {commit} is not completely in this clone, and it could not be fetched: {why}"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "connplan needs the settings in that commit. Fetch it: on GitHub give actions/checkout \
         `with: {{ fetch-depth: 0 }}` and no `filter`, on GitLab set `GIT_DEPTH: 0`"
    )
)]
pub(super) struct NoBase {
    commit: String,
    why: String,
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
    /// commit that the outer repository's base has in its place: a pull request may have moved it.
    pub(super) fn find<'a>(
        context: &'a Context,
        root: &'a Path,
        names: &'a [BaseName],
    ) -> LocalBoxFuture<'a, Result<Vec<Self>, Failure>> {
        async move {
            let checkout = Checkout::of(root, Git::new(&context.vars))?;
            let mut found: Vec<Self> = Vec::new();
            if let Some((outer, inner)) = module_of(context, root).await {
                for outer in Self::find(context, &outer, names).await? {
                    let there = outer.objects().find(&outer.commit, &inner).await?;
                    let Some(module) = there.filter(|there| there.kind == EntryKind::Module) else {
                        found.push(outer);
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
                if !found.is_empty() {
                    return Ok(found);
                }
            }
            let Some(head) = checkout.head().await? else {
                return Ok(found);
            };
            let mut commits = Vec::new();
            for name in names {
                match name {
                    BaseName::Commit(name) => {
                        commits.push(here_or_fetched(context, &checkout, name).await?);
                    }
                    BaseName::Branch(name, or) => {
                        let others = !commits.is_empty();
                        commits
                            .push(branch(context, &checkout, name, or.as_deref(), others).await?);
                    }
                    BaseName::MergedOnto(name) => {
                        let parents = checkout.named_parents(&head).await?;
                        if let [onto, merged] = parents.as_slice()
                            && merged.eq_ignore_ascii_case(name)
                        {
                            commits.push(here_or_fetched(context, &checkout, onto).await?);
                        }
                    }
                    BaseName::Parted { before, forced } => {
                        commits.extend(parted(context, &checkout, &head, before, *forced).await?);
                    }
                    BaseName::Now(branch) => {
                        commits.extend(now(context, &checkout, &head, branch).await?);
                    }
                    BaseName::Unnamed => {
                        commits.extend(unnamed(context, &checkout, &head).await?);
                    }
                    BaseName::Applied(name) if head.as_str().eq_ignore_ascii_case(name) => {}
                    BaseName::Applied(name) => {
                        match here_or_fetched(context, &checkout, name).await {
                            Ok(commit) => commits.push(commit),
                            Err(failure) => context.warn(&format!(
                                "the app was last changed from another commit, whose settings do not bind here: {}",
                                failure.report
                            )),
                        }
                    }
                    // `named` has asked, or refused.
                    BaseName::Asked | BaseName::Unclear => {}
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

/// The repository around this one, and where in it this one is a submodule; none where it is not.
pub(super) async fn module_of(context: &Context, root: &Path) -> Option<(PathBuf, String)> {
    let outer = work_tree_of(root.parent()?)?;
    let inner = root.strip_prefix(&outer).ok()?;
    let inner = folder_name(inner).trim_end_matches('/').to_owned();
    let checkout = Checkout::of(&outer, Git::new(&context.vars)).ok()?;
    let head = checkout.head().await.ok()??;
    let there = checkout.objects().find(&head, &inner).await.ok()??;
    (there.kind == EntryKind::Module).then_some((outer, inner))
}

/// A commit by its name; from the remote where this clone lacks it.
async fn here_or_fetched(
    context: &Context,
    checkout: &Checkout,
    name: &str,
) -> Result<Found, Failure> {
    if let Some(commit) = checkout.resolve(name).await? {
        return Ok((commit, None));
    }
    let commit = ObjectId::parse(name).map_err(|e| missing(name, e.to_string()))?;
    let depot = fetch(context, checkout, &commit).await?;
    Ok((commit, Some(depot)))
}

/// A commit with all that it holds, from the remote.
async fn fetch(
    context: &Context,
    checkout: &Checkout,
    commit: &CommitId,
) -> Result<Depot, Failure> {
    let fetched = async {
        let (depot, remote) = depot(context, checkout).await?;
        depot.fetch_commit(&remote, commit).await?;
        Ok::<_, Failure>(depot)
    };
    let fetched = fetched.await;
    fetched.map_err(|failure| missing(commit.as_str(), failure.report.to_string()).into())
}

fn missing(commit: &str, why: String) -> NoBase {
    NoBase {
        commit: crate::escape::limited(commit, 64),
        why,
    }
}

/// The head of a branch as the remote has it; else as this clone knows it; else `or`. Where others bind
/// as well, what the pipeline cloned a moment ago is new enough not to warn.
async fn branch(
    context: &Context,
    checkout: &Checkout,
    name: &str,
    or: Option<&str>,
    others: bool,
) -> Result<Found, Failure> {
    let fetched = async {
        let (depot, remote) = depot(context, checkout).await?;
        let commit = depot.fetch_branch(&remote, name).await?;
        Ok::<_, Failure>((commit, Some(depot)))
    };
    let failure = match fetched.await {
        Ok(found) => return Ok(found),
        Err(failure) => failure,
    };
    let known = ["remotes/origin", "heads"].map(|place| format!("refs/{place}/{name}"));
    let mut commit = None;
    for known in known {
        commit = commit.or(checkout.resolve(&known).await?);
    }
    let name = crate::escape::limited(name, 100);
    if commit.is_none() || !others {
        context.warn(&format!(
            "the branch {name} cannot be fetched, so its settings are taken from this clone, which may be out of date: {}",
            failure.report
        ));
    }
    match (commit, or) {
        (Some(commit), _) => Ok((commit, None)),
        (None, Some(or)) => here_or_fetched(context, checkout, or).await,
        (None, None) => Err(NoBase {
            commit: name,
            why: failure.report.to_string(),
        }
        .into()),
    }
}

/// Where a branch that was pushed with force left what it was before. A full clone has what it goes on
/// from, so another one was left; of a shallow one the forge has to say it.
async fn parted(
    context: &Context,
    checkout: &Checkout,
    head: &CommitId,
    before: &str,
    forced: bool,
) -> Result<Option<Found>, Failure> {
    if let Some(before) = checkout.resolve(before).await?
        && let Some(base) = checkout.merge_base(head, &before).await?
    {
        return Ok(Some((base, None)));
    }
    if !forced && checkout.is_shallow().await? {
        return Ok(None);
    }
    let parents = checkout.named_parents(head).await?;
    match parents.first() {
        Some(parent) => here_or_fetched(context, checkout, parent).await.map(Some),
        None => Ok(None),
    }
}

/// Where this line of history left the default branch; on it, the commit before.
async fn unnamed(
    context: &Context,
    checkout: &Checkout,
    head: &CommitId,
) -> Result<Option<Found>, Failure> {
    let branch = checkout.default_branch(&RemoteName::origin()).await?;
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
        Some(left) if left != *head => Ok(Some((left, None))),
        // A shallow clone may lack it. Outside a pipeline it is not fetched.
        _ => match checkout.named_parents(head).await?.into_iter().next() {
            Some(parent) if !context.vars.ci() => {
                let parent = checkout.resolve(&parent).await?;
                Ok(parent.map(|parent| (parent, None)))
            }
            Some(parent) => here_or_fetched(context, checkout, &parent).await.map(Some),
            None => Ok(None),
        },
    }
}
