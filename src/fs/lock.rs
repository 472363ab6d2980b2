//! One connplan at a time: for one app of one user, whichever clone it runs in, and for the files that all apps share.

use std::{
    fs::{File, TryLockError},
    io::{Read, Seek, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use miette::Diagnostic;
use thiserror::Error;

use super::{FsError, read::open_file};
use crate::model::ago;

/// A lock held by the kernel for as long as this value lives; a crash frees it.
#[derive(Debug)]
#[must_use = "the lock is freed when this value is dropped"]
pub struct Lock {
    file: File,
}

impl Drop for Lock {
    /// Closing it would not do: a program that is just being started has it open until it runs.
    fn drop(&mut self) {
        // Then closing it frees it, a little later.
        let _ = self.file.unlock();
    }
}

/// Why the lock was not had.
#[derive(Debug, Error, Diagnostic)]
pub enum LockError {
    /// Someone has it.
    #[error("another connplan is running for this app: {holder}")]
    #[diagnostic(
        code(connplan::fs::locked),
        help(
            "wait for it to end, or give `--lock-timeout 2m`; the lock ({}) frees itself when its process ends",
            crate::escape::path(path)
        )
    )]
    Held {
        /// Process, user and since when, as its holder wrote it.
        holder: String,
        /// The lock file.
        path: PathBuf,
    },
    /// The lock file itself is unusable.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fs(#[from] FsError),
}

impl Lock {
    /// Takes the lock at `path`, waiting at most `timeout`. `holder` tells others who has it.
    pub fn acquire(path: &Path, timeout: Duration, holder: &str) -> Result<Self, LockError> {
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = open_file(path, &mut options, "lock")?;
        let end = Instant::now() + timeout;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < end => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(TryLockError::WouldBlock) => {
                    let mut holder = String::new();
                    // Who it is, is a courtesy: that it is held is the fact.
                    let _ = file.take(512).read_to_string(&mut holder);
                    let holder = match holder.trim() {
                        "" => "(it did not say who it is)".to_owned(),
                        // Whoever can write the file can write anything into it.
                        holder => crate::escape::limited(&in_words(holder), 300),
                    };
                    return Err(LockError::Held {
                        holder,
                        path: path.to_owned(),
                    });
                }
                Err(TryLockError::Error(e)) => return Err(FsError::io("lock", path, e).into()),
            }
        }
        // On a full disk it is a lock all the same; who holds it is a courtesy.
        let _ = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{holder}"));
        Ok(Self { file })
    }
}

/// What a holder wrote, its time as people say it.
fn in_words(holder: &str) -> String {
    let parted = holder.rsplit_once(", since ");
    match parted.and_then(|(who, since)| Some((who, since.parse::<Timestamp>().ok()?))) {
        Some((who, since)) => format!("{who}, started {}", ago(since, Timestamp::now())),
        None => holder.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_told_who_has_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::acquire(&path, Duration::ZERO, "ada, process 7").unwrap();
        let error = Lock::acquire(&path, Duration::ZERO, "bob")
            .unwrap_err()
            .to_string();
        assert!(error.contains("ada, process 7"), "{error}");
        drop(first);
        assert!(Lock::acquire(&path, Duration::ZERO, "bob").is_ok());
    }
}
