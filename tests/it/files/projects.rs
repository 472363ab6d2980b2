//! Every project under `fixtures/projects`, read and checked as `validate` does.
//!
//! A case is a folder: a project, and what is said of it in `expected/validate.txt`.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a test that fails"
)]

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use connplan::{
    config::{FindOptions, Folder, Project, connectors},
    model::Vars,
    syntax::Problem,
    view::{NextCommand, problems},
};
use miette::Diagnostic;

use crate::support::differs;

#[test]
fn each_project_is_judged_as_expected() {
    let cases = cases();
    assert!(cases.len() >= 20, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let judged = judge(&case);
        assert_harmless(&judged);
        let file = case.join("expected/validate.txt");
        wrong.extend(differs(&file, &judged));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The folders two levels below `fixtures/projects`.
fn cases() -> Vec<PathBuf> {
    let folders = |path: &Path| -> Vec<PathBuf> {
        let entries = fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries.filter(|path| path.is_dir()).collect()
    };
    let groups = folders(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/projects"));
    let mut cases: Vec<PathBuf> = groups.iter().flat_map(|group| folders(group)).collect();
    cases.sort();
    cases
}

fn judge(case: &Path) -> String {
    let project = match Project::find(case, &FindOptions::default(), &Vars::default()) {
        Ok(project) => project,
        Err(error) => return render(&error),
    };
    let loaded = connectors::read(&project);
    let mut text = format!("{}: ", project.shown(&project.connectors_dir));
    match loaded.folder {
        Folder::Missing => writeln!(text, "no such folder"),
        Folder::Empty => writeln!(text, "no connector file"),
        Folder::Read(1) => writeln!(text, "1 file"),
        Folder::Read(count) => writeln!(text, "{count} files"),
    }
    .unwrap();
    match &loaded.declared {
        None => text.push_str("nothing is planned\n"),
        Some(declared) => {
            for (connector, declared) in &declared.connectors {
                let scopes: Vec<String> = declared
                    .scopes
                    .iter()
                    .map(|scope| scope.as_str().escape_debug().to_string())
                    .collect();
                let account = declared.account.as_ref();
                let account = account.map(|a| format!(" as {}", a.as_str()));
                writeln!(
                    text,
                    "{connector}{}: [{}]",
                    account.unwrap_or_default(),
                    scopes.join(", ")
                )
                .unwrap();
            }
        }
    }
    for problem in &loaded.problems {
        let found = problem.to_diagnostic();
        let place = match (found.line, found.column) {
            (Some(line), Some(column)) => format!(":{line}:{column}"),
            _ => String::new(),
        };
        writeln!(
            text,
            "\n{}{place} {:?}",
            found.file.unwrap(),
            found.severity
        )
        .unwrap();
        text += &render(problem);
        assert_fits(problem);
    }
    text
}

/// As a terminal of 100 columns without colour shows it.
pub(crate) fn render(diagnostic: &dyn Diagnostic) -> String {
    problems::render(diagnostic, false, Some(100), &NextCommand::default())
}

/// Nothing that a terminal shows of a problem is wider than it, but for what stands whole.
fn assert_fits(problem: &Problem) {
    for columns in [40, 57, 80, 120, 200] {
        let shown = problems::render(problem, false, Some(columns), &NextCommand::default());
        for line in shown.lines() {
            let is_whole = !line.trim().contains(' ') || line.trim().starts_with("connplan ");
            let wide = console::measure_text_width(line);
            assert!(wide <= columns || is_whole, "at {columns}:\n{shown}");
        }
    }
}

/// Nothing in the text steers a terminal or a runner, hides, or turns the reading direction.
pub(crate) fn assert_harmless(text: &str) {
    for line in text.lines() {
        assert!(!line.starts_with("::"), "{line:?}");
        let steering = line.chars().find(|c| {
            c.is_control()
                || matches!(*c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                    | '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{e0000}'..='\u{e0fff}')
        });
        assert_eq!(steering, None, "{line:?}");
    }
}
