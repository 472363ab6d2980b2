//! The integration tests: one binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

mod remote;
mod remote_calls;
mod remote_errors;
mod remote_limits;
mod remote_login;
mod remote_retries;
mod scripted;
