//! What was granted, held against what was asked for. Pure.

use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, ConfigDiff},
    model::{Account, ConnectorType, Likeness, RemoteConnector, RemoteStatus, Scopes},
    pending::{Before, PendingEntry},
};

/// What a consent came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Consent {
    /// In force, with every scope.
    Granted {
        /// Who consented.
        account: Option<Account>,
        /// Who held it before, where that is somebody else.
        instead_of: Option<Account>,
        /// Scopes that nobody asked for and that the provider is not known to add.
        unasked: Scopes,
        /// What was asked for and the platform does not pass on: it says itself that all is in force.
        dropped: Scopes,
    },
    /// In force with fewer scopes; it stays pending.
    Partial {
        /// Who consented.
        account: Option<Account>,
        /// What was not granted.
        missing: Scopes,
    },
    /// In force, held by another account than the file names.
    WrongAccount {
        /// Who consented.
        account: Account,
        /// Whom the file names.
        expected: String,
    },
}

/// What the list shows of a consent; none where the connector is not in force.
pub fn consent_of(
    connector: &ConnectorType,
    entry: &PendingEntry,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> Option<Consent> {
    let is = is.filter(|is| is.status == RemoteStatus::Active)?;
    // A list tells no values: then its scopes have to do.
    if ConfigDiff::likeness(&entry.connection_config, is) == Likeness::Other {
        return None;
    }
    if let (Some(expected), Some(account)) = (&entry.account, &is.account)
        && !expected.accepts(account)
    {
        return Some(Consent::WrongAccount {
            account: account.clone(),
            expected: expected.as_str().to_owned(),
        });
    }
    let diff = rules.compare(connector, &entry.scopes, &is.scopes);
    if !diff.added.is_empty() {
        return Some(Consent::Partial {
            account: is.account.clone(),
            missing: diff.added,
        });
    }
    let before = entry.before.as_ref().and_then(|b| b.account.as_ref());
    let changed = before.filter(|before| is.account.as_ref().is_some_and(|now| now != *before));
    Some(Consent::Granted {
        account: is.account.clone(),
        instead_of: changed.cloned(),
        unasked: diff.removed,
        dropped: Scopes::new(),
    })
}

/// Whether the connector is as it was when it was asked for, as far as that is known: then nobody
/// has consented yet, however it looks.
pub(super) fn is_as_before(
    connector: &ConnectorType,
    before: Option<&Before>,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> bool {
    match (before, is) {
        (None, None) => true,
        (None, Some(_)) | (Some(_), None) => false,
        (Some(before), Some(is)) => {
            let status = before.status.is_none_or(|status| status == is.status);
            let account = before.account.is_none() || before.account == is.account;
            status && account && same_scopes(rules, connector, &before.scopes, &is.scopes)
        }
    }
}

/// Whether other connection values were asked for, with the same scopes, and the connector has them by now.
pub(super) fn has_new_values(entry: &PendingEntry, is: Option<&RemoteConnector>) -> bool {
    let wanted = &entry.connection_config;
    entry.action == Action::Update
        && !wanted.is_empty()
        && is.is_some_and(|is| ConfigDiff::likeness(wanted, is) == Likeness::Same)
}

/// Whether two sets of scopes are the same but for what a provider adds to either.
pub(super) fn same_scopes(
    rules: &ScopeEquivalence,
    connector: &ConnectorType,
    a: &Scopes,
    b: &Scopes,
) -> bool {
    a == b || rules.compare(connector, a, b).is_same() || rules.compare(connector, b, a).is_same()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ExpectedAccount;

    fn entry() -> PendingEntry {
        PendingEntry {
            scopes: ["a", "b"].into_iter().collect(),
            connection_config: std::collections::BTreeMap::new(),
            action: Action::Update,
            plan_digest: None,
            since: jiff::Timestamp::UNIX_EPOCH,
            before: Some(Before {
                scopes: ["a"].into_iter().collect(),
                status: Some(RemoteStatus::Active),
                account: Some(Account::new("old@example.com")),
            }),
            account: None,
            connection_id: None,
            missing: Scopes::new(),
            dropped_by_platform: false,
            overrides: std::collections::BTreeMap::new(),
            asked_under: None,
            folder: None,
        }
    }

    fn remote(status: RemoteStatus, scopes: &[&str], account: &str) -> RemoteConnector {
        RemoteConnector {
            status,
            scopes: scopes.iter().copied().collect(),
            account: Some(Account::new(account)),
            mode: None,
            connection_config: None,
        }
    }

    #[test]
    fn fewer_scopes_and_other_accounts_are_not_called_done() {
        let slack = ConnectorType::parse("slack").unwrap();
        let rules = ScopeEquivalence::default();
        let active = |scopes: &[&str], account| remote(RemoteStatus::Active, scopes, account);
        let held = |entry: &PendingEntry, is: RemoteConnector| {
            consent_of(&slack, entry, Some(&is), &rules)
        };
        let partial = held(&entry(), active(&["a"], "old@example.com"));
        assert!(matches!(partial, Some(Consent::Partial { missing, .. }) if missing.len() == 1));

        let granted = held(&entry(), active(&["a", "b", "c"], "new@example.com"));
        let Some(Consent::Granted {
            instead_of,
            unasked,
            ..
        }) = granted
        else {
            panic!()
        };
        assert_eq!(instead_of, Some(Account::new("old@example.com")));
        assert_eq!(unasked.len(), 1);

        let named = PendingEntry {
            account: ExpectedAccount::parse("@corp.example"),
            ..entry()
        };
        let wrong = held(&named, active(&["a", "b"], "me@home.example"));
        assert!(matches!(wrong, Some(Consent::WrongAccount { .. })));

        let off = remote(RemoteStatus::Disconnected, &["a", "b"], "old@example.com");
        assert_eq!(held(&entry(), off), None);
    }

    #[test]
    fn what_is_as_it_was_is_nobodys_consent() {
        let slack = ConnectorType::parse("slack").unwrap();
        let rules = ScopeEquivalence::default();
        let before = entry().before;
        let same = |is: &RemoteConnector| is_as_before(&slack, before.as_ref(), Some(is), &rules);
        assert!(same(&remote(
            RemoteStatus::Active,
            &["a"],
            "old@example.com"
        )));
        assert!(!same(&remote(
            RemoteStatus::Active,
            &["a"],
            "new@example.com"
        )));
        assert!(!same(&remote(
            RemoteStatus::Active,
            &["b"],
            "old@example.com"
        )));
        assert!(!same(&remote(
            RemoteStatus::Expired,
            &["a"],
            "old@example.com"
        )));
        assert!(is_as_before(&slack, None, None, &rules));
        assert!(!is_as_before(&slack, before.as_ref(), None, &rules));
    }
}
