//! What this machine knows to wait, held against what the team knows.
//!
//! A checkout names its store. What was asked for under another one, or under none, is none of its business
//! unless the user trusts it: it is not told, and what it says ends nothing of it.

use crate::{
    model::{App, ConnectorType},
    pending::{PendingEntry, PendingSet},
    store::{Wait, Waits},
};

/// Takes out what this machine asked for once and the team knows to be over, or asked for anew.
pub(super) fn forget_stale(pending: &mut PendingSet, app: &App, waits: &Waits) -> bool {
    let stale = |(connector, entry): &(&ConnectorType, &PendingEntry)| {
        let wait = waits.get(connector);
        let over = waits.ended(connector).is_some_and(|at| at >= entry.since);
        let anew = wait.is_some_and(|wait| wait.entry.since >= entry.since);
        waits.concern(entry) && !wait.is_some_and(|wait| is_this(wait, entry)) && (over || anew)
    };
    let stale = pending.of(app).filter(stale);
    let stale: Vec<_> = stale.map(|(connector, _)| connector.clone()).collect();
    for connector in &stale {
        pending.remove(app, connector);
    }
    !stale.is_empty()
}

/// Whether what the team knows is what this machine knows, and was not asked for anew. Two may ask within
/// the second that the time is told in.
pub(super) fn is_this(wait: &Wait, entry: &PendingEntry) -> bool {
    wait.entry.since == entry.since
        && wait.entry.plan_digest == entry.plan_digest
        && wait.entry.scopes == entry.scopes
}

/// Adds what other machines asked for to what this one knows; where both know something, the newer
/// counts.
pub(super) fn merge(pending: &mut PendingSet, app: &App, waits: &Waits) {
    forget_stale(pending, app, waits);
    for wait in waits.iter() {
        if pending.get(app, &wait.connector).is_none() {
            let entry = wait.entry.under(waits.identity().map(str::to_owned));
            pending.insert(app, wait.connector.clone(), entry);
        }
    }
}

/// What this machine asked for under this store and the team does not know: a crash came before it was told.
pub(super) fn untold(own: &PendingSet, app: &App, waits: &Waits) -> PendingSet {
    let mut untold = own.clone();
    forget_stale(&mut untold, app, waits);
    let told = |(connector, entry): &(&ConnectorType, &PendingEntry)| {
        !waits.concern(entry) || waits.get(connector).is_some()
    };
    let told: Vec<_> = untold
        .of(app)
        .filter(told)
        .map(|(name, _)| name.clone())
        .collect();
    for connector in &told {
        untold.remove(app, connector);
    }
    untold
}
