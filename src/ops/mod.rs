//! What a command does, without its arguments and its output: inputs, stores and a [`Listener`] in, an
//! outcome out.

mod agree;
mod applied;
mod apply;
mod around;
mod at_work;
mod authorize;
mod event;
mod explain;
mod gates;
pub mod known;
mod plan;
pub mod policy;
mod rules;
mod stale;
mod team;
mod turns;
mod unworkable;
mod used;
mod values;
pub mod waits;

pub use agree::{Uncompared, agrees};
pub use applied::applied_from;
pub use apply::{ApplyEnd, ApplyInputs, ApplyOutcome, ApplySession, Looked, bytes_needed};
pub use around::Around;
pub use at_work::{AtWork, PendingBefore};
pub use authorize::{AuthorizeInputs, AuthorizeSession, WaitInputs};
pub use event::{Listener, OpEvent};
pub use gates::{expires, hold_store, lives};
pub use plan::{Files, PlanInputs, PlanSession, Wishes};
pub use rules::{rules, rules_for_listed, rules_for_plan};
pub use team::{Team, named};
pub use turns::LeasedTurns;
pub use unworkable::{unworkable, unworkable_approval, unworkable_store};
pub use used::unused;
pub use values::{OwnValue, resolved, untrusted};
