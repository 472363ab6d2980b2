//! What a change endangers, and why. Pure: the rules stand in one file, [`assess`] runs them.
//!
//! Nothing is risky without a reason: a [`Risk`] is its reason. What needs no reader's attention
//! has none.

mod fact;
mod reason;
mod rules;
mod unshown;

pub use fact::{FactReport, RESTRICTED_CLASSES, is_restricted};
pub use reason::{Phrase, Piece};
pub use rules::assess;
pub use unshown::unshown;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much a reader has to care.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Good to know.
    Notice,
    /// Look before you approve.
    Warning,
    /// Something is lost for good, or a power is given that reaches far.
    Danger,
}

impl Level {
    /// The word in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Danger => "danger",
        }
    }
}

crate::model::display_as_str!(Level);

/// Which rule found it. The order is the one in which a reader wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RiskKind {
    /// Stripe goes while it takes real payments.
    LivePayments,
    /// A connector goes, and its tokens with it.
    TokensLost,
    /// A connector that works is left without any scope that it has.
    ScopesLost,
    /// The Stripe sandbox goes.
    SandboxLost,
    /// A scope of access `admin` is added.
    Admin,
    /// A scope that its provider restricts is added.
    Restricted,
    /// A scope of access `write` is added.
    Write,
    /// What it connects to is another thing than before.
    Elsewhere,
    /// A connector that works may stop until a person consents again.
    Interrupts,
    /// It works, held by another account than the file names: a consent takes it over.
    WrongAccount,
    /// Another account than the one that holds it has to consent.
    OtherAccount,
    /// A scope is added of which nothing is known.
    Unknown,
    /// A declared scope is included in another declared one.
    Redundant,
}

impl RiskKind {
    /// All of them, in the order in which a reader is told within one level.
    pub const ALL: [Self; 13] = [
        Self::LivePayments,
        Self::TokensLost,
        Self::ScopesLost,
        Self::SandboxLost,
        Self::Admin,
        Self::Restricted,
        Self::Write,
        Self::Elsewhere,
        Self::Interrupts,
        Self::WrongAccount,
        Self::OtherAccount,
        Self::Unknown,
        Self::Redundant,
    ];

    /// The contract's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LivePayments => "live-payments",
            Self::TokensLost => "tokens-lost",
            Self::ScopesLost => "scopes-lost",
            Self::SandboxLost => "sandbox-lost",
            Self::Admin => "admin",
            Self::Restricted => "restricted",
            Self::Write => "write",
            Self::Elsewhere => "elsewhere",
            Self::Interrupts => "interrupts",
            Self::WrongAccount => "wrong-account",
            Self::OtherAccount => "other-account",
            Self::Unknown => "unknown",
            Self::Redundant => "redundant",
        }
    }

    /// What it comes to, said once for all connectors that it concerns.
    pub fn headline(self) -> &'static str {
        match self {
            Self::LivePayments => "real payments stop, Stripe is removed while live",
            Self::TokensLost => "removed, the tokens are lost for good",
            Self::ScopesLost => "loses every scope that it has, for who needs it that is a removal",
            Self::SandboxLost => "the Stripe sandbox is removed",
            Self::Admin => "gains admin access",
            Self::Restricted => "gains access that the provider restricts",
            Self::Write => "gains write access",
            Self::Elsewhere => "connects with other values, perhaps to somebody else's",
            Self::Interrupts => "works now, may stop until a person consents again",
            Self::WrongAccount => "takes over another account's connection",
            Self::OtherAccount => "another account has to consent",
            Self::Unknown => "asks for unknown scopes, which does not mean safe ones",
            Self::Redundant => "a scope is included in another one",
        }
    }
}

/// One thing to know about one change before it is approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// How much it matters.
    pub level: Level,
    /// Which rule found it.
    pub kind: RiskKind,
    /// Whom or what it concerns, without the headline: the account, the scopes. Often empty.
    pub about: Phrase,
}

impl Risk {
    /// The whole reason, as one clause. It holds untrusted text; a view escapes it piece by piece.
    pub fn reason(&self) -> Phrase {
        reason::of(self)
    }
}
