//! The memory while this command is at work: under a lease where others share it.

use std::{sync::Arc, time::Duration};

use super::{Around, OpEvent, Team};
use crate::{
    context::Failure,
    diff::Action,
    model::ConnectorType,
    pending::{PendingEntry, PendingSet},
    receipt::{self, Outcome, Receipt},
    store::{Consented, HistoryEvent, Lease, Memory, Wait, Waits, What},
};

/// How long a lease lasts unless it is renewed. Longer than any one request may take.
const LEASE: Duration = Duration::from_mins(4);

/// The memory, with the lease of this command.
#[derive(Debug)]
pub struct AtWork {
    team: Team,
    /// `None` where the kernel's lock is enough: nobody else shares this memory.
    lease: Option<Arc<Lease>>,
    keeping: Option<tokio::task::JoinHandle<()>>,
}

impl Drop for AtWork {
    fn drop(&mut self) {
        if let Some(keeping) = &self.keeping {
            keeping.abort();
        }
    }
}

impl Team {
    /// Takes the lease. Where the store is away nothing starts.
    pub async fn begin(
        self,
        around: &Around<'_>,
        doing: &str,
        patience: Duration,
    ) -> Result<AtWork, Failure> {
        if !self.memory.is_shared() {
            return Ok(AtWork {
                team: self,
                lease: None,
                keeping: None,
            });
        }
        let test = around.vars.get("__CONNPLAN_TEST_LEASE_MS");
        let length = test
            .and_then(|ms| ms.parse().ok())
            .map_or(LEASE, Duration::from_millis);
        let waiting = |holder: &str| {
            around.tell(&OpEvent::WaitingFor(holder));
        };
        let lease = self
            .memory
            .lease(doing, length, patience, around.fence, waiting);
        let lease = Arc::new(lease.await?);
        let kept = Arc::clone(&lease);
        let keeping = tokio::spawn(async move {
            // It closes the fence: what would be started next says why it is not.
            let lost = kept.keep().await;
            tracing::warn!(%lost, "the lease is lost");
        });
        Ok(AtWork {
            team: self,
            lease: Some(lease),
            keeping: Some(keeping),
        })
    }
}

impl AtWork {
    /// What waits. Read under the lease: a failure ends what was to begin.
    pub async fn waits(&self, own: &PendingSet) -> Result<Waits, Failure> {
        Ok(self.team.waits(own).await?)
    }

    /// The memory itself.
    pub fn memory(&self) -> &Memory {
        &self.team.memory
    }

    /// Makes sure that the lease is still held.
    pub async fn check(&self) -> Result<(), Failure> {
        if let Some(lease) = &self.lease {
            lease.check().await?;
        }
        Ok(())
    }

    fn epoch(&self) -> u64 {
        self.lease.as_ref().map_or(0, |lease| lease.epoch())
    }

    /// Tells what an apply did. What cannot be told now is kept, and told by the next command.
    pub async fn applied(&self, around: &Around<'_>, receipt: &Receipt, pending: &PendingSet) {
        // Whoever reads the repository reads it.
        let stored = masked(receipt);
        let text = match receipt::to_toml(&stored, Some((around.now)().to_string())) {
            Ok(text) => text,
            Err(e) => return around.warn(e),
        };
        let what = What::Apply(receipt.plan_digest.clone(), text);
        let event = HistoryEvent::now(self.memory().by().clone(), self.epoch(), what);
        let changed = receipt
            .results()
            .filter(|result| result.action != Action::NoOp);
        let (mut waits, mut done) = (Vec::new(), Vec::new());
        for result in changed {
            match result.outcome {
                Outcome::Pending => {
                    let entry = pending.get(&self.team.app, &result.connector);
                    waits.extend(entry.map(|entry| self.wait(&result.connector, entry)));
                }
                Outcome::Failed | Outcome::NotRun => {}
                _ => done.push(result.connector.clone()),
            }
        }
        self.tell(around, &event, waits, done).await;
        if let Some(keep) = self.team.keep
            && let Ok(before) = (around.now)().checked_sub(keep.get())
            && let Err(e) = self.memory().expire(before).await
        {
            tracing::info!(%e, "old entries stay in the store");
        }
    }

    fn wait(&self, connector: &ConnectorType, entry: &PendingEntry) -> Wait {
        self.team.wait(connector, entry, self.epoch())
    }

    /// Tells that nobody waits for these any more.
    pub async fn forgotten(&self, around: &Around<'_>, connectors: Vec<ConnectorType>) {
        let what = What::Forget(connectors.clone());
        let event = HistoryEvent::now(self.memory().by().clone(), self.epoch(), what);
        self.tell(around, &event, Vec::new(), connectors).await;
    }

    /// Tells what an authorization came to: what waited before and does not any more, and what was
    /// asked for anew.
    pub async fn authorized(
        &self,
        around: &Around<'_>,
        before: &Before,
        after: &PendingSet,
        granted: &[ConnectorType],
    ) {
        let app = &self.team.app;
        let gone = before.0.of(app).map(|(name, _)| name);
        let gone = gone.filter(|name| after.get(app, name).is_none());
        let gone: Vec<_> = gone.cloned().collect();
        // What was learnt on the way is told too: what a consent left out, say.
        let new = after.of(app);
        let new = new.filter(|(name, entry)| before.0.get(app, name) != Some(entry));
        let new: Vec<_> = new.map(|(name, entry)| self.wait(name, entry)).collect();
        let (consented, forgotten): (Vec<_>, Vec<_>) = gone
            .iter()
            .cloned()
            .partition(|name| granted.contains(name));
        if !consented.is_empty() || !new.is_empty() {
            let consents = consented.iter().map(|connector| Consented {
                connector: connector.clone(),
                outcome: "authorized".to_owned(),
            });
            let what = What::Consent(consents.collect());
            let event = HistoryEvent::now(self.memory().by().clone(), self.epoch(), what);
            self.tell(around, &event, new, consented).await;
        }
        if !forgotten.is_empty() {
            self.forgotten(around, forgotten).await;
        }
    }

    async fn tell(
        &self,
        around: &Around<'_>,
        event: &HistoryEvent,
        waits: Vec<Wait>,
        done: Vec<ConnectorType>,
    ) {
        let memory = self.memory();
        let told = if memory.is_shared() {
            self.team.outbox.send(memory, event, &waits, &done).await
        } else {
            memory.record(event).await
        };
        if let Err(e) = told {
            around.tell(&OpEvent::StoreNotTold(memory.is_shared(), e.to_string()));
        }
    }

    /// Gives the lease back. One that stays ends by itself.
    pub async fn end(mut self) {
        if let Some(keeping) = self.keeping.take() {
            keeping.abort();
        }
        if let Some(lease) = &self.lease
            && let Err(e) = lease.give_back().await
        {
            tracing::info!(%e, "the lease ends by itself");
        }
    }
}

/// A receipt as all may read it: signers are often named by their address, and the platform's words
/// may hold one.
fn masked(receipt: &Receipt) -> Receipt {
    let mut receipt = receipt.clone();
    let mask = |text: &mut String| *text = crate::escape::mask_accounts(text).into_owned();
    for approval in &mut receipt.approvals {
        mask(&mut approval.signer);
        approval.by.iter_mut().for_each(mask);
    }
    for result in &mut receipt.results {
        result.message.iter_mut().for_each(mask);
    }
    receipt
}

/// What waited before an authorization.
#[derive(Debug)]
pub struct Before(PendingSet);

impl Before {
    /// What this machine and the store know of.
    pub fn of(pending: &PendingSet) -> Self {
        Self(pending.clone())
    }
}
