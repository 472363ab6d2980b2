//! The journal of an apply: what was about to be done, and what came of it.
//!
//! One append-only file for each plan digest, private, flushed to disk before each write to the
//! remote and after it. After a crash the same `apply` reads it and goes on.

mod reader;
mod record;
mod writer;

pub use reader::{History, JournalError, read};
pub use record::{Record, Recorded};
pub(crate) use writer::PendingChange;
pub use writer::{Journal, Recorder};
