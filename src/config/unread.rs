//! What lies in and below the connectors folder, looks like a connector file, and is not read.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::within::read_file;
use crate::{fs::Owners, model};

/// A file that looks like a connector file and is not read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Relative to the project.
    pub file: String,
    /// The type that it declares, as far as can be told. Untrusted text.
    pub declares: Option<String>,
}

/// What a file's name makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is read.
    Connector,
    /// It would be, by another extension.
    NearMiss,
    /// Its content decides whether it looks like one.
    Other,
}

pub(super) fn role(name: &str) -> Role {
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return Role::Other;
    };
    // Dotfiles, which the official client's pattern leaves out too.
    if stem.is_empty() || name.starts_with('.') {
        return Role::Other;
    }
    match extension {
        "json" | "jsonc" | "toml" => Role::Connector,
        _ => match extension.to_ascii_lowercase().as_str() {
            "json" | "jsonc" | "json5" | "toml" | "yaml" | "yml" => Role::NearMiss,
            _ => Role::Other,
        },
    }
}

/// Whether a file of this name in the connectors folder is read.
pub fn is_connector_file(name: &str) -> bool {
    role(name) == Role::Connector
}

/// What looks like a connector file in folders below: it is not read. Links are not followed, and
/// there is an end to looking.
pub(super) fn below(folder: &Path) -> Vec<PathBuf> {
    const MOST: usize = 2_000;
    const DEEP: usize = 3;
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    let mut seen = 0;
    while let Some((at, depth)) = folders.pop() {
        for entry in fs::read_dir(&at).into_iter().flatten().flatten() {
            seen += 1;
            if seen > MOST {
                return found;
            }
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let hidden = name.starts_with('.') || name == "node_modules";
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < DEEP && !hidden => {
                    folders.push((entry.path(), depth + 1));
                }
                Ok(kind) if kind.is_file() && depth > 0 && role(&name) != Role::Other => {
                    found.push(entry.path());
                }
                _ => {}
            }
        }
    }
    model::sort(&mut found, Ord::cmp);
    found
}

/// The type that a file declares; none for what cannot be read, or is too long for one.
pub(super) fn declared_in(roots: &[&Path], owners: Owners, path: &Path) -> Option<String> {
    type_in(&small(roots, owners, path)?)
}

/// The type that a file of any name declares, if the whole of it looks like a connector file.
pub(super) fn disguised(roots: &[&Path], owners: Owners, path: &Path) -> Option<String> {
    let text = small(roots, owners, path)?;
    let whole = text.trim_start_matches('\u{feff}').trim();
    let object = whole.starts_with(['{', '/']) && whole.ends_with(['}', '/']);
    (object && whole.contains("scopes")).then(|| type_in(&text))?
}

fn small(roots: &[&Path], owners: Owners, path: &Path) -> Option<String> {
    const LONGEST: u64 = 64 << 10;
    let meta = fs::symlink_metadata(path).ok()?;
    if !meta.is_file() || meta.len() > LONGEST {
        return None;
    }
    Some(read_file(roots, owners, path).ok()?.text)
}

/// What the first `type` of a text says, whatever the syntax is: `"type": "slack"`, `type = 'slack'`,
/// `type: slack`. Good enough to say what a file may be, and for nothing else.
pub fn type_in(text: &str) -> Option<String> {
    const KEY: &str = "type";
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let mut rest = text;
    while let Some(at) = rest.find(KEY) {
        let (before, after) = rest.split_at(at);
        let after = after.get(KEY.len()..)?;
        rest = after;
        if before.ends_with(plain) {
            continue;
        }
        let after = after.trim_start_matches(['"', '\'']).trim_start();
        let Some(value) = after.strip_prefix([':', '=']) else {
            continue;
        };
        let value = value.trim_start().trim_start_matches(['"', '\'']);
        let end = value.find(|c: char| !plain(c)).unwrap_or(value.len());
        let name = value.get(..end)?;
        if !name.is_empty() {
            return Some(name.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_found_in_any_syntax() {
        for text in [
            "{ \"type\": \"slack\" }",
            "{type:'slack'}",
            "// of some type\n{ \"scopes\": [], \"type\" : \"slack\" }",
            "scopes: []\ntype: slack\n",
            "type = \"slack\"",
            "subtype: x\ntype: slack",
        ] {
            assert_eq!(type_in(text).as_deref(), Some("slack"), "{text}");
        }
        for text in ["", "type", "a type of file", "{ \"types\": [] }", "type:"] {
            assert_eq!(type_in(text), None, "{text}");
        }
    }
}
