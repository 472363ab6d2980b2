//! What `authorize` must not ask for, although it waits: it was never approved, or that was taken back since.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    binding::LazyBinding,
    vouching::{Asked, Now, Where, together, with},
};
use crate::{
    approval::{Approved, Signatures},
    context::Failure,
    diff::Action,
    model::{App, ConnectorType},
    ops::{
        Around, Team,
        used::{revoked_by, unused},
    },
    pending::{PendingEntry, PendingSet},
    plan::Digest,
    receipt::{Outcome, Receipt},
    store::{Memory, StoreError},
};

/// Where `authorize` knows from what it could ask for.
pub(in crate::ops) struct Sources<'a> {
    /// What waits.
    pub(in crate::ops) pending: &'a PendingSet,
    /// A receipt that was named.
    pub(in crate::ops) receipt: Option<&'a Receipt>,
}

impl<'a> Sources<'a> {
    /// What an apply asked for, by this machine's word or a document's.
    fn applied(&self, app: &App) -> Vec<Asked<'a>> {
        let pending = self.pending.of(app);
        let pending = pending.map(|(connector, entry)| Asked::by_entry(connector, entry));
        let results = self.receipt.into_iter().flat_map(|receipt| {
            let pending = receipt.results();
            let pending = pending.filter(|result| result.outcome == Outcome::Pending);
            pending.map(|result| Asked::by_receipt(receipt, result))
        });
        pending.chain(results).collect()
    }
}

/// What must not be asked for until a plan of it is approved.
#[derive(Debug, Default)]
pub(in crate::ops) struct Withheld {
    /// Of a plan: why its approval does not hold for it, or not any more. Escaped.
    reasons: BTreeMap<(ConnectorType, Digest), String>,
}

impl Withheld {
    /// Why this is not asked for.
    pub(in crate::ops) fn why(
        &self,
        connector: &ConnectorType,
        entry: &PendingEntry,
    ) -> Option<String> {
        let plan = entry.plan_digest.as_ref()?;
        self.reasons
            .get(&(connector.clone(), plan.clone()))
            .cloned()
    }
}

/// A receipt tells what waited before its apply, and its plan, with the approval of that, did not ask for it.
const NOT_OF_THE_PLAN: &str = "it needs an approval, and the plan of this receipt did not ask for it: give the receipt \
                               of the apply that did, or have a plan of it approved, and apply that";

/// What of this needs an approval that it never had, or that was taken back since it was applied. `others`: the stores
/// that the base names beside this one.
pub(in crate::ops) async fn withheld(
    around: &Around<'_>,
    (project, app, memory): Where<'_>,
    (binding, others): (&LazyBinding, &[Team]),
    now: &Now<'_>,
    sources: &Sources<'_>,
) -> Result<Withheld, Failure> {
    let applied = sources.applied(app);
    let mut withheld = Withheld::default();
    if applied.is_empty() {
        return Ok(withheld);
    }
    let binding = binding.get(around, project).await?;
    let concerned = |asked: &&Asked<'_>| binding.concerns(now.risk(asked));
    let applied = applied.iter().filter(concerned);
    let (before, applied): (Vec<_>, Vec<_>) =
        applied.partition(|asked| asked.action == Action::NoOp);
    for asked in before {
        if let Some(plan) = asked.plan {
            let of = (asked.connector.clone(), plan.clone());
            withheld.reasons.insert(of, NOT_OF_THE_PLAN.to_owned());
        }
    }
    if applied.is_empty() {
        return Ok(withheld);
    }
    let memories = with(memory, others);
    let mut plans: BTreeMap<&Digest, (Signatures, Option<Timestamp>)> = BTreeMap::new();
    for asked in applied {
        let Some(plan) = asked.plan else { continue };
        if let (false, Some(signers)) = (plans.contains_key(plan), binding.signers()) {
            let warn = |text: &str| around.warn(text);
            let found = together(around, &memories, plan, signers, Vec::new(), &warn).await?;
            let at = if found.revoked.is_empty() {
                None
            } else {
                revoked_at(&memories, plan).await?
            };
            plans.insert(plan, (found, at));
        }
        let (found, revoked) = plans.entry(plan).or_default();
        let risk = Some(now.risk(asked));
        let check = |approvals| Approved::check(plan, risk, binding.needs(), approvals);
        let why = if let Some(at) = revoked
            && check(found.approvals.clone()).is_err()
        {
            let who = crate::escape::limited(&found.revoked.join(", "), 100);
            Some(format!(
                "{who} revoked the approval of its plan at {at}; have a plan of it approved, and apply that"
            ))
        } else if let Some(receipt) = sources.receipt.filter(|of| of.plan_digest == *plan) {
            let mut approvals = found.approvals.clone();
            approvals.extend(receipt.approvals.iter().cloned());
            // What was enough then may not be by now: what was used up cannot be told of that.
            match check(approvals) {
                Ok(approved) => {
                    let due = [asked.connector].into();
                    let unused = unused(&memories, &approved, &due).await;
                    unused.err().map(|used| used.report.to_string())
                }
                Err(_) => None,
            }
        } else {
            None
        };
        if let Some(why) = why {
            let of = (asked.connector.clone(), plan.clone());
            withheld.reasons.insert(of, why);
        }
    }
    Ok(withheld)
}

/// When the approval of a plan was taken back for the last time.
async fn revoked_at(
    memories: &[&Memory],
    digest: &Digest,
) -> Result<Option<Timestamp>, StoreError> {
    let mut last = None;
    for memory in memories {
        let events = memory.events().await?;
        let revoked = events
            .iter()
            .filter(|event| revoked_by(event) == Some(digest));
        last = last.max(revoked.map(|event| event.at).max());
    }
    Ok(last)
}
