//! A switch for the tests of full disks: builds with debug assertions, and only those, find the disk
//! full after a given number of bytes.

use std::{
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

static TAKEN: AtomicUsize = AtomicUsize::new(0);

/// Takes room for so many bytes.
pub(crate) fn take(bytes: usize) -> io::Result<()> {
    room(bytes)?;
    TAKEN.fetch_add(bytes, Ordering::Relaxed);
    Ok(())
}

/// Fails where there is no room for so many bytes.
pub(crate) fn room(bytes: usize) -> io::Result<()> {
    match limit() {
        Some(limit) if TAKEN.load(Ordering::Relaxed).saturating_add(bytes) > limit => {
            Err(io::ErrorKind::StorageFull.into())
        }
        _ => Ok(()),
    }
}

#[cfg(debug_assertions)]
fn limit() -> Option<usize> {
    static LIMIT: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "a full disk is not a setting: it must reach code that has no context, in tests \
                  alone"
    )]
    let read = || {
        std::env::var("__CONNPLAN_TEST_DISK_BYTES")
            .ok()?
            .parse()
            .ok()
    };
    *LIMIT.get_or_init(read)
}

#[cfg(not(debug_assertions))]
#[inline]
fn limit() -> Option<usize> {
    None
}
