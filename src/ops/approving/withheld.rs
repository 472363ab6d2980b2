//! What `authorize` must not ask for, although it waits: it was never approved, or that was taken back since.

use std::collections::{BTreeMap, btree_map::Entry};

use jiff::Timestamp;

use super::{
    asked::{Asked, Now},
    binding::{Binding, LazyBinding},
    vouching::{Where, together, with},
};
use crate::{
    approval::{Approved, FromRisk, Signatures},
    context::Failure,
    diff::Action,
    model::{App, ConnectorType},
    ops::{
        Around, Team,
        doubt::stored,
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
    /// Of what no plan asks for: why it is not repaired. Escaped.
    pub(in crate::ops) repairs: BTreeMap<ConnectorType, String>,
}

impl Withheld {
    /// Why this is not asked for.
    pub(in crate::ops) fn why(
        &self,
        connector: &ConnectorType,
        entry: &PendingEntry,
    ) -> Option<String> {
        let Some(plan) = &entry.plan_digest else {
            return self.repairs.get(connector).cloned();
        };
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
    if binding.needs().is_empty() {
        return Ok(withheld);
    }
    let memories = with(memory, others);
    let mut plans: BTreeMap<&Digest, Applied> = BTreeMap::new();
    for asked in &applied {
        let Some(plan) = asked.plan else { continue };
        let risk = now.risk(asked);
        if asked.action == Action::NoOp {
            if binding.concerns(risk) {
                let of = (asked.connector.clone(), plan.clone());
                withheld.reasons.insert(of, NOT_OF_THE_PLAN.to_owned());
            }
            continue;
        }
        let Applied {
            found,
            revoked,
            risk: then,
        } = match plans.entry(plan) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                new.insert(Applied::look(around, (app, &memories), binding, plan).await?)
            }
        };
        let risk = risk.max(*then);
        if !binding.concerns(risk) {
            continue;
        }
        let check = |approvals| Approved::check(plan, Some(risk), binding.needs(), approvals);
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

/// What is known of a plan that was applied.
#[derive(Default)]
struct Applied {
    found: Signatures,
    /// When its approval was taken back.
    revoked: Option<Timestamp>,
    /// How risky it was by what there was then. The app may show by now what was asked for.
    risk: FromRisk,
}

impl Applied {
    async fn look(
        around: &Around<'_>,
        (app, memories): (&App, &[&Memory]),
        binding: &Binding,
        plan: &Digest,
    ) -> Result<Self, Failure> {
        let mut known = Self::default();
        if let Some(signers) = binding.signers() {
            let warn = |text: &str| around.warn(text);
            known.found = together(around, memories, plan, signers, Vec::new(), &warn).await?;
        }
        if known.found.revoked.is_empty() {
            return Ok(known);
        }
        known.revoked = revoked_at(memories, plan).await?;
        // Somebody signed it: where it is not kept, it may have been any.
        known.risk = FromRisk::Danger;
        for memory in memories {
            if let Ok(plan) = stored(memory, app, plan).await {
                known.risk = binding.risk(&plan);
                break;
            }
        }
        Ok(known)
    }
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
