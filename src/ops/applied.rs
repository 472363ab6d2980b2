//! From which commit an app was last changed.

use crate::{
    receipt,
    store::{Memory, StoreError, What},
};

/// The commit of the last apply of which this memory knows one. What the settings asked for there is asked
/// for until something is applied again.
pub(super) async fn applied_from(memory: &Memory) -> Result<Option<String>, StoreError> {
    let events = memory.history().await?.0;
    let commit = |what: &What| {
        let What::Apply(_, text) = what else {
            return None;
        };
        let saved = receipt::read("a receipt of the store", text).ok()?;
        saved.receipt.origin?.commit
    };
    Ok(events.iter().rev().find_map(|event| commit(&event.what)))
}
