//! Every folder of `fixtures/cases`: a project, what the remote answers, and the plan that comes of
//! it in each format, as it was looked at and found good. A new case is a new folder.
//!
//! - `project/`: the files.
//! - `remote.json`: `list` and `stripe`, the bodies of the two answers.
//! - `case.toml`: `args`, further arguments of `plan`; `code`, how it ends (0).
//! - `expected/`: `plan.txt`, `plan.json`, `plan.diff`, `plan.md`, `said.txt` (what is said on the
//!   way). Address, digests and request ids are replaced: they are others each time.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use serde_json::Value;

use crate::{
    support::scripted::{Reply, Scripted},
    support::{Output, Project, all_cases, as_saved, differs},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    code: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remote {
    list: Value,
    stripe: Value,
}

const FORMATS: [(&str, &str); 4] = [
    ("text", "plan.txt"),
    ("json", "plan.json"),
    ("diff", "plan.diff"),
    ("markdown", "plan.md"),
];

#[test]
fn every_case_plans_as_it_was_found_good() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/cases");
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    cases.sort();
    assert!(cases.len() >= 15, "{}", cases.len());
    let mut wrong = Vec::new();
    for (turn, case) in cases.iter().enumerate() {
        check(case, turn, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// As text, and in one of the other formats, where not everything is tried.
fn check(folder: &Path, turn: usize, wrong: &mut Vec<String>) {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let case: Case = toml::from_str(&read("case.toml")).unwrap();
    let remote: Remote = serde_json::from_str(&read("remote.json")).unwrap();
    let server = Scripted::start();
    let any_app = ["68a1b2c3d4e5f60718293a4b", "68a1b2c3d4e5f60718293a99"];
    for app in any_app {
        let base = format!("GET /api/apps/{app}");
        server.on(
            &format!("{base}/external-auth/list"),
            [Reply::json(200, &remote.list)],
        );
        server.on(
            &format!("{base}/payments/stripe/status"),
            [Reply::json(200, &remote.stripe)],
        );
        // No type needs a value.
        server.on(
            &format!("{base}/external-auth/available-integrations"),
            [Reply::json(200, &serde_json::json!({ "integrations": [] }))],
        );
    }
    let project = Project::nowhere().at_url(&server.url(), "b44k_fixture");
    copy(&folder.join("project"), &project.root());
    let run = |args: &[&str]| {
        let more: Vec<_> = case.args.iter().map(String::as_str).collect();
        project.run(&[args, &more].concat())
    };
    let mut planned = None;
    let formats = FORMATS.into_iter().enumerate();
    let tried = |n: usize| all_cases() || n == 0 || n == 1 + turn % 3;
    for (_, (format, name)) in formats.filter(|(n, _)| tried(*n)) {
        let output = run(&["plan", "--format", format]);
        if output.code != Some(case.code) {
            wrong.push(format!("{}: {output}", folder.display()));
            return;
        }
        let shown = normal(&output.stdout, &server);
        expect(folder, name, &shown, wrong);
        if format == "text" {
            expect(folder, "said.txt", &normal(&output.stderr, &server), wrong);
        }
        for control in ['\u{1b}', '\u{7}', '\u{202e}', '\u{2066}', '\0', '\r'] {
            if output.stdout.contains(control) || output.stderr.contains(control) {
                wrong.push(format!("{control:?} in {output:?}"));
            }
        }
        if format == "json" {
            planned = Some(output);
        }
    }
    // What is saved is shown as it was planned: a third of them tells, each time the same.
    if let (0, Some(planned)) = (case.code, planned) {
        let saved = run(&["plan", "--out", "x.plan"]);
        let shown = project.run(&["show", "x.plan", "--format", "json"]);
        let same = |planned: &Output, shown: &Output| {
            let masked = as_saved(&planned.stdout, &planned.stdout);
            planned.code == shown.code && masked == shown.stdout
        };
        if saved.code != Some(0) || !same(&planned, &shown) {
            wrong.push(format!("{}: {saved}\n{shown}", folder.display()));
        }
    }
    let writes: Vec<_> = server.log();
    assert!(
        writes.iter().all(|line| line.starts_with("GET ")),
        "{writes:?}"
    );
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let from: PathBuf = entry.unwrap().path();
        let to = to.join(from.file_name().unwrap());
        if from.is_dir() {
            fs::create_dir_all(&to).unwrap();
            copy(&from, &to);
        } else {
            fs::copy(&from, &to).unwrap();
        }
    }
}

/// What differs from run to run, named.
fn normal(text: &str, server: &Scripted) -> String {
    let mut text = text.replace(&server.url(), "http://remote.example");
    // Messages are wrapped, ids among them.
    let in_id = |c: char| c.is_ascii_hexdigit() || c == '-' || c == '│' || c.is_whitespace();
    for (start, name) in [("sha256:", "DIGEST"), ("(request ", "ID")] {
        let mut rest = text.as_str();
        let mut out = String::new();
        while let Some((before, after)) = rest.split_once(start) {
            out.push_str(before);
            out.push_str(start);
            out.push_str(name);
            rest = if name == "ID" {
                after.trim_start_matches(in_id)
            } else {
                after.get(64..).unwrap_or_default()
            };
        }
        out.push_str(rest);
        text = out;
    }
    text
}

fn expect(case: &Path, name: &str, shown: &str, wrong: &mut Vec<String>) {
    let path = case.join("expected").join(name);
    wrong.extend(differs(&path, shown));
}
