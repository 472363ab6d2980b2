//! A store in memory whose answers get lost, come late, or never: by a script.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use connplan::store::{Key, Store, StoreError, Swap, Swapped, Value, Version};
use futures_util::future::BoxFuture;

/// What goes wrong with one call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// Nothing.
    None,
    /// It does not arrive.
    Before,
    /// It arrives, and the answer does not.
    After,
    /// It takes so many milliseconds on the way there.
    Late(u64),
}

/// How many writes there were, and what is there since which of them.
type Values = (u64, BTreeMap<Key, (u64, Vec<u8>)>);

/// The values, as every machine sees them.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    values: Mutex<Values>,
}

/// One machine's way to them.
#[derive(Debug)]
pub(super) struct Faulty {
    shelf: Arc<Shelf>,
    faults: Mutex<VecDeque<Fault>>,
}

impl Faulty {
    pub(super) fn new(shelf: &Arc<Shelf>, faults: impl IntoIterator<Item = Fault>) -> Self {
        Self {
            shelf: Arc::clone(shelf),
            faults: Mutex::new(faults.into_iter().collect()),
        }
    }

    async fn way(&self) -> Result<bool, StoreError> {
        let fault = self
            .faults
            .lock()
            .unwrap()
            .pop_front()
            .unwrap_or(Fault::None);
        match fault {
            Fault::None => {}
            Fault::Before => return Err(lost()),
            Fault::After => return Ok(false),
            Fault::Late(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
        }
        Ok(true)
    }
}

fn lost() -> StoreError {
    StoreError::Object {
        store: "faulty".to_owned(),
        reason: "lost".to_owned(),
        passing: true,
    }
}

fn value((count, bytes): &(u64, Vec<u8>)) -> Value {
    Value {
        bytes: bytes.clone(),
        version: Version::new(count.to_string()),
    }
}

impl Store for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn read<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Value>, StoreError>> {
        Box::pin(async move {
            if !self.way().await? {
                return Err(lost());
            }
            Ok(self.shelf.values.lock().unwrap().1.get(key).map(value))
        })
    }

    fn read_all<'a>(
        &'a self,
        folder: &'a str,
    ) -> BoxFuture<'a, Result<Vec<(Key, Value)>, StoreError>> {
        Box::pin(async move {
            let there = self.shelf.values.lock().unwrap();
            let below = there.1.iter().filter(|(key, _)| key.is_below(folder));
            Ok(below
                .map(|(key, there)| (key.clone(), value(there)))
                .collect())
        })
    }

    fn swap<'a>(&'a self, changes: &'a [Swap]) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            let answers = self.way().await?;
            let mut there = self.shelf.values.lock().unwrap();
            for change in changes {
                let seen = there.1.get(&change.key).map(|seen| value(seen).version);
                if seen != change.from {
                    return if answers {
                        Ok(Swapped::Moved)
                    } else {
                        Err(lost())
                    };
                }
            }
            for change in changes {
                there.0 += 1;
                let count = there.0;
                there
                    .1
                    .insert(change.key.clone(), (count, change.to.to_vec()));
            }
            if answers {
                Ok(Swapped::Done)
            } else {
                Err(lost())
            }
        })
    }

    fn remove<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            let mut there = self.shelf.values.lock().unwrap();
            for key in keys {
                there.1.remove(key);
            }
            Ok(())
        })
    }
}
