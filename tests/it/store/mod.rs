//! The team's memory: one suite for every store, the laws of its leases, and what a week of work
//! looks like from three clones.

#![expect(
    clippy::disallowed_methods,
    reason = "what a test lays out is written as a user's editor would"
)]

mod agree;
mod approvals;
#[cfg(feature = "object-store")]
mod between;
#[cfg(feature = "object-store")]
mod bucket;
mod conformance;
mod faulty;
#[cfg(unix)]
mod holder;
mod laws;
mod left;
mod left_out;
mod older;
mod once;
mod over;
mod places;
#[cfg(unix)]
mod silent;
pub(crate) mod team;
mod trusted;
mod turns;
mod week;
