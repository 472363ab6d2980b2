//! What goes wrong with git.

use std::time::Duration;

use miette::Diagnostic;
use thiserror::Error;

use super::NameError;
use crate::fs::{FsError, LockError, Shipped};

/// Why git did not do it.
#[derive(Debug, Error, Diagnostic)]
pub enum GitError {
    /// There is no such program.
    #[error("git could not be started: {reason}")]
    #[diagnostic(
        code(connplan::git::missing),
        help("install git (2.30 or newer) and make sure that it is on the PATH")
    )]
    Missing {
        /// What the system said.
        reason: String,
    },
    /// It took too long.
    #[error("git was asked to {doing}, and did not finish within {} seconds", limit.as_secs())]
    #[diagnostic(
        code(connplan::git::slow),
        help("try again; `git ls-remote` shows whether the remote answers at all")
    )]
    Slow {
        /// What it was to do.
        doing: &'static str,
        /// How long it had.
        limit: Duration,
    },
    /// It answered with more than is taken.
    #[error("git printed more than {limit} bytes when asked to {doing}")]
    #[diagnostic(code(connplan::git::too_large))]
    TooLarge {
        /// What it was to do.
        doing: &'static str,
        /// The limit.
        limit: usize,
    },
    /// It failed.
    #[error("git could not {doing}: {said}")]
    #[diagnostic(code(connplan::git::failed))]
    Failed {
        /// What it was to do.
        doing: &'static str,
        /// What it said, made safe.
        said: String,
        /// What to do about it, where that is known.
        #[help]
        help: Option<&'static str>,
    },
    /// What lies in the repository under the name of an object is another one.
    #[error(
        "the git object {name} of this clone does not have the content that its name stands for: the clone is damaged, or \
         somebody altered it"
    )]
    #[diagnostic(
        code(connplan::git::altered),
        help(
            "make a new clone (in a pipeline: start a new run, and let no artifact or earlier job write into `.git`), then \
             try again; `git fsck` shows what else is damaged"
        )
    )]
    Altered {
        /// Its name.
        name: String,
    },
    /// The remote cannot be reached now.
    #[error("the git remote {remote} cannot be reached: {said}")]
    #[diagnostic(
        code(connplan::git::away),
        help("check the network and the address (`git remote -v`), then try again")
    )]
    Away {
        /// Its name.
        remote: String,
        /// What git said, made safe.
        said: String,
    },
    /// The remote knows this user not, or lets them only read.
    #[error("the git remote {remote} does not let this user {doing}: {said}")]
    #[diagnostic(
        code(connplan::git::denied),
        help(
            "git's own credentials are used (a credential helper, an SSH agent, the checkout step \
             of a pipeline); they need the right to do this. In GitHub Actions that is \
             `permissions: contents: write`; in GitLab, let job tokens push (Settings > CI/CD > Job token permissions), \
             or set CONNPLAN_STORE=git:ADDRESS to reach it another way"
        )
    )]
    Denied {
        /// Its name.
        remote: String,
        /// `read`, or `write there`.
        doing: &'static str,
        /// What git said, made safe.
        said: String,
    },
    /// The remote refuses this ref, for everybody.
    #[error("the git remote {remote} does not take {reference}: {said}")]
    #[diagnostic(
        code(connplan::git::refused),
        help(
            "a rule or a hook of the remote protects this ref; allow `refs/connplan/*` there, or \
             use another store"
        )
    )]
    Refused {
        /// Its name.
        remote: String,
        /// The ref.
        reference: String,
        /// What the remote said, made safe.
        said: String,
    },
    /// A remote that the repository doesn't have.
    #[error("this repository has no git remote `{remote}`")]
    #[diagnostic(
        code(connplan::git::no_remote),
        help("`git remote -v` lists those that it has")
    )]
    NoRemote {
        /// The name.
        remote: String,
    },
    /// An address of a kind that connplan doesn't use.
    #[error("the git remote `{remote}` has an address that connplan does not use: {reason}")]
    #[diagnostic(
        code(connplan::git::address),
        help("it takes https, http, ssh, git and local folders outside the checkout")
    )]
    Address {
        /// The name.
        remote: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Not in a git work tree.
    #[error("{folder} is not in a git work tree")]
    #[diagnostic(
        code(connplan::git::no_repository),
        help(
            "run this in a clone of the repository. One around your home folder counts only if it tracks the project's config (`git add`)"
        )
    )]
    NoRepository {
        /// The folder.
        folder: String,
    },
    /// A name that git would misunderstand.
    #[error(transparent)]
    #[diagnostic(code(connplan::git::name))]
    Name(#[from] NameError),
    /// By git's settings a file of the checkout would decide too much.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Shipped(#[from] Shipped),
    /// connplan's own repository.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fs(#[from] FsError),
    /// Another connplan on this machine is at connplan's own repository.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Busy(#[from] LockError),
}

impl GitError {
    /// Whether trying again may help.
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Slow { .. } | Self::Away { .. } | Self::Busy(LockError::Held { .. })
        )
    }
}
