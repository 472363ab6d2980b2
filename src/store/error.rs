//! What goes wrong with a store.

use miette::Diagnostic;
use thiserror::Error;

use crate::{fs::FsError, fs::LockError, git::GitError};

/// The name of the store that is none: what is kept stays here.
pub(super) const THIS_MACHINE: &str = "this machine";

/// Why the store was not read or written.
#[derive(Debug, Error, Diagnostic)]
pub enum StoreError {
    /// Files of this machine.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fs(#[from] FsError),
    /// Another process is at those files.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Lock(#[from] LockError),
    /// git.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Git(#[from] GitError),
    /// Others wrote all the time.
    #[error("the store {store} is too busy: other machines wrote first {tries} times in a row")]
    #[diagnostic(code(connplan::store::busy), help("try again"))]
    Busy {
        /// The store.
        store: String,
        /// How often it was tried.
        tries: u32,
    },
    /// What is there is not what connplan writes.
    #[error("the store {store} holds a `{key}` that cannot be read: {reason}")]
    #[diagnostic(
        code(connplan::store::unreadable),
        help(
            "somebody else wrote it, or a newer connplan did; look at it, and delete it if it is \
             not needed"
        )
    )]
    Unreadable {
        /// The store.
        store: String,
        /// The key.
        key: String,
        /// What the reader stumbled over, made safe.
        reason: String,
    },
    /// Something cannot be put into TOML.
    #[error("the entry for the store could not be encoded: {0}")]
    #[diagnostic(
        code(connplan::store::encode),
        help("this is a bug in connplan; please report it")
    )]
    Encode(String),
    /// It could be written, and not read again.
    #[error(
        "the store {store} did not take `{key}`: it has {size} bytes, more than the {limit} that one entry \
         may have"
    )]
    #[diagnostic(
        code(connplan::store::too_large),
        help("split it: `--target TYPE` names the connectors of one part")
    )]
    TooLarge {
        /// The store.
        store: String,
        /// The key.
        key: String,
        /// Its size, in bytes.
        size: usize,
        /// The most that is read again, in bytes.
        limit: usize,
    },
    /// There is no such plan.
    #[error("{} has no plan {digest}", called(store))]
    #[diagnostic(
        code(connplan::store::no_plan),
        help(
            "`connplan history` lists those that it has; `connplan plan --out FILE` puts one there"
        )
    )]
    NoPlan {
        /// The store.
        store: String,
        /// The digest.
        digest: String,
    },
    /// Object storage.
    #[error("the store {store} did not answer as it should: {reason}")]
    #[diagnostic(
        code(connplan::store::object),
        help("check the bucket's name, the network and the credentials in the environment")
    )]
    Object {
        /// The store.
        store: String,
        /// What it said, made safe.
        reason: String,
        /// Whether trying again may help.
        passing: bool,
    },
}

/// This machine is called so, and not a store by that name.
fn called(store: &str) -> String {
    if store == THIS_MACHINE {
        store.to_owned()
    } else {
        format!("the store {store}")
    }
}

impl StoreError {
    /// Whether trying again may help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Git(e) => e.is_passing(),
            Self::Busy { .. } | Self::Lock(LockError::Held { .. }) => true,
            Self::Object { passing, .. } => *passing,
            _ => false,
        }
    }
}
