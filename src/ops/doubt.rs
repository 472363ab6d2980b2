//! What a store says of what waits, held against the plan that asked for it.

use std::collections::BTreeMap;

use crate::{
    diff::Action,
    model::{App, ConnectorType, ExpectedAccount, Scopes},
    plan::{Digest, Plan, document},
    store::{Memory, Waits},
};

/// Scopes, values and account, as they were asked for.
type Terms<'a> = (
    &'a Scopes,
    &'a BTreeMap<String, String>,
    Option<&'a ExpectedAccount>,
);

/// The plan of this digest, as a store keeps it.
pub(super) async fn stored(memory: &Memory, app: &App, digest: &Digest) -> Result<Plan, String> {
    let stored = memory.plan(digest).await.map_err(|e| e.to_string())?;
    let saved = document::read(&stored.name, &stored.text).map_err(|e| e.to_string())?;
    let planned = &saved.plan.app.app;
    if saved.digest != *digest || planned.id != app.id || planned.api_url != app.api_url {
        return Err("its plan is another one".to_owned());
    }
    Ok(saved.plan)
}

/// Whether a plan asks for exactly this.
pub(super) fn asks(plan: &Plan, connector: &ConnectorType, wanted: Terms<'_>) -> bool {
    let (scopes, values, account) = wanted;
    plan.changes().any(|change| {
        change.connector == *connector
            && change.action != Action::NoOp
            && change.after.as_ref().is_some_and(|after| {
                // Where the plan named nobody, whom the files name by now counts.
                let whose = after.account.as_ref();
                after.scopes == *scopes
                    && after.connection_config == *values
                    && (whose.is_none() || whose == account)
            })
    })
}

/// A store's word for what a consent left out is believed where it has the plan that asked for that. Else it
/// merely waits.
pub(super) async fn doubt(memory: &Memory, app: &App, waits: &mut Waits) {
    let told = waits.iter().filter(|wait| !wait.entry.missing.is_empty());
    let told: Vec<_> = told.cloned().collect();
    for wait in told {
        let entry = &wait.entry;
        let terms = (
            &entry.scopes,
            &entry.connection_config,
            entry.account.as_ref(),
        );
        let plan = match &entry.plan_digest {
            Some(digest) => stored(memory, app, digest).await.ok(),
            None => None,
        };
        if !plan.is_some_and(|plan| asks(&plan, &wait.connector, terms)) {
            waits.doubt(&wait.connector);
        }
    }
}
