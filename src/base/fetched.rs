//! Where commits are that the checkout lacks.

use miette::Diagnostic;
use thiserror::Error;

use super::heads::is_of_job;
use crate::{
    context::{Context, Failure},
    git::{Checkout, CommitId, Depot, GitError, ObjectId, RemoteAddress, RemoteName},
    model::RunRepository,
    state::StateError,
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

/// A commit, and where it is if not in the checkout.
pub(super) type Found = (CommitId, Option<Depot>);

/// What the checkout calls the remote that is asked.
pub(super) async fn origin(
    context: &Context,
    checkout: &Checkout,
) -> Result<Option<RemoteName>, GitError> {
    let run = RunRepository::of(&context.vars);
    checkout.origin(run.as_ref()).await
}

/// Where that is.
pub(super) async fn origin_at(
    context: &Context,
    checkout: &Checkout,
) -> Result<RemoteAddress, GitError> {
    let run = RunRepository::of(&context.vars);
    checkout.remote(run.as_ref(), &RemoteName::origin()).await
}

/// Where what is fetched of the remote is kept: not in the checkout, of which nothing changes. Where a runner cloned from
/// elsewhere, that is asked.
pub(super) async fn depot(
    context: &Context,
    checkout: &Checkout,
) -> Result<(Depot, RemoteAddress), Failure> {
    let remote = origin_at(context, checkout).await;
    let from = cloned_instead(context, checkout, remote.as_ref().ok());
    let remote = from.map_or(remote, Ok)?;
    depot_of(context, checkout, remote).await
}

/// Whether the remote answers, whatever it has.
pub(super) async fn answers(context: &Context, checkout: &Checkout) -> bool {
    match depot(context, checkout).await {
        Ok((depot, remote)) => depot.default_branch(&remote).await.is_ok(),
        Err(_) => false,
    }
}

pub(super) async fn depot_of(
    context: &Context,
    checkout: &Checkout,
    remote: RemoteAddress,
) -> Result<(Depot, RemoteAddress), Failure> {
    let state = context.state.dir().ok_or(StateError::Nowhere)?;
    let cache = state.join("git").join(remote.cache_name());
    let depot = Depot::open(&cache, checkout.git().clone(), &remote).await?;
    Ok((depot, remote))
}

/// A commit by its name; from the remote where this clone lacks it.
pub(super) async fn here_or_fetched(
    context: &Context,
    checkout: &Checkout,
    name: &str,
) -> Result<Found, Failure> {
    // Nothing shorter: what else is called so, the clone says.
    let commit = ObjectId::parse(name).map_err(|e| missing(name, e.to_string()))?;
    if let Some(commit) = checkout.resolve(name).await? {
        return Ok((commit, None));
    }
    let depot = fetch(context, checkout, &commit).await?;
    Ok((commit, Some(depot)))
}

/// A commit with all that it holds, from where a runner cloned, the remote, or the run's repository where that is another
/// one: its name proves it, wherever it is from.
pub(super) async fn fetch(
    context: &Context,
    checkout: &Checkout,
    commit: &CommitId,
) -> Result<Depot, Failure> {
    let fetched = async {
        let remote = origin_at(context, checkout).await;
        if let Some(from) = cloned_instead(context, checkout, remote.as_ref().ok())
            && let Ok(depot) = fetch_from(context, checkout, from, commit).await
        {
            return Ok(depot);
        }
        let remote = remote?;
        let run = RunRepository::of(&context.vars);
        let run = run.and_then(|run| remote.instead(&run));
        match (fetch_from(context, checkout, remote, commit).await, run) {
            (Err(_), Some(run)) => fetch_from(context, checkout, run, commit).await,
            (fetched, _) => fetched,
        }
    };
    let fetched: Result<_, Failure> = fetched.await;
    fetched.map_err(|failure| missing(commit.as_str(), failure.report.to_string()).into())
}

async fn fetch_from(
    context: &Context,
    checkout: &Checkout,
    remote: RemoteAddress,
    commit: &CommitId,
) -> Result<Depot, Failure> {
    let (depot, remote) = depot_of(context, checkout, remote).await?;
    depot.fetch_commit(&remote, commit).await?;
    Ok(depot)
}

/// The head of a branch there, with all that it holds.
pub(super) async fn fetch_branch(
    context: &Context,
    checkout: &Checkout,
    remote: RemoteAddress,
    name: &str,
) -> Result<Found, Failure> {
    let (depot, remote) = depot_of(context, checkout, remote).await?;
    let commit = depot.fetch_branch(&remote, name).await?;
    Ok((commit, Some(depot)))
}

/// Where GitLab's runner clones from, for the clone that it made: whoever can write into `.git` chooses where `origin` is.
pub(super) fn cloned_from(context: &Context, checkout: &Checkout) -> Option<RemoteAddress> {
    let run = RunRepository::of(&context.vars).filter(|_| is_of_job(context, checkout))?;
    RemoteAddress::parse(RemoteName::origin(), run.cloned_from.as_deref()?).ok()
}

/// The same, where `origin` is elsewhere.
pub fn cloned_instead(
    context: &Context,
    checkout: &Checkout,
    origin: Option<&RemoteAddress>,
) -> Option<RemoteAddress> {
    let run = RunRepository::of(&context.vars);
    let is_same = |from: &RemoteAddress| {
        origin.is_some_and(|at| {
            at.identity() == from.identity() || run.as_ref().is_some_and(|run| at.is_own(run))
        })
    };
    cloned_from(context, checkout).filter(|from| !is_same(from))
}

/// The same of `origin`; where a runner cloned from elsewhere and that can be reached, of that.
pub(super) async fn fetch_own_branch(
    context: &Context,
    checkout: &Checkout,
    name: &str,
) -> Result<Found, Failure> {
    let remote = origin_at(context, checkout).await;
    if let Some(from) = cloned_instead(context, checkout, remote.as_ref().ok())
        && let Ok(found) = fetch_branch(context, checkout, from, name).await
    {
        return Ok(found);
    }
    fetch_branch(context, checkout, remote?, name).await
}

pub(super) fn missing(commit: &str, why: String) -> NoBase {
    NoBase {
        commit: crate::escape::limited(commit, 64),
        why,
    }
}

/// The head of a branch as the remote has it; else as this clone knows it, and `or`: whoever can write into `.git` can
/// have a branch be anywhere, and the remote not be reached. Where others bind as well, what the pipeline cloned a
/// moment ago is new enough not to warn.
pub(super) async fn branch(
    context: &Context,
    checkout: &Checkout,
    name: &str,
    or: Option<&str>,
    others: bool,
) -> Result<Vec<Found>, Failure> {
    let failure = match fetch_own_branch(context, checkout, name).await {
        Ok(found) => return Ok(vec![found]),
        Err(failure) => failure,
    };
    let origin = origin(context, checkout).await?;
    let origin = origin.unwrap_or_else(RemoteName::origin);
    let known = [format!("remotes/{origin}"), "heads".to_owned()];
    let known = known.map(|place| format!("refs/{place}/{name}"));
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
    let mut found: Vec<_> = commit.into_iter().map(|commit| (commit, None)).collect();
    match or {
        // A clone may well lack it.
        Some(or) if !found.is_empty() => {
            found.extend(checkout.resolve(or).await?.map(|commit| (commit, None)));
        }
        Some(or) => found.push(here_or_fetched(context, checkout, or).await?),
        None if found.is_empty() => {
            return Err(NoBase {
                commit: name,
                why: failure.report.to_string(),
            }
            .into());
        }
        None => {}
    }
    Ok(found)
}
