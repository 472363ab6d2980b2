//! A switch for the tests of crashes: builds with debug assertions, and only those, end without a
//! word after a given number of steps that reached the disk.

/// Whether this process is to end at some step.
pub(crate) fn is_armed() -> bool {
    last().is_some()
}

/// A step is on disk (or just short of being renamed into place).
pub(crate) fn point() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static PASSED: AtomicUsize = AtomicUsize::new(0);
    if let Some(last) = last()
        && PASSED.fetch_add(1, Ordering::SeqCst) + 1 >= last
    {
        std::process::abort();
    }
}

#[cfg(debug_assertions)]
fn last() -> Option<usize> {
    static LAST: std::sync::OnceLock<Option<usize>> = std::sync::OnceLock::new();
    #[expect(
        clippy::disallowed_methods,
        reason = "a crash is not a setting: it must reach code that has no context, in tests alone"
    )]
    let read = || {
        std::env::var("__CONNPLAN_TEST_CRASH_AT_WRITE")
            .ok()?
            .parse()
            .ok()
    };
    *LAST.get_or_init(read)
}

#[cfg(not(debug_assertions))]
#[inline]
fn last() -> Option<usize> {
    None
}
