//! The stores in git remotes that this run has opened. One that is opened again is the same one: it knows
//! where the refs were, so that a look at what has not moved is one request.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use tokio::sync::Mutex;

use super::{AppKey, GitStore, StoreError};
use crate::{
    git::{Checkout, Git, RemoteName},
    model::RunRepository,
};

/// Those of one run.
#[derive(Debug, Default)]
pub struct Opened(Mutex<BTreeMap<String, Arc<GitStore>>>);

impl Opened {
    /// The store of an app in a remote of a checkout, in a run of a repository. In one for a request `origin` is that
    /// repository, whatever is checked out, which may be a fork whose owner would have all to say. `caches` is
    /// where connplan's own repositories go.
    pub async fn git(
        &self,
        (checkout, run, is_request): (&Checkout, Option<&RunRepository>, bool),
        remote: &RemoteName,
        caches: &Path,
        git: Git,
        app: &AppKey,
    ) -> Result<Arc<GitStore>, StoreError> {
        let root = checkout.root().display();
        let given = checkout.given_origin().unwrap_or_default();
        let name = format!("{root} {given} {remote} {}", app.as_str());
        let mut opened = self.0.lock().await;
        if let Some(store) = opened.get(&name) {
            store.reopen().await;
            return Ok(store.clone());
        }
        let meant = run.filter(|_| is_request && *remote == RemoteName::origin());
        let remote = checkout.remote(run, remote).await?;
        let remote = meant.and_then(|run| remote.instead(run)).unwrap_or(remote);
        let cache = caches.join(remote.cache_name());
        let store = Arc::new(GitStore::open(remote, &cache, git, app).await?);
        opened.insert(name, store.clone());
        Ok(store)
    }
}
