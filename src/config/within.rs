//! Files within a project: how they are read and how they are called.

use std::path::Path;

use super::MAX_FILE_SIZE;
use crate::{
    fs::{Confined, FsError, Owners, read_told},
    syntax::Finding,
};

/// A file's text.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    pub(super) text: String,
    /// Whether a link led there. Such a file is read, and none of its lines is shown: it may be one
    /// that only this machine has, and the link a proposal's.
    pub(super) linked: bool,
}

/// Reads one file's text, if it lies in one of these folders, links resolved, and is of these users.
pub(super) fn read_file(roots: &[&Path], owners: Owners, path: &Path) -> Result<Text, Finding> {
    let read = read_told(roots, owners, path, MAX_FILE_SIZE);
    let Confined { bytes, linked } = read.map_err(|e| match e {
        FsError::Outside { .. } => Finding::LeadsOut,
        FsError::TooLarge { .. } => Finding::TooLarge,
        FsError::NotFound { .. } => Finding::Unreadable {
            reason: "it is a link to a file that does not exist".to_owned(),
        },
        FsError::NotAFile { .. }
        | FsError::Linked { .. }
        | FsError::NotOwn { .. }
        | FsError::NotPrivate { .. } => {
            Finding::Unreadable {
                reason: "it is not a regular file".to_owned(),
            }
        }
        FsError::OfAnother { owner, .. } => Finding::Unreadable {
            reason: format!(
                "it belongs to another user (number {owner}); if you trust it, name the project's folder: `-C FOLDER`"
            ),
        },
        FsError::Io { source, .. } => Finding::Unreadable {
            reason: source.to_string(),
        },
        FsError::NotUtf8 { .. } => Finding::NotUtf8 { line: 1 },
    })?;
    let text = String::from_utf8(bytes).map_err(|e| {
        let good = e.as_bytes().get(..e.utf8_error().valid_up_to());
        let lines = good.unwrap_or_default().iter().filter(|b| **b == b'\n');
        Finding::NotUtf8 {
            line: lines.count() + 1,
        }
    })?;
    Ok(Text { text, linked })
}

/// `path` relative to `root`, with `/`; by `..` where it lies elsewhere.
pub(super) fn shown_path(root: &Path, path: &Path) -> String {
    let base = root.ancestors().position(|base| path.starts_with(base));
    let up = base.unwrap_or(0);
    let inner = base
        .and_then(|_| root.ancestors().nth(up))
        .and_then(|base| path.strip_prefix(base).ok())
        .unwrap_or(path);
    let mut parts = vec!["..".to_owned(); up];
    parts.extend(
        inner
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned()),
    );
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_from_the_root() {
        let shown = |path: &str| shown_path(Path::new("/a/b"), Path::new(path));
        assert_eq!(shown("/a/b/base44/x.json"), "base44/x.json");
        assert_eq!(shown("/a/c/x.json"), "../c/x.json");
        assert_eq!(shown("/a/b"), ".");
    }
}
