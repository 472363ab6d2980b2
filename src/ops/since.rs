//! What others did since a session began: it ends what the session was to ask for.

use std::collections::BTreeSet;

use super::{
    Team,
    stale::{forget_stale, is_this},
    used::{decided, revoked_by},
};
use crate::{
    model::{App, ConnectorType},
    pending::PendingSet,
    plan::Digest,
    receipt::Receipt,
    store::{HistoryEvent, Memory, StoreError, What},
};

/// What an authorization begins with: what waits, a receipt that was named, and what is known to be done.
#[derive(Debug)]
pub struct PendingBefore {
    pub(super) pending: PendingSet,
    receipt: Option<Receipt>,
    /// What else knows of it: the stores that the base names.
    others: Vec<Memory>,
    seen: BTreeSet<String>,
}

/// What was done since.
#[derive(Debug, Default)]
pub(super) struct Since {
    /// Decided otherwise, asked for anew, or come to its end.
    pub(super) changed: BTreeSet<ConnectorType>,
    /// Plans of which an approval was taken back. Whose word that is, the next command holds against the signers.
    revoked: BTreeSet<Digest>,
}

impl PendingBefore {
    /// Read under the lease, as all of it.
    pub(super) async fn see(
        pending: &PendingSet,
        receipt: Option<&Receipt>,
        (memory, others): (&Memory, &[Team]),
    ) -> Result<Self, StoreError> {
        let mut before = Self {
            pending: pending.clone(),
            receipt: receipt.cloned(),
            others: others.iter().map(|team| team.memory.clone()).collect(),
            seen: BTreeSet::new(),
        };
        let events = before.news(memory).await?.into_iter();
        before.seen = events.map(|(_, event)| event.id).collect();
        Ok(before)
    }

    async fn news<'m>(
        &'m self,
        memory: &'m Memory,
    ) -> Result<Vec<(&'m Memory, HistoryEvent)>, StoreError> {
        let mut news = Vec::new();
        for memory in self.others.iter().chain([memory]) {
            let events = memory.events().await?.into_iter();
            let events = events.filter(|event| !self.seen.contains(&event.id));
            news.extend(events.map(|event| (memory, event)));
        }
        Ok(news)
    }

    /// The plans by which this is asked for; none where it was found broken.
    fn plans(&self, app: &App, connector: &ConnectorType) -> impl Iterator<Item = &Digest> {
        let entry = self.pending.get(app, connector);
        let named = self.receipt.as_ref().filter(|receipt| {
            let mut waiting = receipt.waiting();
            waiting.any(|(name, _)| name == connector)
        });
        let named = named.map(|receipt| &receipt.plan_digest);
        let entry = entry.and_then(|entry| entry.plan_digest.as_ref());
        entry.into_iter().chain(named)
    }

    /// What was done since. Read under the lease.
    pub(super) async fn since(&self, app: &App, memory: &Memory) -> Result<Since, StoreError> {
        let mut since = Since::default();
        for (memory, event) in self.news(memory).await? {
            since.revoked.extend(revoked_by(&event).cloned());
            let changed = decided(&event).map_err(|unread| unread.of(memory))?;
            let of_another_plan = |connector: &ConnectorType| match &event.what {
                What::Apply(plan, _) => !self.plans(app, connector).any(|own| own == plan),
                _ => true,
            };
            since
                .changed
                .extend(changed.into_iter().filter(of_another_plan));
        }
        if !memory.is_shared() {
            return Ok(since);
        }
        let waits = memory.waits_known().await?;
        let mut still = self.pending.clone();
        forget_stale(&mut still, app, &waits);
        for (name, entry) in self.pending.of(app) {
            let anew = waits.get(name).is_some_and(|wait| !is_this(wait, entry));
            let anew = anew && waits.concern(entry);
            if anew || still.get(app, name).is_none() {
                since.changed.insert(name.clone());
            }
        }
        Ok(since)
    }

    /// Whether an approval of what this waits for was taken back since.
    pub(super) fn is_revoked(&self, app: &App, connector: &ConnectorType, since: &Since) -> bool {
        let mut plans = self.plans(app, connector);
        plans.any(|plan| since.revoked.contains(plan))
    }
}
