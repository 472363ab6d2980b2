//! What goes wrong with files.

use std::{io, path::PathBuf};

use miette::Diagnostic;
use thiserror::Error;

/// A file or folder that could not be used.
#[derive(Debug, Error, Diagnostic)]
pub enum FsError {
    /// There is nothing by that name.
    #[error("{} does not exist", path.display())]
    #[diagnostic(code(connplan::fs::not_found))]
    NotFound {
        /// What was looked for.
        path: PathBuf,
    },
    /// More than the reader takes.
    #[error("{} is larger than {limit} bytes", path.display())]
    #[diagnostic(code(connplan::fs::too_large))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A folder, a device, a pipe.
    #[error("{} is not a regular file", path.display())]
    #[diagnostic(code(connplan::fs::not_a_file))]
    NotAFile {
        /// The thing.
        path: PathBuf,
    },
    /// A link where connplan keeps what is private: it would write where the link leads.
    #[error("{} is a symbolic link", path.display())]
    #[diagnostic(
        code(connplan::fs::linked),
        help("connplan does not keep private files behind links; remove it, and it makes its own")
    )]
    Linked {
        /// The link.
        path: PathBuf,
    },
    /// Bytes that are no UTF-8.
    #[error("{} is not UTF-8 text (first bad byte at offset {offset})", path.display())]
    #[diagnostic(code(connplan::fs::not_utf8), help("save the file as UTF-8"))]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Bytes before the first bad one.
        offset: usize,
    },
    /// The operating system said no.
    #[error("could not {action} {}: {source}", path.display())]
    #[diagnostic(code(connplan::fs::io))]
    Io {
        /// `read`, `write`, `create`, ...: fits between "could not" and the path.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl FsError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        if source.kind() == io::ErrorKind::NotFound && action != "write" && action != "create" {
            return Self::NotFound { path };
        }
        Self::Io {
            action,
            path,
            source,
        }
    }

    /// Whether the path simply is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }
}
