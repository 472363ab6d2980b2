//! How an authorization stands.

use miette::Diagnostic as _;

use super::Consent;
use crate::remote::RemoteError;

/// How an authorization stands. [`super::step`] leads from one to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has consented yet.
    Waiting(Stage),
    /// The list shows a consent.
    Consented(Consent),
    /// Declined, or its link was replaced; it stays pending.
    Declined,
    /// The remote refused or could not be asked.
    Failed(FailReason),
    /// The time ran out; it stays pending.
    TimedOut,
    /// Skipped or interrupted; it stays pending.
    Skipped,
    /// It was left alone, and why. Escaped.
    Untouched(String),
    /// No file declares it any more; it was left alone.
    Undeclared(EntryRetention),
}

/// Why one failed, and what helps against it. Escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailReason {
    /// Why.
    pub why: String,
    /// What to do before it is tried again; none where trying again is all there is to do.
    pub advice: Option<String>,
}

impl From<String> for FailReason {
    fn from(why: String) -> Self {
        Self { why, advice: None }
    }
}

impl From<RemoteError> for FailReason {
    fn from(error: RemoteError) -> Self {
        let advice = error.help().map(|help| help.to_string());
        Self {
            why: error.to_string(),
            advice: advice.filter(|_| !error.is_passing()),
        }
    }
}

/// How far this run has come with one that nobody has consented to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// No link of this run is out.
    Idle,
    /// A link of this run is out.
    Asked,
    /// The remote says that it is in force; its list has to agree.
    Confirming {
        /// How often the list did not.
        rounds: u8,
        /// Why it failed, if the list never does. Escaped.
        otherwise: String,
        /// Whether it said so to the very scopes that were asked for: what its list lacks of them, it
        /// does not pass on.
        exactly: bool,
    },
    /// The remote says that this run's link came to nothing. The list may know of another consent.
    Declining,
}

/// What becomes of the knowledge of one that no file declares any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryRetention {
    /// It waits, and was only looked at.
    Kept,
    /// It waits, for whoever declares it: nothing is to be done here.
    LeftAlone,
    /// The pending file never had it; a receipt did.
    Unstored,
}

impl State {
    /// Whether nobody has answered yet.
    pub fn is_waiting(&self) -> bool {
        matches!(self, Self::Waiting(_))
    }

    /// Whether it was answered, and a person can be asked for it again right away.
    pub fn can_be_asked_again(&self) -> bool {
        matches!(
            self,
            Self::Declined | Self::Consented(Consent::Partial { .. }) | Self::Failed(_)
        )
    }

    /// Whether it is in force, and nothing is left to do for it.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Consented(Consent::Granted { .. }))
    }

    /// Whether something is left to do for it: not for what nobody wants here.
    pub fn has_work_left(&self) -> bool {
        match self {
            Self::Undeclared(retention) => *retention == EntryRetention::Kept,
            state => !state.is_done(),
        }
    }

    /// Whether whatever the list shows ends nothing any more.
    pub(super) fn ignores_lists(&self) -> bool {
        matches!(
            self,
            Self::Consented(Consent::Granted { .. } | Consent::WrongAccount { .. })
                | Self::TimedOut
                | Self::Untouched(_)
                | Self::Undeclared(_)
        )
    }

    /// The word in machine output.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Waiting(_) => "pending",
            Self::Consented(Consent::Granted { .. }) => "granted",
            Self::Consented(Consent::Partial { .. }) => "partial",
            Self::Consented(Consent::WrongAccount { .. }) => "wrong_account",
            Self::TimedOut => "timed_out",
            Self::Skipped => "skipped",
            Self::Declined => "declined",
            Self::Failed(_) => "failed",
            Self::Untouched(_) | Self::Undeclared(_) => "untouched",
        }
    }
}
