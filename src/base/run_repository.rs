//! Branches of the run's repository, where what is checked out came from another one.

use miette::Diagnostic;
use thiserror::Error;

use super::fetched::{Found, branch, fetch, fetch_branch, origin_at};
use crate::{
    context::{Context, Failure},
    git::{Checkout, CommitId, ObjectId, RemoteAddress},
    model::RunRepository,
    publish,
};

/// The run's own repository says what binds, and cannot be asked.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "`origin` is not {run}, the repository of this run: connplan needs the settings of the branch {branch} of \
     {run}, and cannot get them: {why}"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "let the checkout keep credentials that may read {run}; or fetch that branch from there in a step before, \
         and give this one `GITHUB_TOKEN: ${{{{ github.token }}}}`, by which the forge tells its newest commit"
    )
)]
struct OtherOrigin {
    run: String,
    branch: String,
    why: String,
}

/// The head of a branch that a request goes into.
pub(super) async fn target(
    context: &Context,
    checkout: &Checkout,
    (name, or): (&str, Option<&str>),
    others: bool,
) -> Result<Vec<Found>, Failure> {
    match instead(context, checkout).await {
        None => branch(context, checkout, name, or, others).await,
        Some(run) => Ok(vec![head_of(context, checkout, &run, name).await?]),
    }
}

/// The head of a branch that a run for no request goes by, in the run's own repository: what is checked out
/// may be a request's all the same. A workflow may as well look after another repository than its own, so
/// what cannot be had is said and not refused.
pub(super) async fn own(
    context: &Context,
    checkout: &Checkout,
    head: &CommitId,
    name: &str,
) -> Option<Found> {
    let run = instead(context, checkout).await?;
    match head_of(context, checkout, &run, name).await {
        Ok(found) => Some(found).filter(|(commit, _)| commit != head),
        Err(OtherOrigin { run, branch, why }) => {
            context.warn_once(&format!(
                "`origin` is not {run}, the repository of this run: connplan cannot get the settings of {branch} \
                 there, so they do not apply here: {why}"
            ));
            None
        }
    }
}

/// Whether a work tree is of the repository of a run for a request, as far as the address of its `origin` tells, or of
/// that which the event calls the request's. Another one may have been cloned beside, or be the request's fork by
/// another name: nothing tells them apart, so what the run is told may be about it or not.
pub async fn is_of_run(context: &Context, checkout: &Checkout) -> Result<bool, Failure> {
    let Some(run) = RunRepository::of(&context.vars) else {
        return Ok(true);
    };
    let Ok(origin) = origin_at(context, checkout).await else {
        return Ok(true);
    };
    if origin.instead(&run).is_none() {
        return Ok(true);
    }
    let event = context.named_event()?;
    let head = run.of_head(&context.vars, event.as_ref());
    Ok(head.is_some_and(|head| origin.is_of(&head)))
}

/// The run's repository, where `origin` is beyond doubt another one: a fork, say, whose branches are what its
/// owner makes them. An address that cannot be used is told where it is used.
pub(super) async fn instead(context: &Context, checkout: &Checkout) -> Option<RemoteAddress> {
    let run = RunRepository::of(&context.vars)?;
    let origin = origin_at(context, checkout).await.ok()?;
    origin.instead(&run)
}

/// The head of a branch there: fetched, or as the forge names it.
async fn head_of(
    context: &Context,
    checkout: &Checkout,
    run: &RemoteAddress,
    name: &str,
) -> Result<Found, OtherOrigin> {
    let failure = match fetch_branch(context, checkout, run.clone(), name).await {
        Ok(found) => return Ok(found),
        Err(failure) => failure,
    };
    let told = async {
        let asked = publish::branch_head(&context.vars, name, context.client_options());
        let commit = ObjectId::parse(&asked.await.ok()?).ok()?;
        if let Some(commit) = checkout.resolve(commit.as_str()).await.ok()? {
            return Some((commit, None));
        }
        let depot = fetch(context, checkout, &commit).await.ok()?;
        Some((commit, Some(depot)))
    };
    told.await.ok_or_else(|| OtherOrigin {
        run: run.name.to_string(),
        branch: crate::escape::limited(name, 100),
        why: failure.report.to_string(),
    })
}
