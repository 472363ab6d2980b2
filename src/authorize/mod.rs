//! Resumes pending authorizations: looks at what waits, asks for fresh links where they are needed,
//! waits for all of them at once, reads back what was granted.
//!
//! It repeats only PUTs that an apply has made, with exactly the scopes that were approved; it
//! creates nothing and removes nothing. What to show, what to open and what to ask is not decided
//! here: [`Flow`] tells its [`Event`]s and takes [`Command`]s.

mod candidate;
mod event;
mod flow;
mod hosts;
mod item;
mod judge;
mod keeper;
mod pace;
mod planned;
mod poll;
mod wait;

pub use candidate::{Candidate, Candidates, Document, LeftAlone, Sources, candidates};
pub use event::{Command, Event, Fate, Resumed, State};
pub use flow::Flow;
pub use item::Item;
pub use judge::{Verdict, judge};
pub use keeper::Keeper;
pub use pace::Pace;

#[cfg(test)]
mod tests;
