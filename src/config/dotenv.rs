//! `.env` files as the npm package `dotenv` (17) reads them, quirks included. Pure.
//!
//! That package is one regular expression over the whole text; what follows does step by step what
//! the expression does, since a file read otherwise by two tools is worse than an odd syntax.
//! Nothing is expanded: `$HOME` stays as it is.

/// A variable of a file.
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) value: String,
    /// Counted from 1.
    pub(super) line: usize,
}

/// The variables in the order of the file; of one that stands twice the last counts.
pub(super) fn parse(text: &str) -> Vec<Assignment> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut found = Vec::new();
    let mut rest = text.as_str();
    let mut line = 1;
    while !rest.is_empty() {
        let before = rest;
        if let Some((name, value, after)) = assignment(rest) {
            let blank = rest.len() - skip_space(rest).len();
            found.push(Assignment {
                name: name.to_owned(),
                value,
                line: line + lines(rest, blank),
            });
            rest = after;
        } else {
            // Whatever is blank before it begins nothing either.
            rest = skip_space(rest);
        }
        rest = next_line(rest);
        line += lines(before, before.len() - rest.len());
    }
    found
}

/// How many lines end in the first bytes of a text.
fn lines(text: &str, bytes: usize) -> usize {
    let read = text.as_bytes().iter().take(bytes);
    read.filter(|byte| **byte == b'\n').count()
}

/// An assignment that starts at the start of a line: name, value, what follows the value.
fn assignment(line: &str) -> Option<(&str, String, &str)> {
    let line = skip_space(line);
    let exported = line
        .strip_prefix("export")
        .map(skip_space)
        .filter(|rest| rest.len() + "export".len() < line.len());
    // `export = 1` sets a variable of that name.
    let (name, rest) = exported
        .and_then(name_and_separator)
        .or_else(|| name_and_separator(line))?;
    let (raw, after) = raw_value(rest);
    Some((name, unquote(raw.trim_matches(is_space)), after))
}

fn name_and_separator(text: &str) -> Option<(&str, &str)> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let end = text.find(|c| !part(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end).filter(|(n, _)| !n.is_empty())?;
    if let Some(rest) = skip_space(rest).strip_prefix('=') {
        return Some((name, rest));
    }
    // YAML's way: a colon, and white space after it.
    let rest = rest.strip_prefix(':')?.strip_prefix(is_space)?;
    Some((name, rest))
}

/// The value with its quotes, and what follows it. A quoted one can go over several lines.
fn raw_value(text: &str) -> (&str, &str) {
    let start = skip_space(text);
    let quoted = start
        .chars()
        .next()
        .filter(|c| matches!(c, '\'' | '"' | '`'))
        .and_then(|quote| closing(start, quote))
        .and_then(|end| start.split_at_checked(end));
    if let Some(split) = quoted {
        return split;
    }
    let end = text.find(['#', '\n']).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Where a quoted value ends, its closing quote included. Only white space or a comment may follow
/// on the line; otherwise a quote that looks escaped is taken for the closing one, the last first.
fn closing(text: &str, quote: char) -> Option<usize> {
    let mut candidates = Vec::new();
    let mut previous = quote;
    for (at, c) in text.char_indices().skip(1) {
        if c == quote {
            candidates.push(at + c.len_utf8());
            if previous != '\\' {
                break;
            }
        }
        previous = c;
    }
    candidates.into_iter().rev().find(|end| {
        let rest = text.get(*end..).unwrap_or_default();
        let rest = rest.trim_start_matches(|c| is_space(c) && c != '\n');
        rest.is_empty() || rest.starts_with(['\n', '#'])
    })
}

fn unquote(value: &str) -> String {
    let first = value.chars().next().unwrap_or_default();
    let inner = matches!(first, '\'' | '"' | '`')
        .then(|| value.strip_prefix(first)?.strip_suffix(first))
        .flatten()
        .unwrap_or(value);
    if first == '"' {
        inner.replace("\\n", "\n").replace("\\r", "\r")
    } else {
        inner.to_owned()
    }
}

fn next_line(text: &str) -> &str {
    text.split_once('\n').map_or("", |(_, rest)| rest)
}

fn skip_space(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// White space as JavaScript counts it: the byte order mark is some.
fn is_space(c: char) -> bool {
    (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}'
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// What `dotenv` 17.3.1 gives for each text; the later ones were thrown together at random.
    const CASES: &str = include_str!("../../fixtures/dotenv/cases.json");

    #[derive(serde::Deserialize)]
    struct Case {
        text: String,
        value: BTreeMap<String, String>,
    }

    #[test]
    fn reads_as_the_npm_package_does() {
        let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
        assert!(cases.len() > 100);
        for Case { text, value } in cases {
            let found: BTreeMap<String, String> = parse(&text)
                .into_iter()
                .map(|found| (found.name, found.value))
                .collect();
            assert_eq!(found, value, "{text:?}");
        }
    }

    #[test]
    fn blank_lines_are_read_once() {
        let blank = "\n\u{feff} \t".repeat(1 << 18);
        let found = parse(&format!("{blank}A=1{blank}B{blank}"));
        let found: Vec<_> = found.iter().map(|a| (a.name.as_str(), a.line)).collect();
        assert_eq!(found, [("A", (1 << 18) + 1)]);
    }

    #[test]
    fn each_line_is_known() {
        let text = "# a\nA=1\n\n\n  B='x\ny'\nC=2 # c\r\nexport D=3";
        let found = parse(text);
        let lines: Vec<_> = found.iter().map(|a| (a.name.as_str(), a.line)).collect();
        assert_eq!(lines, [("A", 2), ("B", 5), ("C", 7), ("D", 8)]);
    }
}
