//! Why a forge was not told, or did not say, what it should.

use std::{fmt, time::Duration};

use miette::Diagnostic;
use thiserror::Error;

use super::Forge;
use crate::http::Unreachable;

/// What was being done, and how often it was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForgeCall {
    /// Fits before "failed": `reading the comments`.
    pub what: &'static str,
    /// Whose API.
    pub forge: Forge,
    /// How many attempts were made.
    pub attempts: u32,
}

impl fmt::Display for ForgeCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {} failed", self.what, self.forge)?;
        if self.attempts > 1 {
            write!(f, " after {} attempts", self.attempts)?;
        }
        Ok(())
    }
}

/// A call to a forge that did not succeed.
#[derive(Debug, Error, Diagnostic)]
pub enum PublishError {
    /// Neither GitHub nor GitLab.
    #[error("no pull or merge request to comment on: not running in GitHub Actions or GitLab CI")]
    #[diagnostic(
        code(connplan::publish::no_forge),
        help(
            "give `--repo OWNER/NAME --pr N`, with a token in GITHUB_TOKEN or GITLAB_TOKEN; \
             `--dry-run` shows the comment"
        )
    )]
    NoForge,
    /// The same, where an issue is kept.
    #[error("no project to keep an issue in: not running in GitHub Actions or GitLab CI")]
    #[diagnostic(
        code(connplan::publish::no_forge),
        help("run it in the project's pipeline; without `--issue`, `drift` shows the same here")
    )]
    NoProject,
    /// A variable or an option that makes no sense.
    #[error("{name} is not {expected}")]
    #[diagnostic(code(connplan::publish::setting))]
    Setting {
        /// The variable or the option.
        name: &'static str,
        /// What it should be, with an article.
        expected: &'static str,
    },
    /// The run belongs to no pull request.
    #[error("there is no {} to comment on: {why}", forge.request())]
    #[diagnostic(code(connplan::publish::no_request), help("name it with `--pr N`"))]
    NoRequest {
        /// Where.
        forge: Forge,
        /// What was looked at.
        why: String,
    },
    /// Nothing to authenticate with.
    #[error("{} is not set", forge.token_name())]
    #[diagnostic(code(connplan::publish::no_token), help("{}", forge.token_help()))]
    NoToken {
        /// Where.
        forge: Forge,
    },
    /// The token holds what a header cannot.
    #[error(
        "the token in {name} cannot be sent: it holds a line break or other characters that no token has"
    )]
    #[diagnostic(code(connplan::publish::bad_token))]
    BadToken {
        /// The variable.
        name: &'static str,
    },
    /// Plain http to another machine.
    #[error("{address} is plain http; the token only travels encrypted or on this machine")]
    #[diagnostic(
        code(connplan::publish::insecure),
        help("use the https address of the API")
    )]
    Insecure {
        /// The address.
        address: String,
    },
    /// No client.
    #[error("encrypted connections cannot be set up: {why}")]
    #[diagnostic(code(connplan::publish::tls_setup))]
    TlsSetup {
        /// Why.
        why: String,
    },
    /// No answer.
    #[error("{at}: {host} could not be reached, {cause}")]
    #[diagnostic(code(connplan::publish::unreachable))]
    Unreachable {
        /// The call.
        at: ForgeCall,
        /// Host and port.
        host: String,
        /// Why.
        cause: Unreachable,
        /// Whether the comment may have been made.
        unclear: bool,
    },
    /// 401, 403, 404: the token is not good for it.
    #[error("{at}: the token was refused (HTTP {status}){}", said(message.as_deref()))]
    #[diagnostic(code(connplan::publish::refused), help("{}", at.forge.token_help()))]
    Refused {
        /// The call.
        at: ForgeCall,
        /// The HTTP status.
        status: u16,
        /// What the server says.
        message: Option<String>,
    },
    /// Asked to slow down, longer or more often than is waited for.
    #[error("{at}: too many requests{}", wait_words(*retry_after))]
    #[diagnostic(code(connplan::publish::rate_limited), help("try again later"))]
    RateLimited {
        /// The call.
        at: ForgeCall,
        /// How long the server wants us to wait.
        retry_after: Option<Duration>,
    },
    /// Any other status but success.
    #[error("{at}: HTTP {status}{}", said(message.as_deref()))]
    #[diagnostic(code(connplan::publish::rejected))]
    Rejected {
        /// The call.
        at: ForgeCall,
        /// The HTTP status.
        status: u16,
        /// What the server says.
        message: Option<String>,
    },
    /// The request is not what this run is about, or not any more.
    #[error("no review counts in this run: {why}")]
    #[diagnostic(code(connplan::publish::moved), help("{help}"))]
    Moved {
        /// What the request is by now.
        why: &'static str,
        /// What to do.
        help: &'static str,
    },
    /// An answer that is not as documented.
    #[error("{at}: the answer is not what {} documents ({why})", at.forge)]
    #[diagnostic(
        code(connplan::publish::malformed),
        help("check the address of the API: a proxy or a login page may have answered")
    )]
    Malformed {
        /// The call.
        at: ForgeCall,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl PublishError {
    /// Whether what was asked for may have been done all the same.
    pub(super) fn is_unclear(&self) -> bool {
        match self {
            Self::Unreachable { unclear, .. } => *unclear,
            Self::Rejected { status, .. } => *status == 408 || *status >= 500,
            _ => false,
        }
    }

    /// Whether the server has nothing at this address: what is asked there is a feature that it lacks.
    pub fn is_absent(&self) -> bool {
        match self {
            Self::Refused { status, .. } | Self::Rejected { status, .. } => {
                matches!(status, 404 | 405 | 501)
            }
            _ => false,
        }
    }
}

fn said(message: Option<&str>) -> String {
    message.map_or_else(String::new, |text| format!(": the server says \"{text}\""))
}

fn wait_words(time: Option<Duration>) -> String {
    time.map_or_else(String::new, |time| {
        format!("; it asks to wait {} seconds", time.as_secs())
    })
}
