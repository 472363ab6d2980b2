//! Text from the server, made fit for a message.

use std::fmt::Write;

use super::redact::without_secrets;

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
    let mut out = String::new();
    let mut used = 0;
    let mut space = false;
    for c in text.chars() {
        if c.is_whitespace() && !is_invisible(c) {
            space = !out.is_empty();
            continue;
        }
        let mut piece = String::new();
        if std::mem::take(&mut space) {
            piece.push(' ');
        }
        if c.is_control() || is_invisible(c) {
            // Writing to a String can not fail.
            let _ = write!(piece, "\\u{{{:x}}}", u32::from(c));
        } else {
            piece.push(c);
        }
        used += piece.chars().count();
        if used > limit {
            out.push('…');
            break;
        }
        out.push_str(&piece);
    }
    out
}

/// Characters that show nothing, or that change how their neighbours show: soft hyphen, fillers,
/// zero-width and bidirectional controls, variation selectors, tags.
fn is_invisible(c: char) -> bool {
    matches!(u32::from(c),
        0xad | 0x34f | 0x61c | 0x115f | 0x1160 | 0x17b4 | 0x17b5
        | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f
        | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0 | 0xfff0..=0xfffb
        | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
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
