//! That the platform can be reached.

use std::time::Duration;

use jiff::Timestamp;

/// An answer of any kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The HTTP status. Nobody is logged in for this call: a refusal is an answer too.
    pub status: u16,
    /// The request's id, as the server names it.
    pub request_id: String,
    /// The server's clock, to the second.
    pub date: Option<Timestamp>,
    /// How long the answer took.
    pub took: Duration,
}
