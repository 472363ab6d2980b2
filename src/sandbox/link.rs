//! Links that are of no use.

use thiserror::Error;

/// Why a link is of no use (any more), or what was sent with it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkProblem {
    /// No such connection, or not the secret that belongs to it.
    #[error("the sandbox does not know this link")]
    Unknown,
    /// A decision was made before.
    #[error("this link was used already")]
    Used,
    /// A PUT after the one that made it.
    #[error("a newer link replaced this one")]
    Superseded,
    /// The connector went away meanwhile.
    #[error("the connector was removed")]
    Removed,
    /// The link's own time is over.
    #[error("this link has run out")]
    Expired,
    /// The link opens still, and the time to approve is over.
    #[error("the time to approve is over")]
    TooLate,
    /// A ticked scope that was not on the page.
    #[error("the scope `{0}` was not asked for")]
    Scope(String),
    /// No account, or nothing like one.
    #[error("an account is an e-mail address")]
    Account,
}
