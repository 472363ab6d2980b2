//! One scope's facts.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a scope lets its holder do, weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Access {
    /// Learn who signed in.
    Identity,
    /// See data.
    Read,
    /// Create, change or delete data.
    Write,
    /// Manage people, sharing, keys or organisation settings, or anything at all. This project's
    /// reading; providers have no such word.
    Admin,
}

impl Access {
    /// The word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        [Self::Identity, Self::Read, Self::Write, Self::Admin]
            .into_iter()
            .find(|access| access.as_str() == word)
    }
}

crate::model::display_as_str!(Access);

/// How sure a fact is, surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Name and meaning were read in a source of the provider.
    Verified,
    /// The name was read there, the meaning is own knowledge.
    NameVerified,
    /// Nothing was read at the provider.
    OwnKnowledge,
}

/// What is known of one scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScopeFact {
    /// The scope as the provider spells it.
    pub scope: &'static str,
    /// What it permits, in a few plain words.
    pub meaning: &'static str,
    /// How far it reaches.
    pub access: Access,
    /// The provider's own class (Google: `non-sensitive`, `sensitive`, `restricted`).
    pub class: Option<&'static str>,
    /// Whether the class was read at the provider.
    pub class_verified: bool,
    /// The provider classes its scopes, but publishes no class for this one.
    pub class_unpublished: bool,
    /// How sure name and meaning are.
    pub certainty: Certainty,
    /// The provider's page about it.
    pub doc: &'static str,
    /// The main name of the same permission, if this is another name for it.
    pub alias_of: Option<&'static str>,
    /// Older than what the provider offers now.
    pub legacy: bool,
    /// A setting of the integration at the provider rather than a scope (Notion).
    pub capability: bool,
    /// The kinds of token it can be asked for, separated by `,` (Slack).
    pub tokens: Option<&'static str>,
    /// Microsoft's privilege level, 1 to 4.
    pub level: Option<u8>,
    /// How far a scope reaches that it includes, where that is further than `access`.
    pub reaches: Option<Access>,
    pub(super) included_in: &'static str,
}

impl ScopeFact {
    /// How far it reaches with all that it includes: what a gate goes by.
    pub fn reach(&self) -> Access {
        self.reaches.unwrap_or(self.access)
    }

    /// The scopes known to permit all that this one does.
    pub fn included_in(&self) -> impl Iterator<Item = &'static str> {
        self.included_in
            .split(',')
            .filter(|scope| !scope.is_empty())
    }
}
