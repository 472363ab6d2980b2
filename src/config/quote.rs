//! File text made safe to show: nothing in it can steer a terminal, hide, or reorder what is read.

use std::fmt;

/// The most characters of a file that a message quotes.
const MAX_CHARS: usize = 80;

/// Whether a character must not reach a reader as it is: control characters, and those that are
/// invisible, of no width, or change the direction of what follows.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character can not be seen though it is there; a line end is seen.
pub(super) fn is_invisible(c: char) -> bool {
    is_unsafe(c) && !c.is_whitespace()
}

/// Text of a file or of a file name, as messages show it: unsafe characters as `\u{202e}`, and not
/// more of it than a message can bear.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quoted(String);

impl Quoted {
    /// Keeps what can be shown of `text`.
    pub fn new(text: &str) -> Self {
        let mut shown = String::new();
        for (count, c) in text.chars().enumerate() {
            if count == MAX_CHARS {
                shown.push('…');
                break;
            }
            push(&mut shown, c);
        }
        Self(shown)
    }
}

impl fmt::Display for Quoted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// The whole of `text`, with unsafe characters as `\u{202e}`. For file names.
pub(super) fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| push(&mut shown, c));
    shown
}

fn push(shown: &mut String, c: char) {
    if is_unsafe(c) {
        shown.extend(c.escape_unicode());
    } else {
        shown.push(c);
    }
}

/// A copy of a file for showing its lines: every unsafe character is replaced by a visible one of
/// the same length in bytes, so that each span still points at what it did. Tabs and line ends stay.
pub(super) fn masked(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let kept =
            matches!(c, '\n' | '\t') || (c == '\r' && chars.peek() == Some(&'\n')) || !is_unsafe(c);
        shown.push(match c.len_utf8() {
            _ if kept => c,
            1 => '?',
            2 => '¿',
            3 => '\u{fffd}',
            _ => '🛇',
        });
    }
    shown
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

    #[test]
    fn a_mask_moves_nothing() {
        let text = "a\x1b\u{85}\u{202e}\u{e0041}ä\r\n\rb\t";
        let shown = masked(text);
        assert_eq!(shown, "a?¿\u{fffd}🛇ä\r\n?b\t");
        let starts = |s: &str| s.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
        assert_eq!(starts(&shown), starts(text));
    }
}
