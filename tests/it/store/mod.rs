//! The team's memory: one suite for every store, the laws of its leases, and what a week of work
//! looks like from three clones.

mod conformance;
mod faulty;
mod laws;
mod places;
