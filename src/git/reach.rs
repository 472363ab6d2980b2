//! Why a remote could not be used.

use super::{GitError, RemoteAddress, command::said};

/// A failure with a remote, by what git said.
pub(super) fn reach(remote: &RemoteAddress, doing: &'static str, stderr: &str) -> GitError {
    let denied = [
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "Permission denied",
        "Permission to ",
        "access denied",
        "Access denied",
        "not authorized",
        "returned error: 401",
        "returned error: 403",
        "returned error: 404",
        "Repository not found",
        "repository not found",
        "insufficient permission",
        "Write access to repository not granted",
        "read-only",
        "service not enabled",
        "unable to create temporary object",
        "not allowed to push",
    ];
    let remote = remote.name.to_string();
    let said = said(stderr);
    if denied.iter().any(|words| stderr.contains(words)) {
        GitError::Denied {
            remote,
            doing,
            said,
        }
    } else {
        GitError::Away { remote, said }
    }
}
