//! Why a login did not come about.

use miette::Diagnostic;
use thiserror::Error;

use crate::remote::{CallContext, RemoteError, ServerProblem};

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
        help("run `connplan login` again; the code it shows is valid for a few minutes")
    )]
    Expired,
    /// Nobody decided in the time that the whole command has.
    #[error("nobody confirmed the login in the time allowed for the whole command")]
    #[diagnostic(
        code(connplan::login::time_up),
        help("run `connplan login` again, and allow more time with `--max-time`")
    )]
    TimeUp,
    /// 404: whatever answers there is no platform that people log in to.
    #[error("{at}: the server at this address has no login{problem}")]
    #[diagnostic(
        code(connplan::login::none_here),
        help("check BASE44_API_URL, and `api_url` of the environment in connplan.toml")
    )]
    NoneHere {
        /// The call.
        at: Box<CallContext>,
        /// What the server says.
        problem: Box<ServerProblem>,
    },
    /// A call, or the file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Remote(Box<RemoteError>),
}
