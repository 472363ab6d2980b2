//! Compares what is declared with what is observed. Pure: same inputs, same changes.

mod change;
mod compare;

pub use change::{Action, Change, ConfigDiff, ConsentNeed, Desired, WRONG_ACCOUNT};
pub use compare::{Comparison, Derived, Differences, Unlisted, Waiting, between, derive};

pub use crate::model::Removal;
