//! What the base's connector files say of accounts and places, and a plan does otherwise.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    base::{Held, Whose},
    config::Project,
    context::{Context, Failure},
    model::{ConnectorType, Declared, DeclaredConnector, ExpectedAccount, Kind},
    plan::Plan,
    syntax::Unlisted,
};

/// What other projects of the app declare in the commit that is checked out, where one of them may leave what another one
/// declares.
pub(super) async fn beside(context: &Context, project: &Project) -> Result<Vec<Declared>, Failure> {
    if project.settings.unlisted != Some(Unlisted::Keep) {
        return Ok(Vec::new());
    }
    let held = Held::here(context, project).await?;
    let declared = held.into_iter().flat_map(|held| held.declared);
    let others = declared.filter(|(whose, _)| !whose.own);
    Ok(others.map(|(_, declared)| declared).collect())
}

/// Where a plan asks for connectors of the base by other terms: another account, or another place. What it leaves
/// alone, another project may declare by now.
pub(super) fn other_terms(
    whose: &Whose,
    there: &Declared,
    beside: &[Declared],
    plan: &Plan,
) -> Vec<String> {
    let mut found = Vec::new();
    for (name, then) in &there.connectors {
        let change = plan.changes().find(|change| change.connector == *name);
        if let Some(now) = change.and_then(|change| change.after.as_ref()) {
            found.extend(differences(
                name,
                then,
                now.account.as_ref(),
                &now.connection_config,
            ));
        } else if whose.own && plan.app.unmanaged.contains_key(name) {
            let others = beside.iter().filter_map(|there| there.connectors.get(name));
            let others: Vec<_> = others.collect();
            found.extend(others.iter().flat_map(|now| {
                differences(name, then, now.account.as_ref(), &now.connection_config)
            }));
            if others.is_empty() {
                found.extend(gone(name, then));
            }
        }
    }
    let commit = &whose.commit;
    let said = |what| format!("before this change, at {commit}, {what}");
    found.into_iter().map(said).collect()
}

/// What goes with the last file that declares a connector.
fn gone(name: &ConnectorType, then: &DeclaredConnector) -> Vec<String> {
    let gone = "and no file declares it any more";
    let account = then.account.as_ref().map(|account| {
        let who = crate::escape::limited(&account.masked(), 100);
        format!("{who} had to consent to {name}, {gone}")
    });
    let values = !then.connection_config.is_empty();
    let values = values.then(|| format!("{name} had connection values of its own, {gone}"));
    account.into_iter().chain(values).collect()
}

fn differences(
    name: &ConnectorType,
    then: &DeclaredConnector,
    account: Option<&ExpectedAccount>,
    now: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(expected) = &then.account
        && account.is_none_or(|now| !expected.covers(now))
    {
        let who = crate::escape::limited(&expected.masked(), 100);
        let now = match account {
            Some(_) => "somebody else has to",
            None => "anybody may",
        };
        found.push(format!("{who} had to consent to {name}, and here {now}"));
    }
    let then = &then.connection_config;
    let names: BTreeSet<_> = then.keys().chain(now.keys()).collect();
    let names: Vec<_> = names
        .into_iter()
        .filter(|name| then.get(*name) != now.get(*name))
        .map(String::as_str)
        .collect();
    if !then.is_empty() && !names.is_empty() && name.kind() == Kind::Oauth {
        let names = crate::escape::limited(&names.join(", "), 200);
        found.push(format!("{name} had other connection values: {names}"));
    }
    found
}
