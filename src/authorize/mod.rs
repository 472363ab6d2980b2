//! Resumes pending authorizations: sees what became of them, asks for a link when a person wants
//! one, reads back what was granted.
//!
//! It asks only for what an apply has asked for, with exactly the scopes that were approved, and for
//! declared connectors that stopped working, with the scopes that they have; it removes nothing. What to show, what to open and what to ask is not decided
//! here: a [`Session`] tells its [`AuthorizeEvent`]s and takes [`Command`]s.
//!
//! .github/ARCHITECTURE.md draws the states of an authorization.
//!
//! [`step`] is the whole of it, and pure: a state and a piece of evidence make the next state and
//! what has to be done. [`Session`] gathers the evidence and does what has to be done.

mod broken;
mod candidate;
mod consent;
mod event;
mod hosts;
mod item;
mod links;
mod machine;
mod objection;
mod round;
mod schedule;
mod session;
mod state;
mod turns;
mod writer;

pub use candidate::{Candidate, Candidates, Judge, NotResumable, Sources, Withheld, candidates};
pub use consent::{Consent, consent_of};
pub use event::{AuthorizationResult, AuthorizeEvent, Command};
pub use item::Item;
pub use machine::{Effect, End, Evidence, LinkAnswer, step};
pub use schedule::Pace;
pub use session::{Asking, Session};
pub use state::{EntryRetention, FailReason, Stage, State};
pub use turns::{Alone, NotNow, WriteTurns};
pub use writer::PendingWriter;

#[cfg(test)]
mod tests;
