//! Mistakes in the use of the command line.

use miette::Diagnostic;
use thiserror::Error;

/// A command line that cannot be carried out as it is.
#[derive(Debug, Error, Diagnostic)]
#[error("{message}")]
#[diagnostic(code(connplan::usage))]
pub struct UsageError {
    message: String,
    #[help]
    help: Option<String>,
}

impl UsageError {
    /// A mistake without more to say.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
        }
    }

    /// A mistake and the way out.
    pub fn with_help(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: Some(help.into()),
        }
    }
}
