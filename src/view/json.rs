//! JSON that is safe wherever it is printed.

use std::{borrow::Cow, fmt::Write as _};

use serde::Serialize;

use crate::{escape, model::App};

/// A document as JSON: readable, with a line break at its end.
#[expect(
    clippy::expect_used,
    reason = "derived from plain structs whose maps have text as keys: nothing in it can fail"
)]
pub(crate) fn pretty(document: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(document).expect("a report is valid JSON");
    let mut text = harmless(&text);
    text.push('\n');
    text
}

/// The app that a document is about, where it has no more to say of it as such.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AppName {
    app_id: String,
    environment: Option<String>,
    api_url: String,
}

impl AppName {
    /// One that a document names.
    pub fn new(app_id: &str, environment: Option<&str>, api_url: &str) -> Self {
        Self {
            app_id: app_id.to_owned(),
            environment: environment.map(str::to_owned),
            api_url: api_url.to_owned(),
        }
    }

    /// The `apps` of a document: one, or none where nothing names it.
    pub fn list(app: Option<&App>) -> Vec<Self> {
        let named = app.map(|app| Self {
            app_id: app.id.to_string(),
            environment: app.environment.clone(),
            api_url: app.api_url.to_string(),
        });
        named.into_iter().collect()
    }
}

/// Text as a JSON string on one line.
pub(super) fn quoted(text: &str) -> String {
    harmless(&serde_json::Value::from(text).to_string())
}

/// The same JSON, with nothing in it that a terminal, an eye or a CI runner takes for something
/// else: invisible characters and `##[` only ever stand inside of strings, where `\u` means the
/// same.
pub(crate) fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    // Nearly all of it is plain.
    while let Some(at) = rest.bytes().position(|b| b == b'#' || !is_plain(b)) {
        let (plain, odd) = rest.split_at(at);
        out.push_str(plain);
        let mut chars = odd.chars();
        let Some(c) = chars.next() else { break };
        rest = chars.as_str();
        let command = c == '#' && rest.starts_with('#');
        if command || is_hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out.push_str(rest);
    out
}

fn is_plain(byte: u8) -> bool {
    matches!(byte, b'\n' | b' '..=b'~')
}

fn is_hidden(c: char) -> bool {
    match c {
        '\n' | ' '..='~' => false,
        _ => matches!(escape::terminal(c.encode_utf8(&mut [0; 4])), Cow::Owned(_)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_hidden_is_written_out_and_means_the_same() {
        let text = "a\u{202e}b\u{9b}31m\n##[error]x ü \u{e0041}";
        let json = quoted(text);
        assert!(
            json.chars().all(|c| c == 'ü' || (' '..='~').contains(&c)),
            "{json}"
        );
        assert!(!json.contains("##"));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }
}
