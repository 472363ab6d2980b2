//! Why a login did not come about.

use miette::Diagnostic;
use thiserror::Error;

use crate::remote::RemoteError;

/// A login that did not come about.
#[derive(Debug, Error, Diagnostic)]
pub enum LoginError {
    /// The person said no.
    #[error("the login was declined")]
    #[diagnostic(
        code(connplan::login::denied),
        help("run `connplan login` again, and approve it in the browser")
    )]
    Denied,
    /// Nobody decided in time.
    #[error("nobody confirmed the login in time")]
    #[diagnostic(
        code(connplan::login::expired),
        help("run `connplan login` again; the code it shows lives only for some minutes")
    )]
    Expired,
    /// A call, or the file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Remote(Box<RemoteError>),
}
