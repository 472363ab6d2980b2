//! Resuming what waits for a person.

pub(crate) mod authorize;
pub(crate) mod chromium;
pub(crate) mod handed;
pub(crate) mod kept;
pub(crate) mod pty;
pub(crate) mod story;
