//! What binds where nothing names what was before: the default branch.

use miette::Diagnostic;
use thiserror::Error;

use super::{
    branch_now::now,
    fetched::{Found, branch, depot, here_or_fetched, origin},
};
use crate::{
    context::{Context, Failure},
    git::{Checkout, CommitId, GitError, RemoteName},
    model::Line,
};

/// Which branch it is cannot be had.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "nothing names the commit before this one, so the default branch's settings apply, and connplan cannot tell \
     which branch that is: {why}"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "let the checkout keep its credentials, or have it run `git remote set-head origin --auto` while it \
         has them"
    )
)]
struct UntoldDefault {
    why: String,
}

/// Where it was left is not in a shallow clone.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "nothing names the commit before this one, so connplan needs the settings from where this history left \
     {branch}, and this clone is too shallow"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "on GitHub give actions/checkout `with: {{ fetch-depth: 0 }}`, on GitLab set `GIT_DEPTH: 0`"
    )
)]
struct NotParted {
    branch: String,
}

/// The default branch as it is now, and where this line of history left it; on it, the commit before. At
/// a desk nothing is fetched for that.
pub(super) async fn default(
    context: &Context,
    checkout: &Checkout,
    head: &CommitId,
    line: &Line,
) -> Result<Vec<Found>, Failure> {
    let asked = if context.vars.ci() {
        origin(context, checkout).await?
    } else {
        None
    };
    let asks = asked.is_some();
    let origin = asked.unwrap_or_else(RemoteName::origin);
    let name = if asks {
        name(context, checkout, &origin, line).await?
    } else {
        checkout.default_branch(&origin).await?
    };
    let Some(name) = name else {
        return Ok(before(context, checkout, head, line)
            .await?
            .into_iter()
            .collect());
    };
    let own = line.own.as_ref().filter(|(own, _)| *own == name);
    let own = own.and_then(|(_, commit)| commit.as_deref());
    let is_own = own.is_some_and(|own| head.as_str().eq_ignore_ascii_case(own));
    let newest = match is_own {
        _ if !asks => Vec::new(),
        // A clone has its own branch as it was when the run was first started.
        true => Vec::from_iter(now(context, checkout, head, &name).await?),
        false => branch(context, checkout, &name, None, true).await?,
    };
    let mut found: Vec<_> = newest
        .into_iter()
        .filter(|(newest, _)| newest != head)
        .collect();
    let known = match found.first() {
        Some((newest, _)) => checkout.resolve(newest.as_str()).await?,
        None => None,
    };
    let known = match known {
        None if found.is_empty() && asks => Some(head.clone()),
        None => {
            checkout
                .resolve(&format!("refs/remotes/{origin}/{name}"))
                .await?
        }
        known => known,
    };
    let parted = match &known {
        Some(known) => Some(checkout.parted(head, known).await?),
        None => None,
    };
    let is_whole = match &parted {
        _ if !asks || is_own => true,
        Some(parted) => parted.whole,
        None => !checkout.lacks_history(head).await?,
    };
    if !is_whole {
        let branch = crate::escape::limited(&name, 100);
        return Err(NotParted { branch }.into());
    }
    let mut left = parted.map(|parted| parted.at).unwrap_or_default();
    left.retain(|left| left != head);
    if left.is_empty() {
        found.extend(before(context, checkout, head, line).await?);
    }
    found.extend(left.into_iter().map(|left| (left, None)));
    Ok(found)
}

/// The commit before. A shallow clone may lack it; outside a pipeline it is not fetched.
async fn before(
    context: &Context,
    checkout: &Checkout,
    head: &CommitId,
    line: &Line,
) -> Result<Option<Found>, Failure> {
    let parents = checkout.named_parents(head).await?;
    let Some(parent) = parents.first().filter(|_| line.before) else {
        return Ok(None);
    };
    if context.vars.ci() {
        return here_or_fetched(context, checkout, parent).await.map(Some);
    }
    let parent = checkout.resolve(parent).await?;
    Ok(parent.map(|parent| (parent, None)))
}

/// The default branch, as the forge, the clone or the remote tells it; none where the remote has none.
pub(super) async fn name(
    context: &Context,
    checkout: &Checkout,
    origin: &RemoteName,
    line: &Line,
) -> Result<Option<String>, Failure> {
    if let Some(told) = &line.default {
        return Ok(Some(told.clone()));
    }
    if let Some(known) = checkout.default_branch(origin).await? {
        return Ok(Some(known));
    }
    let (depot, remote) = depot(context, checkout)
        .await
        .map_err(|failure| untold(&failure))?;
    let asked = depot.default_branch(&remote).await;
    Ok(asked.map_err(|error: GitError| untold(&error.into()))?)
}

fn untold(failure: &Failure) -> UntoldDefault {
    UntoldDefault {
        why: failure.report.to_string(),
    }
}
