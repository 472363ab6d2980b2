//! What goes wrong with files.

use std::{io, path::PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use crate::escape;

/// A file or folder that could not be used.
#[derive(Debug, Error, Diagnostic)]
pub enum FsError {
    /// There is nothing by that name.
    #[error("{} does not exist", escape::path(path))]
    #[diagnostic(
        code(connplan::fs::not_found),
        help(
            "check the path; where it is relative, it starts at the current folder, or at `-C DIR`"
        )
    )]
    NotFound {
        /// What was looked for.
        path: PathBuf,
    },
    /// More than the reader takes.
    #[error("{} is larger than {limit} bytes", escape::path(path))]
    #[diagnostic(
        code(connplan::fs::too_large),
        help("check the path: is this the right file?")
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A folder, a device, a pipe.
    #[error("{} is not a regular file", escape::path(path))]
    #[diagnostic(code(connplan::fs::not_a_file), help("give the path of a file"))]
    NotAFile {
        /// The thing.
        path: PathBuf,
    },
    /// A link where connplan is to write: it would write where the link leads.
    #[error("{} is a symbolic link", escape::path(path))]
    #[diagnostic(
        code(connplan::fs::linked),
        help("connplan does not write through links; remove the link, or name a file")
    )]
    Linked {
        /// The link.
        path: PathBuf,
    },
    /// What connplan keeps and believes, and another user wrote.
    #[error("{} belongs to another user", escape::path(path))]
    #[diagnostic(
        code(connplan::fs::not_own),
        help(
            "connplan uses only files that you or root own; find out who owns it, and move it away, or name another place"
        )
    )]
    NotOwn {
        /// The file.
        path: PathBuf,
    },
    /// What connplan keeps for its user alone, and others may read: it did not make that file.
    #[error(
        "{} is not believed: others can read it, and connplan makes it for you alone",
        escape::path(path)
    )]
    #[diagnostic(
        code(connplan::fs::not_private),
        help(
            "look at what is in it; if all of it is yours, run `chmod 600` on it, else remove it"
        )
    )]
    NotPrivate {
        /// The file.
        path: PathBuf,
    },
    /// What is to be read of a folder, and another user put there.
    #[error("{} belongs to another user (user id {owner})", escape::path(path))]
    #[diagnostic(
        code(connplan::fs::of_another),
        help(
            "if you trust it, name the folder that it is read in: `-C FOLDER`; else work in another folder"
        )
    )]
    OfAnother {
        /// The file, or a folder or link on the way to it.
        path: PathBuf,
        /// Whose, by number.
        owner: u32,
    },
    /// A path of the project that leads elsewhere. What lies there is not shown.
    #[error("{} leads out of {}", escape::path(path), escape::path(root))]
    #[diagnostic(
        code(connplan::fs::outside),
        help(
            "connplan reads and writes only in the project, without git's own folder, and follows no link out of it; put a file there instead"
        )
    )]
    Outside {
        /// The path.
        path: PathBuf,
        /// What it leads out of.
        root: PathBuf,
    },
    /// Bytes that are not UTF-8.
    #[error(
        "{} is not UTF-8 text (first bad byte at offset {offset})",
        escape::path(path)
    )]
    #[diagnostic(code(connplan::fs::not_utf8), help("save the file as UTF-8"))]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Bytes before the first bad one.
        offset: usize,
    },
    /// The operating system said no.
    #[error("could not {action} {}: {source}", escape::path(path))]
    #[diagnostic(code(connplan::fs::io))]
    Io {
        /// `read`, `write`, `create`, ...: fits between "could not" and the path.
        action: &'static str,
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
        /// What to do about it, where that is known.
        #[help]
        help: Option<&'static str>,
    },
}

impl FsError {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        if source.kind() == io::ErrorKind::NotFound && action != "write" && action != "create" {
            return Self::NotFound { path };
        }
        let source = bare(source);
        let help = advice(source.kind(), action);
        Self::Io {
            action,
            path,
            source,
            help,
        }
    }

    /// Whether the path simply is not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NotFound { .. })
    }

    /// Whether nobody but another user, or nobody at all, may write there.
    pub fn is_denied(&self) -> bool {
        let kinds = [
            io::ErrorKind::PermissionDenied,
            io::ErrorKind::ReadOnlyFilesystem,
        ];
        matches!(self, Self::Io { source, .. } if kinds.contains(&source.kind()))
    }

    /// Whether nothing can be there: it is not, or a part of its path is a file.
    pub fn is_nothing(&self) -> bool {
        let file = |e: &io::Error| e.kind() == io::ErrorKind::NotADirectory;
        self.is_not_found() || matches!(self, Self::Io { source, .. } if file(source))
    }
}

/// What the system said, without the temporary file's path that the writing library wraps around it.
fn bare(error: io::Error) -> io::Error {
    // The library gives out the error it wraps in its text alone.
    let text = error.get_ref().map(ToString::to_string).unwrap_or_default();
    let code = text.split_once("(os error ").and_then(|(_, rest)| {
        let (code, _) = rest.split_once(')')?;
        code.parse().ok()
    });
    code.map_or(error, io::Error::from_raw_os_error)
}

fn advice(kind: io::ErrorKind, action: &str) -> Option<&'static str> {
    use io::ErrorKind::{
        FileTooLarge, IsADirectory, NotADirectory, NotFound, PermissionDenied, QuotaExceeded,
        ReadOnlyFilesystem, StorageFull,
    };
    Some(match kind {
        StorageFull | QuotaExceeded | FileTooLarge => {
            "free disk space there, then run the same command again"
        }
        ReadOnlyFilesystem => {
            "make it writable or use another folder, then run the same command again"
        }
        PermissionDenied if action == "read" => {
            "make it readable for your user, then run the same command again"
        }
        PermissionDenied => {
            "make it writable for your user or use another folder, then run the same \
             command again"
        }
        NotFound => "create its folder, then run the same command again",
        NotADirectory => "a part of this path is a file, not a folder; check the path",
        IsADirectory => "there is a folder by that name; name a file",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use miette::Diagnostic;

    use super::*;

    #[test]
    fn what_the_system_refuses_has_a_way_out() {
        for (kind, way) in [
            (io::ErrorKind::StorageFull, "free disk space"),
            (io::ErrorKind::QuotaExceeded, "free disk space"),
            (io::ErrorKind::ReadOnlyFilesystem, "make it writable"),
            (io::ErrorKind::PermissionDenied, "writable for your user"),
            (io::ErrorKind::NotFound, "create its folder"),
        ] {
            let error = FsError::io("write", "x", kind.into());
            let help = error.help().map(|help| help.to_string());
            let help = help.unwrap_or_else(|| panic!("no help for {kind}"));
            assert!(help.contains(way), "{help}");
        }
        let read = FsError::io("read", "x", io::ErrorKind::PermissionDenied.into());
        assert!(
            read.help()
                .unwrap()
                .to_string()
                .contains("readable for your user")
        );
        let gone = FsError::io("read", "x", io::ErrorKind::NotFound.into());
        assert!(gone.help().unwrap().to_string().contains("check the path"));
    }

    #[test]
    fn no_temporary_file_shows_through() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none").join("x.plan");
        let error = super::super::probe_writable(&path, 0).unwrap_err();
        assert!(!error.to_string().contains(".connplan-"), "{error}");
        assert!(
            error.to_string().contains("x.plan: No such file"),
            "{error}"
        );
    }
}
