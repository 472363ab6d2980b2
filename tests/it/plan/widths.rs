//! Text on terminals of every width from 40 to 200 columns: broken at words, nothing cut, nothing
//! torn that somebody copies.

use std::{fs, path::Path};

use connplan::{
    plan::document,
    receipt,
    term::wrap,
    view::{
        Theme,
        report::{PlanReport, ReceiptReport},
        text,
    },
};
use proptest::prelude::*;

use crate::support::all_cases;

/// Every saved plan and receipt under `fixtures/`, as text.
fn texts() -> Vec<(String, String)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut found = Vec::new();
    for case in fs::read_dir(fixtures.join("plans")).unwrap() {
        let case = case.unwrap().path();
        let source = fs::read_to_string(case.join("plan.toml")).unwrap();
        let saved = document::read("the plan", &source).unwrap();
        let report = PlanReport::new(&saved.plan, &saved.digest);
        let options = text::PlanOptions {
            file: Some("plan.toml"),
            saved: false,
            ..Default::default()
        };
        let text = text::plan(&report, &options, Theme::PLAIN);
        found.push((case.display().to_string(), text));
    }
    for case in fs::read_dir(fixtures.join("receipts")).unwrap() {
        let case = case.unwrap().path();
        let source = fs::read_to_string(case.join("receipt.toml")).unwrap();
        let saved = receipt::read("the receipt", &source).unwrap();
        let report = ReceiptReport::new(&saved.receipt, &saved.digest);
        let options = text::ReceiptOptions {
            told: false,
            file: Some("a.receipt"),
            ..Default::default()
        };
        let text = text::receipt(&report, &options, Theme::PLAIN);
        found.push((case.display().to_string(), text));
    }
    assert!(found.len() > 20);
    found
}

fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// A line may be wider than the terminal only if it is one word behind its symbol, or one command.
fn is_whole(line: &str) -> bool {
    let line = line.trim().trim_start_matches(['+', '-', '~', '!']).trim();
    !line.contains(' ') || line.starts_with("connplan ") || line.starts_with('`')
}

#[test]
fn plans_and_receipts_fit_every_width() {
    let step = if all_cases() { 1 } else { 4 };
    for (case, text) in texts() {
        for columns in (40..=200).step_by(step) {
            let shown = wrap(&text, columns);
            assert_eq!(
                words(&shown),
                words(&text),
                "{case} at {columns}: a word is gone"
            );
            for line in shown.lines() {
                let wide = console::measure_text_width(line);
                assert!(
                    wide <= columns || is_whole(line),
                    "{case} at {columns}: {wide} columns: {line}"
                );
            }
            for command in text
                .lines()
                .filter_map(|line| line.split_once(": connplan "))
            {
                let command = format!("connplan {}", command.1);
                assert!(shown.contains(&command), "{case} at {columns}: {command}");
            }
        }
    }
}

/// What a scope permits, its class among it, stands below or beside the scope, further to the right than
/// the symbol, before the next scope begins.
#[test]
fn a_risk_class_stays_with_its_scope() {
    let (_, text) = texts()
        .into_iter()
        .find(|(case, _)| case.ends_with("widen-to-restricted"))
        .unwrap();
    assert!(text.contains("RESTRICTED"));
    for columns in 40..=200 {
        let shown = wrap(&text, columns);
        let lines: Vec<_> = shown.lines().collect();
        let class = lines.iter().position(|line| line.contains("RESTRICTED"));
        let scope = (0..=class.unwrap())
            .rev()
            .find(|n| lines[*n].trim_start().starts_with(['+', '-', '!']))
            .unwrap();
        assert!(
            lines[scope].trim_start().starts_with("+ ") && lines[scope].contains("gmail"),
            "at {columns}:\n{shown}"
        );
        let depth = |line: &str| line.len() - line.trim_start().len();
        for line in &lines[scope + 1..=class.unwrap()] {
            assert!(depth(line) > depth(lines[scope]), "at {columns}:\n{shown}");
        }
    }
}

proptest! {
    #![proptest_config(crate::support::cases(50))]

    #[test]
    fn no_text_loses_a_word_or_starts_a_line_of_its_own(
        parts in prop::collection::vec("[a-z:`!+ ]{0,14}", 1..12),
        columns in 40_usize..=200,
    ) {
        let text = parts.join(" ");
        let shown = wrap(&text, columns);
        prop_assert_eq!(words(&shown), words(&text));
        for line in shown.lines().skip(1) {
            prop_assert!(line.starts_with(' '), "{:?}", shown);
        }
    }
}
