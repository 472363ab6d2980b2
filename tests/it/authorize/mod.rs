//! Resuming what waits for a person.

pub(crate) mod authorize;
pub(crate) mod chromium;
pub(crate) mod handed;
pub(crate) mod kept;
pub(crate) mod pty;
#[cfg(unix)]
pub(crate) mod qr;
pub(crate) mod story;
