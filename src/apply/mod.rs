//! Carries out a verified plan. With `authorize`, the only room that changes the remote.

pub mod journal;

mod entry;
mod job;
mod read_back;
mod run;
mod step;

pub use entry::at_most_pending;
pub use job::{ApplyEvent, Finished, Job, Options, With};
pub use read_back::PostApplyDrift;
pub use run::recorded_receipt;

pub(crate) use step::refusal;
