//! What approval a plan needs by the settings that bind, whether it has it, and whether it still counts.

mod asked;
mod behind;
mod binding;
mod gate;
mod terms;
mod vouching;
mod withheld;

pub(super) use self::{
    asked::Now,
    binding::{forbidden_before, undone},
    vouching::{approved_only, forbidden_to_sign, receipt as receipt_approved, with},
    withheld::{Sources as AskedFor, Withheld, withheld},
};
pub use self::{
    binding::LazyBinding,
    gate::{ApprovalGate, Shown, Ways},
    vouching::{missing as missing_approval, signers_that_bind, teams_before},
};
