//! What a pull does to the files.

use serde::Serialize;

use super::{
    Format, Medium, NextCommand, Style, Theme,
    json::{AppName, pretty},
    report::FORMAT_VERSION,
    udiff::unified,
    words::count,
};
use crate::{
    edit::pull::{FileChange, Reason, What},
    escape,
    model::{App, ConnectorType},
    term::Terminal,
};

/// What it would do to the files, for a person; a document has it at its end.
pub fn show_diff(steps: &[FileChange], medium: &Medium<'_>, terminal: &Terminal) {
    if medium.format == Format::Text {
        terminal.verbatim(&diff(steps, medium.theme));
    }
}

/// The same, for who is asked and has not seen it.
pub fn propose(steps: &[FileChange], medium: &Medium<'_>, terminal: &Terminal) {
    if medium.format != Format::Text {
        terminal.insist(&diff(steps, medium.aside(terminal).theme));
    }
}

/// What was done, or would be.
pub fn show(
    app: &App,
    steps: &[FileChange],
    dry_run: bool,
    medium: &Medium<'_>,
    terminal: &Terminal,
) {
    match medium.format {
        Format::Json => terminal.out(&json(app, steps, dry_run)),
        _ => terminal.say(&summary(steps, dry_run, medium.next)),
    }
}

/// The files before and after, as one unified diff. Text of files is untrusted: what a terminal
/// would take for a command is shown by its number.
fn diff(steps: &[FileChange], theme: Theme) -> String {
    let mut out = String::new();
    for step in steps {
        let file = escape::limited(&step.file, 400);
        let here = format!("a/{file}");
        let next = format!("b/{file}");
        let (before, after, from, to) = match &step.what {
            What::Create(text) => ("", text.as_str(), "/dev/null", next.as_str()),
            What::Edit { before, after } => (
                before.as_str(),
                after.as_str(),
                here.as_str(),
                next.as_str(),
            ),
            What::Remove(text) => (text.as_str(), "", here.as_str(), "/dev/null"),
            What::Unchanged | What::Kept(_) => continue,
        };
        let text = if step.quoted {
            unified(before, after, (from, to))
        } else {
            format!(
                "--- {from}\n+++ {to}\n@@ {}, not shown: {UNQUOTED} @@\n",
                count(before.lines().count(), "line")
            )
        };
        for line in text.split_inclusive('\n') {
            out.push_str(&painted(line, theme));
        }
    }
    out
}

/// Why the lines of a file are not shown.
const UNQUOTED: &str = "a link leads to it, or it need not be meant for connplan";

fn painted(line: &str, theme: Theme) -> String {
    let text = line.trim_end_matches(['\r', '\n']);
    let end = line.get(text.len()..).unwrap_or_default();
    // A tab is how some people indent.
    let parts: Vec<_> = text.split('\t').map(escape::terminal).collect();
    let text = parts.join("\t");
    let style = match text.chars().next() {
        _ if text.starts_with("+++") || text.starts_with("---") => Some(Style::Bold),
        Some('+') => Some(Style::Added),
        Some('-') => Some(Style::Removed),
        Some('@') => Some(Style::Dim),
        _ => None,
    };
    match style {
        Some(style) => format!("{}{end}", theme.paint(style, &text)),
        None => format!("{text}{end}"),
    }
}

/// Lines for a person: what was done, or would be.
fn summary(steps: &[FileChange], dry_run: bool, next: &NextCommand) -> String {
    let of = |wanted: fn(&What) -> bool| steps.iter().filter(|s| wanted(&s.what)).count();
    let written = of(|what| matches!(what, What::Create(_) | What::Edit { .. }));
    let removed = of(|what| matches!(what, What::Remove(_)));
    let mut text = String::new();
    if written + removed == 0 {
        let kept = of(|what| matches!(what, What::Kept(_)));
        text.push_str(if kept == 0 {
            "Nothing to pull. The connector files match the app.\n"
        } else {
            "Nothing to pull.\n"
        });
    } else {
        let (would, end) = if dry_run {
            ("Would pull", " Nothing was written.")
        } else {
            ("Pulled", "")
        };
        let written = count(written, "file");
        let line = format!("{would}: {written} written, {removed} removed.{end}\n");
        text.push_str(&line);
    }
    let kept = |wanted: Reason| {
        let of = steps
            .iter()
            .filter(move |step| matches!(&step.what, What::Kept(why) if *why == wanted));
        let of: Vec<_> = of.collect();
        let files: Vec<_> = of
            .iter()
            .map(|step| escape::limited(&step.file, 400))
            .collect();
        let types: Vec<_> = of.iter().map(|step| step.connector.as_str()).collect();
        let stay = if of.len() == 1 { "stays" } else { "stay" };
        (!of.is_empty()).then(|| (format!("{} {stay}", files.join(", ")), types.join(", ")))
    };
    if let Some((files, types)) = kept(Reason::Pending) {
        let wait = if types.contains(", ") {
            "wait"
        } else {
            "waits"
        };
        let next = next.within("`connplan authorize`");
        let line = format!("{files}: {types} {wait} for authorization (run {next}).\n");
        text.push_str(&line);
    }
    if let Some((files, types)) = kept(Reason::Unlisted) {
        let next = next.within("`connplan push`");
        let line = format!(
            "{files}: the app has no {types} (`--prune` removes such files; {next} creates what they declare).\n"
        );
        text.push_str(&line);
    }
    text
}

#[derive(Serialize)]
struct PullReport<'a> {
    format_version: &'static str,
    kind: &'static str,
    app_id: &'a str,
    api_url: &'a str,
    apps: Vec<AppName>,
    dry_run: bool,
    written: Vec<FileReport<'a>>,
    removed: Vec<FileReport<'a>>,
    unchanged: Vec<FileReport<'a>>,
    kept: Vec<FileReport<'a>>,
    diff: String,
}

#[derive(Serialize)]
struct FileReport<'a> {
    connector: &'a ConnectorType,
    file: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

/// The same as JSON, with a line break at its end.
fn json(app: &App, steps: &[FileChange], dry_run: bool) -> String {
    let mut report = PullReport {
        format_version: FORMAT_VERSION,
        kind: "pull",
        app_id: app.id.as_str(),
        api_url: app.api_url.as_str(),
        apps: AppName::list(Some(app)),
        dry_run,
        written: Vec::new(),
        removed: Vec::new(),
        unchanged: Vec::new(),
        kept: Vec::new(),
        diff: diff(steps, Theme::PLAIN),
    };
    for step in steps {
        let (list, created, reason) = match &step.what {
            What::Create(_) => (&mut report.written, Some(true), None),
            What::Edit { .. } => (&mut report.written, Some(false), None),
            What::Remove(_) => (&mut report.removed, None, None),
            What::Unchanged => (&mut report.unchanged, None, None),
            What::Kept(reason) => (&mut report.kept, None, Some(reason.as_str())),
        };
        list.push(FileReport {
            connector: &step.connector,
            file: &step.file,
            created,
            reason,
        });
    }
    pretty(&report)
}
