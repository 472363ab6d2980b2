//! What a team knows of one app, with types.

use std::{collections::BTreeSet, sync::Arc};

use bytes::Bytes;
use jiff::Timestamp;

use super::{
    By, HistoryEvent, Key, Moment, Store, StoreError, Swap, Swapped, Value, Wait, Waits, What,
};
use crate::{
    model::{self, App, ConnectorType},
    plan::{Digest, document},
};

/// How often a value that others change too is tried.
const TRIES: u32 = 20;

/// The memory of one app.
#[derive(Clone, Debug)]
pub struct Memory {
    pub(super) store: Arc<dyn Store>,
    pub(super) app: App,
    pub(super) by: By,
    trusted: bool,
}

/// A plan from the store: its text, which is checked as a file's is.
#[derive(Clone, Debug)]
pub struct StoredPlan {
    /// The text.
    pub text: String,
    /// Where it came from, for messages.
    pub name: String,
}

impl Memory {
    /// The memory of an app in a store of that app's.
    pub fn new(store: Arc<dyn Store>, app: App, by: By) -> Self {
        Self {
            store,
            app,
            by,
            trusted: false,
        }
    }

    /// The same in a store that the user trusts with all that waits on this machine.
    #[must_use]
    pub fn trusted(self, trusted: bool) -> Self {
        Self { trusted, ..self }
    }

    /// What people call the store.
    pub fn name(&self) -> &str {
        self.store.name()
    }

    /// What tells the store from all others, where other machines have it too.
    pub fn identity(&self) -> Option<String> {
        self.is_shared().then(|| self.store.identity())
    }

    /// Whether other machines have it too.
    pub fn is_shared(&self) -> bool {
        self.store.is_shared()
    }

    /// Who writes here.
    pub fn by(&self) -> &By {
        &self.by
    }

    /// Keeps a plan, and that it was made.
    pub async fn keep_plan(&self, digest: &Digest, text: &Bytes) -> Result<(), StoreError> {
        let event = HistoryEvent::now(self.by.clone(), 0, What::Plan(digest.clone()));
        self.put_plan(digest, text, Some(self.event_change(&event)?))
            .await
    }

    /// Keeps a plan, unless it is there already. That it was made now nobody says.
    pub async fn ensure_plan(&self, digest: &Digest, text: &Bytes) -> Result<(), StoreError> {
        if self.store.read_known(&plan_key(digest)).await?.is_some() {
            return Ok(());
        }
        self.put_plan(digest, text, None).await
    }

    async fn put_plan(
        &self,
        digest: &Digest,
        text: &Bytes,
        event: Option<Swap>,
    ) -> Result<(), StoreError> {
        for turn in 0..2 {
            let key = plan_key(digest);
            // The same digest is the same plan; the newest text names the newest commit and run. Dangers stay.
            let there = match turn {
                0 => self.store.read_known(&key).await?,
                _ => self.store.read(&key).await?,
            };
            let known = there
                .as_ref()
                .and_then(|value| str::from_utf8(&value.bytes).ok());
            let united = known
                .zip(str::from_utf8(text).ok())
                .and_then(|(known, text)| document::united(text, known));
            let plan = Swap {
                key,
                from: there.map(|value| value.version),
                to: united.map_or_else(|| text.clone(), Bytes::from),
                note: String::new(),
            };
            // The plan first: nothing lists a plan that is not there.
            let changes: Vec<_> = [plan].into_iter().chain(event.clone()).collect();
            if self.store.swap(&changes).await? == Swapped::Done {
                break;
            }
        }
        // If somebody else kept it first, it is kept.
        Ok(())
    }

    /// A plan by its digest.
    pub async fn plan(&self, digest: &Digest) -> Result<StoredPlan, StoreError> {
        let key = plan_key(digest);
        let value = self.store.read(&key).await?;
        let value = value.ok_or_else(|| StoreError::NoPlan {
            store: self.name().to_owned(),
            digest: digest.to_string(),
        })?;
        Ok(StoredPlan {
            text: self.text(&key, value)?,
            name: format!("{} in {}", digest, self.name()),
        })
    }

    /// Keeps an approval of a digest, after which lease it was given: clocks are not alike.
    pub async fn keep_approval(&self, digest: &Digest, text: &str) -> Result<(), StoreError> {
        let what = What::Approval(digest.clone(), text.to_owned());
        let events = self.history().await?.0;
        let epoch = events.iter().map(|event| event.epoch).max();
        self.record(&HistoryEvent::now(
            self.by.clone(),
            epoch.unwrap_or_default(),
            what,
        ))
        .await
    }

    /// The approvals of a digest, in order. Untrusted: each proves itself or counts for nothing.
    pub async fn approvals(&self, digest: &Digest) -> Result<Vec<String>, StoreError> {
        let events = self.events().await?;
        let texts = events.into_iter().filter_map(|event| match event.what {
            What::Approval(of, text) if of == *digest => Some(text),
            _ => None,
        });
        Ok(texts.collect())
    }

    /// Writes down that something happened. Writing it twice does no harm.
    pub async fn record(&self, event: &HistoryEvent) -> Result<(), StoreError> {
        let change = self.event_change(event)?;
        // Its name is its own: what is there already is this event.
        self.store.swap(&[change]).await?;
        Ok(())
    }

    fn event_change(&self, event: &HistoryEvent) -> Result<Swap, StoreError> {
        let text = event
            .to_toml(&self.app)
            .map_err(|e| StoreError::Encode(e.to_string()))?;
        Ok(Swap {
            key: key(&format!("log/{}", event.name())),
            from: None,
            to: text.into(),
            note: event.line(),
        })
    }

    /// Everything that happened, in order, and the keys of what cannot be read: to be shown.
    pub async fn history(&self) -> Result<(Vec<HistoryEvent>, Vec<String>), StoreError> {
        let (events, unread) = self.log().await?;
        Ok((events, unread.into_iter().map(|(key, _)| key).collect()))
    }

    /// The same for who decides by it. An entry that cannot be read may take back what another one says.
    pub async fn events(&self) -> Result<Vec<HistoryEvent>, StoreError> {
        let (events, unread) = self.log().await?;
        match unread.into_iter().next() {
            None => Ok(events),
            Some((key, reason)) => Err(StoreError::Unreadable {
                store: self.name().to_owned(),
                key,
                reason,
            }),
        }
    }

    /// That what an entry of the log holds cannot be read.
    pub fn unread(&self, event: &HistoryEvent, reason: String) -> StoreError {
        self.unreadable(&key(&format!("log/{}", event.name())), reason)
    }

    /// Everything that happened, in order, and what cannot be read, with the reason.
    async fn log(&self) -> Result<(Vec<HistoryEvent>, Vec<(String, String)>), StoreError> {
        let mut events = Vec::new();
        let mut unread = Vec::new();
        for (key, value) in self.store.read_all("log").await? {
            let text = String::from_utf8(value.bytes).map_err(|_| "it is not text".to_owned());
            match text.and_then(|text| HistoryEvent::read(&text, &self.app)) {
                Ok(event) => events.push(event),
                Err(why) => unread.push((key.to_string(), why)),
            }
        }
        // Leases order applies whatever the clocks say; the rest has clocks alone.
        model::sort(&mut events, |a, b| {
            (a.at, a.epoch, &a.id).cmp(&(b.at, b.epoch, &b.id))
        });
        order_by_epoch(&mut events);
        Ok((events, unread))
    }

    /// What waits.
    pub async fn waits(&self) -> Result<Waits, StoreError> {
        Ok(self.waits_with_version(true).await?.0)
    }

    /// What waits, as the store saw it last: who has the lease knows that it is so.
    pub async fn waits_known(&self) -> Result<Waits, StoreError> {
        Ok(self.waits_with_version(false).await?.0)
    }

    async fn waits_with_version(
        &self,
        anew: bool,
    ) -> Result<(Waits, Option<super::Version>), StoreError> {
        let key = key("waits.toml");
        let value = if anew {
            self.store.read(&key).await?
        } else {
            self.store.read_known(&key).await?
        };
        let Some(value) = value else {
            return Ok((Waits::default().read_from(&*self.store, self.trusted), None));
        };
        let version = value.version.clone();
        let text = self.text(&key, value)?;
        let waits =
            Waits::read(&text, &self.app).map_err(|reason| self.unreadable(&key, reason))?;
        Ok((waits.read_from(&*self.store, self.trusted), Some(version)))
    }

    /// Writes down that something happened and what waits since then, at once where the store can.
    pub async fn record_with(
        &self,
        event: &HistoryEvent,
        wait: &[Wait],
        done: &[ConnectorType],
    ) -> Result<(), StoreError> {
        let happened = self.event_change(event)?;
        let change = |waits: &mut Waits| {
            for wait in wait {
                waits.insert(wait.clone());
            }
            for connector in done {
                let until = Moment {
                    epoch: event.epoch,
                    at: event.at,
                };
                waits.remove(connector, until);
            }
        };
        self.swap_waits(Some(&happened), change).await
    }

    async fn swap_waits(
        &self,
        happened: Option<&Swap>,
        change: impl Fn(&mut Waits),
    ) -> Result<(), StoreError> {
        for turn in 0..TRIES {
            // What is known most often still is so; if not, the swap says it.
            let anew = turn > 0;
            let (mut waits, version) = self.waits_with_version(anew).await?;
            let before = waits.clone();
            change(&mut waits);
            let mut changes = Vec::new();
            if let Some(happened) = happened {
                let there = if anew {
                    self.store.read(&happened.key).await?
                } else {
                    self.store.read_known(&happened.key).await?
                };
                if there.is_none() {
                    changes.push(happened.clone());
                }
            }
            if waits != before {
                let text = waits
                    .to_toml(&self.app)
                    .map_err(|e| StoreError::Encode(e.to_string()))?;
                changes.push(Swap {
                    key: key("waits.toml"),
                    from: version,
                    to: text.into(),
                    note: String::new(),
                });
            }
            if changes.is_empty() || self.store.swap(&changes).await? == Swapped::Done {
                return Ok(());
            }
            let spread = u64::from(uuid::Uuid::new_v4().as_bytes()[0]);
            tokio::time::sleep(std::time::Duration::from_millis(
                spread * u64::from(turn + 1),
            ))
            .await;
        }
        Err(StoreError::Busy {
            store: self.name().to_owned(),
            tries: TRIES,
        })
    }

    /// Takes away plans and events from before a time, but for what is needed: the newest apply,
    /// what approves a plan that stays, and the plans that something waits for. `stay` names the events that
    /// are needed for what they prove.
    pub async fn expire(
        &self,
        before: Timestamp,
        stay: impl Fn(&[HistoryEvent]) -> BTreeSet<String>,
    ) -> Result<usize, StoreError> {
        let (events, _) = self.history().await?;
        let stay = stay(&events);
        let waits = self.waits().await?;
        let newest = events
            .iter()
            .rev()
            .find(|event| matches!(event.what, What::Apply(..)));
        let newest = newest.map(|event| event.id.clone());
        let waited: Vec<_> = waits
            .iter()
            .filter_map(|wait| wait.entry.plan_digest.clone())
            .collect();
        let young = events.iter().filter(|event| event.at >= before);
        let mut kept: Vec<Digest> = young
            .filter_map(|event| event.what.digest().cloned())
            .collect();
        kept.extend(waited);
        let old = events.iter().filter(|event| {
            let needed = event
                .what
                .digest()
                .is_some_and(|digest| kept.contains(digest));
            let stays = needed || stay.contains(&event.id);
            event.at < before && !stays && Some(&event.id) != newest.as_ref()
        });
        let old: Vec<_> = old.collect();
        let until = old.iter().map(|event| event.at).max();
        let names = old.iter().map(|event| format!("log/{}", event.name()));
        let mut keys: Vec<_> = names.map(|name| key(&name)).collect();
        for (plan, _) in self.store.read_all("plans").await? {
            let kept = kept.iter().any(|digest| plan_key(digest) == plan);
            let newest = events.iter().any(|event| {
                Some(&event.id) == newest.as_ref()
                    && event
                        .what
                        .digest()
                        .is_some_and(|digest| plan_key(digest) == plan)
            });
            if !kept && !newest {
                keys.push(plan);
            }
        }
        // First: what is taken away is known to be.
        if let Some(until) = until {
            self.swap_waits(None, |waits| waits.goes(until)).await?;
        }
        self.store.remove(&keys).await?;
        Ok(keys.len())
    }

    pub(super) fn text(&self, key: &Key, value: Value) -> Result<String, StoreError> {
        String::from_utf8(value.bytes)
            .map_err(|_| self.unreadable(key, "it is not text".to_owned()))
    }

    pub(super) fn unreadable(&self, key: &Key, reason: String) -> StoreError {
        StoreError::Unreadable {
            store: self.name().to_owned(),
            key: key.to_string(),
            reason,
        }
    }
}

/// Events with an epoch in the order of their epochs, at the places that such events have.
fn order_by_epoch(events: &mut [HistoryEvent]) {
    let places: Vec<_> = (0..events.len())
        .filter(|index| events[*index].epoch > 0)
        .collect();
    let mut leased: Vec<_> = places.iter().map(|index| events[*index].clone()).collect();
    model::sort_by_key(&mut leased, |event| event.epoch);
    for (place, event) in places.into_iter().zip(leased) {
        events[place] = event;
    }
}

fn plan_key(digest: &Digest) -> Key {
    key(&format!(
        "plans/{}.plan",
        digest.as_str().trim_start_matches("sha256:")
    ))
}

/// A key of connplan's own making.
pub(super) fn key(text: &str) -> Key {
    #[expect(
        clippy::expect_used,
        reason = "the parts are digits, digests and fixed words"
    )]
    Key::parse(text).expect("a key that connplan makes is one")
}
