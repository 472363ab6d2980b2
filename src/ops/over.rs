//! Whether a plan is over: it was carried out whole since it was made. What became of it later, somebody decided.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::used::{Done, done};
use crate::{
    approval::Approved,
    context::Failure,
    diff::Action,
    model::ConnectorType,
    plan::{Digest, Plan, Refusal},
    store::Memory,
};

/// Refuses a plan that is over, unless it was made in this run. One that needed an approval has a rule of its own:
/// `used::unused`.
pub(super) async fn not_over(
    memories: &[&Memory],
    approved: &Approved,
    plan: (&Plan, &Digest),
    made: Option<Timestamp>,
) -> Result<(), Failure> {
    let Some(made) = made.filter(|_| !approved.was_needed() && plan.0.has_changes()) else {
        return Ok(());
    };
    match over(memories, plan, made).await? {
        Some(at) => Err(Refusal::Over { at }.into()),
        None => Ok(()),
    }
}

/// When a plan was carried out whole, if that was since it was made. The same plan made anew is another decision.
pub async fn over(
    memories: &[&Memory],
    (plan, digest): (&Plan, &Digest),
    made: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let changes = plan.changes().filter(|c| c.action != Action::NoOp);
    let names = changes.map(|change| &change.connector).collect();
    let mut last = None;
    for memory in memories {
        let events = memory.events().await?;
        let done = done(&events, digest).map_err(|unread| unread.of(memory))?;
        last = last.max(since(&done, &names, made));
    }
    Ok(last)
}

/// In which second the last of these changes was carried out, if all of them were and that was later. What was
/// carried out before then only, and was to be done again since and failed, is still to be done.
pub(super) fn since(
    done: &BTreeMap<ConnectorType, Done>,
    names: &BTreeSet<&ConnectorType>,
    made: Timestamp,
) -> Option<Timestamp> {
    let second = |at: Timestamp| Timestamp::from_second(at.as_second()).unwrap_or(at);
    let times = names.iter().map(|name| {
        let done = done.get(*name)?;
        Some(second(done.at)).filter(|at| *at > made || !done.failed)
    });
    let times: Option<Vec<_>> = times.collect();
    times?.into_iter().max().filter(|at| *at > made)
}
