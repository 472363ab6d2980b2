//! Approvals: signatures by OpenSSH's own program, and what a plan needs.

mod keygen;
mod signatures;
