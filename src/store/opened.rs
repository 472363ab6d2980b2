//! The stores in git remotes that this run has opened. One that is opened again is the same one: it knows
//! where the refs were, so that a look at what has not moved is one request.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use tokio::sync::Mutex;

use super::{AppKey, GitStore, StoreError};
use crate::git::{Git, RemoteAddress};

/// Those of one run.
#[derive(Debug, Default)]
pub struct Opened(Mutex<BTreeMap<String, Arc<GitStore>>>);

impl Opened {
    /// The store of an app in a remote. `caches` is where connplan's own repositories go.
    pub async fn git(
        &self,
        remote: RemoteAddress,
        caches: &Path,
        git: Git,
        app: &AppKey,
    ) -> Result<Arc<GitStore>, StoreError> {
        let name = format!("{} {} {}", remote.name, remote.identity(), app.as_str());
        let mut opened = self.0.lock().await;
        if let Some(store) = opened.get(&name) {
            store.reopen().await;
            return Ok(store.clone());
        }
        let cache = caches.join(remote.cache_name());
        let store = Arc::new(GitStore::open(remote, &cache, git, app).await?);
        opened.insert(name, store.clone());
        Ok(store)
    }
}
