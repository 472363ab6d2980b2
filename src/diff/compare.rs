//! Declared against observed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Change, ConsentNeed, Desired};
use crate::{
    catalogue::ScopeEquivalence,
    model::{
        ConnectorType, Declared, DeclaredConnector, Kind, RemoteConnector, RemoteStatus, Scopes,
    },
};

/// What becomes of a remote connector that no file declares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unlisted {
    /// It is removed, by name.
    #[default]
    Remove,
    /// It is left alone and listed as unmanaged.
    Keep,
}

/// All that a comparison looks at.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// The files.
    pub declared: &'a Declared,
    /// The remote.
    pub observed: &'a BTreeMap<ConnectorType, RemoteConnector>,
    /// Scopes that were asked for already and wait for a person, by connector.
    pub pending: &'a BTreeMap<ConnectorType, Scopes>,
    /// How scopes compare.
    pub rules: &'a ScopeEquivalence,
    /// What becomes of unlisted connectors.
    pub unlisted: Unlisted,
    /// Only these, unless empty.
    pub targets: &'a BTreeSet<ConnectorType>,
}

/// What a comparison finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// In order of connector name, no-ops included.
    pub changes: Vec<Change>,
    /// Remote connectors without a file that are left alone.
    pub unmanaged: BTreeMap<ConnectorType, RemoteConnector>,
    /// Remote connectors that `--target` leaves out of sight. A plan binds their state all the same.
    pub untargeted: BTreeMap<ConnectorType, RemoteConnector>,
    /// Declared connectors that the remote lacks and that `--target` leaves out of sight.
    pub untargeted_new: BTreeSet<ConnectorType>,
}

impl Comparison<'_> {
    /// Compares.
    pub fn run(&self) -> Differences {
        let mut found = Differences::default();
        let names: BTreeSet<_> = self
            .declared
            .connectors
            .keys()
            .chain(self.observed.keys())
            .collect();
        for connector in names {
            let declared = self.declared.connectors.get(connector);
            let before = self.observed.get(connector);
            if !self.targets.is_empty() && !self.targets.contains(connector) {
                match before {
                    Some(before) => {
                        found.untargeted.insert(connector.clone(), before.clone());
                    }
                    None => {
                        found.untargeted_new.insert(connector.clone());
                    }
                }
                continue;
            }
            match (declared, before) {
                (Some(declared), before) => {
                    found
                        .changes
                        .push(self.declared_change(connector, declared, before));
                }
                (None, Some(before)) if self.unlisted == Unlisted::Keep => {
                    found.unmanaged.insert(connector.clone(), before.clone());
                }
                (None, Some(before)) => found.changes.push(Self::removal(connector, before)),
                (None, None) => {}
            }
        }
        found
    }

    fn declared_change(
        &self,
        connector: &ConnectorType,
        declared: &DeclaredConnector,
        before: Option<&RemoteConnector>,
    ) -> Change {
        // Stripe takes no scopes; what a file lists for it is warned about and not sent.
        let scopes = match connector.kind() {
            Kind::Oauth => declared.scopes.clone(),
            Kind::Stripe => Scopes::new(),
        };
        let none = Scopes::new();
        let remote = before.map_or(&none, |before| &before.scopes);
        let diff = self.rules.compare(connector, &scopes, remote);

        let (mut action, mut authorization) = match (connector.kind(), before) {
            (Kind::Stripe, None) => (Action::Create, ConsentNeed::None),
            (Kind::Stripe, Some(_)) => (Action::NoOp, ConsentNeed::None),
            (Kind::Oauth, None) => (Action::Create, ConsentNeed::Required),
            (Kind::Oauth, Some(before)) => {
                let works = before.status == RemoteStatus::Active;
                let wrong_account = declared.account.as_ref().is_some_and(|expected| {
                    works
                        && before
                            .account
                            .as_ref()
                            .is_some_and(|is| !expected.accepts(is))
                });
                match (diff.is_same(), works && !wrong_account) {
                    (true, true) => (Action::NoOp, ConsentNeed::None),
                    (true, false) => (Action::Reauthorize, ConsentNeed::Required),
                    // Whether narrowing needs consent, only the server knows.
                    (false, true) if diff.added.is_empty() => {
                        (Action::Update, ConsentNeed::Possible)
                    }
                    (false, _) => (Action::Update, ConsentNeed::Required),
                }
            }
        };
        if action != Action::NoOp && self.is_pending(connector, &scopes) {
            (action, authorization) = (Action::NoOp, ConsentNeed::Pending);
        }
        Change {
            connector: connector.clone(),
            action,
            file: Some(declared.file.clone()),
            before: before.cloned(),
            after: Some(Desired {
                scopes,
                account: declared.account.clone(),
            }),
            scopes: diff,
            authorization,
        }
    }

    fn removal(connector: &ConnectorType, before: &RemoteConnector) -> Change {
        // Every scope goes, those too that the provider added.
        let scopes = crate::catalogue::ScopeDiff {
            removed: before.scopes.clone(),
            ..Default::default()
        };
        Change {
            connector: connector.clone(),
            action: Action::Delete,
            file: None,
            before: Some(before.clone()),
            after: None,
            scopes,
            authorization: ConsentNeed::None,
        }
    }

    fn is_pending(&self, connector: &ConnectorType, declared: &Scopes) -> bool {
        self.pending.get(connector).is_some_and(|asked| {
            let canonical = |scopes: &Scopes| -> BTreeSet<String> {
                scopes
                    .iter()
                    .map(|s| self.rules.canonical(connector, s).into_owned())
                    .collect()
            };
            canonical(asked) == canonical(declared)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Account, ExpectedAccount};

    fn slack() -> ConnectorType {
        ConnectorType::parse("slack").unwrap()
    }

    fn declare(scopes: &[&str]) -> Declared {
        let connector = DeclaredConnector {
            scopes: scopes.iter().copied().collect(),
            file: "base44/connectors/slack.jsonc".to_owned(),
            account: None,
        };
        Declared {
            connectors: [(slack(), connector)].into(),
        }
    }

    fn remote(status: RemoteStatus, scopes: &[&str]) -> BTreeMap<ConnectorType, RemoteConnector> {
        let connector = RemoteConnector {
            status,
            scopes: scopes.iter().copied().collect(),
            account: Some(Account::new("ops@example.com")),
            mode: None,
        };
        [(slack(), connector)].into()
    }

    fn only_change(
        declared: &Declared,
        observed: &BTreeMap<ConnectorType, RemoteConnector>,
        pending: &[&str],
    ) -> (Action, ConsentNeed) {
        let pending = match pending {
            [] => BTreeMap::new(),
            scopes => [(slack(), scopes.iter().copied().collect())].into(),
        };
        let found = Comparison {
            declared,
            observed,
            pending: &pending,
            rules: &ScopeEquivalence::default(),
            unlisted: Unlisted::Remove,
            targets: &BTreeSet::new(),
        }
        .run();
        assert_eq!(found.changes.len(), 1);
        (found.changes[0].action, found.changes[0].authorization)
    }

    #[test]
    fn every_pair_of_states_has_its_action() {
        use Action::{Create, Delete, NoOp, Reauthorize, Update};
        use ConsentNeed::{None, Possible, Required};
        use RemoteStatus::{Active, Disconnected, Expired};
        let nothing = BTreeMap::new();
        let cases = [
            (declare(&["a"]), nothing.clone(), (Create, Required)),
            (declare(&["a"]), remote(Active, &["a"]), (NoOp, None)),
            (
                declare(&["a", "b"]),
                remote(Active, &["a"]),
                (Update, Required),
            ),
            (
                declare(&["a"]),
                remote(Active, &["a", "b"]),
                (Update, Possible),
            ),
            (declare(&["b"]), remote(Active, &["a"]), (Update, Required)),
            (
                declare(&["a"]),
                remote(Expired, &["a"]),
                (Reauthorize, Required),
            ),
            (
                declare(&["a"]),
                remote(Disconnected, &["a"]),
                (Reauthorize, Required),
            ),
            (
                declare(&["a"]),
                remote(Disconnected, &["a", "b"]),
                (Update, Required),
            ),
            (Declared::default(), remote(Active, &["a"]), (Delete, None)),
        ];
        for (declared, observed, expected) in cases {
            assert_eq!(
                only_change(&declared, &observed, &[]),
                expected,
                "{observed:?}"
            );
        }
    }

    #[test]
    fn what_waits_for_a_person_is_not_asked_for_again() {
        let nothing = BTreeMap::new();
        let waiting = (Action::NoOp, ConsentNeed::Pending);
        assert_eq!(only_change(&declare(&["a"]), &nothing, &["a"]), waiting);
        let narrow = remote(RemoteStatus::Active, &["a"]);
        assert_eq!(
            only_change(&declare(&["a", "b"]), &narrow, &["a", "b"]),
            waiting
        );
        // Other scopes than were approved are a new change.
        let widened = only_change(&declare(&["a", "b"]), &nothing, &["a"]);
        assert_eq!(widened, (Action::Create, ConsentNeed::Required));
        // What is in force does not wait, whatever the store says.
        let done = only_change(&declare(&["a"]), &narrow, &["a"]);
        assert_eq!(done, (Action::NoOp, ConsentNeed::None));
    }

    #[test]
    fn the_wrong_account_is_a_change() {
        let mut declared = declare(&["a"]);
        let connector = declared.connectors.get_mut(&slack()).unwrap();
        connector.account = ExpectedAccount::parse("@example.com");
        let observed = remote(RemoteStatus::Active, &["a"]);
        assert_eq!(only_change(&declared, &observed, &[]).0, Action::NoOp);
        let connector = declared.connectors.get_mut(&slack()).unwrap();
        connector.account = ExpectedAccount::parse("ceo@example.com");
        assert_eq!(
            only_change(&declared, &observed, &[]).0,
            Action::Reauthorize
        );
    }

    #[test]
    fn targets_hide_the_rest_but_keep_it_bound() {
        let mut declared = declare(&["a"]);
        let linear = ConnectorType::parse("linear").unwrap();
        let same = declared.connectors[&slack()].clone();
        declared.connectors.insert(linear.clone(), same);
        let mut observed = remote(RemoteStatus::Active, &["a"]);
        let notion = ConnectorType::parse("notion").unwrap();
        let state = observed[&slack()].clone();
        observed.insert(notion.clone(), state);
        let found = Comparison {
            declared: &declared,
            observed: &observed,
            pending: &BTreeMap::new(),
            rules: &ScopeEquivalence::default(),
            unlisted: Unlisted::Remove,
            targets: &[slack()].into(),
        }
        .run();
        assert_eq!(found.changes.len(), 1);
        assert!(found.untargeted.contains_key(&notion));
        assert_eq!(found.untargeted_new, [linear].into());
    }
}
