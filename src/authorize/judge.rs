//! What was granted, held against what was asked for. Pure.

use crate::{
    catalogue::ScopeEquivalence,
    model::{Account, ConnectorType, RemoteConnector, RemoteStatus, Scopes},
    pending::Entry,
};

/// What a consent came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// In force, with every scope.
    Granted {
        /// Who consented.
        account: Option<Account>,
        /// Who held it before, where that is somebody else.
        instead_of: Option<Account>,
        /// Scopes that nobody asked for and that the provider is not known to add.
        unasked: Scopes,
    },
    /// In force, with fewer scopes than were asked for.
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
    /// The remote does not have it in force.
    NotInForce,
}

/// Judges.
pub fn judge(
    connector: &ConnectorType,
    entry: &Entry,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> Verdict {
    let Some(is) = is.filter(|is| is.status == RemoteStatus::Active) else {
        return Verdict::NotInForce;
    };
    if let (Some(expected), Some(account)) = (&entry.account, &is.account)
        && !expected.accepts(account)
    {
        return Verdict::WrongAccount {
            account: account.clone(),
            expected: expected.as_str().to_owned(),
        };
    }
    let diff = rules.compare(connector, &entry.scopes, &is.scopes);
    if !diff.added.is_empty() {
        return Verdict::Partial {
            account: is.account.clone(),
            missing: diff.added,
        };
    }
    let changed = entry
        .account_before
        .as_ref()
        .filter(|before| is.account.as_ref().is_some_and(|now| now != *before));
    Verdict::Granted {
        account: is.account.clone(),
        instead_of: changed.cloned(),
        unasked: diff.removed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{diff::Action, model::ExpectedAccount, pending::LastTry};

    fn entry() -> Entry {
        Entry {
            scopes: ["a", "b"].into_iter().collect(),
            action: Action::Create,
            plan_digest: None,
            since: jiff::Timestamp::UNIX_EPOCH,
            before: None,
            account_before: Some(Account::new("old@example.com")),
            account: None,
            connection_id: None,
            link: None,
            last: LastTry::Open,
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
        let active = |scopes: &[&str], account| remote(RemoteStatus::Active, scopes, account);
        let held = |entry: &Entry, is: RemoteConnector| {
            judge(&slack, entry, Some(&is), &ScopeEquivalence::default())
        };
        let partial = held(&entry(), active(&["a"], "old@example.com"));
        assert!(matches!(partial, Verdict::Partial { missing, .. } if missing.len() == 1));

        let granted = held(&entry(), active(&["a", "b", "c"], "new@example.com"));
        let Verdict::Granted {
            instead_of,
            unasked,
            ..
        } = granted
        else {
            panic!()
        };
        assert_eq!(instead_of, Some(Account::new("old@example.com")));
        assert_eq!(unasked.len(), 1);

        let named = Entry {
            account: ExpectedAccount::parse("@corp.example"),
            ..entry()
        };
        let wrong = held(&named, active(&["a", "b"], "me@home.example"));
        assert!(matches!(wrong, Verdict::WrongAccount { .. }));

        let off = remote(RemoteStatus::Disconnected, &["a", "b"], "old@example.com");
        assert_eq!(held(&entry(), off), Verdict::NotInForce);
    }
}
