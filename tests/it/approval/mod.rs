//! Approvals: signatures by OpenSSH's own program, and what a plan needs.

mod command;
pub(crate) mod keygen;
mod signatures;
