//! This machine: files in the user's state folder.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::future::BoxFuture;

use super::{
    Key, Store, StoreError, Swap, Swapped, Value, Version,
    swap::{LIMIT, check_fits},
};
use crate::{
    fs::{self, FsError, Lock, Visibility},
    model::{self, sha256},
};

/// A folder of files, one for each key.
#[derive(Clone, Debug)]
pub struct LocalStore {
    dir: PathBuf,
}

impl LocalStore {
    /// The store in a folder, which is made when something is written.
    pub fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    fn file(&self, key: &Key) -> PathBuf {
        self.dir.join(key.as_str())
    }

    fn get(&self, key: &Key) -> Result<Option<Value>, StoreError> {
        match fs::read_own(&self.file(key), LIMIT as u64) {
            Ok(bytes) => Ok(Some(Value {
                version: version(&bytes),
                bytes,
            })),
            Err(e) if e.is_not_found() => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn get_all(&self, folder: &str) -> Result<Vec<(Key, Value)>, StoreError> {
        let mut found = Vec::new();
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            let path = self.dir.join(&folder);
            let entries = match std::fs::read_dir(&path) {
                Ok(entries) => entries,
                Err(e) if e.kind() == std::io::ErrorKind::NotFound => continue,
                Err(e) => return Err(FsError::io("read", path, e).into()),
            };
            for entry in entries {
                let failed = |e| FsError::io("read", path.clone(), e);
                let entry = entry.map_err(failed)?;
                let Some(name) = entry.file_name().to_str().map(str::to_owned) else {
                    continue;
                };
                let Some(key) = Key::parse(&format!("{folder}/{name}")) else {
                    continue;
                };
                let kind = entry.file_type().map_err(failed)?;
                if kind.is_dir() {
                    folders.push(key.as_str().to_owned());
                } else if kind.is_file()
                    && let Some(value) = self.get(&key)?
                {
                    found.push((key, value));
                }
            }
        }
        model::sort(&mut found, |(one, _), (other, _)| one.cmp(other));
        Ok(found)
    }

    fn locked(&self) -> Result<Lock, StoreError> {
        fs::ensure_private_dir(&self.dir)?;
        let path = self.dir.join("lock.file");
        fs::refuse_link(&path)?;
        Ok(Lock::acquire(&path, Duration::from_secs(10), "the store")?)
    }

    fn put(&self, changes: &[Swap]) -> Result<Swapped, StoreError> {
        let _lock = self.locked()?;
        for change in changes {
            let there = self.get(&change.key)?.map(|value| value.version);
            if there != change.from {
                return Ok(Swapped::Moved);
            }
        }
        for change in changes {
            let file = self.file(&change.key);
            let mut folder = self.dir.clone();
            let mut parts: Vec<_> = change.key.as_str().split('/').collect();
            parts.pop();
            for part in parts {
                folder.push(part);
                fs::ensure_private_dir(&folder)?;
            }
            fs::write(&file, &change.to, Visibility::Private)?;
        }
        Ok(Swapped::Done)
    }
}

fn version(bytes: &[u8]) -> Version {
    Version(sha256(bytes, 64))
}

impl Store for LocalStore {
    fn name(&self) -> &'static str {
        super::error::THIS_MACHINE
    }

    fn is_shared(&self) -> bool {
        false
    }

    fn read<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Value>, StoreError>> {
        Box::pin(async move { self.get(key) })
    }

    fn read_all<'a>(
        &'a self,
        folder: &'a str,
    ) -> BoxFuture<'a, Result<Vec<(Key, Value)>, StoreError>> {
        Box::pin(async move { self.get_all(folder) })
    }

    fn swap<'a>(&'a self, changes: &'a [Swap]) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            check_fits(self.name(), changes)?;
            self.put(changes)
        })
    }

    fn remove<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let _lock = self.locked()?;
            for key in keys {
                fs::remove(&self.file(key))?;
            }
            Ok(())
        })
    }
}
