//! Approvals: signatures by OpenSSH's own program, and what a plan needs.

mod again;
mod command;
mod hardware;
pub(crate) mod keygen;
mod risk;
mod signatures;
