//! Mistakes in the use of the command line, and documents that could not be encoded.

use miette::Diagnostic;
use thiserror::Error;

/// A command line that can not be carried out as it is.
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

/// A document that could not be put into its format.
#[derive(Debug, Error, Diagnostic)]
#[error("the output could not be encoded: {0}")]
#[diagnostic(
    code(connplan::encode),
    help("this is a fault of connplan; please report it")
)]
pub struct EncodeError(pub String);
