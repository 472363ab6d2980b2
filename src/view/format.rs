//! What a view writes for.

use clap::ValueEnum;
use jiff::Timestamp;

use super::{NextCommand, Theme};
use crate::term::Terminal;

/// `--format`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person
    #[default]
    Text,
    /// One JSON document with `format_version`
    Json,
    /// For a pull request (plan, show, drift, history)
    Markdown,
    /// One unified diff (plan, show)
    Diff,
    /// Annotations of a GitHub run (validate)
    Github,
    /// SARIF 2.1.0 (validate)
    Sarif,
}

/// What a view writes for. A command says which formats it has (`Context::medium`); its view chooses among
/// them.
#[derive(Clone, Copy, Debug)]
pub struct Medium<'a> {
    /// The format.
    pub format: Format,
    /// The colours.
    pub theme: Theme,
    /// How wide a terminal is; `None` where there is none.
    pub columns: Option<usize>,
    /// Whether e-mail addresses are masked there: what is laid out counts the masked ones.
    pub masked: bool,
    /// Whether what was said on the way stands above it, on the same terminal.
    pub told: bool,
    /// What "two hours ago" counts from.
    pub now: Timestamp,
    /// What the commands that it prints have with them.
    pub next: &'a NextCommand,
}

impl Medium<'_> {
    /// The same at another time.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// The same where nothing was said on the way.
    #[must_use]
    pub fn alone(self) -> Self {
        Self {
            told: false,
            ..self
        }
    }

    /// Standard error, for a person, whatever is wanted on standard output.
    #[must_use]
    pub fn aside(&self, terminal: &Terminal) -> Self {
        Self {
            format: Format::Text,
            theme: Theme::new(terminal.color_stderr()),
            columns: terminal.columns_stderr(),
            masked: terminal.masks_stderr(),
            told: self.told,
            now: self.now,
            next: self.next,
        }
    }

    /// Whether one JSON document is wanted.
    pub(in crate::view) fn is_json(&self) -> bool {
        self.format == Format::Json
    }
}
