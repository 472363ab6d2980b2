//! One store of each kind, for the suite.

use std::{path::PathBuf, sync::Arc};

use connplan::{
    git::{Checkout, RemoteName},
    model::{ApiUrl, App, AppId},
    store::{AppKey, By, GitStore, LocalStore, Memory, Store},
};

use crate::git::repository::{Pair, plain, wait};

pub(super) fn app() -> App {
    App {
        id: AppId::parse("6713a1").unwrap(),
        api_url: ApiUrl::parse("https://app.base44.com").unwrap(),
        environment: None,
    }
}

pub(super) fn by(user: &str) -> By {
    By {
        user: Some(user.to_owned()),
        ..By::default()
    }
}

/// Where a store is, and how another machine gets at it.
pub(super) trait Maker: Sync {
    fn open(&self, machine: &str) -> Arc<dyn Store>;
}

pub(super) struct LocalPlace(tempfile::TempDir);

impl LocalPlace {
    pub(super) fn new() -> Self {
        Self(crate::support::folder())
    }
}

impl Maker for LocalPlace {
    fn open(&self, _machine: &str) -> Arc<dyn Store> {
        Arc::new(LocalStore::at(&self.0.path().join("memory")))
    }
}

pub(super) struct GitPlace(pub(super) Pair);

impl GitPlace {
    pub(super) fn new() -> Self {
        Self(Pair::new())
    }

    pub(super) fn cache(&self, machine: &str) -> PathBuf {
        self.0.dir.path().join(format!("cache-{machine}"))
    }
}

impl Maker for GitPlace {
    fn open(&self, machine: &str) -> Arc<dyn Store> {
        let checkout = Checkout::of(&self.0.clone, plain()).unwrap();
        let app = AppKey::of(&app());
        let cache = self.cache(machine);
        let remote = wait(checkout.remote(None, &RemoteName::origin())).unwrap();
        Arc::new(wait(GitStore::open(remote, &cache, plain(), &app)).unwrap())
    }
}

/// The bucket that `CONNPLAN_TEST_BUCKET` names, with a server behind it that a test started:
/// `s3://...` with `AWS_ENDPOINT`, `az://...` with `AZURE_STORAGE_USE_EMULATOR`.
#[cfg(feature = "object-store")]
pub(super) struct Bucket(String);

#[cfg(feature = "object-store")]
impl Bucket {
    pub(super) fn new(part: &str) -> Self {
        let url = std::env::var("CONNPLAN_TEST_BUCKET").unwrap();
        Self(format!("{url}/{}/{part}", std::process::id()))
    }
}

#[cfg(feature = "object-store")]
impl Maker for Bucket {
    fn open(&self, _machine: &str) -> Arc<dyn Store> {
        let key = AppKey::of(&app());
        // Its client is made within a runtime.
        wait(async { Arc::new(connplan::store::BucketStore::open(&self.0, &key).unwrap()) })
    }
}

pub(super) fn memory(store: Arc<dyn Store>, user: &str) -> Memory {
    Memory::new(store, app(), by(user))
}
