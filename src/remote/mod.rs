//! The platform's API: the client, its credentials, its errors.
//!
//! [`Platform`] is an address and the way of every request to it (limits, repetition, trace);
//! [`Remote`] adds an app and credentials, and has a method for each call of the API. What comes
//! back is either a word of the model or an error that names the call and its request id: nothing
//! is ever partial, and of an answer's content an error holds only what the server says of its problem, made safe.

pub mod auth;
pub(crate) mod call;
mod client;
mod credential;
mod decode;
mod ended;
mod endpoints;
mod error;
mod interpret;
pub mod login;
mod platform;
mod problem;
mod reach;
mod reached;
mod refusal;
mod tokens;
mod wire;

pub use auth::Credentials;
pub use client::Remote;
pub use credential::CredentialKind;
pub use ended::ConnectionEnd;
pub use endpoints::{
    AuthorizationStatus, AvailableIntegration, ConfigField, ConnectionValues, DeviceCode,
    PutAnswer, SandboxState, StripeInstalled, StripeStatus, Survey, TokenPoll, UserInfo,
    WantedValues,
};
pub use error::{CallContext, RemoteError};
pub use platform::Platform;
pub use problem::ServerProblem;
pub use reached::Reached;
pub use refusal::Refusal;
pub use tokens::TokenSet;

/// See `crate::fuzzing`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(body: &[u8]) {
    fn said<T: serde::de::DeserializeOwned>(body: &[u8]) {
        if let Err(wrong) = decode::decode::<T>(body) {
            for text in [&wrong.field, &wrong.fault, &wrong.shape] {
                assert!(text.len() < 1 << 16, "a complaint is short");
            }
        }
    }
    said::<wire::List>(body);
    said::<wire::Put>(body);
    said::<wire::Authorization>(body);
    said::<wire::Removed>(body);
    said::<wire::Available>(body);
    said::<wire::StripeState>(body);
    said::<wire::StripeInstalled>(body);
    said::<wire::StripeRemoved>(body);
    said::<wire::DeviceCode>(body);
    said::<wire::Granted>(body);
    said::<wire::UserInfo>(body);
    if let Ok(put) = decode::decode::<wire::Put>(body) {
        let _ = format!("{:?}", PutAnswer::from(put));
    }
    let json = serde_json::from_slice(body).unwrap_or(serde_json::Value::Null);
    let texts = [
        ServerProblem::read(&json).to_string(),
        problem::html_title(body).unwrap_or_default(),
        crate::http::server_text(&String::from_utf8_lossy(body)),
    ];
    for text in texts {
        assert!(
            !text.contains(['\u{1b}', '\n', '\r', '\u{202e}']),
            "the server's text commands the terminal"
        );
    }
    let _ = problem::is_html(None, body);
}
