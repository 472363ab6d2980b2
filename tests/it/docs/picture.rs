//! README's picture of a plan is the real output.

use std::{fmt::Write as _, path::Path};

use crate::support::{Project, differs};

/// Columns and lines, in units of the picture.
const COLUMN: f32 = 8.4;
const LINE: usize = 19;
/// Where the first letter stands.
const MARGIN: usize = 20;

/// One word of a terminal's colours as one of the picture's classes.
fn class(codes: &str) -> &'static str {
    match codes {
        "31" => "r",
        "32" => "g",
        "33" => "y",
        "1" => "b",
        "2" => "d",
        _ => "",
    }
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;")
}

/// A line of a terminal as a line of the picture.
fn line(text: &str) -> String {
    let mut drawn = String::new();
    let mut classes: Vec<&str> = Vec::new();
    for (n, part) in text.split("\u{1b}[").enumerate() {
        let (codes, words) = match part.split_once('m') {
            Some((codes, words)) if n > 0 => (codes, words),
            _ => ("0", part),
        };
        if codes == "0" {
            classes.clear();
        } else {
            classes.push(class(codes));
        }
        if words.is_empty() {
            continue;
        }
        let words = escaped(words);
        if classes.is_empty() {
            drawn.push_str(&words);
        } else {
            let _ = write!(
                drawn,
                "<tspan class=\"{}\">{words}</tspan>",
                classes.join(" ")
            );
        }
    }
    drawn
}

fn svg(lines: &[String]) -> String {
    let width = lines
        .iter()
        .map(|line| console::measure_text_width(line))
        .max();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "some hundred columns"
    )]
    let width = (width.unwrap_or(0) as f32 * COLUMN) as usize + 2 * MARGIN;
    let height = lines.len() * LINE + 2 * MARGIN;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
         height=\"{height}\" role=\"img\" aria-label=\"What connplan plan prints\">\n\
         <style>text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;\
         fill:#e6edf3;white-space:pre}}.r{{fill:#ff7b72}}.g{{fill:#7ee787}}.y{{fill:#e3b341}}\
         .b{{font-weight:700}}.d{{fill:#9aa4af}}</style>\n\
         <rect width=\"{width}\" height=\"{height}\" rx=\"10\" fill=\"#0d1117\"/>\n"
    );
    for (n, text) in lines.iter().enumerate() {
        let y = MARGIN + n * LINE + 14;
        if !text.is_empty() {
            let text = line(text);
            let _ = writeln!(
                out,
                "<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\">{text}</text>"
            );
        }
    }
    out.push_str("</svg>\n");
    out
}

#[test]
fn the_picture_of_a_plan_is_what_connplan_prints() {
    let shown = Project::nowhere().run(&["demo", "--no-browser", "--color", "always"]);
    let shown = &shown.expect(0).stdout;
    let begin = shown.find("$ connplan plan --out").unwrap();
    let end = begin
        + shown[begin..]
            .find("\n1 connector")
            .or_else(|| shown[begin..].find("\n\u{1b}[2m1 connector"))
            .unwrap();
    let sums = shown[end..]
        .lines()
        .find(|line| line.contains("Plan: "))
        .unwrap();
    let lines: Vec<_> = shown[begin..end]
        .trim_end()
        .lines()
        .chain(["", sums])
        .map(|line| match line.split_once("127.0.0.1:") {
            Some((before, _)) => format!("{before}127.0.0.1:4400"),
            None => line.to_owned(),
        })
        .collect();
    let drawn = svg(&lines);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/pictures/plan.svg");
    assert_eq!(differs(&path, &drawn), None);
}
