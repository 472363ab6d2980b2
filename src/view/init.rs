//! What `init` did, or would do.

use serde::Serialize;

use super::{Format, Medium, json::pretty, report::FORMAT_VERSION, udiff::unified};
use crate::escape;

/// What became of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Did {
    /// It is new.
    Created,
    /// It was there, and is for the projects that there are now.
    Updated,
    /// It was there, and stays as it is.
    Exists,
    /// The answer was no.
    Declined,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileDone {
    /// The file, relative to the project root. Unescaped.
    pub file: String,
    /// What became of it.
    pub action: Did,
    /// Projects of the repository that it does not name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lacks: Vec<String>,
}

/// A file before and after, as a unified diff.
pub fn diff(file: &str, before: &str, after: &str) -> String {
    let file = escape::limited(file, 400);
    let (a, b) = (format!("a/{file}"), format!("b/{file}"));
    let text = unified(before, after, (&a, &b));
    let lines = text.lines().map(escape::terminal);
    lines.collect::<Vec<_>>().join("\n")
}

/// What was done, and what is next.
pub fn show(files: &[FileDone], dry_run: bool, next: &[String], medium: &Medium<'_>) -> String {
    match medium.format {
        Format::Json => json(files, dry_run, next),
        _ => text(files, dry_run, next),
    }
}

/// A line for each file, and what to do next.
fn text(files: &[FileDone], dry_run: bool, next: &[String]) -> String {
    let mut text = String::new();
    for file in files {
        let word = match (file.action, dry_run) {
            (Did::Created, false) => "created",
            (Did::Created, true) => "would create",
            (Did::Updated, false) => "updated",
            (Did::Updated, true) => "would update",
            (Did::Exists, _) => "left as it is:",
            (Did::Declined, _) => "not wanted:",
        };
        text.push_str(word);
        text.push(' ');
        text.push_str(&escape::limited(&file.file, 400));
        if !file.lacks.is_empty() {
            let names = file.lacks.iter().take(5);
            let names: Vec<_> = names.map(|name| escape::limited(name, 100)).collect();
            text.extend([", which does not name ", &names.join(", ")]);
        }
        text.push('\n');
    }
    if !next.is_empty() {
        text.push_str("\nNext:\n");
        for step in next {
            text.push_str("  ");
            text.push_str(step);
            text.push('\n');
        }
    }
    text
}

#[derive(Serialize)]
struct InitReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    dry_run: bool,
    files: &'a [FileDone],
    next: &'a [String],
}

/// The same as JSON, with a line break at its end.
fn json(files: &[FileDone], dry_run: bool, next: &[String]) -> String {
    pretty(&InitReport {
        format_version: FORMAT_VERSION,
        kind: "init",
        dry_run,
        files,
        next,
    })
}
