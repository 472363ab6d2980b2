//! STUB replaced on merge.
mod compare;
pub use compare::{Rules, ScopeDiff};
