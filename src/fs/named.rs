//! Paths in a text that a shell or git reads, and what of them a checkout has.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use super::{look, tree_of_way};
use crate::{escape, model::Vars};

/// A file of the checkout that a variable or a setting names, and that would decide too much.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "{by} names {file}, which lies in the checkout: a pull request may have written it, and it says whom to \
     believe or what to run"
)]
#[diagnostic(
    code(connplan::shipped),
    help(
        "keep it outside the checkout, and name it there: on the runner or in its image, in a file that a step \
         writes from a secret (GitHub: below RUNNER_TEMP), or in a variable of type File (GitLab). To copy what a \
         pull request brings does not help"
    )
)]
pub struct Shipped {
    by: String,
    file: String,
}

impl Shipped {
    /// Which variable or setting names it.
    pub fn new(by: impl Into<String>, file: &Path) -> Self {
        let (by, file) = (by.into(), escape::path(file));
        Self { by, file }
    }
}

/// Whether one of these checkouts has a file or a folder. A link out of it counts, wherever it leads.
pub fn ships(trees: &[PathBuf], file: &Path) -> bool {
    let is_there = || {
        let roots: Vec<_> = trees.iter().map(PathBuf::as_path).collect();
        let seen = look(&roots, file);
        seen.is_file() || seen.is_folder()
    };
    tree_of_way(file, trees).is_some() && is_there()
}

/// The absolute paths that a text may hold, wherever in a word they begin: as it stands, and as a shell or git reads
/// it, with the variables of the process and its home.
pub fn paths_named(text: &str, vars: &Vars) -> Vec<PathBuf> {
    let read = expanded(text, vars, DEEP);
    let bare = read.replace('\\', "");
    let mut texts = vec![text, &read];
    if cfg!(unix) && bare != read {
        texts.push(&bare);
    }
    let mut found = Vec::new();
    for text in texts {
        for (at, _) in text.match_indices(['/', '\\']) {
            // `C:\` begins with its letter.
            let drive = text.get(at.saturating_sub(2)..at);
            let is_drive = cfg!(windows) && drive.is_some_and(|drive| drive.ends_with(':'));
            let rest = &text[if is_drive { at - 2 } else { at }..];
            let is_quote = |c: char| matches!(c, '"' | '\'');
            let is_end = |c: char| is_quote(c) || c.is_whitespace() || ";,!()`|&<>{}=".contains(c);
            let to = |end: Option<usize>| rest.get(..end.unwrap_or(rest.len()));
            let ends = [
                to(rest.find(is_end)),
                to(rest.find(is_quote)),
                to(rest
                    .get(3..)
                    .and_then(|rest| rest.find(':'))
                    .map(|at| at + 3)),
                Some(rest.trim_end()),
            ];
            for path in ends.into_iter().flatten().map(PathBuf::from) {
                if path.is_absolute() && !found.contains(&path) {
                    found.push(path);
                }
            }
        }
    }
    found
}

/// So deep defaults stand in defaults. A value may name itself: nobody expanded it.
const DEEP: u8 = 4;
const LONG: usize = 1 << 14;

/// What a shell makes of it, as far as that tells which files are meant. What stands in braces after a name, and the
/// value that it changes, come last.
fn expanded(text: &str, vars: &Vars, deep: u8) -> String {
    let (mut read, mut changed) = (String::new(), String::new());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '~']) {
        let (before, after) = rest.split_at(at);
        read.push_str(before);
        let is_home =
            after.starts_with("~/") && !read.ends_with(|c: char| c.is_alphanumeric() || c == '/');
        if is_home && let Some(home) = vars.get("HOME") {
            read.push_str(home);
            rest = &after[1..];
            continue;
        }
        let braces = after
            .strip_prefix("${")
            .and_then(|inner| inner.split_once('}'));
        let (inner, next) = braces.unwrap_or((&after[1..], ""));
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, more) = inner.split_at(inner.find(|c| !is_name(c)).unwrap_or(inner.len()));
        let value = vars.get(name).filter(|_| after.starts_with('$'));
        read.push_str(value.unwrap_or(if name.is_empty() { &after[..1] } else { "" }));
        rest = if braces.is_some() { next } else { more };
        if braces.is_some() && !more.is_empty() {
            for part in [value.unwrap_or_default(), more] {
                changed.push(' ');
                changed.push_str(part);
            }
        }
    }
    read.push_str(rest);
    match deep.checked_sub(1) {
        Some(deep) if (1..LONG).contains(&changed.len()) => {
            read.push_str(&expanded(&changed, vars, deep));
        }
        _ => read.push_str(&changed),
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_in_a_command_are_found() {
        let vars = Vars::of(&[
            ("CI_PROJECT_DIR", "/b/p"),
            ("KEY", "/b/p/key"),
            ("HOME", "/b/p/home"),
            ("SELF", "${SELF:-/b/p/self} ${SELF:-$SELF}"),
        ]);
        for (command, path) in [
            ("ssh -i /b/p/key -v", "/b/p/key"),
            ("ssh -F/b/p/config", "/b/p/config"),
            ("ssh -o UserKnownHostsFile=/b/p/known", "/b/p/known"),
            ("ssh -F \"/b/my p/config\"", "/b/my p/config"),
            ("ssh -F /b/my\\ p/config", "/b/my p/config"),
            ("/b/my p/ssh", "/b/my p/ssh"),
            ("$CI_PROJECT_DIR/ssh", "/b/p/ssh"),
            ("ssh -F \"${CI_PROJECT_DIR}/config\"", "/b/p/config"),
            ("ssh -F$CI_PROJECT_DIR/config", "/b/p/config"),
            ("ssh -i \"$KEY\"", "/b/p/key"),
            ("ssh -i ${KEY:?}", "/b/p/key"),
            ("ssh -i ${KEY%/*}/other", "/b/p/key"),
            ("ssh -i ${CI_PROJECT_DIR:?}/key", "/b/p/key"),
            ("ssh -i ${OTHER:-/b/p/key}", "/b/p/key"),
            ("ssh -i ${OTHER:-$CI_PROJECT_DIR/key}", "/b/p/key"),
            ("cd $CI_PROJECT_DIR && ssh -F ci/ssh", "/b/p"),
            ("cd $CI_PROJECT_DIR; ssh -F ci/ssh", "/b/p"),
            ("ssh -i ~/key", "/b/p/home/key"),
            ("!f() { cat ~/key; }; f", "/b/p/home/key"),
            ("firefox:/b/p/browser %s", "/b/p/browser"),
            ("${SELF:-ssh} -v", "/b/p/self"),
        ] {
            let found = paths_named(command, &vars);
            assert!(found.contains(&PathBuf::from(path)), "{command}: {found:?}");
        }
        for none in ["ssh -v -o Batch=yes", "$NONE", "a~", "$", "${", "cost: 5$"] {
            assert_eq!(paths_named(none, &vars), [""; 0].map(PathBuf::from));
        }
    }
}
