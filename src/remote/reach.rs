//! Whether the platform can be reached at all, and what time it is there.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Platform, RemoteError, call::Call, error::At, retry::CallClass};

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

impl Platform {
    /// Asks for an answer, once and without credentials.
    pub async fn reach(&self) -> Result<Reached, RemoteError> {
        let name = "reaching the platform";
        let path = "/oauth/userinfo";
        let call = Call::new(name, CallClass::Read, reqwest::Method::GET, path);
        let at = Box::new(At {
            call: call.name.clone(),
            request_id: Uuid::new_v4().to_string(),
            attempts: 1,
            unclear: false,
        });
        self.answer_of_any_kind(&call, at).await
    }
}
