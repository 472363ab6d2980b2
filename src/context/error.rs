//! Mistakes in the use of the command line.

use miette::Diagnostic;
use thiserror::Error;

use crate::escape;

/// A command line that cannot be carried out as it is.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(code(connplan::usage))]
pub struct UsageError {
    message: String,
    #[help]
    help: Option<String>,
}

/// What GitHub tells of this run is named, and not to be had: what the run is for cannot be told then.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "the event of this run cannot be read, so connplan does not know which settings apply: {why}"
)]
#[diagnostic(
    code(connplan::context::event),
    help("GITHUB_EVENT_PATH names its file; a container needs that file mounted at the same path")
)]
pub struct UnreadableEvent {
    pub(super) why: String,
}

/// Names of files and folders may stand in it: escaped, whoever wrote the sentence around them.
fn shown(text: &str) -> String {
    let lines: Vec<_> = text.split('\n').map(escape::terminal).collect();
    lines.join("\n")
}

impl UsageError {
    /// A mistake without more to say.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: shown(&message.into()),
            help: None,
        }
    }

    /// A mistake and the way out.
    pub fn with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: shown(&message.into()),
            help: Some(shown(&help.into())),
        }
    }
}
