//! Folders of tests.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{path::PathBuf, sync::LazyLock};

use tempfile::TempDir;

/// What a hundred tests at once may need.
#[cfg(target_os = "linux")]
const ROOM: u64 = 256 << 20;

/// A folder that goes away with its test: in memory where the system has that. A crash of a test is
/// never one of the machine, so there is no need to wait for a disk, thousands of times.
pub(crate) fn folder() -> TempDir {
    static BASE: LazyLock<PathBuf> = LazyLock::new(|| memory().unwrap_or_else(std::env::temp_dir));
    tempfile::Builder::new()
        .prefix("connplan-it-")
        .tempdir_in(&*BASE)
        .unwrap()
}

/// In containers it is often small, and runs no programs.
#[cfg(target_os = "linux")]
fn memory() -> Option<PathBuf> {
    use rustix::fs::StatVfsMountFlags as Flags;

    let path = PathBuf::from("/dev/shm");
    let found = rustix::fs::statvfs(&path).ok()?;
    let unfit = Flags::NOEXEC | Flags::RDONLY;
    let fits = !found.f_flag.intersects(unfit) && found.f_bavail * found.f_frsize >= ROOM;
    fits.then_some(path)
}

#[cfg(not(target_os = "linux"))]
fn memory() -> Option<PathBuf> {
    None
}
