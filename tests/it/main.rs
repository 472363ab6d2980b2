//! The integration tests: one binary.

mod remote;
mod remote_calls;
mod remote_errors;
mod remote_limits;
mod remote_login;
mod remote_retries;
mod scripted;
