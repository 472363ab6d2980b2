//! The public JSON shapes of a plan and of a receipt.
//!
//! What stands in `format_version` 1 keeps its meaning: keys are added, never renamed. The order of
//! keys is the order of the fields here. A report is a plain value that holds all that any view
//! shows.

mod plan;
mod read;
mod receipt;

pub use plan::{
    AfterReport, AppReport, BeforeReport, ChangeReport, ConfigReport, PlanReport, RiskReport,
    ScopesReport, UnmanagedReport, WaitingReport,
};
pub use receipt::{AppReceiptReport, ReceiptReport, ResultReport};

pub use crate::risk::FactReport;

/// The version of every JSON document that this program prints.
pub const FORMAT_VERSION: &str = "1.0";
