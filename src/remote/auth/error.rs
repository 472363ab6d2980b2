//! What goes wrong with credentials.

use std::path::PathBuf;

use miette::Diagnostic;
use thiserror::Error;

use crate::{
    fs::{FsError, LockError},
    model::ApiUrl,
};

/// Credentials that are not there or cannot be used.
#[derive(Debug, Error, Diagnostic)]
pub enum AuthError {
    /// None at all.
    #[error("no credentials were found{}", if *key_ignored { " (BASE44_API_KEY begins neither with `b44k_` nor with `b44u_`, so it is not used)" } else { "" })]
    #[diagnostic(
        code(connplan::auth::none),
        help(
            "log in with `connplan login`, or set BASE44_ACCESS_TOKEN (a personal access token, `b44u_…`); \
             Base44 refuses a workspace's BASE44_API_KEY for connectors"
        )
    )]
    NoCredentials {
        /// Whether there was a `BASE44_API_KEY` that is none.
        key_ignored: bool,
    },
    /// A variable's value cannot be sent.
    #[error("{variable} holds a character that no credential has")]
    #[diagnostic(
        code(connplan::auth::bad_value),
        help("set it again, without quotes, spaces or line ends")
    )]
    BadValue {
        /// The variable.
        variable: &'static str,
    },
    /// The login file is not what a login writes.
    #[error("the login in {} cannot be used: {fault}", path.display())]
    #[diagnostic(
        code(connplan::auth::login_malformed),
        help("log in again with `connplan login`")
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, without any of its content.
        fault: String,
    },
    /// Another process has been renewing the login for too long.
    #[error("another process is renewing the login: {holder}")]
    #[diagnostic(
        code(connplan::auth::login_busy),
        help("try again when it is done; its lock ({}) frees itself when its process ends", path.display())
    )]
    Busy {
        /// Which, as it wrote it.
        holder: String,
        /// The lock file.
        path: PathBuf,
    },
    /// The renewal ended without a result.
    #[error("the renewal of the login was interrupted")]
    #[diagnostic(code(connplan::auth::cut_short), help("run the same command again"))]
    CutShort,
    /// The renewed login would have no place.
    #[error("the login must be renewed, and there is no disk space to save it: {source}")]
    #[diagnostic(
        code(connplan::auth::no_room),
        help(
            "free disk space in the home folder; the login was not renewed, so that it is not \
              lost"
        )
    )]
    NoRoom {
        /// What the file system said.
        source: FsError,
    },
    /// The server does not renew the login any more.
    #[error("the login has ended: the server does not renew it")]
    #[diagnostic(
        code(connplan::auth::login_ended),
        help("log in again with `connplan login`")
    )]
    Ended,
    /// A file of the project names an address that the user has not chosen.
    #[error(
        "{place} names {url} as the platform's address; you have not allowed {credential} to be sent there, so nothing was sent"
    )]
    #[diagnostic(
        code(connplan::auth::untrusted_address),
        help(
            "if you know that address and want your credentials to go there, run `connplan trust {url}`; else leave it, or set BASE44_API_URL yourself"
        )
    )]
    Untrusted {
        /// Which file, which line.
        place: String,
        /// The address.
        url: String,
        /// What would have gone there.
        credential: String,
    },
    /// The stored login was made for another address.
    #[error(
        "{}you are logged in at {made_for}, not at {url}; the login was not sent",
        match place { Some(place) => format!("{place} names another address: "), None => String::new() }
    )]
    #[diagnostic(
        code(connplan::auth::logged_in_elsewhere),
        help(
            "run `connplan login` to log in at {url}, or set BASE44_API_URL={made_for} to use the login that you have"
        )
    )]
    Elsewhere {
        /// Where the login was made.
        made_for: String,
        /// Where the run goes.
        url: String,
        /// Which file of the project says so, which line.
        place: Option<String>,
    },
    /// The login file, as a file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fs(#[from] FsError),
}

impl AuthError {
    pub(super) fn elsewhere(made_for: &ApiUrl, url: &ApiUrl, place: Option<String>) -> Self {
        Self::Elsewhere {
            made_for: made_for.to_string(),
            url: url.to_string(),
            place,
        }
    }

    /// Whether it may be otherwise a little later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Busy { .. })
    }
}

impl From<LockError> for AuthError {
    fn from(error: LockError) -> Self {
        match error {
            LockError::Held { holder, path } => Self::Busy { holder, path },
            LockError::Fs(error) => Self::Fs(error),
        }
    }
}

/// Something about the credentials that a person should know; nothing fails for it.
#[derive(Debug, Error, Diagnostic)]
pub enum AuthWarning {
    /// `BASE44_API_KEY` is none.
    #[error("BASE44_API_KEY begins neither with `b44k_` nor with `b44u_`, so it is not used")]
    #[diagnostic(severity(Warning), code(connplan::auth::key_ignored))]
    KeyIgnored,
    /// A file of the project brings a credential where the process has its own.
    #[error(
        "{variable} in {}, line {line}, is not used: the environment of this process has a \
         credential of its own",
        crate::http::server_text(file)
    )]
    #[diagnostic(severity(Warning), code(connplan::auth::file_ignored))]
    FileIgnored {
        /// The variable.
        variable: &'static str,
        /// Relative to the project's root. Untrusted text.
        file: String,
        /// Counted from 1.
        line: usize,
    },
    /// Others could read the login until now.
    #[error("others could read the login in {}; it is private now", path.display())]
    #[diagnostic(
        severity(Warning),
        code(connplan::auth::login_repaired),
        help("if other people use this machine, log out and in again")
    )]
    Repaired {
        /// The file.
        path: PathBuf,
    },
    /// Others can read the login, and that could not be changed.
    #[error("others can read the login: {why}")]
    #[diagnostic(
        severity(Warning),
        code(connplan::auth::login_open),
        help("let only your user read it (`chmod 600`), or log out and in again")
    )]
    Open {
        /// Why it stays so.
        why: FsError,
    },
    /// The login from the environment is used, and not kept.
    #[error("the login from BASE44_ACCESS_TOKEN could not be stored: {why}")]
    #[diagnostic(
        severity(Warning),
        code(connplan::auth::not_stored),
        help("this run still uses it")
    )]
    NotStored {
        /// Why.
        why: Box<AuthError>,
    },
}
