//! Which commit is checked out.

use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use crate::{
    context::{Context, Failure},
    git::{Checkout, CommitId},
    model::BaseName,
};

/// The clone does not say what the run is of, or says another commit.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "connplan cannot find the commit before the one that this run is of, and needs its settings: {why}"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "run connplan in the checkout that the pipeline makes, as it makes it; let no artifact write into its `.git`"
    )
)]
pub(super) struct NoHead {
    why: String,
}

/// What is checked out, as the clone says; and the commit that the run is of, where the clone says another one. Whoever
/// can write into `.git` (on GitLab, an artifact can) has HEAD name any commit.
pub(super) async fn heads(
    context: &Context,
    checkout: &Checkout,
) -> Result<Vec<CommitId>, Failure> {
    let mut found: Vec<_> = checkout.head().await?.into_iter().collect();
    // GitHub's workflows choose what they check out.
    if let Some(told) = context.vars.get("CI_COMMIT_SHA")
        && is_of_job(context, checkout)
        && !found
            .iter()
            .any(|head| head.as_str().eq_ignore_ascii_case(told))
    {
        let told_here = checkout.resolve(told).await?;
        found.push(told_here.ok_or_else(|| NoHead {
            why: format!(
                "this clone has another commit checked out than {}, the run's, and lacks that one",
                crate::escape::limited(told, 64)
            ),
        })?);
    }
    Ok(found)
}

/// Whether GitLab's runner made this clone for the job.
pub(super) fn is_of_job(context: &Context, checkout: &Checkout) -> bool {
    let dir = context.vars.get("CI_PROJECT_DIR").map(Path::new);
    let dir = dir.and_then(|dir| dir.canonicalize().ok());
    dir.as_deref() == Some(checkout.root())
}

/// Fails where a pipeline tells what was before a commit, and nothing says which that is.
pub(super) fn check_heads(
    context: &Context,
    heads: &[CommitId],
    names: &[BaseName],
) -> Result<(), Failure> {
    let is_told = |name: &BaseName| !matches!(name, BaseName::Default(line) if !line.is_told());
    if heads.is_empty() && context.vars.ci() && names.iter().any(is_told) {
        let why = "HEAD of this clone is not a commit".to_owned();
        return Err(NoHead { why }.into());
    }
    Ok(())
}
