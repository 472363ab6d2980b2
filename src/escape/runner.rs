//! A CI runner's log, which is read by a program too.

use std::borrow::Cow;

use super::line::{terminal, written};

/// Text as one line of a runner's log: as [`terminal`], and no line that opens or closes a section
/// (Buildkite: `---`, `+++`, `~~~`, `^^^`).
pub fn log_line(text: &str) -> Cow<'_, str> {
    let line = text.trim_start_matches(' ');
    let section = ["---", "+++", "~~~", "^^^"]
        .iter()
        .any(|mark| line.starts_with(mark))
        .then(|| text.len() - line.len());
    written(text, section)
}

/// Text as the message of a GitHub workflow command (`::error ...::MESSAGE`). Line ends survive.
pub fn command_data(text: &str) -> String {
    text.replace("\r\n", "\n")
        .split('\n')
        .map(|line| terminal(line).replace('%', "%25"))
        .collect::<Vec<_>>()
        .join("%0A")
}

/// Text as the value of a property of a GitHub workflow command (`::error file=VALUE`).
pub fn command_property(text: &str) -> String {
    // A colon that is encoded begins no command, and needs no second escape.
    text.split(':')
        .map(|part| terminal(part).replace('%', "%25").replace(',', "%2C"))
        .collect::<Vec<_>>()
        .join("%3A")
}
