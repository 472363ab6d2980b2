//! Planning, and how a plan is shown.

pub(crate) mod cases;
pub(crate) mod context;
mod drift;
pub(crate) mod next;
mod plan;
mod printed;
pub(crate) mod properties;
#[cfg(unix)]
pub(crate) mod records;
pub(crate) mod removals;
pub(crate) mod scopes;
mod view;
pub(crate) mod view_properties;
pub(crate) mod widths;
