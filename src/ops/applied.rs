//! From which commit an app was last changed.

use crate::{
    diff::Action,
    plan::Refusal,
    receipt::{self, ChangeResult, Outcome, Receipt},
    store::{HistoryEvent, Memory, StoreError, What},
};

/// The commit of the last apply that changed something and left nothing over, of which this memory knows one. What
/// the settings asked for there is asked for until something is applied again.
pub(super) async fn applied_from(memory: &Memory) -> Result<Option<String>, StoreError> {
    let events = memory.events().await?;
    let last = last(&events).map_err(|unread| unread.of(memory))?;
    Ok(last.map(|(_, commit)| commit))
}

/// The event of that apply, and its commit. Where an apply does not count, it has told the store no commit.
pub(super) fn last(events: &[HistoryEvent]) -> Result<Option<(&HistoryEvent, String)>, Unread<'_>> {
    let is_effect = |of: &ChangeResult| of.action != Action::NoOp && of.outcome.is_effect();
    for event in events.iter().rev() {
        let receipt = receipt_of(event)?;
        let whole = receipt.filter(|receipt| is_whole(receipt) && receipt.results().any(is_effect));
        let commit = whole.and_then(|receipt| receipt.origin?.commit);
        if let Some(commit) = commit {
            return Ok(Some((event, commit)));
        }
    }
    Ok(None)
}

/// Whether nothing of the plan is still to be done.
fn is_whole(receipt: &Receipt) -> bool {
    let is_done = |of: &ChangeResult| of.outcome.is_effect() || of.outcome == Outcome::Unchanged;
    receipt.results().all(is_done)
}

/// An apply whose receipt cannot be read: what it did counts as nothing for nobody.
#[derive(Debug)]
pub(super) struct Unread<'e> {
    event: &'e HistoryEvent,
    reason: Refusal,
}

impl Unread<'_> {
    /// The error of who decides by this memory.
    pub(super) fn of(self, memory: &Memory) -> StoreError {
        memory.unread(self.event, self.reason.to_string())
    }
}

/// The receipt of an event that is an apply.
pub(super) fn receipt_of(event: &HistoryEvent) -> Result<Option<Receipt>, Unread<'_>> {
    let What::Apply(_, text) = &event.what else {
        return Ok(None);
    };
    match receipt::read("in it", text) {
        Ok(saved) => Ok(Some(saved.receipt)),
        Err(reason) => Err(Unread { event, reason }),
    }
}
