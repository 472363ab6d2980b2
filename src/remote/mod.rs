//! The platform's API: the client, its credentials, its errors.
//!
//! [`Platform`] is an address and the way of every request to it (limits, repetition, trace);
//! [`Remote`] adds an app and credentials, and has a method for each call of the API. What comes
//! back is either a word of the model or an error that names the call and its request id: nothing
//! is ever partial, and no content of an answer stands in an error.

pub mod auth;
pub(crate) mod call;
mod client;
mod decode;
mod endpoints;
mod error;
mod judge;
pub mod login;
mod options;
mod platform;
mod problem;
pub(crate) mod retry;
mod text;
pub(crate) mod transport;
mod wire;

pub use auth::Credentials;
pub use client::Remote;
pub use endpoints::{
    AuthorizationStatus, AvailableIntegration, ConfigField, DeviceCode, PutAnswer, StripeInstalled,
    StripeStatus, TokenPoll, TokenSet, UserInfo,
};
pub use error::{At, CredentialKind, RemoteError, Unreachable};
pub use options::{ClientOptions, Clock, system_clock};
pub use platform::Platform;
pub use problem::Problem;
pub use retry::CallClass;
pub use text::server_text;
