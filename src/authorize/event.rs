//! What the flow tells, and what it is told.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    diff::Action,
    model::{Account, ConnectorType, ExpectedAccount, Link, Scopes},
    plan::Digest,
};

/// Something worth telling while authorizations are waited for.
#[derive(Debug)]
pub enum Event<'a> {
    /// A person can consent here now. Private: show it on a terminal, open it, or do neither.
    LinkReady {
        /// Which connector.
        connector: &'a ConnectorType,
        /// Where.
        link: &'a Link,
        /// Whether it stands for one that ran out or was declined.
        again: bool,
        /// Where this provider's links led before, if this one leads elsewhere: then it is never to
        /// be opened without a person having looked at it.
        led_to: Option<&'a [String]>,
    },
    /// These are waited for, in their order. Told when they become other ones.
    Waiting(&'a [ConnectorType]),
    /// One came to an end, at least for now.
    Settled(&'a Resumed),
    /// The remote could not be asked just now; it is asked again. Told once for each reason.
    Unreachable(&'a str),
}

/// What a person wants while waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Esc: the one in front is left; it stays pending.
    Skip,
    /// All that is left is left; it stays pending.
    Finish,
    /// The link of this one was opened.
    Opened(ConnectorType),
    /// This one is asked for again, with a fresh link.
    Renew(ConnectorType),
}

/// How one authorization stands at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Which connector.
    pub connector: ConnectorType,
    /// The change that asked.
    pub action: Action,
    /// What was approved.
    pub scopes: Scopes,
    /// The plan that asked, if one is known.
    pub plan: Option<Digest>,
    /// Who is to consent, if the file says so.
    pub expected: Option<ExpectedAccount>,
    /// Since when it waits.
    pub since: Timestamp,
    /// How it stands.
    pub state: State,
    /// How long this run waited for it.
    pub took: Option<Duration>,
}

/// How an authorization stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// In force, with every scope.
    Granted {
        /// Who consented.
        account: Option<Account>,
        /// Who held it before, where that is somebody else.
        instead_of: Option<Account>,
        /// Scopes that nobody asked for.
        unasked: Scopes,
    },
    /// In force with fewer scopes; it stays pending.
    Partial {
        /// Who consented.
        account: Option<Account>,
        /// What was not granted.
        missing: Scopes,
    },
    /// In force, held by the wrong account.
    WrongAccount {
        /// Who consented.
        account: Account,
        /// Whom the file names.
        expected: String,
    },
    /// Nobody has consented yet.
    Waiting,
    /// The time ran out; it stays pending.
    TimedOut,
    /// Skipped or interrupted; it stays pending.
    Skipped,
    /// Declined, or its link ran out; it stays pending.
    Declined,
    /// The remote refused or could not be asked. Escaped.
    Failed(String),
    /// It was left alone, and why. Escaped.
    Untouched(String),
    /// No file declares it any more; it was left alone.
    Undeclared(Fate),
}

/// What becomes of the knowledge of one that no file declares any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// This machine's store has it still: it was only looked at.
    Kept,
    /// This run took it out of the store.
    Forgotten,
    /// The store never had it; a document did.
    Unstored,
}

impl State {
    /// Whether a person can be asked for it again right away.
    pub fn can_be_asked_again(&self) -> bool {
        matches!(
            self,
            Self::Declined | Self::Partial { .. } | Self::Failed(_)
        )
    }

    /// Whether it is in force, and nothing is left to do for it.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Granted { .. })
    }

    /// Whether something is left to do for it: not for what nobody wants any more.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Granted { .. } => false,
            Self::Undeclared(fate) => *fate == Fate::Kept,
            _ => true,
        }
    }

    /// The word in machine output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Granted { .. } => "granted",
            Self::Partial { .. } => "partial",
            Self::WrongAccount { .. } => "wrong_account",
            Self::Waiting => "pending",
            Self::TimedOut => "timed_out",
            Self::Skipped => "skipped",
            Self::Declined => "declined",
            Self::Failed(_) => "failed",
            Self::Untouched(_) | Self::Undeclared(_) => "untouched",
        }
    }
}
