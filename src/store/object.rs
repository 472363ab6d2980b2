//! Object storage: one object for each key, each update conditional on what was seen.
//!
//! Credentials and endpoint come from the providers' usual environment of the process, workload
//! identities included; never from a file of the checkout.

use std::{sync::Arc, time::Duration};

use futures_util::{TryStreamExt, future::BoxFuture};
use object_store::{
    ObjectStore, ObjectStoreExt, PutMode, PutOptions, RetryConfig, UpdateVersion,
    aws::{AmazonS3Builder, S3ConditionalPut},
    azure::MicrosoftAzureBuilder,
    gcp::GoogleCloudStorageBuilder,
    path::Path,
};

use super::{
    AppKey, Key, Store, StoreError, Swap, Swapped, Value, Version,
    swap::{LIMIT, check_fits},
};

use crate::model;

/// One app's part of a bucket.
#[derive(Debug)]
pub struct BucketStore {
    name: String,
    prefix: String,
    inner: Arc<dyn ObjectStore>,
}

impl BucketStore {
    /// The part of one app at `s3://bucket/prefix`, `gs://…` or `az://…`.
    pub fn open(url: &str, app: &AppKey) -> Result<Self, StoreError> {
        // The library's client takes the process's provider; there is one TLS stack here.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let failed = |e: object_store::Error| error(url, &e);
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (_, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let inner: Arc<dyn ObjectStore> = match scheme {
            "gs" => {
                let builder = GoogleCloudStorageBuilder::from_env().with_url(url);
                let builder = builder.with_retry(retry());
                Arc::new(builder.build().map_err(failed)?)
            }
            "az" => {
                let builder = MicrosoftAzureBuilder::from_env().with_url(url);
                let builder = builder.with_retry(retry());
                Arc::new(builder.build().map_err(failed)?)
            }
            _ => {
                let builder = AmazonS3Builder::from_env().with_url(url);
                let builder = builder.with_retry(retry());
                let builder = builder.with_conditional_put(S3ConditionalPut::ETagMatch);
                Arc::new(builder.build().map_err(failed)?)
            }
        };
        let prefix = prefix.trim_matches('/');
        Ok(Self {
            name: url.to_owned(),
            prefix: if prefix.is_empty() {
                app.as_str().to_owned()
            } else {
                format!("{prefix}/{}", app.as_str())
            },
            inner,
        })
    }

    fn path(&self, key: &str) -> Path {
        Path::from(format!("{}/{key}", self.prefix))
    }

    async fn get(&self, path: &Path) -> Result<Option<Value>, StoreError> {
        let failed = |e: object_store::Error| error(&self.name, &e);
        let found = match self.inner.get(path).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { source, .. }) => {
                self.only_the_object_is_missing(source.as_ref())?;
                return Ok(None);
            }
            Err(e) => return Err(failed(e)),
        };
        if found.meta.size > LIMIT as u64 {
            return Err(StoreError::Object {
                store: self.name.clone(),
                reason: "an object there is larger than anything that connplan writes".to_owned(),
                passing: false,
            });
        }
        let version = version(found.meta.e_tag.as_deref(), found.meta.version.as_deref());
        let bytes = found.bytes().await.map_err(failed)?.to_vec();
        Ok(Some(Value { bytes, version }))
    }

    /// A bucket that is not there, or a server that is none, answers "not found" too: such a store
    /// is not read, and not empty.
    fn only_the_object_is_missing(
        &self,
        source: &(dyn std::error::Error + 'static),
    ) -> Result<(), StoreError> {
        let text = source.to_string();
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        let reason = if says(&NO_BUCKET) {
            "there is no such bucket"
        } else if says(&NO_OBJECT) || text.trim_end().ends_with("404 Not Found:") {
            return Ok(());
        } else {
            "what answers there is not an object storage: it knows no such address"
        };
        Err(StoreError::Object {
            store: self.name.clone(),
            reason: reason.to_owned(),
            passing: false,
        })
    }

    async fn put(&self, change: &Swap) -> Result<Swapped, StoreError> {
        let mode = match &change.from {
            None => PutMode::Create,
            Some(version) => PutMode::Update(update(version)),
        };
        let options = PutOptions {
            mode,
            ..PutOptions::default()
        };
        let path = self.path(change.key.as_str());
        match self
            .inner
            .put_opts(&path, change.to.clone().into(), options)
            .await
        {
            Ok(_) => {
                crate::fs::crash::point();
                Ok(Swapped::Done)
            }
            Err(
                object_store::Error::AlreadyExists { .. }
                | object_store::Error::Precondition { .. },
            ) => Ok(Swapped::Moved),
            // An update of what is gone.
            Err(object_store::Error::NotFound { source, .. }) if change.from.is_some() => {
                self.only_the_object_is_missing(source.as_ref())?;
                Ok(Swapped::Moved)
            }
            Err(e) => Err(error(&self.name, &e)),
        }
    }
}

/// How the providers say that there is no such object, and that there is no such bucket.
const NO_OBJECT: [&str; 4] = [
    "NoSuchKey",
    "BlobNotFound",
    "ResourceNotFound",
    "PathNotFound",
];
const NO_BUCKET: [&str; 2] = ["NoSuchBucket", "ContainerNotFound"];

/// A store that is away is said to be so soon: the library would try for three minutes.
fn retry() -> RetryConfig {
    RetryConfig {
        max_retries: 3,
        retry_timeout: Duration::from_secs(30),
        ..RetryConfig::default()
    }
}

/// Both names of a content, as one text.
fn version(e_tag: Option<&str>, version: Option<&str>) -> Version {
    Version(format!(
        "{}\n{}",
        e_tag.unwrap_or_default(),
        version.unwrap_or_default()
    ))
}

fn update(version: &Version) -> UpdateVersion {
    let (e_tag, version) = version.0.split_once('\n').unwrap_or((&version.0, ""));
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    UpdateVersion {
        e_tag: some(e_tag),
        version: some(version),
    }
}

fn error(store: &str, error: &object_store::Error) -> StoreError {
    use object_store::Error;
    // The library's text may go on with the server's whole answer.
    let text = error.to_string();
    let line = text.lines().next().unwrap_or_default();
    StoreError::Object {
        store: store.to_owned(),
        reason: crate::escape::limited(line, 300),
        passing: matches!(error, Error::Generic { .. }),
    }
}

impl Store for BucketStore {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn read<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Value>, StoreError>> {
        Box::pin(async move { self.get(&self.path(key.as_str())).await })
    }

    fn read_all<'a>(
        &'a self,
        folder: &'a str,
    ) -> BoxFuture<'a, Result<Vec<(Key, Value)>, StoreError>> {
        Box::pin(async move {
            let prefix = self.path(folder);
            let listed = self.inner.list(Some(&prefix)).try_collect::<Vec<_>>().await;
            let mut found = Vec::new();
            for object in listed.map_err(|e| error(&self.name, &e))? {
                let whole = object.location.as_ref().to_owned();
                let key = whole
                    .strip_prefix(&self.prefix)
                    .and_then(|rest| rest.strip_prefix('/'));
                // What is not a key was written by somebody else.
                let Some(key) = key.and_then(Key::parse) else {
                    continue;
                };
                if let Some(value) = self.get(&object.location).await? {
                    found.push((key, value));
                }
            }
            model::sort(&mut found, |(one, _), (other, _)| one.cmp(other));
            Ok(found)
        })
    }

    fn swap<'a>(&'a self, changes: &'a [Swap]) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            check_fits(self.name(), changes)?;
            for change in changes {
                if self.put(change).await? == Swapped::Moved {
                    return Ok(Swapped::Moved);
                }
            }
            Ok(Swapped::Done)
        })
    }

    fn remove<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            for key in keys {
                match self.inner.delete(&self.path(key.as_str())).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(e) => return Err(error(&self.name, &e)),
                }
            }
            Ok(())
        })
    }
}
