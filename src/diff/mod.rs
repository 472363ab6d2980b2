//! Compares what is declared with what is observed. Pure: same inputs, same changes.

mod change;
mod compare;

pub use change::{Action, Change, ConsentNeed, Desired};
pub use compare::{Comparison, Differences, Unlisted};
