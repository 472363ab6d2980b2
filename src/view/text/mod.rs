//! Text for a person at a terminal.
//!
//! The symbols `+ ~ - !` and the words say all that colour says. Untrusted text never makes a line
//! of its own and never reaches the terminal unescaped.

mod change;
mod page;
mod plan;
mod receipt;

pub(super) use page::room;
pub use plan::{PlanOptions, plan};
pub(in crate::view) use receipt::counts as receipt_counts;
pub use receipt::{ReceiptOptions, account, cut_short, progress, receipt};
