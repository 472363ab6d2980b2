//! File text made safe to show: nothing in it can steer a terminal, hide, or reorder what is read.

use std::fmt;

use crate::escape;

/// The most characters of a file that a message quotes.
const MAX_CHARS: usize = 80;

/// Whether a character cannot be seen though it is there; a line end is seen.
pub(super) fn is_invisible(c: char) -> bool {
    escape::is_hidden(c) && !c.is_whitespace()
}

/// Text of a file or of a file name, as messages show it: unsafe characters as `\u{202e}`, and not
/// more of it than a message can bear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quoted(String);

impl Quoted {
    /// Keeps what can be shown of `text`.
    pub fn new(text: &str) -> Self {
        Self(escape::quoted(text, MAX_CHARS))
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The whole of `text`, for file names.
pub(super) fn escaped(text: &str) -> String {
    escape::terminal(text).into_owned()
}

/// Elements of a list that are not strings, in words.
pub(super) fn not_strings(count: usize) -> String {
    match count {
        1 => "an element of `scopes` is not a string".to_owned(),
        _ => format!("{count} elements of `scopes` are not strings"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_shows_what_is_hidden_and_stays_short() {
        assert_eq!(
            Quoted::new("a\u{202e}b\x1b[2J").to_string(),
            "a\\u{202e}b\\u{1b}[2J"
        );
        assert_eq!(
            Quoted::new(&"x".repeat(500)).to_string().chars().count(),
            MAX_CHARS + 1
        );
    }
}
