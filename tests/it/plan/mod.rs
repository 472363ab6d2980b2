//! Planning, and how a plan is shown.

pub(crate) mod cases;
pub(crate) mod context;
pub(crate) mod plan;
pub(crate) mod properties;
#[cfg(unix)]
pub(crate) mod records;
pub(crate) mod scopes;
pub(crate) mod view;
pub(crate) mod view_properties;
pub(crate) mod widths;
