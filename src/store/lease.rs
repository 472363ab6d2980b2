//! Who is at work on an app: one of many machines, for a time, with an epoch that only grows.
//!
//! The lease is a value in the store. Taking it over needs its time to be over: by the clock with a
//! margin, or because it did not change for its whole time while somebody watched. Its epoch stays
//! when it is given back. The platform knows nothing of epochs: a request that was sent before the
//! end may still arrive after it.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use jiff::{SignedDuration, Timestamp};
use miette::Diagnostic;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::{By, HistoryEvent, Memory, StoreError, Swap, Swapped, Version, What, memory::key};
use crate::model::{ApiUrl, AppId, ago};

/// How far the clocks of two machines may be apart.
const SKEW: Duration = Duration::from_secs(30);

/// Who holds a lease, or held it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Who.
    #[serde(default)]
    pub by: By,
    /// On which machine; a pipeline's run says it by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// What they are doing: `apply`.
    pub doing: String,
    /// Since when.
    pub since: Timestamp,
    /// Until when, if it is not renewed.
    pub until: Timestamp,
}

impl Holder {
    /// For people, now.
    pub fn said(&self) -> String {
        let machine = self.machine.as_ref();
        let machine = machine.map(|name| format!(" on {}", crate::escape::limited(name, 64)));
        format!(
            "{}{} started `connplan {}` {}",
            self.by.shown(),
            machine.unwrap_or_default(),
            crate::escape::limited(&self.doing, 40),
            ago(self.since, Timestamp::now())
        )
    }

    /// To be kept, without the machine: that is nobody's business any more.
    pub fn shown(&self) -> String {
        format!(
            "{} has been running `connplan {}` since {}",
            self.by.shown(),
            crate::escape::limited(&self.doing, 40),
            self.since
        )
    }
}

/// No store sees that many applies: whoever writes such a number would end the counting.
const MOST_EPOCHS: u64 = 1 << 62;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct LeaseFile {
    format_version: String,
    app_id: AppId,
    api_url: ApiUrl,
    epoch: u64,
    /// How long it lasts, in milliseconds: those who watch need it.
    length_ms: u64,
    /// Makes each text unlike any other.
    writer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    holder: Option<Holder>,
}

/// What is known of the lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leased {
    /// How often it was taken.
    pub epoch: u64,
    /// Who has it; `None` if it is free.
    pub holder: Option<Holder>,
}

/// Why there is no lease.
#[derive(Debug, Error, Diagnostic)]
pub enum LeaseError {
    /// Somebody has it.
    #[error("another connplan is working on this app: {holder} (according to the store {store})")]
    #[diagnostic(
        code(connplan::store::leased),
        help(
            "wait for it to end, or give `--lock-timeout 10m`. Its lease ends at {until} \
             unless it is renewed; `connplan unlock` ends the lease if its holder is gone"
        )
    )]
    Held {
        /// Who, and since when.
        holder: String,
        /// When it ends.
        until: Timestamp,
        /// Where that is written.
        store: String,
    },
    /// It was had, and is no more.
    #[error("this connplan lost its lease on the app: {reason}")]
    #[diagnostic(
        code(connplan::store::lost),
        help(
            "nothing more was started; run the same command again, it continues where this stopped"
        )
    )]
    Lost {
        /// How that shows.
        reason: String,
    },
    /// The store.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

/// Until when requests may be started. Shared with whoever starts them.
#[derive(Clone, Debug, Default)]
pub struct Fence(Arc<Mutex<Option<(Instant, SystemTime)>>>);

impl Fence {
    fn set(&self, length: Duration, begun: (Instant, SystemTime)) {
        let end = (begun.0 + length, begun.1 + length);
        if let Ok(mut fence) = self.0.lock() {
            *fence = Some(end);
        }
    }

    /// Without a lease nothing is fenced.
    fn lift(&self) {
        if let Ok(mut fence) = self.0.lock() {
            *fence = None;
        }
    }

    fn close(&self) {
        if let Ok(mut fence) = self.0.lock() {
            *fence = Some((Instant::now(), SystemTime::now()));
        }
    }

    /// How much time is left. By the monotonic clock; that one may stand still while a machine
    /// sleeps, so the other is asked too. `None` without a lease.
    pub fn left(&self) -> Option<Duration> {
        let fence = self.0.lock().ok()?;
        let (monotonic, wall) = (*fence)?;
        let left = monotonic.saturating_duration_since(Instant::now());
        let wall = wall.duration_since(SystemTime::now()).unwrap_or_default();
        Some(left.min(wall))
    }

    /// Whether a request that may take `timeout` may still be started.
    pub fn allows(&self, timeout: Duration) -> bool {
        self.left().is_none_or(|left| left > timeout)
    }
}

/// A lease that is held. Given back by [`Lease::give_back`]; dropped, it ends with its time.
#[derive(Debug)]
pub struct Lease {
    memory: Memory,
    length: Duration,
    held: Mutex<(LeaseFile, Version)>,
    fence: Fence,
    epoch: u64,
}

impl Memory {
    /// Who has the lease.
    pub async fn leased(&self) -> Result<Leased, StoreError> {
        let document = self.lease_document().await?.map(|(document, _)| document);
        Ok(Leased {
            epoch: document.as_ref().map_or(0, |document| document.epoch),
            holder: document.and_then(|document| document.holder),
        })
    }

    async fn lease_document(&self) -> Result<Option<(LeaseFile, Version)>, StoreError> {
        let key = key("lease");
        let Some(value) = self.store.read(&key).await? else {
            return Ok(None);
        };
        let version = value.version.clone();
        let text = self.text(&key, value)?;
        let document: LeaseFile =
            toml::from_str(&text).map_err(|e| self.unreadable(&key, super::head::reason(&e)))?;
        let head = super::head::check_head(
            &document.format_version,
            &document.app_id,
            &document.api_url,
            &self.app,
        );
        head.map_err(|reason| self.unreadable(&key, reason))?;
        if document.epoch >= MOST_EPOCHS {
            return Err(self.unreadable(&key, "its epoch cannot grow any more".to_owned()));
        }
        Ok(Some((document, version)))
    }

    /// Writes the lease if it is still as it was; `None` if not.
    async fn swap_lease(
        &self,
        document: &LeaseFile,
        from: Option<&Version>,
    ) -> Result<Option<Version>, StoreError> {
        let text = toml::to_string(document).map_err(|e| StoreError::Encode(e.to_string()))?;
        let change = Swap {
            key: key("lease"),
            from: from.cloned(),
            to: text.into(),
            note: String::new(),
        };
        let swapped = self.store.swap(std::slice::from_ref(&change)).await;
        let passing = match &swapped {
            Ok(_) => true,
            Err(e) => e.is_passing(),
        };
        // The answer may have been lost; what is there says whose it is.
        let there = match &swapped {
            Ok(Swapped::Done) => self.store.read_known(&change.key).await?,
            _ if passing => self.store.read(&change.key).await?,
            _ => None,
        };
        match there {
            Some(value) if value.bytes == change.to => Ok(Some(value.version)),
            _ => swapped.map(|_| None),
        }
    }

    /// Takes the lease, waiting at most `patience` for another holder.
    pub async fn lease(
        &self,
        doing: &str,
        length: Duration,
        patience: Duration,
        fence: &Fence,
        waiting: impl Fn(&str),
    ) -> Result<Lease, LeaseError> {
        let give_up = Instant::now() + patience;
        // The version that was seen, and since when it did not change.
        let mut watched: Option<(Version, Instant)> = None;
        let mut said = false;
        loop {
            let begun = (Instant::now(), SystemTime::now());
            let there = self.lease_document().await?;
            let (epoch, version) = match &there {
                None => (0, None),
                Some((document, version)) => (document.epoch, Some(version.clone())),
            };
            if let Some((document, version)) = &there
                && let Some(holder) = &document.holder
            {
                // It was there when the first look had ended, and still when this one began: what a
                // look itself takes counts for neither.
                let since = match &watched {
                    Some((seen, since)) if seen == version => *since,
                    _ => Instant::now(),
                };
                watched = Some((version.clone(), since));
                let lasts = Duration::from_millis(document.length_ms);
                let unchanged = begun.0.saturating_duration_since(since) > lasts + lasts / 20;
                let now = Timestamp::now();
                let margin = SignedDuration::try_from(SKEW.min(lasts)).unwrap_or_default();
                let over = holder.until.checked_add(margin).is_ok_and(|end| end < now);
                if !unchanged && !over {
                    if Instant::now() >= give_up {
                        return Err(LeaseError::Held {
                            holder: holder.said(),
                            until: holder.until,
                            store: self.name().to_owned(),
                        });
                    }
                    if !said {
                        waiting(&holder.said());
                        said = true;
                    }
                    let left = give_up.saturating_duration_since(Instant::now());
                    tokio::time::sleep(Duration::from_secs(2).min(lasts / 8).min(left)).await;
                    continue;
                }
            }
            let document = self.new_lease(doing, epoch + 1, length);
            if let Some(version) = self.swap_lease(&document, version.as_ref()).await? {
                fence.set(length, begun);
                return Ok(Lease {
                    memory: self.clone(),
                    length,
                    held: Mutex::new((document, version)),
                    fence: fence.clone(),
                    epoch: epoch + 1,
                });
            }
            // Somebody else took it; who that is, the next look says.
            watched = None;
        }
    }

    fn new_lease(&self, doing: &str, epoch: u64, length: Duration) -> LeaseFile {
        let now = Timestamp::now();
        let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        let length_signed = SignedDuration::try_from(length).unwrap_or_default();
        LeaseFile {
            format_version: "1.0".to_owned(),
            app_id: self.app.id.clone(),
            api_url: self.app.api_url.clone(),
            epoch,
            length_ms: u64::try_from(length.as_millis()).unwrap_or(u64::MAX),
            writer: uuid::Uuid::new_v4().to_string(),
            holder: Some(Holder {
                machine: self.by.machine.clone().filter(|_| self.by.run.is_none()),
                by: self.by.clone(),
                doing: doing.to_owned(),
                since: Timestamp::from_second(now.as_second()).unwrap_or(now),
                until: now.checked_add(length_signed).unwrap_or(now),
            }),
        }
    }

    /// Ends a lease that nobody holds any more, if it is still the one that was seen. False if it
    /// changed since.
    pub async fn unlock(&self, seen: &Leased) -> Result<bool, StoreError> {
        let Some((mut document, version)) = self.lease_document().await? else {
            return Ok(false);
        };
        let Some(holder) = document.holder.take() else {
            return Ok(false);
        };
        let same = seen
            .holder
            .as_ref()
            .is_some_and(|seen| seen.since == holder.since);
        if document.epoch != seen.epoch || !same {
            return Ok(false);
        }
        // Whoever held it must not go on: its epoch is over.
        document.epoch += 1;
        document.writer = uuid::Uuid::new_v4().to_string();
        if self.swap_lease(&document, Some(&version)).await?.is_none() {
            return Ok(false);
        }
        let what = What::Unlock(holder.shown());
        self.record(&HistoryEvent::now(self.by.clone(), document.epoch, what))
            .await?;
        Ok(true)
    }
}

impl Lease {
    /// Its epoch.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Until when requests may be started.
    pub fn fence(&self) -> Fence {
        self.fence.clone()
    }

    fn lost(&self, reason: &str) -> LeaseError {
        self.fence.close();
        LeaseError::Lost {
            reason: reason.to_owned(),
        }
    }

    /// Makes sure, by the store, that it is still held. Asked before each phase.
    pub async fn check(&self) -> Result<(), LeaseError> {
        if !self.fence.allows(Duration::ZERO) {
            return Err(self.lost("it has expired"));
        }
        let there = self.memory.leased().await?;
        if there.epoch != self.epoch || there.holder.is_none() {
            return Err(self.lost("somebody else took it over, or ended it"));
        }
        Ok(())
    }

    /// Makes it last for its whole length again.
    pub async fn renew(&self) -> Result<(), LeaseError> {
        let begun = (Instant::now(), SystemTime::now());
        let (mut document, version) = match self.held.lock() {
            Ok(held) => held.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        };
        let fresh = self.memory.new_lease("", self.epoch, self.length);
        document.writer = fresh.writer;
        if let (Some(holder), Some(fresh)) = (&mut document.holder, fresh.holder) {
            holder.until = fresh.until;
        }
        match self.memory.swap_lease(&document, Some(&version)).await? {
            Some(version) => {
                if let Ok(mut held) = self.held.lock() {
                    *held = (document, version);
                }
                self.fence.set(self.length, begun);
                Ok(())
            }
            None => Err(self.lost("somebody else took it over, or ended it")),
        }
    }

    /// Renews it until told to stop; an error is why the lease is lost. A renewal that is under way
    /// is ended first: else nobody knows what is written there.
    pub async fn keep(&self, stop: &CancellationToken) -> Result<(), LeaseError> {
        let pause = self.length / 3;
        loop {
            let stopped = stop.run_until_cancelled(tokio::time::sleep(pause)).await;
            if stopped.is_none() {
                return Ok(());
            }
            match self.renew().await {
                Err(lost @ LeaseError::Lost { .. }) => return Err(lost),
                // A store that is away may come back before the end.
                Err(e) if !self.fence.allows(Duration::ZERO) => return Err(e),
                _ => {}
            }
        }
    }

    /// Nothing is written for now, and looking goes on without a fence. It is to be given back.
    pub fn put_down(&self) {
        self.fence.lift();
    }

    /// Gives it back: nothing more starts, unless it was put down before. Its epoch stays.
    pub async fn give_back(&self) -> Result<(), LeaseError> {
        if self.fence.left().is_some() {
            self.fence.close();
        }
        let (mut document, version) = match self.held.lock() {
            Ok(held) => held.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        };
        document.holder = None;
        document.writer = uuid::Uuid::new_v4().to_string();
        let text = toml::to_string(&document).map_err(|e| StoreError::Encode(e.to_string()))?;
        let change = Swap {
            key: key("lease"),
            from: Some(version),
            to: text.into(),
            note: String::new(),
        };
        match self.memory.store.swap(&[change]).await? {
            Swapped::Done => Ok(()),
            Swapped::Moved => Err(LeaseError::Lost {
                reason: "somebody else took it over, or ended it".to_owned(),
            }),
        }
    }
}
