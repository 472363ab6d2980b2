//! What goes wrong with the sandbox itself (what it answers to clients is `answer`).

use std::{io, net::SocketAddr, path::PathBuf};

use miette::{Diagnostic, NamedSource, SourceSpan};
use thiserror::Error;

use super::link::LinkProblem;
use crate::fs::{FsError, LockError};

/// Why the sandbox did not start, or stopped.
#[derive(Debug, Error, Diagnostic)]
pub enum SandboxError {
    /// The address is taken, or not ours to take.
    #[error("the sandbox could not listen on {address}: {source}")]
    #[diagnostic(
        code(connplan::sandbox::listen),
        help("give another `--port`, or none to take any free one")
    )]
    Listen {
        /// The loopback address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("the sandbox stopped: {source}")]
    #[diagnostic(code(connplan::sandbox::serve))]
    Serve {
        /// Why.
        source: io::Error,
    },
    /// A seed that is not JSON, or not of the right shape.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Malformed(#[from] Box<Malformed>),
    /// A state file that this program did not write like this. Its text is not shown: it may hold a link.
    #[error(
        "{} is not a sandbox state: line {line} is not as connplan writes it",
        crate::escape::path(path)
    )]
    #[diagnostic(
        code(connplan::sandbox::state),
        help("move the file away to start empty, or name another one with `--state`")
    )]
    State {
        /// The file.
        path: PathBuf,
        /// Where it was noticed.
        line: usize,
    },
    /// A key or token of a state file that this program does not make. It is not shown.
    #[error(
        "{} is not a sandbox state that connplan wrote: a key or token there has other characters than letters, \
         digits, `_`, `-` and `.`",
        crate::escape::path(path)
    )]
    #[diagnostic(
        code(connplan::sandbox::state),
        help("move the file away to start empty, or name another one with `--state`")
    )]
    Secret {
        /// The file.
        path: PathBuf,
    },
    /// A state of another version of this program.
    #[error(
        "{} is a sandbox state of version {found}; this connplan reads version {known}",
        crate::escape::path(path)
    )]
    #[diagnostic(
        code(connplan::sandbox::version),
        help("use a newer connplan, or move the file away to start empty")
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: u64,
        /// What is understood here.
        known: u64,
    },
    /// The lock's name is another program's.
    #[error(
        "{} is another program's file, and a sandbox would keep its lock in it",
        crate::escape::path(path)
    )]
    #[diagnostic(
        code(connplan::sandbox::lock),
        help("give `--state` another name; the lock file is STATE.lock")
    )]
    ForeignLock {
        /// The file.
        path: PathBuf,
    },
    /// Right in shape, wrong in meaning.
    #[error("the sandbox seed is not usable: {reason}")]
    #[diagnostic(code(connplan::sandbox::seed))]
    Seed {
        /// What is wrong, and where.
        reason: String,
    },
    /// Consent could not be given on someone's behalf.
    #[error("no consent given: {0}")]
    #[diagnostic(code(connplan::sandbox::consent))]
    Consent(LinkProblem),
    /// Another sandbox has this state file.
    #[error("another sandbox keeps its state there: {holder}")]
    #[diagnostic(
        code(connplan::sandbox::locked),
        help("stop it, or name another file with `--state`")
    )]
    Locked {
        /// Which, as it wrote it.
        holder: String,
    },
    /// The state file could not be read or written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fs(#[from] FsError),
}

/// A seed that cannot be decoded, and where it goes wrong.
#[derive(Debug, Error, Diagnostic)]
#[error("{} is not a sandbox seed: {message}", crate::escape::path(path))]
#[diagnostic(
    code(connplan::sandbox::malformed),
    help("see `fixtures/sandbox/seed.json` of connplan for every key")
)]
pub struct Malformed {
    /// The file.
    pub path: PathBuf,
    /// What the JSON reader said.
    pub message: String,
    /// The file's text.
    #[source_code]
    pub text: NamedSource<String>,
    /// Where it was noticed.
    #[label("here")]
    pub at: SourceSpan,
}

impl From<LockError> for SandboxError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { holder, .. } => Self::Locked { holder },
            LockError::Fs(error) => Self::Fs(error),
        }
    }
}
