//! Sentences that hold untrusted words, in pieces, so that each view can escape, mark and mask
//! them in its own way.

use std::{borrow::Cow, fmt};

use super::{Risk, RiskKind};
use crate::model::Scope;

/// A part of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Our own words.
    Words(Cow<'static, str>),
    /// A scope, untrusted.
    Scope(Scope),
    /// An account or a pattern for one, untrusted and personal.
    Account(String),
}

/// A sentence or a part of one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phrase(pub Vec<Piece>);

impl Phrase {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Goes on in our own words.
    #[must_use]
    pub fn words(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        self.0.push(Piece::Words(words.into()));
        self
    }

    /// Goes on with a scope.
    #[must_use]
    pub fn scope(mut self, scope: &Scope) -> Self {
        self.0.push(Piece::Scope(scope.clone()));
        self
    }

    /// Goes on with an account.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.0.push(Piece::Account(account.into()));
        self
    }

    /// Goes on with another phrase.
    #[must_use]
    pub fn then(mut self, other: &Self) -> Self {
        self.0.extend(other.0.iter().cloned());
        self
    }
}

/// The raw text, for JSON. Everywhere else the pieces are escaped one by one.
impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Words(words) => f.write_str(words)?,
                Piece::Scope(scope) => f.write_str(scope.as_str())?,
                Piece::Account(account) => f.write_str(account)?,
            }
        }
        Ok(())
    }
}

pub(super) fn of(risk: &Risk) -> Phrase {
    let about = &risk.about;
    let say = |words: &'static str| Phrase::default().words(words);
    match risk.kind {
        RiskKind::TokensLost if about.is_empty() => say("its tokens are lost for good"),
        RiskKind::TokensLost => say("the tokens of ")
            .then(about)
            .words(" are lost for good"),
        RiskKind::LivePayments => say("Stripe is live: real payments stop when it is removed"),
        RiskKind::ScopesLost => {
            say("it loses every scope that it has: for who needs it, that is a removal")
        }
        RiskKind::SandboxLost => say("the Stripe sandbox is removed"),
        RiskKind::Admin => say("adds admin access: ").then(about),
        RiskKind::Restricted => say("adds access that the provider restricts: ").then(about),
        RiskKind::Write => say("adds write access: ").then(about),
        RiskKind::Elsewhere => {
            say("its connection values change: it may connect to something else than before")
        }
        RiskKind::Interrupts => say("it works now and may stop until a person consents again"),
        RiskKind::WrongAccount => say("takes the connection over: ").then(about),
        RiskKind::OtherAccount => say("another account has to consent: ").then(about),
        RiskKind::Unknown => say(
            "nothing is known of these scopes, which does not mean that \
                                  they are safe: ",
        )
        .then(about),
        RiskKind::Redundant => about.clone(),
    }
}
