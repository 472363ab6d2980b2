//! Applying a plan.

pub(crate) mod account;
pub(crate) mod apply;
pub(crate) mod failures;
pub(crate) mod moved;
pub(crate) mod push;
pub(crate) mod put;
pub(crate) mod refusals;
pub(crate) mod resume;
