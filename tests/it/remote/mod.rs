//! The client of the platform, and the login.

pub(crate) mod calls;
pub(crate) mod client;
pub(crate) mod errors;
pub(crate) mod limits;
pub(crate) mod login;
pub(crate) mod login_commands;
pub(crate) mod looks;
pub(crate) mod pace;
pub(crate) mod proxies;
#[cfg(unix)]
pub(crate) mod renewal;
pub(crate) mod retries;
pub(crate) mod rules;
pub(crate) mod tls;
