//! The journal of an apply: what was about to be done, and what came of it.
//!
//! One append-only file for each plan digest, private, flushed to disk before each write to the
//! remote and after it. After a crash the same `apply` reads it and goes on. Of those that are
//! finished, the last twenty stay.

mod prune;
mod reader;
mod record;
mod writer;

pub use prune::prune;
pub use reader::{History, JournalError, file_name, read};
pub use record::{Record, Recorded};
pub(crate) use writer::PendingChange;
pub use writer::{Journal, Recorder};

/// See `crate::fuzzing`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(bytes: &[u8]) {
    use crate::plan::Digest;
    let text = String::from_utf8_lossy(bytes);
    let digests = text
        .split('"')
        .filter_map(|word| Digest::parse(word).ok())
        .take(2);
    for digest in digests.chain(Digest::parse(&"a".repeat(64))) {
        let _ = reader::decode(bytes, &digest);
        let signed = record::with_checksums(&text);
        for whole in [signed.as_str(), signed.trim_end()] {
            if let Ok(history) = reader::decode(whole.as_bytes(), &digest) {
                let _ = (history.progress(), history.has_begun());
                let read = usize::try_from(history.whole).unwrap_or(usize::MAX);
                assert!(read <= whole.len(), "no more is read than there is");
                let first = whole.get(..read).unwrap_or_default();
                let mut again = reader::decode(first.as_bytes(), &digest);
                if let Ok(again) = &mut again {
                    again.torn = history.torn;
                }
                assert_eq!(
                    again.as_ref(),
                    Ok(&history),
                    "whole lines say the same alone"
                );
            }
        }
    }
}
