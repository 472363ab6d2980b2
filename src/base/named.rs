//! By which names the pipeline calls the base; where it does not, the forge is asked.

use miette::Diagnostic;
use thiserror::Error;

use crate::{
    context::{Context, Failure},
    model::BaseName,
    publish::{self, PublishError},
};

/// The event is of a request and does not say where that goes.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "connplan cannot find the target branch of this pull request, and needs its settings: {why}"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "the event does not say it, so GitHub is asked: give this step `GITHUB_TOKEN: ${{{{ github.token }}}}`, \
         and the job `permissions: {{ contents: read, pull-requests: read }}`; or plan in a workflow that `pull_request` starts"
    )
)]
struct UntoldBase {
    why: String,
}

/// The names; none where nothing is told.
pub(super) async fn names(context: &Context) -> Result<Vec<BaseName>, Failure> {
    let event = context.named_event()?;
    let mut found = BaseName::of(&context.vars, event.as_ref());
    if let (true, Some(event)) = (found.contains(&BaseName::Asked), &event) {
        let options = context.client_options();
        let asked = publish::base_of_request(&context.vars, event, options).await;
        let asked = asked.map_err(|error| UntoldBase { why: why(&error) })?;
        found.retain(|name| *name != BaseName::Asked);
        for branch in asked.branches {
            // Its commit, and not its name: such a run may have checked out a fork, whose own branch of
            // that name `origin` gives.
            let tip = publish::branch_head(&context.vars, &branch, context.client_options()).await;
            let tip = tip.map_err(|error| UntoldBase { why: why(&error) })?;
            found.push(BaseName::Commit(tip));
        }
        found.extend(asked.head.map(BaseName::MergedOnto));
    }
    Ok(found)
}

fn why(error: &PublishError) -> String {
    match error {
        // What it is for elsewhere is said there.
        PublishError::NoForge => "it does not run in GitHub Actions".to_owned(),
        PublishError::NoRequest { why, .. } => why.clone(),
        error => error.to_string(),
    }
}
