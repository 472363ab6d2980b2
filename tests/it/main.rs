//! The integration tests: one binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on is a failed test"
)]
#![allow(
    unreachable_pub,
    clippy::allow_attributes,
    reason = "nothing outside of a test binary can reach anything in it"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::module_inception,
    clippy::similar_names,
    reason = "tests set up folders and variables themselves, in rooms named as the source's"
)]

mod apply;
mod approval;
mod authorize;
mod docs;
#[cfg(unix)]
mod faults;
mod files;
mod git;
mod install;
mod plan;
mod publish;
mod remote;
mod sandbox;

mod security;
mod store;
mod support;
mod terminal;
