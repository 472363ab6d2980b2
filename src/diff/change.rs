//! One connector's difference.

use std::collections::{BTreeMap, BTreeSet};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    catalogue::{self, Access, ScopeDiff, ScopeEquivalence},
    model::{
        Account, ConnectorType, DeclaredConnector, ExpectedAccount, Kind, Likeness,
        RemoteConnector, RemoteStatus, Removal, SavedValue, Scope, Scopes, Terms,
    },
};

/// What is to happen to one connector, and why.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Change {
    /// Which connector.
    pub connector: ConnectorType,
    /// What happens to it.
    pub action: Action,
    /// The file that declares it, relative to the project root; none for a removal.
    pub file: Option<String>,
    /// What the remote has.
    pub before: Option<RemoteConnector>,
    /// What the files declare; none for a removal.
    pub after: Option<Desired>,
    /// `before` against `after`, scope by scope.
    pub scopes: ScopeDiff,
    /// The connection values that differ.
    #[serde(default)]
    pub connection_config: ConfigDiff,
    /// Whether a person will have to consent.
    pub authorization: ConsentNeed,
    /// Declared scopes that a consent to them left out: known, and no change. Only of a no-op.
    #[serde(default)]
    pub dropped: Scopes,
    /// Of a removal: how.
    #[serde(default)]
    pub removal: Removal,
    /// Of a removal: why there is no file, where that can be told. May quote files.
    pub why: Option<String>,
}

impl Change {
    /// One of which nothing else is known.
    pub fn new(connector: ConnectorType, action: Action) -> Self {
        Self {
            connector,
            action,
            file: None,
            before: None,
            after: None,
            scopes: ScopeDiff::default(),
            connection_config: ConfigDiff::default(),
            authorization: ConsentNeed::None,
            dropped: Scopes::new(),
            removal: Removal::Remove,
            why: None,
        }
    }

    /// OAuth or Stripe.
    pub fn kind(&self) -> Kind {
        self.connector.kind()
    }

    /// The connection values that it leads to.
    pub fn values(&self) -> Option<(&ConnectorType, &BTreeMap<String, String>)> {
        let after = self.after.as_ref()?;
        Some((&self.connector, &after.connection_config))
    }

    /// Whether nobody knows if its connection values differ: of a connector that the app has.
    pub fn hides_values(&self) -> bool {
        self.values()
            .zip(self.before.as_ref())
            .is_some_and(|((_, wanted), is)| ConfigDiff::likeness(wanted, is) == Likeness::Unknown)
    }

    /// Whether nobody knows if the account that is expected holds it, though it works.
    pub fn hides_account(&self) -> bool {
        let expected = self.after.as_ref().and_then(|after| after.account.as_ref());
        let untold =
            |is: &RemoteConnector| is.status == RemoteStatus::Active && is.account.is_none();
        expected.is_some() && self.before.as_ref().is_some_and(untold)
    }

    /// Whether what the app has works.
    pub fn works(&self) -> bool {
        let before = self.before.as_ref();
        before.is_some_and(|before| before.status == RemoteStatus::Active)
    }

    /// Whether what the app has works, for the account that is expected.
    pub fn is_in_force(&self) -> bool {
        let expected = self.after.as_ref().and_then(|after| after.account.as_ref());
        self.before.as_ref().is_some_and(|before| {
            before.status == RemoteStatus::Active
                && !ExpectedAccount::is_other(expected, before.account.as_ref())
        })
    }

    /// Whether a person may be asked for it: what a consent left out may be asked for again, as what waits is,
    /// whoever says so of it.
    pub fn is_asked(&self) -> bool {
        self.action != Action::NoOp
            || self.authorization == ConsentNeed::Pending
            || !self.dropped.is_empty()
    }

    /// The scopes that a consent to this change brings into force: those that are added or were left out; all,
    /// where nothing is in force before it.
    pub fn brings(&self) -> Scopes {
        match &self.after {
            Some(after) if !self.is_in_force() => after.scopes.clone(),
            _ => {
                let added = self.scopes.added.iter();
                added.chain(self.dropped.iter()).cloned().collect()
            }
        }
    }

    /// The scopes that the app has and is no longer to have. What the settings say that the provider adds, a
    /// request may have written: here it hides nothing.
    pub fn loses(&self) -> Scopes {
        let rules = ScopeEquivalence::default();
        let none = Scopes::new();
        let after = self.after.as_ref().map_or(&none, |after| &after.scopes);
        let after = rules.index(&self.connector, after);
        let hidden = self.scopes.provider_added.iter().filter(|scope| {
            !rules.added_by_provider(&self.connector, scope) && !after.brings(scope)
        });
        self.scopes.removed.iter().chain(hidden).cloned().collect()
    }

    /// Whether it is left without any of the scopes that it has, and with none that includes one: for who needs it,
    /// it is gone, whatever it gets instead. What its provider adds by itself, and only says who signed in, is of no
    /// use to them.
    pub fn loses_all(&self) -> bool {
        let Some(after) = &self.after else {
            return false;
        };
        let rules = ScopeEquivalence::default();
        let name = &self.connector;
        let after = rules.index(name, &after.scopes);
        let is_used = |scope: &&Scope| {
            let fact = catalogue::fact(name.as_str(), scope.as_str());
            let only_who = fact.is_none_or(|fact| fact.reach() <= Access::Identity);
            !(only_who && rules.added_by_provider(name, scope))
        };
        let lost = self.loses();
        let mut removed = lost.iter().filter(is_used).peekable();
        !self.scopes.kept.iter().any(|scope| is_used(&scope))
            && removed.peek().is_some()
            && removed.all(|scope| after.includer(scope).is_none())
    }

    /// Whether it goes on with a part of what it has, by a scope that one of those includes.
    pub fn narrows(&self) -> bool {
        let (Some(before), Some(after)) = (&self.before, &self.after) else {
            return false;
        };
        let rules = ScopeEquivalence::default();
        let had = rules.index(&self.connector, &before.scopes);
        let mut wanted = after.scopes.iter();
        wanted.any(|scope| had.includer(scope).is_some())
    }

    /// Of these, those that the app has already, and that are not in force.
    pub fn renewed(&self) -> Scopes {
        let kept = &self.scopes.kept;
        let asked = self.action != Action::NoOp && self.after.is_some();
        if asked && !self.is_in_force() {
            kept.clone()
        } else {
            Scopes::new()
        }
    }

    /// Puts other words for the accounts in it: who holds it, and who is to consent.
    pub fn map_accounts(
        &mut self,
        held: impl Fn(&Account) -> Account,
        expected: impl Fn(&ExpectedAccount) -> ExpectedAccount,
    ) {
        if let Some(after) = &mut self.after {
            after.account = after.account.as_ref().map(expected);
        }
        if let Some(before) = &mut self.before {
            before.map_account(held);
        }
    }
}

/// What a connector is to become.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// Exactly these scopes are asked for.
    #[serde(default)]
    pub scopes: Scopes,
    /// Who is to consent, if the file says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<ExpectedAccount>,
    /// The values that the connection needs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connection_config: BTreeMap<String, String>,
}

impl From<&DeclaredConnector> for Desired {
    fn from(declared: &DeclaredConnector) -> Self {
        Self {
            scopes: declared.scopes.clone(),
            account: declared.account.clone(),
            connection_config: declared.connection_config.clone(),
        }
    }
}

impl Desired {
    /// What a consent to it is for, beside the scopes.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            values: &self.connection_config,
            account: self.account.as_ref(),
        }
    }
}

/// Connection values before and after, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
pub struct ConfigDiff {
    /// Declared, and not saved with the connection.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub added: BTreeSet<String>,
    /// Both, with another value.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub changed: BTreeSet<String>,
    /// Saved with the connection, and no longer declared.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub removed: BTreeSet<String>,
}

impl ConfigDiff {
    /// Compares. Files that declare no value leave alone what is there.
    pub fn of(declared: &BTreeMap<String, String>, saved: &BTreeMap<String, SavedValue>) -> Self {
        if declared.is_empty() {
            return Self::default();
        }
        let mut diff = Self::default();
        for (name, value) in declared {
            match saved.get(name) {
                None => diff.added.insert(name.clone()),
                Some(is) if !is.is(value) => diff.changed.insert(name.clone()),
                Some(_) => false,
            };
        }
        let gone = saved.keys().filter(|name| !declared.contains_key(*name));
        diff.removed = gone.cloned().collect();
        diff
    }

    /// Whether a connector has these values. Where none is asked for, it keeps what it has.
    pub fn likeness(wanted: &BTreeMap<String, String>, is: &RemoteConnector) -> Likeness {
        if wanted.is_empty() {
            return Likeness::Same;
        }
        let saved = is.connection_config.as_ref();
        Likeness::of(saved.map(|saved| Self::of(wanted, saved).is_same()))
    }

    /// Whether nothing differs.
    pub fn is_same(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }
}

/// What happens to a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// The remote lacks it.
    Create,
    /// The scopes or the connection values differ.
    Update,
    /// The scopes agree, but it does not work, or the wrong account holds it.
    Reauthorize,
    /// No file declares it: it is removed or disconnected, and its tokens are lost.
    Delete,
    /// Nothing.
    NoOp,
}

/// The way out where the wrong account holds a connection. One sentence, wherever it is told.
pub const WRONG_ACCOUNT: &str = "if somebody else made the connection, plan, apply and authorize it; if it is \
                                 your own, the platform does not ask again: remove its file and apply, then \
                                 restore it, apply and authorize";

impl Action {
    /// Whether it takes what works from another account than the one that is expected: the app has to
    /// be asked for that in a way of its own.
    pub fn takes_over(
        self,
        status: Option<RemoteStatus>,
        expected: Option<&ExpectedAccount>,
        holder: Option<&Account>,
    ) -> bool {
        self == Self::Reauthorize
            && status == Some(RemoteStatus::Active)
            && ExpectedAccount::is_other(expected, holder)
    }

    /// All of them, in the order in which a reader meets them.
    pub const ALL: [Self; 5] = [
        Self::Create,
        Self::Update,
        Self::Reauthorize,
        Self::Delete,
        Self::NoOp,
    ];

    /// The contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Reauthorize => "reauthorize",
            Self::Delete => "delete",
            Self::NoOp => "no-op",
        }
    }

    /// The sign at the start of a line; it says all that colour says.
    pub fn symbol(self) -> char {
        match self {
            Self::Create => '+',
            Self::Update => '~',
            Self::Reauthorize => '!',
            Self::Delete => '-',
            Self::NoOp => ' ',
        }
    }
}

crate::model::display_as_str!(Action);

/// Whether a change needs a person's consent at the provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, schemars(rename = "Authorization"))]
pub enum ConsentNeed {
    /// Surely.
    Required,
    /// Only the server knows; its answer to the write says.
    Possible,
    /// No.
    None,
    /// Asked for with these scopes already, and waiting for a person.
    Pending,
}

impl ConsentNeed {
    /// The contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Possible => "possible",
            Self::None => "none",
            Self::Pending => "pending",
        }
    }
}

crate::model::display_as_str!(ConsentNeed);
