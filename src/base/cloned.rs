//! Whether a pipeline's checkout is a clone of which can be told what binds.

use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use super::{commit::submodule_of, fetched::origin, places::told, work_trees};
use crate::{
    config::Project,
    context::{Context, Failure},
    git::{Checkout, RemoteName},
    model::{self, BaseName},
};

/// The pipeline's checkout is not a clone: an archive, as it is unpacked where git is missing.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "the checkout of this pipeline is not a git repository: connplan needs the settings of the commit before this \
     one, and cannot find it"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "install git before the step that checks out: without it, actions/checkout unpacks an archive"
    )
)]
struct NoClone;

/// Fails where there is no base because the pipeline's checkout is not a clone, though the forge names what is before.
pub fn check_cloned(context: &Context, project: &Project) -> Result<(), Failure> {
    let (vars, event) = (&context.vars, context.named_event()?);
    let is_told = model::is_request(vars, event.as_ref())
        || model::pushed_branch(vars, event.as_ref()).is_some();
    let root = project
        .root
        .canonicalize()
        .unwrap_or_else(|_| project.root.clone());
    let mut checkouts = vars.checkout_folders();
    let is_inside = |checkout: &str| {
        Path::new(checkout)
            .canonicalize()
            .is_ok_and(|it| root.starts_with(it))
    };
    if vars.ci()
        && is_told
        && context.git().work_tree_of(&root).is_none()
        && checkouts.any(is_inside)
    {
        return Err(NoClone.into());
    }
    Ok(())
}

/// Nobody can be asked what the branches are by now.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "{why}, so connplan cannot get the newest settings of the repository's branches, and needs them"
)]
#[diagnostic(code(connplan::approval::base), help("{help}"))]
struct NoOrigin {
    why: String,
    help: &'static str,
}

impl NoOrigin {
    fn of(remotes: &[RemoteName]) -> Self {
        let names: Vec<_> = remotes.iter().map(|name| format!("`{name}`")).collect();
        if names.is_empty() {
            return Self {
                why: "this clone has no git remote".to_owned(),
                help: "add the remote of the repository in a step before: `git remote add origin ADDRESS`",
            };
        }
        let names = crate::escape::limited(&names.join(", "), 100);
        Self {
            why: format!(
                "no git remote of this clone is called `origin`, and nothing says which of {names} is meant"
            ),
            help: "call the remote of the repository so in a step before: `git remote rename NAME origin`",
        }
    }
}

/// Fails where a pipeline's clone does not tell which of its remotes is to be asked for what binds; also where it
/// has none, and nothing but the default branch tells what is before its commit, which has others before it
/// (`has_base`).
pub async fn check_remote(
    context: &Context,
    project: &Project,
    has_base: bool,
) -> Result<(), Failure> {
    let event = context.named_event()?;
    let names = BaseName::of(&context.vars, event.as_ref());
    let by_default = names
        .iter()
        .any(|name| matches!(name, BaseName::Default(_)));
    let asks = by_default || names.iter().any(|name| matches!(name, BaseName::Now(_)));
    if !context.vars.ci() || !asks {
        return Ok(());
    }
    let told = told(&context.start, &context.vars);
    for root in work_trees(context, project, told.as_deref()).await? {
        // What a submodule is measured against, the repository around it says.
        if submodule_of(context, &root).await?.is_some() {
            continue;
        }
        let checkout = Checkout::of(&root, context.git())?;
        if origin(context, &checkout).await?.is_some() {
            continue;
        }
        let remotes = checkout.remotes().await?;
        if by_default && has_base || !remotes.is_empty() {
            return Err(NoOrigin::of(&remotes).into());
        }
    }
    Ok(())
}
