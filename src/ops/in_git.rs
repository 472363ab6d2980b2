//! Which repository a store in git is.

use std::{path::Path, sync::Arc};

use miette::Diagnostic;
use thiserror::Error;

use super::Around;
use crate::{
    base::{cloned_instead, is_of_run, submodule_of},
    context::Failure,
    escape,
    git::{Checkout, RemoteAddress, RemoteName},
    model::{App, RunRepository, is_request},
    state::AppState,
    store::{AppKey, GitStore},
};

/// A remote of a submodule leads where the repository around it says, and what is checked out of that is somebody's
/// proposal.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "a pipeline does not use the store `git:{remote}` of the submodule {path}: a change of the repository around it \
     decides where the submodule's remotes lead"
)]
#[diagnostic(
    code(connplan::store::submodule),
    help(
        "set CONNPLAN_STORE in the pipeline to the address of the store, such as `git:https://HOST/PATH`, \
         `git:git@HOST:PATH` or `s3://BUCKET/PREFIX`"
    )
)]
struct LedByOthers {
    remote: String,
    path: String,
}

/// A fork's owner would have all to say in it; of another repository that was cloned beside it is the right one.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "`origin` is not {run}, the repository of this run, and the event does not say that it is the request's fork. So \
     connplan does not know which one has the store"
)]
#[diagnostic(
    code(connplan::store::origin),
    help(
        "set CONNPLAN_STORE in the pipeline to the address of the store, such as `git:https://HOST/PATH`; or check out \
         {run}, where forges keep what requests bring (`refs/pull/N/head`, `refs/merge-requests/N/head`)"
    )
)]
struct UntoldOrigin {
    run: String,
}

/// Whether a failure is one of these: nobody who only looks goes on without what such a store knows.
pub(super) fn is_led(failure: &Failure) -> bool {
    let report = &failure.report;
    report.downcast_ref::<LedByOthers>().is_some()
        || report.downcast_ref::<UntoldOrigin>().is_some()
}

/// Fails in a pipeline where the remotes of the repository around a folder are for another one to say.
pub(super) async fn check_led(
    around: &Around<'_>,
    root: &Path,
    remote: &RemoteName,
) -> Result<(), Failure> {
    let context = around.context;
    if !context.vars.ci() && !is_request(&context.vars, context.named_event()?.as_ref()) {
        return Ok(());
    }
    let checkout = Checkout::of(root, context.git())?;
    match submodule_of(context, checkout.root()).await? {
        Some((_, path)) if !checkout.is_cloned() => Err(LedByOthers {
            remote: remote.to_string(),
            path: escape::limited(&path, 200),
        }
        .into()),
        _ => Ok(()),
    }
}

/// The clone names another store than this machine has used for the app.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "this machine has used the store {known} for app {app}, and here `{named}` is {store}, which whoever made this clone \
     may have chosen: connplan does not use it"
)]
#[diagnostic(
    code(connplan::store::other),
    help(
        "if that is your team's store, run `connplan trust {named}` here once: it takes the place of the other one"
    )
)]
struct OtherStore {
    app: String,
    known: String,
    named: String,
    store: String,
}

/// Fails where the checkout leads to another store than this machine has used for the app: it may be somebody else's,
/// who names this app. Not for a pipeline, where nothing was used before.
pub(super) fn check_is_known(
    state: &AppState,
    app: &App,
    named: &str,
    at: &str,
) -> Result<(), Failure> {
    let known = state.stores()?;
    let address = |store: &str| store.strip_prefix("git:").unwrap_or(store).to_owned();
    let is_it = |known: &String| RunRepository::is_one(&address(known), &address(at));
    let Some(other) = known.first().filter(|_| !known.iter().any(is_it)) else {
        return Ok(());
    };
    Err(OtherStore {
        app: app.id.to_string(),
        known: escape::limited(other, 300),
        named: named.to_owned(),
        store: escape::limited(at, 300),
    }
    .into())
}

/// This machine has used a store for the app, and the checkout names none: it may be older than the store.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "this machine has used the store {known} for app {app}, and this checkout names none: what the team decided since is \
     known there alone"
)]
#[diagnostic(
    code(connplan::store::unnamed),
    help(
        "get the newest commits, whose connplan.toml may name it, or set CONNPLAN_STORE to that store; if the team gave it \
         up, run `connplan trust --remove STORE` here"
    )
)]
struct UnnamedStore {
    app: String,
    known: String,
}

/// Fails where this machine knows a store of the app: for who writes where the checkout names none. In a pipeline
/// nothing was used before.
pub(super) fn check_none_is_known(
    around: &Around<'_>,
    state: &AppState,
    app: &App,
) -> Result<(), Failure> {
    match state.stores()?.first() {
        Some(known) if !around.context.vars.ci() => Err(UnnamedStore {
            app: app.id.to_string(),
            known: escape::limited(known, 300),
        }
        .into()),
        _ => Ok(()),
    }
}

/// The store at a remote of the checkout around a folder.
pub(super) async fn at_remote(
    around: &Around<'_>,
    root: &Path,
    name: &RemoteName,
    home: &Path,
    app: &App,
) -> Result<Arc<GitStore>, Failure> {
    let context = around.context;
    let run = RunRepository::of(&context.vars);
    let checkout = Checkout::of(root, context.git())?;
    let is_origin = *name == RemoteName::origin();
    let remote = checkout.remote(run.as_ref(), name).await;
    // What an artifact says that is unpacked over the clone, `.git` and all, is nobody's word.
    let from = cloned_instead(context, &checkout, remote.as_ref().ok()).filter(|_| is_origin);
    let remote = match from {
        Some(from) => {
            if let Ok(named) = &remote {
                let named = escape::limited(&named.identity(), 300);
                context.warn_once(&format!(
                    "`{name}` of this clone is {named}, and in GitLab's pipelines the store `git:{name}` is where the runner \
                     cloned from: to use another address, set CONNPLAN_STORE=git:ADDRESS in the pipeline"
                ));
            }
            checkout.reach(&from).await?
        }
        None => remote?,
    };
    // What a run for a request checks out may be a fork, whose owner would have all to say. Another run may look
    // after another repository than its own: whoever started it chose.
    let event = context.named_event()?;
    let is_own = is_origin && is_request(&context.vars, event.as_ref());
    let own = run.filter(|_| is_own).and_then(|run| remote.instead(&run));
    let remote = match own {
        None => remote,
        Some(own) if is_of_run(context, &checkout).await? => own,
        Some(own) => {
            let run = own.name.to_string();
            return Err(UntoldOrigin { run }.into());
        }
    };
    opened(around, remote, home, app).await
}

/// The store at an address. Where it is on the host of a remote, what a pipeline's checkout step left is used.
pub(super) async fn at_address(
    around: &Around<'_>,
    root: &Path,
    address: RemoteAddress,
    home: &Path,
    app: &App,
) -> Result<Arc<GitStore>, Failure> {
    let remote = match Checkout::of(root, around.context.git()) {
        Ok(checkout) => checkout.reach(&address).await?,
        // It is reached from anywhere.
        Err(_) => address,
    };
    opened(around, remote, home, app).await
}

async fn opened(
    around: &Around<'_>,
    remote: RemoteAddress,
    home: &Path,
    app: &App,
) -> Result<Arc<GitStore>, Failure> {
    let context = around.context;
    let caches = context.state.dir().unwrap_or(home).join("git");
    let key = AppKey::of(app);
    Ok(context
        .stores
        .git(remote, &caches, context.git(), &key)
        .await?)
}
