//! Why there is no page.

use miette::Diagnostic;
use thiserror::Error;

/// Why the page could not be served.
#[derive(Debug, Error, Diagnostic)]
pub enum PageError {
    /// No port on 127.0.0.1.
    #[error("the page could not be served on this machine: {0}")]
    #[diagnostic(
        code(connplan::page::listen),
        help("`connplan authorize --no-browser` shows the links in the terminal instead")
    )]
    Listen(#[source] std::io::Error),
}
