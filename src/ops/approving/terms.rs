//! What the base's connector files say of accounts and places, and a plan does otherwise.

use std::collections::BTreeSet;

use crate::{
    model::{Declared, Kind},
    plan::Plan,
};

/// Where a plan asks for connectors of the base by other terms: another account, or another place. `own`: whether
/// the base's files are the project's, so that none of another project is missing here.
pub(super) fn other_terms(own: bool, there: &Declared, plan: &Plan) -> Vec<String> {
    let mut found = Vec::new();
    for (name, then) in &there.connectors {
        if !own || !plan.app.unmanaged.contains_key(name) {
            continue;
        }
        let gone = "and no file declares it any more";
        found.extend(then.account.as_ref().map(|account| {
            let who = crate::escape::limited(&account.masked(), 100);
            format!("{who} had to consent to {name}, {gone}")
        }));
        let values = !then.connection_config.is_empty();
        found.extend(values.then(|| format!("{name} had connection values of its own, {gone}")));
    }
    for change in plan.changes() {
        let name = &change.connector;
        let (Some(now), Some(then)) = (&change.after, there.connectors.get(name)) else {
            continue;
        };
        if let Some(account) = &then.account
            && now.account.as_ref().is_none_or(|now| !account.covers(now))
        {
            let who = crate::escape::limited(&account.masked(), 100);
            let now = match &now.account {
                Some(_) => "somebody else has to",
                None => "anybody may",
            };
            found.push(format!("{who} had to consent to {name}, and here {now}"));
        }
        let (then, now) = (&then.connection_config, &now.connection_config);
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
    }
    found
}
