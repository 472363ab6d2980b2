//! From which commit an app was last changed.

use crate::{
    diff::Action,
    receipt::{self, ChangeResult, Outcome, Receipt},
    store::{HistoryEvent, Memory, StoreError, What},
};

/// The commit of the last apply that changed something and left nothing over, of which this memory knows one. What
/// the settings asked for there is asked for until something is applied again.
pub(super) async fn applied_from(memory: &Memory) -> Result<Option<String>, StoreError> {
    let events = memory.events().await?;
    Ok(last(&events).map(|(_, commit)| commit))
}

/// The event of that apply, and its commit. Where an apply does not count, it has told the store no commit.
pub(super) fn last(events: &[HistoryEvent]) -> Option<(&HistoryEvent, String)> {
    let is_effect = |of: &ChangeResult| of.action != Action::NoOp && of.outcome.is_effect();
    events.iter().rev().find_map(|event| {
        let What::Apply(_, text) = &event.what else {
            return None;
        };
        let saved = receipt::read("a receipt of the store", text).ok()?;
        let counts = is_whole(&saved.receipt) && saved.receipt.results().any(is_effect);
        let commit = saved.receipt.origin.filter(|_| counts)?.commit?;
        Some((event, commit))
    })
}

/// Whether nothing of the plan is still to be done.
fn is_whole(receipt: &Receipt) -> bool {
    let is_done = |of: &ChangeResult| of.outcome.is_effect() || of.outcome == Outcome::Unchanged;
    receipt.results().all(is_done)
}
