//! Why something is not asked for: somebody changed the connector. Pure.

use super::{
    broken::{self, Broken},
    consent::same_scopes,
};
use crate::{
    catalogue::ScopeEquivalence,
    model::{ConnectorType, RemoteConnector, Scopes},
    pending::PendingEntry,
};

/// Said of a connector that works with other scopes than it had, and not by this consent.
pub(super) const FOREIGN: &str = "somebody else has changed it in the meantime: its scopes are neither \
                       the earlier nor the approved ones; run `connplan plan` again";

/// Why an entry is not resumed, and never will be: somebody changed the connector.
pub(super) fn objection(
    connector: &ConnectorType,
    entry: &PendingEntry,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> Option<String> {
    match (is, &entry.before) {
        (None, None) => None,
        (None, Some(_)) => {
            let reason = "it was removed from the app since it was asked for; plan and apply to \
                          add it again";
            Some(reason.to_owned())
        }
        (Some(is), before) => {
            let more = rules.compare(connector, &entry.scopes, &is.scopes).removed;
            let as_before = before
                .as_ref()
                .is_some_and(|before| same_scopes(rules, connector, &before.scopes, &is.scopes));
            (!more.is_empty() && !as_before).then(|| {
                format!(
                    "somebody else changed it since it was asked for: it has scopes that were not \
                     approved ({}); plan again, or, if the provider adds them by itself, list them \
                     in connplan.toml: `[providers.{connector}] adds`",
                    names(&more)
                )
            })
        }
    }
}

/// The same right before a link is asked for. What no plan asked for must be broken still, and nothing else.
pub(super) fn objection_now(
    connector: &ConnectorType,
    entry: &PendingEntry,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> Option<String> {
    let objection = objection(connector, entry, is, rules);
    let Some(is) = is.filter(|_| objection.is_none() && entry.is_repair()) else {
        return objection;
    };
    match broken::look(connector, (&entry.scopes, entry.terms()), is, rules) {
        Some(Broken::Repairable) => None,
        Some(Broken::Changes(why)) => Some(why.to_owned()),
        Some(Broken::Held { .. }) | None => Some(FOREIGN.to_owned()),
    }
}

pub(super) fn names(scopes: &Scopes) -> String {
    let names = scopes
        .iter()
        .map(|scope| crate::escape::limited(scope.as_str(), 120));
    names.collect::<Vec<_>>().join(", ")
}
