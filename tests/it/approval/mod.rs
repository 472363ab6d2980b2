//! Approvals: signatures by OpenSSH's own program, and what a plan needs.

mod command;
mod keygen;
mod signatures;
