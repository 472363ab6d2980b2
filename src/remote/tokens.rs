//! The tokens of a login, and OAuth's word for why there are none.

use std::time::Duration;

use super::{RemoteError, ServerProblem, wire};
use crate::model::Secret;

/// New tokens.
#[derive(Clone, Debug)]
pub struct TokenSet {
    /// For the `Authorization` header.
    pub access_token: Secret,
    /// For the next tokens.
    pub refresh_token: Secret,
    /// How long the access token lives.
    pub expires_in: Duration,
}

impl From<wire::Granted> for TokenSet {
    fn from(token: wire::Granted) -> Self {
        Self {
            access_token: token.access_token,
            refresh_token: token.refresh_token,
            expires_in: Duration::from_secs(token.expires_in),
        }
    }
}

/// OAuth's own word for a refusal, if the error is one.
pub(crate) fn oauth_code(error: &RemoteError) -> Option<&str> {
    let problem: &ServerProblem = match error {
        RemoteError::Rejected { problem, .. }
        | RemoteError::Unauthorized { problem, .. }
        | RemoteError::Forbidden { problem, .. }
        | RemoteError::RateLimited { problem, .. } => problem,
        _ => return None,
    };
    problem.code.as_deref()
}
