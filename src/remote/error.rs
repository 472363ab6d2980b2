//! What goes wrong between here and the platform. Every error names the call and its request id.

use std::{borrow::Cow, fmt, time::Duration};

use miette::Diagnostic;
use thiserror::Error;

use super::{CredentialKind, auth::AuthError, problem::ServerProblem, refusal::Refusal};
use crate::http::{SetupError, Unreachable};

/// Which call an error belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallContext {
    /// What was done, in words that fit before "failed": `listing the connectors`.
    pub call: Cow<'static, str>,
    /// The `X-Request-ID` of the last attempt: the server's own, else the one we sent.
    pub request_id: String,
    /// How many attempts were made.
    pub attempts: u32,
    /// Whether the server may have done what was asked although the call failed. Never for reads.
    pub unclear: bool,
}

impl fmt::Display for CallContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failed", self.call)?;
        if self.attempts > 1 {
            write!(f, " after {} attempts", self.attempts)?;
        }
        write!(f, " (request {})", self.request_id)
    }
}

/// A call that did not succeed.
#[derive(Debug, Error, Diagnostic)]
pub enum RemoteError {
    /// No answer.
    #[error("{at}: {host} could not be reached, {cause}")]
    #[diagnostic(code(connplan::remote::unreachable), help("{}", cause.advice()))]
    Unreachable {
        /// The call.
        at: Box<CallContext>,
        /// Host and port.
        host: String,
        /// Why.
        cause: Unreachable,
    },
    /// 401.
    #[error("{at}: {}{problem}", credential.refused())]
    #[diagnostic(code(connplan::remote::unauthorized), help("{}", credential.advice()))]
    Unauthorized {
        /// The call.
        at: Box<CallContext>,
        /// What was refused.
        credential: CredentialKind,
        /// What the server says.
        problem: Box<ServerProblem>,
    },
    /// 402 or 403.
    #[error("{at}: {}{problem}", refusal.words())]
    #[diagnostic(code(connplan::remote::forbidden), help("{}", refusal.advice()))]
    Forbidden {
        /// The call.
        at: Box<CallContext>,
        /// What stands behind it, as far as the answer tells.
        refusal: Refusal,
        /// What the server says.
        problem: Box<ServerProblem>,
    },
    /// 404.
    #[error("{at}: the server does not know this app or connector{problem}")]
    #[diagnostic(
        code(connplan::remote::not_found),
        help("check the app id, the connector's type, and that this login can see the app")
    )]
    NotFound {
        /// The call.
        at: Box<CallContext>,
        /// What the server says.
        problem: Box<ServerProblem>,
    },
    /// 422, 428 and every other 4xx.
    #[error("{at}: the server rejected it (HTTP {status}){problem}")]
    #[diagnostic(code(connplan::remote::rejected), help("{}", problem.advice()))]
    Rejected {
        /// The call.
        at: Box<CallContext>,
        /// The HTTP status.
        status: u16,
        /// What the server says, field by field where it does.
        problem: Box<ServerProblem>,
    },
    /// 429, more often or longer than is waited for.
    #[error("{at}: the server asks to slow down{}{problem}", wait_words(*retry_after))]
    #[diagnostic(
        code(connplan::remote::rate_limited),
        help("{}", slower(*retry_after, *writing))
    )]
    RateLimited {
        /// The call.
        at: Box<CallContext>,
        /// Whether it was to change the app: those are what an apply sends several of at once.
        writing: bool,
        /// How long the server wants us to wait.
        retry_after: Option<Duration>,
        /// What the server says.
        problem: Box<ServerProblem>,
    },
    /// 5xx.
    #[error("{at}: the server had an error (HTTP {status}){problem}")]
    #[diagnostic(
        code(connplan::remote::server),
        help("try again later; if it keeps happening, report the request id to Base44")
    )]
    Server {
        /// The call.
        at: Box<CallContext>,
        /// The HTTP status.
        status: u16,
        /// What the server says.
        problem: Box<ServerProblem>,
    },
    /// A web page where JSON was to be.
    #[error("{at}: a web page came instead of an answer (HTTP {status}{})", title_words(title.as_deref()))]
    #[diagnostic(
        code(connplan::remote::html),
        help(
            "a proxy, a login page or another server answers there; check BASE44_API_URL and the proxy variables"
        )
    )]
    HtmlInstead {
        /// The call.
        at: Box<CallContext>,
        /// The HTTP status.
        status: u16,
        /// The page's title, made safe.
        title: Option<String>,
    },
    /// A success whose content is not what the API promises.
    #[error("{at}: the answer cannot be used: {fault}")]
    #[diagnostic(
        code(connplan::remote::malformed),
        help(
            "the answer looks like this: {shape}\nthe API may have changed: look for a newer connplan, and report the request id"
        )
    )]
    Malformed {
        /// The call.
        at: Box<CallContext>,
        /// The field, as a path: `integrations[0].status`. Empty for the whole.
        field: String,
        /// What is wrong with it, without any of its content.
        fault: String,
        /// The answer's names and types, without any of its content.
        shape: String,
    },
    /// Something that is not HTTP, or more header fields than are taken.
    #[error("{at}: the answer is not valid HTTP: {why}")]
    #[diagnostic(
        code(connplan::remote::protocol),
        help("another program may be listening at that address; check BASE44_API_URL")
    )]
    Protocol {
        /// The call.
        at: Box<CallContext>,
        /// In the HTTP library's words.
        why: String,
    },
    /// More than is taken.
    #[error("{at}: the answer is longer than {limit} bytes")]
    #[diagnostic(
        code(connplan::remote::too_large),
        help("this answer is not from the Base44 API; check BASE44_API_URL")
    )]
    TooLarge {
        /// The call.
        at: Box<CallContext>,
        /// The limit, in bytes.
        limit: usize,
    },
    /// 3xx. Not followed: credentials go to the configured address alone.
    #[error("{at}: the server redirects to {to} (HTTP {status}); credentials are not sent there")]
    #[diagnostic(
        code(connplan::remote::redirected),
        help("if that address is the right one, put it into BASE44_API_URL")
    )]
    Redirected {
        /// The call.
        at: Box<CallContext>,
        /// The HTTP status.
        status: u16,
        /// Scheme and host of where to, made safe.
        to: String,
    },
    /// A success that says it is none.
    #[error("{at}: the server says that it was not done")]
    #[diagnostic(
        code(connplan::remote::not_done),
        help("look at `connplan status`, then try again")
    )]
    NotDone {
        /// The call.
        at: Box<CallContext>,
    },
    /// The command's own time is up.
    #[error("{at}: the time allowed for the whole command is over")]
    #[diagnostic(
        code(connplan::remote::deadline),
        help("allow more time with `--max-time`")
    )]
    DeadlineExceeded {
        /// The call.
        at: Box<CallContext>,
    },
    /// The command's time ends before the call may be made.
    #[error(
        "{} was not done: because of the platform's rate limit it would have to wait {}, longer than \
         the command may still run", at.call, time_words(*wait)
    )]
    #[diagnostic(
        code(connplan::remote::pace_too_slow),
        help(
            "allow more time with `--max-time`, or run the same command again later: it continues \
             where this stopped"
        )
    )]
    PaceTooSlow {
        /// The call.
        at: Box<CallContext>,
        /// How long it would have waited.
        wait: Duration,
    },
    /// A signal came before the call was made.
    #[error("{} was not started: the run was interrupted", at.call)]
    #[diagnostic(
        code(connplan::remote::interrupted),
        help("run the same command again: it checks, and continues")
    )]
    Interrupted {
        /// The call.
        at: Box<CallContext>,
    },
    /// Another connplan may be at work by now.
    #[error("{at}: the lease on the app does not last long enough for this request")]
    #[diagnostic(
        code(connplan::remote::lease_over),
        help(
            "it was not sent; run the same command again, it takes a new lease and continues \
             where this stopped"
        )
    )]
    LeaseOver {
        /// The call.
        at: Box<CallContext>,
    },
    /// No client could be made.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Setup(#[from] SetupError),
    /// The credentials.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Auth(#[from] AuthError),
}

fn wait_words(retry_after: Option<Duration>) -> String {
    retry_after.map_or_else(String::new, |wait| format!(", for {}", time_words(wait)))
}

/// Rounded up, so that whoever waits that long has waited long enough.
fn time_words(time: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match time.as_secs().max(1) {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds if seconds < 2 * HOUR => format!("{} minutes", seconds.div_ceil(MINUTE)),
        seconds if seconds < 2 * DAY => format!("{} hours", seconds.div_ceil(HOUR)),
        seconds if seconds < 365 * DAY => format!("{} days", seconds.div_ceil(DAY)),
        _ => "more than a year".to_owned(),
    }
}

fn slower(retry_after: Option<Duration>, writing: bool) -> String {
    let wait = match retry_after {
        Some(time) => format!("wait {}", time_words(time)),
        None => "wait a moment".to_owned(),
    };
    let fewer = if writing {
        "; `apply --parallelism 1` makes one change at a time"
    } else {
        ""
    };
    format!("{wait}, then run the same command again{fewer}")
}

fn title_words(title: Option<&str>) -> String {
    title.map_or_else(String::new, |title| format!(", titled \"{title}\""))
}

/// The call of an error, shared or not.
macro_rules! call_of {
    ($error:expr) => {
        match $error {
            Self::Unreachable { at, .. }
            | Self::Unauthorized { at, .. }
            | Self::Forbidden { at, .. }
            | Self::NotFound { at, .. }
            | Self::Rejected { at, .. }
            | Self::RateLimited { at, .. }
            | Self::Server { at, .. }
            | Self::HtmlInstead { at, .. }
            | Self::Malformed { at, .. }
            | Self::Protocol { at, .. }
            | Self::TooLarge { at, .. }
            | Self::Redirected { at, .. }
            | Self::NotDone { at }
            | Self::DeadlineExceeded { at }
            | Self::PaceTooSlow { at, .. }
            | Self::Interrupted { at }
            | Self::LeaseOver { at } => Some(at),
            Self::Setup(_) | Self::Auth(_) => None,
        }
    };
}

impl RemoteError {
    /// The call, unless no call was made.
    pub fn at(&self) -> Option<&CallContext> {
        call_of!(self)
    }

    /// Whether the server may have done what was asked although the call failed. Then the remote
    /// has to be read to know.
    pub fn is_unclear(&self) -> bool {
        self.at().is_some_and(|at| at.unclear)
    }

    /// Whether the same call may succeed a little later: for those who poll anyway.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { cause, .. } => {
                let refused = matches!(
                    cause,
                    Unreachable::ProxyLogin(_) | Unreachable::ProxyRefused(_)
                );
                !refused && !matches!(cause, Unreachable::Tls(_))
            }
            Self::RateLimited { .. } | Self::Server { .. } => true,
            Self::HtmlInstead { status, .. } => *status >= 500,
            Self::Rejected { status, .. } => matches!(status, 408 | 425),
            Self::Auth(error) => error.is_passing(),
            _ => false,
        }
    }

    /// Whether a signal came before anything was asked for that may have been done.
    pub fn is_not_begun(&self) -> bool {
        matches!(self, Self::Interrupted { at } if !at.unclear)
    }

    pub(crate) fn at_mut(&mut self) -> Option<&mut CallContext> {
        call_of!(self)
    }
}
