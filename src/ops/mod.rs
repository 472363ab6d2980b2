//! What a command does, without its arguments and its output: inputs, stores and a [`Listener`] in, an
//! outcome out.

mod agree;
mod applied;
mod apply;
mod apply_outcome;
mod approving;
mod around;
mod at_work;
mod authorize;
mod brought;
mod dangers;
mod doubt;
mod event;
mod explain;
mod first_look;
mod gates;
mod in_git;
pub mod known;
mod over;
mod plan;
pub mod policy;
mod rules;
mod saved;
mod since;
mod stale;
mod team;
mod turns;
mod unworkable;
mod used;
mod values;
mod waits;
mod withdrawn;

pub use agree::{Uncompared, agrees};
pub use apply::{ApplyInputs, ApplySession, Judge, bytes_needed};
pub use apply_outcome::{ApplyEnd, ApplyOutcome};
pub use approving::{
    ApprovalGate, LazyBinding, Shown, Ways, missing_approval, signers_that_bind, teams_before,
};
pub use around::Around;
pub use at_work::AtWork;
pub use authorize::{AuthorizeInputs, AuthorizeSession, WaitInputs};
pub use brought::Brought;
pub use dangers::{dangers_here, forbade};
pub use event::{Listener, OpEvent};
pub use first_look::{FirstLook, FirstLookInputs};
pub use gates::expires;
pub use over::over;
pub use plan::{Files, PlanInputs, PlanSession, Wishes};
pub use saved::{SavedInputs, SavedPlan, is_expected, made};
pub use since::PendingBefore;
pub use team::{Team, named, stored_plan};
pub use turns::LeasedTurns;
pub use unworkable::{unworkable, unworkable_approval, unworkable_store};
pub use values::{OwnValue, resolved, untrusted};
