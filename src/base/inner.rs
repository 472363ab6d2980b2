//! Repositories that stand in a pipeline's clone where its commit has files.

use std::path::Path;

use miette::Diagnostic;
use thiserror::Error;

use super::{heads::heads, places::folder_name};
use crate::{
    context::{Context, Failure},
    git::{Checkout, EntryKind},
};

/// Nothing that git does makes such a repository, and its remotes and commits would be believed.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "{folder} has a `.git` of its own, and the commit of the repository around it has files there: somebody put it into \
     this pipeline's checkout, so connplan does not go by what it says"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "start a new run, and let no artifact or earlier job write `.git` into the checkout; clone another repository \
         into a folder that the commit does not have, or make it a submodule"
    )
)]
struct InnerRepository {
    folder: String,
}

/// Fails where a work tree stands in a pipeline's checkout at a place that the commit around it has for its own.
pub(super) async fn check_inner(context: &Context, root: &Path) -> Result<(), Failure> {
    if !context.vars.ci() {
        return Ok(());
    }
    let folders = context.vars.checkout_folders().map(Path::new);
    let folders: Vec<_> = folders.filter_map(|it| it.canonicalize().ok()).collect();
    let is_inside = |outer: &Path| folders.iter().any(|folder| outer.starts_with(folder));
    // All of them: one that was put in may be around another one.
    for outer in context.git().work_trees_around(root) {
        let inner = root.strip_prefix(&outer).map(folder_name);
        let inner = inner.unwrap_or_default();
        let inner = inner.trim_end_matches('/');
        if inner.is_empty() || !is_inside(&outer) {
            continue;
        }
        let checkout = Checkout::of(&outer, context.git())?;
        for head in heads(context, &checkout).await? {
            let there = checkout.objects().find(&head, inner).await?;
            if there.is_some_and(|there| there.kind != EntryKind::Module) {
                let folder = crate::escape::path(root);
                return Err(InnerRepository { folder }.into());
            }
        }
    }
    Ok(())
}
