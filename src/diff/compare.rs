//! Declared against observed.

use std::collections::{BTreeMap, BTreeSet};

use super::{Action, Change, ConfigDiff, ConsentNeed, Desired, Removal};
use crate::{
    catalogue::{ScopeDiff, ScopeEquivalence},
    model::{
        Account, ConnectorType, Declared, DeclaredConnector, ExpectedAccount, Kind,
        RemoteConnector, RemoteStatus, Scope, Scopes, Terms,
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

/// What was asked for and waits for a person's consent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// The scopes that were asked for.
    pub scopes: Scopes,
    /// Those that the connector had then; none where it was new.
    pub before: Option<Scopes>,
    /// Who held it then, where that is known.
    pub account_before: Option<Account>,
    /// What the last consent to it left out.
    pub missing: Scopes,
    /// Whether nobody is asked for those again.
    pub settled: bool,
    /// The connection values that were asked for.
    pub connection_config: BTreeMap<String, String>,
    /// Who was to consent, if that was said.
    pub account: Option<ExpectedAccount>,
}

impl Waiting {
    fn terms(&self) -> Terms<'_> {
        Terms {
            values: &self.connection_config,
            account: self.account.as_ref(),
        }
    }
}

/// All that a comparison looks at.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// The files.
    pub declared: &'a Declared,
    /// The remote.
    pub observed: &'a BTreeMap<ConnectorType, RemoteConnector>,
    /// What was asked for already and waits for a person, by connector.
    pub pending: &'a BTreeMap<ConnectorType, Waiting>,
    /// How scopes compare.
    pub rules: &'a ScopeEquivalence,
    /// What becomes of unlisted connectors.
    pub unlisted: Unlisted,
    /// How connectors without a file go.
    pub on_remove: Removal,
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
                (None, Some(before)) => found.changes.push(self.removal(connector, before)),
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
        let after = match connector.kind() {
            Kind::Oauth => Desired::from(declared),
            Kind::Stripe => Desired {
                account: declared.account.clone(),
                ..Desired::default()
            },
        };
        let mut found = derive(connector, before, Some(&after), self.rules);
        if found.action != Action::NoOp
            && let Some((mut left, dropped)) = self.without_dropped(connector, &after, before)
        {
            if self.pending.get(connector).is_some_and(|is| !is.settled) {
                left.authorization = ConsentNeed::Pending;
            }
            return Change {
                file: Some(declared.file.clone()),
                dropped,
                ..left.into_change(connector, before, Some(after))
            };
        }
        if found.action != Action::NoOp && self.is_pending(connector, &after, before) {
            (found.action, found.authorization) = (Action::NoOp, ConsentNeed::Pending);
        }
        Change {
            file: Some(declared.file.clone()),
            ..found.into_change(connector, before, Some(after))
        }
    }

    /// What is left to do apart from the scopes that a consent to just these left out: the provider's
    /// page offers them not, or somebody unticked them. Nothing has to be left.
    fn without_dropped(
        &self,
        connector: &ConnectorType,
        after: &Desired,
        before: Option<&RemoteConnector>,
    ) -> Option<(Derived, Scopes)> {
        let waiting = self.pending.get(connector)?;
        let is = before.filter(|is| is.status == RemoteStatus::Active)?;
        if waiting.scopes != after.scopes {
            return None;
        }
        let missing = if waiting.missing.is_empty() {
            self.left_out(connector, waiting, is)
        } else {
            waiting.missing.clone()
        };
        if missing.is_empty() {
            return None;
        }
        let kept = |scope: &&Scope| !missing.contains(scope);
        let reduced = Desired {
            scopes: after.scopes.iter().filter(kept).cloned().collect(),
            ..after.clone()
        };
        let left = derive(connector, before, Some(&reduced), self.rules);
        (left.action == Action::NoOp).then_some((left, missing))
    }

    /// What a consent left out that nobody has looked at yet: a part of what was asked for is there,
    /// nothing of what was there is gone, and nothing else came.
    fn left_out(
        &self,
        connector: &ConnectorType,
        waiting: &Waiting,
        is: &RemoteConnector,
    ) -> Scopes {
        let asked = self.rules.compare(connector, &waiting.scopes, &is.scopes);
        let grew = match &waiting.before {
            None => !is.scopes.is_empty(),
            Some(before) => {
                let moved = self.rules.compare(connector, &is.scopes, before);
                let wanted = |scope: &&Scope| waiting.scopes.contains(scope);
                !moved.added.is_empty() && !moved.removed.iter().any(|s| wanted(&s))
            }
        };
        if grew && asked.removed.is_empty() {
            asked.added
        } else {
            Scopes::new()
        }
    }

    fn removal(&self, connector: &ConnectorType, before: &RemoteConnector) -> Change {
        let mut found = derive(connector, Some(before), None, self.rules);
        let softly = self.on_remove == Removal::Disconnect && connector.kind() == Kind::Oauth;
        if softly && before.status == RemoteStatus::Disconnected {
            found.action = Action::NoOp;
        }
        let removal = if softly {
            Removal::Disconnect
        } else {
            Removal::Remove
        };
        Change {
            removal,
            ..found.into_change(connector, Some(before), None)
        }
    }

    /// Whether just this was asked for, and the remote is still as it was then. What somebody else
    /// changed meanwhile is not hidden by it.
    fn is_pending(
        &self,
        connector: &ConnectorType,
        declared: &Desired,
        is: Option<&RemoteConnector>,
    ) -> bool {
        let Some(waiting) = self.pending.get(connector) else {
            return false;
        };
        let canonical = |scopes: &Scopes| -> BTreeSet<String> {
            scopes
                .iter()
                .map(|s| self.rules.canonical(connector, s).into_owned())
                .collect()
        };
        let same = canonical(&waiting.scopes) == canonical(&declared.scopes);
        if !same || !waiting.terms().fit(&declared.terms()) {
            return false;
        }
        let Some(is) = is else {
            return waiting.before.is_none();
        };
        // Until the consent, the platform may list what was asked for.
        let asked = self.rules.compare(connector, &waiting.scopes, &is.scopes);
        if is.status != RemoteStatus::Active && asked.removed.is_empty() {
            return true;
        }
        let Some(before) = &waiting.before else {
            return false;
        };
        let held = waiting.account_before.as_ref();
        self.rules.compare(connector, before, &is.scopes).is_same()
            && held.is_none_or(|held| is.account.as_ref() == Some(held))
    }
}

/// What follows from a connector's state before and after, and from nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// What happens.
    pub action: Action,
    /// Scope by scope.
    pub scopes: ScopeDiff,
    /// Value by value.
    pub connection_config: ConfigDiff,
    /// Whether a person has to consent.
    pub authorization: ConsentNeed,
}

impl Derived {
    fn into_change(
        self,
        connector: &ConnectorType,
        before: Option<&RemoteConnector>,
        after: Option<Desired>,
    ) -> Change {
        Change {
            connector: connector.clone(),
            action: self.action,
            file: None,
            before: before.cloned(),
            after,
            scopes: self.scopes,
            connection_config: self.connection_config,
            authorization: self.authorization,
            dropped: Scopes::new(),
            removal: Removal::default(),
            why: None,
        }
    }
}

/// The change that leads from one state of a connector to another.
pub fn between(
    connector: &ConnectorType,
    before: Option<&RemoteConnector>,
    after: Desired,
    rules: &ScopeEquivalence,
) -> Change {
    let derived = derive(connector, before, Some(&after), rules);
    derived.into_change(connector, before, Some(after))
}

/// Derives a change: so it is planned, and so a plan that was read is held to itself.
pub fn derive(
    connector: &ConnectorType,
    before: Option<&RemoteConnector>,
    after: Option<&Desired>,
    rules: &ScopeEquivalence,
) -> Derived {
    let none = Scopes::new();
    let remote = before.map_or(&none, |before| &before.scopes);
    let Some(after) = after else {
        // Every scope goes, those too that the provider added.
        let scopes = ScopeDiff {
            removed: remote.clone(),
            ..ScopeDiff::default()
        };
        return Derived {
            action: Action::Delete,
            scopes,
            connection_config: ConfigDiff::default(),
            authorization: ConsentNeed::None,
        };
    };
    let scopes = rules.compare(connector, &after.scopes, remote);
    // What is saved is not known: then nothing is said to differ.
    let nothing = BTreeMap::new();
    let saved = before.map_or(Some(&nothing), |before| before.connection_config.as_ref());
    let connection_config = saved.map_or_else(ConfigDiff::default, |saved| {
        ConfigDiff::of(&after.connection_config, saved)
    });
    let (action, authorization) = match (connector.kind(), before) {
        (Kind::Stripe, None) => (Action::Create, ConsentNeed::None),
        // Nobody can claim it any more; installing makes a new one.
        (Kind::Stripe, Some(before)) if before.status == RemoteStatus::Expired => {
            (Action::Update, ConsentNeed::None)
        }
        (Kind::Stripe, Some(_)) => (Action::NoOp, ConsentNeed::None),
        (Kind::Oauth, None) => (Action::Create, ConsentNeed::Required),
        (Kind::Oauth, Some(before)) => {
            let works = before.status == RemoteStatus::Active;
            let accepted = |expected: &ExpectedAccount| {
                before
                    .account
                    .as_ref()
                    .is_none_or(|is| expected.accepts(is))
            };
            let wrong_account = works && !after.account.as_ref().is_none_or(accepted);
            let same = scopes.is_same() && connection_config.is_same();
            // Whether narrowing needs consent, only the server knows.
            let narrows = scopes.added.is_empty() && connection_config.is_same();
            match (same, works && !wrong_account) {
                (true, true) => (Action::NoOp, ConsentNeed::None),
                (true, false) => (Action::Reauthorize, ConsentNeed::Required),
                (false, true) if narrows => (Action::Update, ConsentNeed::Possible),
                (false, _) => (Action::Update, ConsentNeed::Required),
            }
        }
    };
    Derived {
        action,
        scopes,
        connection_config,
        authorization,
    }
}

#[cfg(test)]
mod tests;
