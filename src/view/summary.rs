//! The summary words that users know from the official client, one line each.

use std::fmt::Write as _;

use crate::{escape, model::ConnectorType, receipt::Outcome};

/// What became of a connector, in the official client's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// It was authorized before and is in force.
    Synced,
    /// It is newly authorized.
    Added,
    /// It is gone.
    Removed,
    /// Stripe's sandbox is installed.
    Provisioned,
    /// Its authorization was not waited for.
    Skipped,
    /// Nobody wants it any more, or it must not be asked for now: nothing was done.
    LeftAlone,
    /// The run ended before its turn.
    NotRun,
    /// It is not in force; there is a reason.
    Failed,
}

impl Word {
    /// All of them, in the order in which they are printed.
    pub const ALL: [Self; 8] = [
        Self::Synced,
        Self::Added,
        Self::Removed,
        Self::Provisioned,
        Self::Skipped,
        Self::LeftAlone,
        Self::NotRun,
        Self::Failed,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Synced => "Synced",
            Self::Added => "Added",
            Self::Removed => "Removed",
            Self::Provisioned => "Provisioned",
            Self::Skipped => "Skipped",
            Self::LeftAlone => "Left alone",
            Self::NotRun => "Not run",
            Self::Failed => "Failed",
        }
    }

    /// The word for an outcome of an apply; none for what was not touched.
    pub fn of(outcome: Outcome) -> Option<Self> {
        match outcome {
            Outcome::Synced => Some(Self::Synced),
            Outcome::Added => Some(Self::Added),
            Outcome::Removed => Some(Self::Removed),
            Outcome::Provisioned => Some(Self::Provisioned),
            Outcome::Pending => Some(Self::Skipped),
            Outcome::Failed => Some(Self::Failed),
            Outcome::Unchanged | Outcome::NotRun => None,
        }
    }
}

/// One connector of a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryEntry {
    /// Which connector.
    pub connector: ConnectorType,
    /// What became of it.
    pub word: Word,
    /// Why it failed, or is left alone. Untrusted text.
    pub reason: Option<String>,
}

/// `Synced: a, b` and so on, and a line for each that has a reason; nothing for no entries.
pub fn lines(entries: &[SummaryEntry]) -> String {
    let mut out = String::new();
    for word in Word::ALL {
        let of_word = entries.iter().filter(|entry| entry.word == word);
        let (told, bare): (Vec<_>, Vec<_>) = of_word.partition(|entry| entry.reason.is_some());
        let names: Vec<_> = bare.iter().map(|entry| entry.connector.as_str()).collect();
        let word = word.as_str();
        if !names.is_empty() {
            let _ = writeln!(out, "{word}: {}", names.join(", "));
        }
        for entry in told {
            let reason = escape::terminal(entry.reason.as_deref().unwrap_or_default());
            let _ = writeln!(out, "{word}: {} - {reason}", entry.connector);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_in_their_order_and_failures_on_lines_of_their_own() {
        let entry = |name: &str, word, reason: Option<&str>| SummaryEntry {
            connector: ConnectorType::parse(name).unwrap(),
            word,
            reason: reason.map(str::to_owned),
        };
        let text = lines(&[
            entry("gmail", Word::Failed, Some("timed\nout")),
            entry("slack", Word::Synced, None),
            entry("notion", Word::Added, None),
            entry("box", Word::Synced, None),
        ]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[..2], ["Synced: slack, box", "Added: notion"]);
        assert!(lines[2].starts_with("Failed: gmail - timed"));
        assert_eq!(lines.len(), 3);
    }
}
