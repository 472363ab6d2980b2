//! The sheet that the text views write on: lines, columns, lists of names.

use std::fmt::Write as _;

use crate::{
    escape,
    model::{ApiUrl, AppId, Diagnostic, Severity},
    plan::Override,
    risk::{Phrase, Piece},
    view::theme::{Style, Theme},
};

/// Where own text ends if it can: at the edge of a wide terminal. A narrow one breaks it once more.
pub(in crate::view) fn room(columns: Option<usize>) -> usize {
    const LEAST: usize = 80;
    columns.map_or(LEAST, |columns| columns.max(LEAST))
}

/// Text under way.
pub(super) struct TextPage {
    pub(super) theme: Theme,
    /// What has room on a line.
    pub(super) room: usize,
    text: String,
}

impl TextPage {
    pub(super) fn new(theme: Theme, columns: Option<usize>) -> Self {
        Self {
            theme,
            room: room(columns),
            text: String::new(),
        }
    }

    /// A line, already escaped. White space at its end is dropped.
    pub(super) fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    /// A blank line, unless there is one already or nothing stands above it.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && self.text != "\n" && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        self.theme.paint(style, text)
    }

    /// Which app this is about.
    pub(super) fn app(&mut self, id: &AppId, url: &ApiUrl, environment: Option<&str>) {
        let mut line = format!(
            "App {} at {}",
            self.paint(Style::Bold, id.as_str()),
            escape::terminal(url.as_str())
        );
        if let Some(environment) = environment {
            let _ = write!(line, " (environment {})", escape::terminal(environment));
        }
        self.line(&line);
        self.gap();
    }

    /// `Heading: a, b, c`; the terminal breaks it.
    pub(super) fn names<'a>(&mut self, heading: &str, names: impl Iterator<Item = &'a str>) {
        let names: Vec<_> = names.collect();
        self.line(&format!("{heading}: {}", names.join(", ")));
    }

    /// What the proposal does beside its changes, each as a sentence.
    pub(super) fn dangers<'d>(&mut self, dangers: impl Iterator<Item = &'d str>) {
        for danger in dangers {
            let word = self.paint(Style::Danger, "! danger:");
            self.line(&format!("{word} {}", escape::terminal(danger)));
        }
        self.gap();
    }

    /// The rules that are broken on purpose: the gravest of all.
    pub(super) fn overrides(&mut self, overrides: &[Override]) {
        for by in overrides {
            let word = self.paint(Style::Danger, "! danger:");
            self.line(&format!("{word} {}", by.said()));
        }
        self.gap();
    }

    /// What was found in the files, errors first.
    pub(super) fn diagnostics(&mut self, diagnostics: &[Diagnostic]) {
        if diagnostics.is_empty() {
            return;
        }
        self.gap();
        for diagnostic in diagnostics {
            let (word, style) = match diagnostic.severity {
                Severity::Error => ("error", Style::Danger),
                Severity::Warning => ("warning", Style::Attention),
            };
            let mut place = String::new();
            if let Some(file) = &diagnostic.file {
                place.push_str(&escape::terminal(file));
                for number in [diagnostic.line, diagnostic.column].into_iter().flatten() {
                    let _ = write!(place, ":{number}");
                }
                place.push_str(": ");
            }
            let word = self.paint(style, &format!("! {word}:"));
            self.line(&format!(
                "{word} {place}{}",
                escape::terminal(&diagnostic.message)
            ));
            if let Some(help) = &diagnostic.help {
                self.line(&format!("    help: {}", escape::terminal(help)));
            }
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }
}

/// A sentence with untrusted pieces, on one line.
pub(super) fn phrase(phrase: &Phrase) -> String {
    let mut text = String::new();
    for piece in &phrase.0 {
        match piece {
            Piece::Words(words) => text.push_str(words),
            Piece::Scope(scope) => text.push_str(&escape::terminal(scope.as_str())),
            Piece::Account(account) => text.push_str(&escape::terminal(account)),
        }
    }
    text
}

/// Pads to a width in columns of a terminal.
pub(super) fn pad(text: &str, width: usize) -> String {
    let have = console::measure_text_width(text);
    format!("{text}{}", " ".repeat(width.saturating_sub(have)))
}
