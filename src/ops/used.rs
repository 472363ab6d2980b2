//! Whether an approval was used up: the plan that it is of was carried out, wholly.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::{
    approval::{ApprovalError, Approved, NAMESPACE, key_of},
    context::Failure,
    plan::Digest,
    receipt::{self, Outcome},
    store::{HistoryEvent, Memory, What},
};

/// When a plan was carried out wholly for the last time, and who approved it anew since.
#[derive(Debug, Default, PartialEq, Eq)]
struct Used {
    at: Option<Timestamp>,
    /// The keys' fingerprints.
    anew: BTreeSet<String>,
}

/// Refuses approvals that were given before the store was told that their plan was carried out: whoever
/// starts an apply with an old one would undo what was decided since.
pub async fn unused(memory: &Memory, approved: &Approved) -> Result<(), Failure> {
    if !memory.is_shared() || !approved.was_needed() {
        return Ok(());
    }
    let used = Used::of(&memory.history().await?.0, approved.digest());
    let Some(at) = used.at else {
        return Ok(());
    };
    let enough = approved.since(at, &used.anew);
    Ok(enough.map_err(|missing| ApprovalError::Used { at, missing })?)
}

impl Used {
    fn of(events: &[HistoryEvent], digest: &Digest) -> Self {
        let mut used = Self::default();
        // What an apply of it asked for, and nobody has consented to yet.
        let mut open: Option<BTreeSet<_>> = None;
        for event in events {
            match &event.what {
                What::Apply(of, text) if of == digest => {
                    let saved = receipt::read("a receipt of the store", text).ok();
                    let results = saved.into_iter().flat_map(|saved| saved.receipt.results);
                    let (mut waits, mut whole) = (BTreeSet::new(), true);
                    for result in results {
                        match result.outcome {
                            Outcome::Pending => drop(waits.insert(result.connector)),
                            Outcome::Failed | Outcome::NotRun => whole = false,
                            _ => {}
                        }
                    }
                    open = whole.then_some(waits);
                }
                What::Consent(consents) => {
                    for consent in consents.iter().filter(|c| c.outcome == "authorized") {
                        if let Some(open) = &mut open {
                            open.remove(&consent.connector);
                        }
                    }
                }
                What::Approval(of, text) if of == digest => {
                    used.anew.extend(key_of(text, NAMESPACE, digest));
                    continue;
                }
                _ => continue,
            }
            if open.as_ref().is_some_and(BTreeSet::is_empty) {
                open = None;
                used = Self {
                    at: Some(event.at),
                    anew: BTreeSet::new(),
                };
            }
        }
        used
    }
}
