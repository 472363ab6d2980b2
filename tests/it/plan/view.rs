//! Every saved plan and receipt under `fixtures/`, in every format, as it was looked at and found
//! good. A new case is a new folder with a `plan.toml` or a `receipt.toml`.
//!
//! Blessing (see `support::good`) writes a fresh digest into hand-made documents too.

use std::{
    fs,
    path::{Path, PathBuf},
};

use connplan::{
    diff::Action,
    plan::document,
    receipt,
    risk::Level,
    view::{
        Theme, markdown,
        report::{PlanReport, ReceiptReport},
        text, unified,
    },
};

use crate::support::{blessing, differs};

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(folder);
    let mut cases: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    cases
}

/// The document of a case; when blessing, with the digest that its meaning has.
fn source(path: &Path) -> String {
    let source = fs::read_to_string(path).unwrap();
    if !blessing() {
        return source;
    }
    let table: toml::Table = source.parse().unwrap();
    let is_plan = table.get("kind").and_then(toml::Value::as_str) == Some("plan");
    let (digest, record) = if is_plan {
        document::seal(&table)
    } else {
        receipt::seal(&table)
    };
    let lines = source.lines().map(|line| {
        if line.starts_with("digest = ") {
            format!("digest = \"{digest}\"\n")
        } else if line.starts_with("record_digest = ") {
            format!("record_digest = \"{record}\"\n")
        } else {
            format!("{line}\n")
        }
    });
    let source: String = lines.collect();
    assert_eq!(differs(path, &source), None);
    source
}

/// Holds what is shown now against what was found good.
fn expect(case: &Path, name: &str, shown: &str, wrong: &mut Vec<String>) {
    wrong.extend(differs(&case.join(name), shown));
}

#[test]
fn plans_are_shown_as_expected() {
    let mut wrong = Vec::new();
    for case in cases("plans") {
        let saved = document::read("the plan", &source(&case.join("plan.toml")));
        let saved = saved.unwrap_or_else(|e| panic!("{}: {e}", case.display()));
        let report = PlanReport::new(&saved.plan, &saved.digest);
        let json = report.to_json();
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
        let options = text::PlanOptions {
            file: Some("plan.toml"),
            saved: false,
            ..Default::default()
        };
        let markdown = markdown::Options {
            file: Some("plan.toml".to_owned()),
            ..Default::default()
        };
        expect(&case, "plan.json", &json, &mut wrong);
        expect(
            &case,
            "plan.txt",
            &text::plan(&report, &options, Theme::PLAIN),
            &mut wrong,
        );
        expect(&case, "plan.diff", &unified::diff(&report), &mut wrong);
        expect(
            &case,
            "plan.md",
            &markdown::plan(&report, &markdown),
            &mut wrong,
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn receipts_are_shown_as_expected() {
    let mut wrong = Vec::new();
    for case in cases("receipts") {
        let saved = receipt::read("the receipt", &source(&case.join("receipt.toml")));
        let saved = saved.unwrap_or_else(|e| panic!("{}: {e}", case.display()));
        let report = ReceiptReport::new(&saved.receipt, &saved.digest);
        let options = text::ReceiptOptions {
            told: false,
            file: Some("receipt.toml"),
            ..Default::default()
        };
        let markdown = markdown::Options {
            file: Some("receipt.toml".to_owned()),
            ..Default::default()
        };
        let shown = text::receipt(&report, &options, Theme::PLAIN);
        expect(&case, "receipt.json", &report.to_json(), &mut wrong);
        expect(&case, "receipt.txt", &shown, &mut wrong);
        expect(
            &case,
            "receipt.md",
            &markdown::receipt(&report, &markdown),
            &mut wrong,
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn reports() -> Vec<(PathBuf, PlanReport)> {
    let read = |case: PathBuf| {
        let source = fs::read_to_string(case.join("plan.toml")).unwrap();
        let saved = document::read("the plan", &source).unwrap();
        let report = PlanReport::new(&saved.plan, &saved.digest);
        (case, report)
    };
    cases("plans").into_iter().map(read).collect()
}

#[test]
fn colour_adds_nothing() {
    for (case, report) in reports() {
        let options = text::PlanOptions::default();
        let plain = text::plan(&report, &options, Theme::PLAIN);
        let styled = text::plan(&report, &options, Theme::new(true));
        assert_eq!(
            console::strip_ansi_codes(&styled),
            plain,
            "{}",
            case.display()
        );
        assert!(styled.contains('\u{1b}') && !plain.contains('\u{1b}'));
    }
}

#[test]
fn every_danger_shows_in_the_first_ten_lines() {
    let mut dangers = 0;
    for (case, report) in reports() {
        let shown = markdown::plan(&report, &markdown::Options::default());
        let first: Vec<_> = shown.lines().take(10).collect();
        let first = first.join("\n");
        for change in report.changes() {
            for risk in &change.risks {
                if risk.level > Level::Notice {
                    let headline = risk.kind.headline();
                    assert!(first.contains(headline), "{}: {headline}", case.display());
                    dangers += 1;
                }
            }
        }
    }
    assert!(dangers > 7);
}

#[test]
fn a_diff_is_empty_if_and_only_if_there_is_nothing_to_change() {
    for (case, report) in reports() {
        let diff = unified::diff(&report);
        assert_eq!(diff.is_empty(), !report.has_changes(), "{}", case.display());
        let changed = report
            .changes()
            .filter(|c| c.action != Action::NoOp)
            .count();
        let heads = diff.lines().filter(|line| line.starts_with("@@ ")).count();
        assert!(heads >= changed, "{}: a change has no hunk", case.display());
    }
}
