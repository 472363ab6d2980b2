//! Refs of a git remote: `refs/connplan/APP/log`, whose history is the audit log, and
//! `refs/connplan/APP/lease`, which has none.
//!
//! Each write is one commit under a fixed identity, made in connplan's own repository and pushed with
//! a lease. No branch, no work tree and no ref of the checkout is touched.

use std::{collections::BTreeMap, path::Path, time::Duration};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::{
    AppKey, Key, Store, StoreError, Swap, Swapped, Value, Version,
    swap::{LIMIT, check_fits},
};
use crate::git::{Depot, Git, GitError, NewCommit, ObjectId, Push, Pushed, RefName, RemoteAddress};

/// How often a busy remote is tried.
const TRIES: u32 = 40;

/// The key whose ref keeps no history.
const LEASE: &str = "lease";

/// One app's part of a remote.
#[derive(Debug)]
pub struct GitStore {
    name: String,
    prefix: String,
    depot: Depot,
    remote: RemoteAddress,
    /// Where the refs were when they were last looked at.
    looked: Mutex<Option<Looked>>,
}

#[derive(Clone, Debug)]
struct Looked {
    seen: Seen,
    /// Whether what needs no new look may go by it.
    is_known: bool,
}

#[derive(Clone, Debug, Default)]
struct Seen {
    tips: BTreeMap<String, ObjectId>,
    files: BTreeMap<Key, ObjectId>,
}

impl GitStore {
    /// The part of one app, in a remote. `cache` is where connplan's own repository goes.
    pub async fn open(
        remote: RemoteAddress,
        cache: &Path,
        git: Git,
        app: &AppKey,
    ) -> Result<Self, StoreError> {
        let depot = Depot::open(cache, git, &remote).await?;
        Ok(Self {
            name: format!("git:{}", remote.name),
            prefix: Self::prefix(app),
            depot,
            remote,
            looked: Mutex::new(None),
        })
    }

    /// The name by which a user trusts it.
    pub fn trusted_as(&self) -> String {
        self.remote.store_name()
    }

    /// Below what its refs are.
    pub fn prefix(app: &AppKey) -> String {
        format!("refs/connplan/{}/", app.as_str())
    }

    fn reference(key: &Key) -> &'static str {
        if key.as_str() == LEASE { LEASE } else { "log" }
    }

    /// Lets whoever uses it next look again first, as if it had just been opened.
    pub async fn reopen(&self) {
        if let Some(looked) = self.looked.lock().await.as_mut() {
            looked.is_known = false;
        }
    }

    async fn known(&self) -> Option<Seen> {
        let looked = self.looked.lock().await;
        looked
            .as_ref()
            .filter(|looked| looked.is_known)
            .map(|looked| looked.seen.clone())
    }

    /// What the remote has below the prefix. Who has looked before asks first whether anything moved: that
    /// is one request, and a fetch is two.
    async fn refs(&self, before: Option<&Seen>) -> Result<BTreeMap<String, ObjectId>, GitError> {
        if let Some(before) = before
            && let Ok(there) = self.depot.ls_remote(&self.remote, &self.prefix).await
            && there.len() == before.tips.len()
            && there.iter().all(|(name, tip)| {
                let short = name.strip_prefix(&self.prefix);
                short.and_then(|short| before.tips.get(short)) == Some(tip)
            })
        {
            return Ok(there);
        }
        self.depot.fetch(&self.remote, &self.prefix).await
    }

    /// Looks at the remote anew.
    async fn look(&self) -> Result<Seen, StoreError> {
        let mut wait = Duration::from_millis(200);
        let mut tries = 0;
        let before = self.looked.lock().await.clone();
        let before = before.map(|looked| looked.seen);
        let refs = loop {
            match self.refs(before.as_ref()).await {
                // Who waited that long does not wait again.
                Err(e @ GitError::Slow { .. }) => return Err(e.into()),
                Err(e) if e.is_passing() && tries < 2 => {
                    tries += 1;
                    tokio::time::sleep(wait).await;
                    wait *= 3;
                }
                other => break other?,
            }
        };
        let before = before.unwrap_or_default();
        let mut seen = Seen::default();
        for (name, tip) in refs {
            let Some(short) = name.strip_prefix(&self.prefix) else {
                continue;
            };
            if before.tips.get(short) == Some(&tip) {
                let same = before
                    .files
                    .iter()
                    .filter(|(key, _)| Self::reference(key) == short);
                seen.files
                    .extend(same.map(|(key, id)| (key.clone(), id.clone())));
            } else {
                for (path, id) in self.depot.objects().tree(&tip).await? {
                    // What is not a key was written by somebody else.
                    let key = Key::parse(&path).filter(|key| Self::reference(key) == short);
                    if let Some(key) = key {
                        seen.files.insert(key, id);
                    }
                }
            }
            seen.tips.insert(short.to_owned(), tip);
        }
        *self.looked.lock().await = Some(Looked {
            seen: seen.clone(),
            is_known: true,
        });
        Ok(seen)
    }

    async fn values(&self, wanted: Vec<(Key, ObjectId)>) -> Result<Vec<(Key, Value)>, StoreError> {
        let ids: Vec<_> = wanted.iter().map(|(_, id)| id.clone()).collect();
        let blobs = self.depot.objects().blobs(&ids, LIMIT).await?;
        let value = |(key, id): (Key, ObjectId)| {
            // What is listed and was not read is not nothing.
            let Some(bytes) = blobs.get(&id).cloned() else {
                return Err(StoreError::Unreadable {
                    store: self.name.clone(),
                    key: key.to_string(),
                    reason: "it is larger than anything that connplan writes, or it did not \
                             arrive"
                        .to_owned(),
                });
            };
            let version = Version(id.to_string());
            Ok((key, Value { bytes, version }))
        };
        wanted.into_iter().map(value).collect()
    }

    /// Whether the values are still what the caller saw.
    fn fits(seen: &Seen, changes: &[Swap]) -> bool {
        changes.iter().all(|change| {
            let there = seen.files.get(&change.key).map(ObjectId::as_str);
            there == change.from.as_ref().map(|version| version.0.as_str())
        })
    }

    /// Makes a commit on a ref and pushes it.
    async fn push(
        &self,
        seen: &Seen,
        short: &str,
        message: &str,
        files: Vec<(&str, Option<&[u8]>)>,
    ) -> Result<Pushed, StoreError> {
        let tip = seen.tips.get(short);
        let now = jiff::Timestamp::now().as_second();
        let new = NewCommit {
            parent: tip.filter(|_| short != LEASE),
            message,
            time: now,
            files,
        };
        let made = self.depot.commit(&new).await?;
        let commit = made.commit;
        let names = new.files.iter().filter_map(|(path, content)| {
            let key = Key::parse(path)?;
            Some((key, content.is_some()))
        });
        let mut contents = made.contents.into_iter();
        let files = names.map(|(key, there)| (key, if there { contents.next() } else { None }));
        let files: Vec<_> = files.collect();
        let reference =
            RefName::parse(&format!("{}{short}", self.prefix)).map_err(GitError::from)?;
        let push = Push {
            reference: &reference,
            from: tip,
            to: Some(&commit),
        };
        match self.depot.push(&self.remote, &push).await {
            Ok(Pushed::Done) => {
                crate::fs::crash::point();
                self.moved(short, tip, &commit, files).await;
                Ok(Pushed::Done)
            }
            // It may have been taken all the same: the commit is like no other.
            Err(e) if e.is_passing() => {
                let after = self.look().await?;
                if after.tips.get(short) == Some(&commit) {
                    return Ok(Pushed::Done);
                }
                Err(e.into())
            }
            other => Ok(other?),
        }
    }

    /// Knows what was pushed just now, without another look.
    async fn moved(
        &self,
        short: &str,
        from: Option<&ObjectId>,
        to: &ObjectId,
        files: Vec<(Key, Option<ObjectId>)>,
    ) {
        let mut looked = self.looked.lock().await;
        let known = looked.as_mut().map(|looked| &mut looked.seen);
        let Some(seen) = known.filter(|seen| seen.tips.get(short) == from) else {
            *looked = None;
            return;
        };
        seen.tips.insert(short.to_owned(), to.clone());
        for (key, content) in files {
            match content {
                Some(content) => seen.files.insert(key, content),
                None => seen.files.remove(&key),
            };
        }
    }

    async fn swap_one(&self, short: &str, changes: &[Swap]) -> Result<Swapped, StoreError> {
        let mut seen = match self.known().await {
            // What the caller saw, it saw here; a push tells whether it is still so.
            Some(seen) if Self::fits(&seen, changes) => seen,
            _ => self.look().await?,
        };
        for turn in 0..TRIES {
            if !Self::fits(&seen, changes) {
                return Ok(Swapped::Moved);
            }
            let notes = changes.iter().map(|change| change.note.as_str());
            let notes: Vec<_> = notes.filter(|note| !note.is_empty()).collect();
            let title = if notes.is_empty() {
                let names = changes.iter().map(|change| change.key.as_str());
                names.collect::<Vec<_>>().join(", ")
            } else {
                notes.join(", ")
            };
            // Without it, two that write the same at once would make one commit, and both win.
            let nonce = uuid::Uuid::new_v4();
            let message = format!("{title}\n\nWriter: {nonce}\n");
            let files = changes
                .iter()
                .map(|change| (change.key.as_str(), Some(change.to.as_ref())));
            match self.push(&seen, short, &message, files.collect()).await? {
                Pushed::Done => return Ok(Swapped::Done),
                Pushed::Moved => {
                    // Somebody wrote something else there: most often not these values.
                    let spread = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
                    let wait = (spread * u64::from(turn + 1) / 2).min(6_000);
                    tokio::time::sleep(Duration::from_millis(wait)).await;
                    seen = self.look().await?;
                }
            }
        }
        Err(StoreError::Busy {
            store: self.name.clone(),
            tries: TRIES,
        })
    }
}

impl Store for GitStore {
    fn name(&self) -> &str {
        &self.name
    }

    fn identity(&self) -> String {
        format!("{} {}", self.name, self.remote.cache_name())
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn read<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Value>, StoreError>> {
        Box::pin(async move {
            let seen = self.look().await?;
            let Some(id) = seen.files.get(key) else {
                return Ok(None);
            };
            let found = self.values(vec![(key.clone(), id.clone())]).await?;
            Ok(found.into_iter().next().map(|(_, value)| value))
        })
    }

    fn read_known<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Value>, StoreError>> {
        Box::pin(async move {
            let seen = match self.known().await {
                Some(seen) => seen,
                None => self.look().await?,
            };
            let Some(id) = seen.files.get(key) else {
                return Ok(None);
            };
            let found = self.values(vec![(key.clone(), id.clone())]).await?;
            Ok(found.into_iter().next().map(|(_, value)| value))
        })
    }

    fn read_all<'a>(
        &'a self,
        folder: &'a str,
    ) -> BoxFuture<'a, Result<Vec<(Key, Value)>, StoreError>> {
        Box::pin(async move {
            let seen = self.look().await?;
            let wanted = seen
                .files
                .into_iter()
                .filter(|(key, _)| key.is_below(folder));
            self.values(wanted.collect()).await
        })
    }

    fn swap<'a>(&'a self, changes: &'a [Swap]) -> BoxFuture<'a, Result<Swapped, StoreError>> {
        Box::pin(async move {
            check_fits(self.name(), changes)?;
            for short in ["log", LEASE] {
                let part = changes
                    .iter()
                    .filter(|change| Self::reference(&change.key) == short);
                let part: Vec<_> = part.cloned().collect();
                if !part.is_empty() && self.swap_one(short, &part).await? == Swapped::Moved {
                    return Ok(Swapped::Moved);
                }
            }
            Ok(Swapped::Done)
        })
    }

    fn remove<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async move {
            for _ in 0..TRIES {
                let seen = self.look().await?;
                let there = keys.iter().filter(|key| seen.files.contains_key(key));
                let files: Vec<_> = there.map(|key| (key.as_str(), None)).collect();
                if files.is_empty() {
                    return Ok(());
                }
                let message = format!(
                    "{} old entries\n\nWriter: {}\n",
                    files.len(),
                    uuid::Uuid::new_v4()
                );
                if self.push(&seen, "log", &message, files).await? == Pushed::Done {
                    return Ok(());
                }
            }
            Err(StoreError::Busy {
                store: self.name.clone(),
                tries: TRIES,
            })
        })
    }
}
