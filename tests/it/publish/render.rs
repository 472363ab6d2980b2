//! Markdown as a browser shows it, for looking at: GitHub's dialect to pages of HTML.
//!
//! `cargo test --test it publish_render -- --ignored` writes `target/rendered/*.html`.

use std::{fs, path::Path};

use comrak::nodes::NodeValue;
use connplan::fs::Visibility;

/// Close to GitHub's own, as far as it matters for reading.
const STYLE: &str = "body{font:16px/1.5 sans-serif;max-width:880px;margin:24px auto;color:#1f2328}\
    code{background:#eff1f3;border-radius:6px;padding:.2em .4em;font:85% monospace}\
    pre{background:#f6f8fa;padding:16px;overflow:auto;border-radius:6px}pre code{padding:0;background:none}\
    h2{border-bottom:1px solid #d1d9e0}";

fn github() -> comrak::Options<'static> {
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    // GitHub lets `<details>` through, and so much else that it has to be seen what comes of it.
    options.render.r#unsafe = true;
    options
}

/// Every Markdown fixture, with a name for its page.
fn cases() -> Vec<(String, String)> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut cases = Vec::new();
    for (folder, file) in [("plans", "plan.md"), ("receipts", "receipt.md")] {
        for entry in fs::read_dir(fixtures.join(folder)).unwrap() {
            let case = entry.unwrap().path();
            let name = case.file_name().unwrap().to_str().unwrap();
            let markdown = fs::read_to_string(case.join(file)).unwrap();
            cases.push((format!("{folder}-{name}"), markdown));
        }
    }
    cases
}

#[test]
fn no_sign_of_markdown_is_left_in_the_text() {
    let cases = cases();
    assert!(cases.len() > 20);
    for (name, markdown) in cases {
        let arena = comrak::Arena::new();
        let root = comrak::parse_document(&arena, &markdown, &github());
        for node in root.descendants() {
            if let NodeValue::Text(text) = &node.data.borrow().value {
                assert!(!text.contains(['*', '`']), "{name}: {text}");
            }
        }
    }
}

#[test]
#[ignore = "writes pages for a person to look at"]
fn every_markdown_fixture_becomes_a_page() {
    let out = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/rendered");
    fs::create_dir_all(&out).unwrap();
    for (name, markdown) in cases() {
        let html = comrak::markdown_to_html(&markdown, &github());
        // Unfolded, so that a picture shows all of it.
        let html = html.replace("<details>", "<details open>");
        let page = format!("<!doctype html><meta charset=utf-8><style>{STYLE}</style>{html}");
        let path = out.join(format!("{name}.html"));
        connplan::fs::write(&path, page.as_bytes(), Visibility::Shared).unwrap();
    }
}
