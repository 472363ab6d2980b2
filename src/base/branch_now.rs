//! What the branch that a run is for has by now: somebody may start an old run again.

use jiff::Timestamp;
use miette::Diagnostic;
use thiserror::Error;

use super::fetched::{Found, cloned_from, fetch_own_branch, origin};
use crate::{
    context::{Context, Failure},
    git::{Checkout, CommitId},
    publish::{self, PublishError},
};

/// The run is of an older commit of its branch, and what the newest one asks for cannot be had.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "this run is of an older commit of {branch}: connplan also needs the settings of the newest one, {newest}, and \
     cannot get them: {why}"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "the run of the newest commit plans and applies all that this one would; to start old runs again, \
         let the checkout keep its credentials (on GitHub `persist-credentials: true`)"
    )
)]
struct OldRun {
    branch: String,
    newest: String,
    why: String,
}

/// Whether the branch of a run has gone on since cannot be had: the run may have been started again, or have waited.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "connplan cannot tell whether {branch} has newer commits, and needs its newest settings: {why}"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "give this step `GITHUB_TOKEN: ${{{{ github.token }}}}`, and the job `permissions: {{ contents: read }}`, or \
         let the checkout keep its credentials; or let a new run plan and apply"
    )
)]
struct Untold {
    branch: String,
    why: String,
}

/// Whether somebody started an earlier run again, or a job by hand, perhaps long after.
pub fn is_again(context: &Context) -> bool {
    let attempt = context.vars.get("GITHUB_RUN_ATTEMPT");
    attempt.is_some_and(|attempt| attempt.trim() != "1")
        || context.vars.get("CI_JOB_MANUAL") == Some("true")
}

/// Since when the run is that this job belongs to, as its runner says: no artifact of it is older. A push says when it
/// came, also to a run that is started again.
pub fn begun(context: &Context) -> Result<Option<Timestamp>, Failure> {
    if let Some(at) = context.vars.get("CI_PIPELINE_CREATED_AT") {
        return Ok(at.trim().parse().ok());
    }
    let pushed = context
        .named_event()?
        .and_then(|event| event["repository"]["pushed_at"].as_i64());
    let is_first = || context.vars.get("GITHUB_RUN_ATTEMPT").map(str::trim) == Some("1");
    Ok(match pushed {
        Some(at) => Timestamp::from_second(at).ok(),
        None => is_first().then(Context::clock),
    })
}

/// The head of a branch, where that is not what is checked out. The pipeline's clone has it as it was
/// when the run was first started, so the remote is asked; where it does not let this run fetch, the
/// forge.
pub(super) async fn now(
    context: &Context,
    checkout: &Checkout,
    head: &CommitId,
    branch: &str,
) -> Result<Option<Found>, Failure> {
    if origin(context, checkout).await?.is_none() && cloned_from(context, checkout).is_none() {
        return Ok(None);
    }
    let failure = match fetch_own_branch(context, checkout, branch).await {
        Ok(found) => return Ok(Some(found).filter(|(commit, _)| commit != head)),
        Err(failure) => failure,
    };
    let asked = publish::branch_head(&context.vars, branch, context.client_options()).await;
    let newest = match asked {
        Ok(newest) if head.as_str().eq_ignore_ascii_case(&newest) => return Ok(None),
        Ok(newest) => newest,
        Err(error) => {
            let untold = Untold {
                branch: crate::escape::limited(branch, 100),
                why: failure.report.to_string(),
            };
            // A run waits for a person as long as they let it. Where no token would tell more, a first one goes on.
            let tells_none = matches!(error, PublishError::NoProject) || error.is_absent();
            if is_again(context) || !tells_none {
                return Err(untold.into());
            }
            context.warn_once(&format!("{untold}; those settings do not apply here"));
            return Ok(None);
        }
    };
    if let Some(commit) = checkout.resolve(&newest).await? {
        return Ok(Some((commit, None)));
    }
    Err(OldRun {
        branch: crate::escape::limited(branch, 100),
        newest: crate::escape::commit(&newest),
        why: failure.report.to_string(),
    }
    .into())
}
