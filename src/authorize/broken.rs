//! Connectors that the files declare, that the remote has with these scopes, and that do not work:
//! their scopes were approved before. What else differs is a change, and has to be planned. Pure.

use jiff::Timestamp;

use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, ConfigDiff},
    model::{
        Account, ConnectorType, DeclaredConnector, Kind, Likeness, RemoteConnector, RemoteStatus,
        Scopes, Terms, folder_of,
    },
    pending::{Before, PendingEntry},
};

/// What is wrong with one.
pub(super) enum Broken {
    /// A consent repairs it: a plan would show nothing but that.
    Repairable,
    /// A consent would change something else too, or might.
    Changes(&'static str),
    /// It works, and another account holds it than the expected one.
    Held {
        /// Who does.
        account: Account,
        /// Who is to.
        expected: String,
    },
}

/// What is wrong with this one; nothing where its scopes differ, for that is a change that a plan shows.
pub(super) fn look(
    connector: &ConnectorType,
    (scopes, declared): (&Scopes, Terms<'_>),
    is: &RemoteConnector,
    rules: &ScopeEquivalence,
) -> Option<Broken> {
    let scopes = rules.compare(connector, scopes, &is.scopes);
    if connector.kind() != Kind::Oauth || !scopes.is_same() {
        return None;
    }
    let account = account(declared, is);
    if is.status == RemoteStatus::Active {
        let (held, expected) = is.account.clone().zip(declared.account)?;
        return (account == Likeness::Other).then(|| Broken::Held {
            account: held,
            expected: expected.as_str().to_owned(),
        });
    }
    let values = ConfigDiff::likeness(declared.values, is);
    Some(match (values, account) {
        (Likeness::Same, Likeness::Same) => Broken::Repairable,
        (Likeness::Other, _) => Broken::Changes(
            "the files declare other connection values than the app has; plan and apply them first",
        ),
        (_, Likeness::Other) => Broken::Changes(
            "the files declare another account than the one that held it; plan and apply that first",
        ),
        (Likeness::Unknown, _) => Broken::Changes(
            "the app does not tell which connection values it has, so they may be about to change; \
             plan and apply them first",
        ),
        (_, Likeness::Unknown) => Broken::Changes(
            "the app does not tell whose account held it, so that may be about to change; plan and \
             apply it first",
        ),
    })
}

/// Whether the account that is expected is the one that held it. A file that names nobody expects nobody
/// else.
fn account(declared: Terms<'_>, is: &RemoteConnector) -> Likeness {
    let Some(expected) = declared.account else {
        return Likeness::Same;
    };
    Likeness::of(is.account.as_ref().map(|held| expected.accepts(held)))
}

/// What is asked for to repair it.
pub(super) fn repair(
    declared: &DeclaredConnector,
    is: &RemoteConnector,
    now: Timestamp,
) -> PendingEntry {
    PendingEntry {
        scopes: declared.scopes.clone(),
        connection_config: declared.connection_config.clone(),
        action: Action::Reauthorize,
        plan_digest: None,
        since: now,
        before: Some(Before::from(is)),
        account: declared.account.clone(),
        connection_id: None,
        missing: Scopes::new(),
        dropped_by_platform: false,
        overrides: std::collections::BTreeMap::new(),
        asked_under: None,
        folder: Some(folder_of(&declared.file).to_owned()),
    }
}
