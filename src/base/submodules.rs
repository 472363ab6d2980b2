//! The repositories within a base. It was one folder with them, and what they hold is content as its
//! own is: the base names their commits.

use std::collections::{BTreeMap, BTreeSet};

use miette::Diagnostic;
use thiserror::Error;

use super::{commit::CommitAt, heads::heads, tree::Tree};
use crate::{
    context::{Context, Failure},
    fs,
    git::{Checkout, CommitId, EntryKind, GitError, ObjectId, Objects, path_of},
};

/// More repositories than these in one base are not looked into.
const MOST: usize = 100;

/// The base has a repository where the project was, and what that holds is not here.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "{commit}, whose settings apply here, has a submodule at {path}: connplan needs the settings there, and cannot \
     get them: its commit {module} is not in this clone"
)]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "get that commit: check out the submodule, or run `git fetch URL {module}` with the submodule's \
         address in a step before. A change that replaces the submodule does not drop its settings"
    )
)]
pub(super) struct Withheld {
    pub(super) path: String,
    pub(super) commit: String,
    pub(super) module: CommitId,
}

/// Those whose content is here, by where they stand: `vendor/sub/`.
#[derive(Debug, Default)]
pub(super) struct Modules(BTreeMap<String, Checkout>);

impl Modules {
    /// Puts into the tree what the repositories in it hold, where that is here. Of some, their own work
    /// tree tells.
    pub(super) async fn graft(
        at: &CommitAt,
        tree: &mut Tree,
        told: &BTreeSet<String>,
    ) -> Result<Self, Failure> {
        let mut found = BTreeMap::new();
        let mut left = tree.modules();
        while let Some((path, id)) = left.pop() {
            if told.contains(&path) || found.len() == MOST {
                continue;
            }
            let Some(holder) = holder(at, &path, &id).await? else {
                continue;
            };
            let inner = match holder.objects().whole(&id).await {
                // It is not completely here.
                Err(GitError::Failed { .. }) => continue,
                all => Tree::new(all?),
            };
            let needed = inner.deciding().into_iter().map(|(_, id)| id);
            let needed: Vec<_> = needed.collect();
            if holder.objects().lacking(&needed).await?.is_empty() {
                let within = inner.modules().into_iter();
                left.extend(within.map(|(inner, id)| (format!("{path}/{inner}"), id)));
                tree.graft(&path, inner);
                found.insert(format!("{path}/"), holder);
            }
        }
        Ok(Self(found))
    }

    /// Whether a path is within one.
    pub(super) fn hold(&self, path: &str) -> bool {
        self.0
            .keys()
            .any(|module| path.starts_with(module.as_str()))
    }

    /// Where the content of a path is.
    pub(super) fn objects<'a>(&'a self, at: &'a CommitAt, path: &str) -> Objects<'a> {
        let before = self.0.range(..=path.to_owned()).rev();
        let mut around = before.filter(|(module, _)| path.starts_with(module.as_str()));
        around
            .next()
            .map_or_else(|| at.objects(), |(_, holder)| holder.objects())
    }

    /// The contents of some paths.
    pub(super) async fn contents(
        &self,
        at: &CommitAt,
        wanted: &[(String, ObjectId)],
        limit: usize,
    ) -> Result<BTreeMap<ObjectId, Vec<u8>>, Failure> {
        let mut by_place: BTreeMap<Option<&str>, Vec<ObjectId>> = BTreeMap::new();
        for (path, id) in wanted {
            let mut modules = self.0.keys().rev();
            let module = modules.find(|module| path.starts_with(module.as_str()));
            let ids = by_place.entry(module.map(String::as_str)).or_default();
            ids.push(id.clone());
        }
        let mut found = BTreeMap::new();
        for (module, ids) in by_place {
            let objects = self.objects(at, module.unwrap_or_default());
            found.extend(objects.blobs(&ids, limit).await?);
        }
        Ok(found)
    }
}

/// What has the commit of a repository within this one: this clone itself, or that one's work tree.
async fn holder(at: &CommitAt, path: &str, id: &CommitId) -> Result<Option<Checkout>, GitError> {
    let outer = &at.checkout;
    let place = outer.root().join(path_of(path));
    let inner = fs::look(&[outer.root()], &place.join(".git"))
        .there
        .is_some();
    let inner = inner.then(|| Checkout::of(&place, outer.git().clone()));
    for holder in inner
        .and_then(Result::ok)
        .into_iter()
        .chain([outer.clone()])
    {
        match holder.resolve(id.as_str()).await {
            Ok(Some(_)) => return Ok(Some(holder)),
            Err(altered @ GitError::Altered { .. }) => return Err(altered),
            // It may be in the other one.
            Ok(None) | Err(_) => {}
        }
    }
    Ok(None)
}

/// Which of these are repositories in what is checked out too.
pub(super) async fn still_there(
    context: &Context,
    at: &CommitAt,
    modules: &[(String, CommitId)],
) -> Result<BTreeSet<String>, Failure> {
    let mut there: BTreeSet<_> = modules.iter().map(|(path, _)| path.clone()).collect();
    let heads = heads(context, &at.checkout).await?;
    for head in &heads {
        let head = at.checkout.objects().whole(head).await?;
        there.retain(|path| matches!(head.get(path), Some((EntryKind::Module, _))));
    }
    Ok(if heads.is_empty() {
        BTreeSet::new()
    } else {
        there
    })
}
