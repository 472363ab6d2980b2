//! Text from the server, made fit for a message.

use super::redact::without_secrets;
use crate::escape;

/// The most characters of one server text that a message repeats.
const LIMIT: usize = 500;

/// The text without links and credentials, with white space folded into single spaces, control and
/// invisible characters spelt out as `\u{…}`, and its end cut off where it is longer than a person
/// reads.
pub fn server_text(text: &str) -> String {
    server_text_limited(text, LIMIT)
}

/// [`server_text`] with another limit, in characters of the result.
pub(crate) fn server_text_limited(text: &str, limit: usize) -> String {
    // First, since what is cut off no longer shows what it was.
    let text = without_secrets(text);
    let mut folded = String::with_capacity(text.len());
    for c in text.chars() {
        // A line separator that no terminal shows as one is spelt out.
        let is_space = c == ' ' || c.is_ascii_whitespace() || c == '\u{85}';
        if !is_space {
            folded.push(c);
        } else if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    escape::quoted(folded.trim_end_matches(' '), limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_moves_the_cursor_or_hides() {
        assert_eq!(server_text(" a\r\n\tb  c "), "a b c");
        assert_eq!(server_text("\u{1b}[2Jx"), "\\u{1b}[2Jx");
        assert_eq!(
            server_text("a\u{202e}b\u{200b}\u{2028}"),
            "a\\u{202e}b\\u{200b}\\u{2028}"
        );
        assert_eq!(server_text("\u{9b}1m"), "\\u{9b}1m");
    }

    #[test]
    fn long_text_is_cut() {
        let cut = server_text(&"é".repeat(2000));
        assert_eq!(cut.chars().count(), LIMIT + 1);
        assert!(cut.ends_with('…'));
        assert!(server_text(&"\u{0}".repeat(2000)).chars().count() <= LIMIT + 1);
    }

    #[test]
    fn no_part_of_a_secret_is_left_by_the_cut() {
        let text = format!("{} eyJcanary.{}.c", "x".repeat(480), "a".repeat(100));
        assert!(!server_text(&text).contains("canary"));
    }
}
