//! Whether an approval was used up: what it allows was carried out, and is to be done again.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::applied::{self, Unread, receipt_of};
use crate::{
    approval::{Approval, ApprovalError, Approved, NAMESPACE, REVOKED, key_of},
    context::Failure,
    diff::Action,
    model::ConnectorType,
    plan::Digest,
    receipt::{Basis, Outcome},
    store::{HistoryEvent, Memory, What},
};

/// When a change of a plan was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Done {
    pub(super) at: Timestamp,
    /// Of the lease, which orders what clocks do not.
    epoch: u64,
    /// The number of the event.
    pub(super) number: usize,
    /// Whether a later apply of the same plan was to do it again, and did not.
    pub(super) failed: bool,
}

impl Done {
    /// In which second it was: as exactly as files tell when a plan was made.
    pub(super) fn second(&self) -> Timestamp {
        Timestamp::from_second(self.at.as_second()).unwrap_or(self.at)
    }
}

/// Refuses approvals that were given before one of these changes of their plan was carried out: whoever
/// starts an apply with an old one would undo what was decided since. What was begun and not done is not
/// used up: the same approval ends it.
pub(super) async fn unused(
    memories: &[&Memory],
    approved: &Approved,
    due: &BTreeSet<&ConnectorType>,
) -> Result<(), Failure> {
    if !approved.was_needed() || due.is_empty() {
        return Ok(());
    }
    for memory in memories {
        let events = memory.events().await?;
        let done = done(&events, approved.digest()).map_err(|unread| unread.of(memory))?;
        let last = due.iter().filter_map(|name| done.get(*name)).max();
        if let Some(last) = last {
            let anew = anew(&events, approved.digest(), last);
            let enough = approved.since(last.at, &anew);
            enough.map_err(|missing| ApprovalError::Used {
                at: last.at,
                missing,
            })?;
        }
    }
    Ok(())
}

/// Whether it is known of all of these changes that they were carried out.
pub(super) async fn is_known(
    memory: &Memory,
    digest: &Digest,
    names: &BTreeSet<&ConnectorType>,
) -> Result<bool, Failure> {
    if names.is_empty() {
        return Ok(true);
    }
    let events = memory.events().await?;
    let done = done(&events, digest).map_err(|unread| unread.of(memory))?;
    Ok(names.iter().all(|name| done.contains_key(*name)))
}

/// Who approved a plan when it was carried out, as far as the memory tells.
pub(super) async fn approved_then(memory: &Memory, digest: &Digest) -> Vec<Approval> {
    let events = memory.history().await.map_or_else(
        |error| {
            tracing::info!(%error, "who approved it then is not known");
            Vec::new()
        },
        |(events, _)| events,
    );
    let receipts = events.iter().filter_map(|event| match &event.what {
        What::Apply(of, _) if of == digest => receipt_of(event).ok()?,
        _ => None,
    });
    let mut found: Vec<Approval> = Vec::new();
    for approval in receipts.flat_map(|receipt| receipt.approvals) {
        if !found.contains(&approval) {
            found.push(approval);
        }
    }
    found
}

/// The events that prove what an approval was good for, that one was taken back, from which commit the app was
/// changed last, and what was decided last of each connector: they stay, else an old one would count again, or what was
/// refused would be free. Where a receipt cannot be read, nobody knows which those are.
pub(super) fn proofs(events: &[HistoryEvent]) -> BTreeSet<String> {
    known_proofs(events).unwrap_or_else(|_| events.iter().map(|event| event.id.clone()).collect())
}

fn known_proofs(events: &[HistoryEvent]) -> Result<BTreeSet<String>, Unread<'_>> {
    let (mut found, mut decisions) = (BTreeSet::new(), BTreeMap::new());
    for event in events {
        decisions.extend(decided(event)?.into_iter().map(|name| (name, &event.id)));
        let proves = match &event.what {
            What::Approval(..) => revoked_by(event).is_some(),
            What::Plan(_) => event.began(),
            // A rule that was broken on purpose stays on record.
            What::Apply(..) => receipt_of(event)?.is_some_and(|receipt| {
                !receipt.approvals.is_empty() || !receipt.overrides.is_empty()
            }),
            What::Consent(_) | What::Forget(_) | What::Unlock(_) => false,
        };
        if proves {
            found.insert(event.id.clone());
        }
    }
    let last = applied::last(events).into_values();
    found.extend(last.map(|(event, _)| event.id.clone()));
    found.extend(decisions.into_values().cloned());
    Ok(found)
}

/// Which connectors were written, consented to, withdrawn or given up: what was asked for before is over.
pub(super) fn decided(event: &HistoryEvent) -> Result<BTreeSet<ConnectorType>, Unread<'_>> {
    Ok(match &event.what {
        What::Apply(..) => {
            let results = receipt_of(event)?.into_iter().flat_map(|r| r.results);
            let written = results.filter(|of| {
                let found = of.basis == Some(Basis::Found);
                of.action != Action::NoOp && of.outcome.is_effect() && !found
            });
            let written = written.map(|result| result.connector);
            written.chain(event.withdrawn.iter().cloned()).collect()
        }
        What::Consent(consents) => {
            let consents = consents.iter().filter(|c| c.is_authorized());
            consents.map(|consent| consent.connector.clone()).collect()
        }
        What::Forget(names) => names.iter().cloned().collect(),
        What::Plan(_) | What::Approval(..) | What::Unlock(_) => BTreeSet::new(),
    })
}

/// The plan whose approval an entry takes back.
pub(super) fn revoked_by(event: &HistoryEvent) -> Option<&Digest> {
    let What::Approval(digest, text) = &event.what else {
        return None;
    };
    key_of(text, REVOKED, digest).map(|_| digest)
}

/// Which changes of a plan were carried out, and when for the last time. What another plan wrote after
/// this one had begun on it is decided anew, too, and so is what somebody gave up.
pub(super) fn done<'e>(
    events: &'e [HistoryEvent],
    digest: &Digest,
) -> Result<BTreeMap<ConnectorType, Done>, Unread<'e>> {
    let mut done: BTreeMap<ConnectorType, Done> = BTreeMap::new();
    // Whether an apply of it began and did not tell its end; what it asked for and nobody has consented to.
    let (mut begun, mut open) = (false, BTreeSet::new());
    for (number, event) in events.iter().enumerate() {
        let mut now = Done {
            at: event.at,
            epoch: event.epoch,
            number,
            failed: false,
        };
        match &event.what {
            What::Plan(of) if of == digest && event.began() => begun = true,
            What::Apply(of, _) => {
                let is_this = of == digest;
                let Some(receipt) = receipt_of(event)? else {
                    continue;
                };
                // A clock that is behind makes no approval newer than its use.
                let given = receipt.approvals.iter().filter_map(|approval| approval.at);
                now.at = given.chain([now.at]).max().unwrap_or(now.at);
                // What waits by an earlier plan was not asked for by this one.
                let results = receipt.results.into_iter();
                for result in results.filter(|result| result.action != Action::NoOp) {
                    let name = result.connector;
                    let is_known = done.contains_key(&name);
                    match result.outcome {
                        // What another plan's apply found so, it did not do; of its own it is the first word at most.
                        _ if result.basis == Some(Basis::Found) && (!is_this || is_known) => {}
                        // Nobody knows whether it was done: it is open.
                        _ if result.basis == Some(Basis::Answered) && is_this => {
                            open.insert(name);
                        }
                        Outcome::Failed | Outcome::NotRun => {
                            if let Some(done) = done.get_mut(&name).filter(|_| is_this) {
                                done.failed = true;
                            }
                        }
                        Outcome::Pending if is_this => drop(open.insert(name)),
                        _ if is_this || begun && result.outcome != Outcome::Unchanged => {
                            open.remove(&name);
                            done.insert(name, now);
                        }
                        Outcome::Unchanged => {}
                        _ => {
                            if open.remove(&name) {
                                done.insert(name, now);
                            }
                        }
                    }
                }
                for connector in &event.withdrawn {
                    if open.remove(connector) || begun && !is_this {
                        done.insert(connector.clone(), now);
                    }
                }
                begun &= !is_this;
            }
            What::Consent(_) | What::Forget(_) => {
                for connector in decided(event)? {
                    if open.remove(&connector) || begun {
                        done.insert(connector, now);
                    }
                }
            }
            What::Plan(_) | What::Approval(..) | What::Unlock(_) => {}
        }
    }
    Ok(done)
}

/// The fingerprints of the keys that approved a plan after that.
fn anew(events: &[HistoryEvent], digest: &Digest, done: &Done) -> BTreeSet<String> {
    let later = events.iter().skip(done.number + 1);
    // Who approves notes which lease was the last: clocks are not alike.
    let later = later.filter(|event| event.epoch >= done.epoch);
    let keys = later.filter_map(|event| match &event.what {
        What::Approval(of, text) if of == digest => key_of(text, NAMESPACE, digest),
        _ => None,
    });
    keys.collect()
}

#[cfg(test)]
mod tests;
