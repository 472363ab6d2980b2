//! What somebody is said to have asked for, held against the app as it is.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    approval::FromRisk,
    catalogue::ScopeEquivalence,
    diff::{Action, ConfigDiff, Desired, between},
    model::{App, ConnectorType, ExpectedAccount, Likeness, RemoteConnector, RemoteStatus, Scopes},
    pending::PendingEntry,
    plan::{Digest, Plan, belongs},
    receipt::{ChangeResult, Receipt},
};

/// The app as it is, and how scopes compare.
pub(in crate::ops) struct Now<'a> {
    /// What it has.
    pub(in crate::ops) observed: &'a BTreeMap<ConnectorType, RemoteConnector>,
    /// When two sets of scopes are the same.
    pub(in crate::ops) rules: &'a ScopeEquivalence,
}

impl Now<'_> {
    /// Whether just this is in force, as far as the platform tells.
    pub(in crate::ops) fn has(&self, asked: &ChangeResult) -> bool {
        self.observed.get(&asked.connector).is_some_and(|is| {
            let scopes = self
                .rules
                .compare(&asked.connector, &asked.scopes, &is.scopes);
            let values = ConfigDiff::likeness(&asked.connection_config, is);
            is.status == RemoteStatus::Active && scopes.is_same() && values != Likeness::Other
        })
    }

    /// Fails where no apply could have asked for it: whoever writes an entry or a receipt can name an
    /// approved plan that none takes, or another past than that plan's. This machine's own entries need
    /// no word for that.
    pub(super) fn follows(
        &self,
        plan: &Plan,
        app: &App,
        asked: &Asked<'_>,
        at: Timestamp,
    ) -> Result<(), String> {
        belongs(plan, app, at).map_err(|why| {
            format!(
                "no apply takes its plan any more ({why}): `connplan authorize --forget {}`, then plan it \
                 anew",
                asked.connector
            )
        })?;
        let mut changes = plan.changes();
        let change = changes.find(|change| change.connector == *asked.connector);
        let same = |a: &Scopes, b: &Scopes| self.rules.compare(asked.connector, a, b).is_same();
        let fits = change.is_some_and(|change| {
            let was = change.before.as_ref().map(|before| &before.scopes);
            let after = change.after.as_ref().map(|after| &after.scopes);
            let before = match (was, asked.before) {
                (None, None) => true,
                (Some(was), Some(now)) if same(was, now) || same(now, was) => true,
                // Somebody consented to a part of it meanwhile.
                (_, Some(now)) => after.is_some_and(|after| {
                    let diff = self.rules.compare(asked.connector, after, now);
                    diff.removed.is_empty()
                }),
                (Some(_), None) => false,
            };
            before && change.action == asked.action
        });
        if fits {
            Ok(())
        } else {
            Err("the connector has changed since its plan was made".to_owned())
        }
    }

    /// How risky it is to ask for this now. A plan in the store and a receipt say by themselves what there
    /// was before, and whoever writes them can write another one. Of values that the platform does not tell, any may be
    /// another.
    pub(super) fn risk(&self, asked: &Asked<'_>) -> FromRisk {
        let after = Desired {
            scopes: asked.scopes.clone(),
            account: asked.account.cloned(),
            connection_config: asked.values.clone(),
        };
        let before = self.observed.get(asked.connector);
        let mut change = between(asked.connector, before, after, self.rules);
        // It is asked for, whatever else is the same.
        if change.action == Action::NoOp && change.hides_values() {
            change.action = Action::Update;
        }
        FromRisk::of_change(&change)
    }
}

/// What somebody is said to have asked for.
pub(super) struct Asked<'a> {
    pub(super) connector: &'a ConnectorType,
    pub(super) scopes: &'a Scopes,
    pub(super) values: &'a BTreeMap<String, String>,
    pub(super) account: Option<&'a ExpectedAccount>,
    pub(super) plan: Option<&'a Digest>,
    pub(super) action: Action,
    /// What there is said to have been.
    pub(super) before: Option<&'a Scopes>,
}

impl<'a> Asked<'a> {
    pub(super) fn by_entry(connector: &'a ConnectorType, entry: &'a PendingEntry) -> Self {
        Self {
            connector,
            scopes: &entry.scopes,
            values: &entry.connection_config,
            account: entry.account.as_ref(),
            plan: entry.plan_digest.as_ref(),
            action: entry.action,
            before: entry.before.as_ref().map(|before| &before.scopes),
        }
    }

    pub(super) fn by_receipt(receipt: &'a Receipt, result: &'a ChangeResult) -> Self {
        Self {
            connector: &result.connector,
            scopes: &result.scopes,
            values: &result.connection_config,
            account: result.account.as_ref(),
            plan: Some(&receipt.plan_digest),
            action: result.action,
            before: result.before.as_ref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Change;

    fn scopes(words: &str) -> Scopes {
        words.split_whitespace().collect()
    }

    /// Whether an apply of a plan that makes `before` to `a b` can have asked for it, where that is said
    /// to have been another one.
    fn follows(before: Option<&str>, said: Option<&str>, action: Action) -> bool {
        let slack = ConnectorType::parse("slack").unwrap();
        let wanted = Desired {
            scopes: scopes("a b"),
            ..Desired::default()
        };
        let rules = ScopeEquivalence::default();
        let before = before.map(|words| RemoteConnector {
            status: RemoteStatus::Active,
            scopes: scopes(words),
            account: None,
            mode: None,
            connection_config: None,
        });
        let asana = ConnectorType::parse("asana").unwrap();
        let another: Change = between(&asana, None, wanted.clone(), &rules);
        let change: Change = between(&slack, before.as_ref(), wanted, &rules);
        let (planned, plan) = (scopes("a b"), Plan::of(vec![another, change]));
        let said = said.map(scopes);
        let asked = Asked {
            connector: &slack,
            scopes: &planned,
            values: &BTreeMap::new(),
            account: None,
            plan: None,
            action,
            before: said.as_ref(),
        };
        let observed = BTreeMap::new();
        let now = Now {
            observed: &observed,
            rules: &rules,
        };
        let at = Timestamp::UNIX_EPOCH;
        let expired = Plan {
            expires_at: Some(at),
            ..plan.clone()
        };
        assert!(now.follows(&expired, &plan.app.app, &asked, at).is_err());
        now.follows(&plan, &plan.app.app, &asked, at).is_ok()
    }

    #[test]
    fn what_an_apply_asked_for_began_where_its_plan_did() {
        let (create, update) = (Action::Create, Action::Update);
        for (before, said, action, may) in [
            (None, None, create, true),
            (Some("c"), Some("c"), update, true),
            // Somebody consented to a part meanwhile.
            (None, Some("a"), create, true),
            (Some("c"), Some("a"), update, true),
            (None, Some("c"), create, false),
            (Some("c"), Some("d"), update, false),
            (Some("c"), Some("c d"), update, false),
            (Some("c d"), Some("c"), update, false),
            (Some("c"), None, update, false),
            (None, None, update, false),
            (Some("c"), Some("c"), create, false),
        ] {
            let found = follows(before, said, action);
            assert_eq!(found, may, "{before:?}, said to be {said:?}, {action}");
        }
    }
}
