//! What is kept of a change while a person is waited for.

use jiff::Timestamp;

use crate::{
    diff::{Action, Change},
    model::{ConnectionId, Kind, RemoteConnector, Scopes, folder_of},
    pending::{Before, PendingEntry, PendingSet},
    plan::{Digest, Override, Plan, by_rule},
};

/// What is kept of a connector that the platform says is in force without `missing`.
pub(super) fn dropped_by_platform(
    change: &Change,
    digest: &Digest,
    is: Option<&RemoteConnector>,
    missing: Scopes,
    overrides: &[Override],
) -> PendingEntry {
    PendingEntry {
        before: is.map(Before::from),
        missing,
        dropped_by_platform: true,
        ..entry_of(change, digest, None, overrides)
    }
}

/// What is kept while a person is waited for.
pub(super) fn entry_of(
    change: &Change,
    digest: &Digest,
    connection_id: Option<ConnectionId>,
    overrides: &[Override],
) -> PendingEntry {
    let after = change.after.clone().unwrap_or_default();
    PendingEntry {
        scopes: after.scopes,
        connection_config: after.connection_config,
        action: change.action,
        plan_digest: Some(digest.clone()),
        since: seconds(Timestamp::now()),
        before: change.before.as_ref().map(Before::from),
        account: after.account,
        connection_id,
        missing: Scopes::new(),
        dropped_by_platform: false,
        overrides: by_rule(overrides),
        asked_under: None,
        folder: change
            .file
            .as_deref()
            .map(|file| folder_of(file).to_owned()),
    }
}

/// All that would wait if every write of the plan needed a consent: whether that can be kept is to be
/// known beforehand.
pub fn at_most_pending(plan: &Plan, digest: &Digest, pending: &PendingSet) -> PendingSet {
    let mut most = pending.clone();
    let writes = plan.changes().filter(|change| {
        let writes = !matches!(change.action, Action::NoOp | Action::Delete);
        writes && change.kind() == Kind::Oauth
    });
    for change in writes {
        // An id is as long as this one, or shorter.
        let id = ConnectionId::parse("0".repeat(64)).ok();
        let entry = entry_of(change, digest, id, &plan.overrides);
        most.insert(&plan.app.app, change.connector.clone(), entry);
    }
    most
}

/// Since when somebody waits is said to people: whole seconds do.
pub(super) fn seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}
