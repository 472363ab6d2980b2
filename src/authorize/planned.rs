//! What a plan says is pending, once it was applied. Pure.
//!
//! A plan is no proof of an apply. To repeat a PUT that nobody made would be to apply without the
//! checks of an apply; so the remote has to show that the plan was carried out, or that its scopes
//! were approved before. Where it can not show that, the receipt can.

use super::candidate::{Sources, same_scopes};
use crate::{
    diff::{Action, Change, ConsentNeed},
    model::{ConnectorType, Kind},
    pending::{Entry, LastTry},
    plan::{AppPlan, Digest},
};

/// Each connector that the plan makes a person consent to: what to resume, or why not.
pub(super) fn planned(
    sources: &Sources<'_>,
    plan: &AppPlan,
    digest: &Digest,
) -> Vec<(ConnectorType, Result<Entry, String>)> {
    let asks = |change: &&Change| {
        change.kind() == Kind::Oauth
            && match change.action {
                Action::Create | Action::Update | Action::Reauthorize => true,
                Action::NoOp => change.authorization == ConsentNeed::Pending,
                Action::Delete => false,
            }
    };
    plan.changes
        .iter()
        .filter(asks)
        .map(|change| (change.connector.clone(), evidence(sources, change, digest)))
        .collect()
}

fn evidence(sources: &Sources<'_>, change: &Change, digest: &Digest) -> Result<Entry, String> {
    let after = change.after.clone().unwrap_or_default();
    let before = change.before.as_ref();
    let same = |a, b| same_scopes(sources.rules, &change.connector, a, b);
    let receipt = "go on with the receipt of its apply: `connplan authorize --receipt FILE`";
    match (sources.observed.get(&change.connector), before) {
        (None, None) => {
            return Err(format!(
                "the app does not list it, and does not show whether this plan was applied; \
                 {receipt}"
            ));
        }
        // Somebody removed it, or it is there and the plan saw none: whether it is resumed is told
        // by the one who looks at every entry.
        (None, Some(_)) | (Some(_), None) => {}
        (Some(is), Some(before)) => {
            let unmoved = same(&before.scopes, &is.scopes) && before.status == is.status;
            if unmoved && !same(&after.scopes, &is.scopes) {
                return Err(format!(
                    "the app has it as the plan found it, and does not show whether this plan was \
                     applied; {receipt}"
                ));
            }
        }
    }
    Ok(Entry {
        scopes: after.scopes,
        action: change.action,
        plan_digest: Some(digest.clone()),
        since: sources.made.unwrap_or(sources.now),
        before: before.map(|before| before.scopes.clone()),
        account_before: before.and_then(|before| before.account.clone()),
        account: after.account,
        connection_id: None,
        link: None,
        last: LastTry::Open,
    })
}
