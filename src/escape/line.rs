//! One line of a terminal.

use std::{borrow::Cow, path::Path};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::hidden::is_hidden;

/// Text as one line for a terminal, or for any reader of plain text.
pub fn terminal(text: &str) -> Cow<'_, str> {
    written(text, None)
}

/// The name of a file or folder, for a message: whoever made a checkout chose it.
pub fn path(path: &Path) -> String {
    terminal(&path.display().to_string()).into_owned()
}

/// The columns that [`terminal`] text takes on a terminal.
pub fn terminal_width(text: &str) -> usize {
    terminal(text).width()
}

/// As [`terminal`], shortened in the middle to at most `max` columns (and characters), with `…` for
/// what was left out.
pub fn limited(text: &str, max: usize) -> String {
    if text.len() <= max && is_plain(text) {
        return text.to_owned();
    }
    let pieces: Vec<(String, usize)> = marked(text, None)
        .map(|(c, mark)| {
            let piece: String = if mark {
                c.escape_unicode().collect()
            } else {
                c.into()
            };
            // A mark that combines has no width of its own, but a thousand of them do harm.
            let width = piece.chars().map(|c| c.width().unwrap_or(0).max(1)).sum();
            (piece, width)
        })
        .collect();
    let whole: usize = pieces.iter().map(|(_, width)| width).sum();
    if whole <= max {
        return pieces.into_iter().map(|(piece, _)| piece).collect();
    }
    let Some(room) = max.checked_sub(1) else {
        return String::new();
    };
    let mut head = fitting(pieces.iter(), room.div_ceil(2));
    // What told an address from a command may be what is left out.
    while head > 0 && pieces.get(head - 1).is_some_and(|(piece, _)| piece == ":") {
        head -= 1;
    }
    let tail = fitting(pieces.iter().rev(), room / 2);
    let text = |(piece, _): &(String, usize)| piece.clone();
    let start = pieces.iter().take(head).map(text);
    let end = pieces.iter().skip(pieces.len() - tail).map(text);
    start.chain(["…".to_owned()]).chain(end).collect()
}

/// How many pieces fit.
fn fitting<'a>(pieces: impl Iterator<Item = &'a (String, usize)>, room: usize) -> usize {
    let mut used = 0;
    pieces
        .take_while(|(_, width)| {
            used += width;
            used <= room
        })
        .count()
}

/// Whether a reader sees a letter or a digit in it.
pub fn shows_something(text: &str) -> bool {
    let seen = |c: char| c.is_alphanumeric() && !is_hidden(c) && c.width().unwrap_or(0) > 0;
    text.chars().any(seen)
}

/// A commit's name as people write it: the first seven letters and digits.
pub fn commit(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric();
    name.chars().filter(plain).take(7).collect()
}

/// As [`terminal`], cut off with `…` after `max` characters: for words within a sentence.
pub fn quoted(text: &str, max: usize) -> String {
    if text.len() <= max && is_plain(text) {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for (c, mark) in marked(text, None) {
        let numbered: String = if mark {
            c.escape_unicode().collect()
        } else {
            c.into()
        };
        used += numbered.chars().count();
        if used > max {
            out.truncate(out.trim_end_matches(':').len());
            out.push('…');
            break;
        }
        out.push_str(&numbered);
    }
    out
}

/// A copy of a file for showing its lines: every character that is not shown as it is becomes a
/// visible one of the same length in bytes, so that each span still points at what it did. Tabs and
/// line ends stay.
pub fn masked(text: &str) -> String {
    if is_plain_but(text, b"\n\t") {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut chars = marked(text, None).peekable();
    while let Some((c, mark)) = chars.next() {
        let line_end = c == '\n' || (c == '\r' && chars.peek().is_some_and(|(c, _)| *c == '\n'));
        let kept = line_end || c == '\t' || !mark;
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

/// The text with every marked character written as its number.
pub(super) fn written(text: &str, start: Option<usize>) -> Cow<'_, str> {
    if start.is_none() && is_plain(text) || !marked(text, start).any(|(_, mark)| mark) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for (c, mark) in marked(text, start) {
        if mark {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// Whether a text is shown as it is beyond doubt, at a glance: most texts are of ASCII without a command.
fn is_plain(text: &str) -> bool {
    is_plain_but(text, &[])
}

/// The same, where these bytes are shown as they are, too.
fn is_plain_but(text: &str, also: &[u8]) -> bool {
    let is_plain = |b: u8| matches!(b, b' '..=b'~') && b != b'#' || also.contains(&b);
    text.bytes().all(is_plain) && !text.contains("::")
}

/// Each character, and whether it must not be shown as it is. `start` is the offset of one that
/// would begin a command.
fn marked(text: &str, start: Option<usize>) -> impl Iterator<Item = (char, bool)> {
    /// More than these on one letter reach into the lines around it; no language has them.
    const MOST_ON_A_LETTER: usize = 4;
    let mut on_letter = 0;
    text.char_indices().map(move |(at, c)| {
        on_letter = match c.width() {
            Some(0) => on_letter + 1,
            _ => 0,
        };
        let mark = is_hidden(c)
            || on_letter > MOST_ON_A_LETTER
            || start == Some(at)
            || c == '#' && text.get(at..).is_some_and(is_bracket_command)
            // Anywhere: a line may be broken before it.
            || c == ':' && is_colon_command(text, at);
        (c, mark)
    })
}

/// `::error::`. An address such as `[::1]` is not a command.
fn is_colon_command(text: &str, at: usize) -> bool {
    let rest = text.get(at..).and_then(|text| text.strip_prefix("::"));
    let follows = |c: char| c == '[' || c.is_ascii_hexdigit();
    let in_address = text
        .get(..at)
        .is_some_and(|before| before.ends_with(follows))
        && rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == ']'));
    rest.is_some() && !in_address
}

/// `##[group]`, `##vso[...]`, `##teamcity[...]`: runners find these anywhere in a line.
fn is_bracket_command(text: &str) -> bool {
    text.strip_prefix("##").is_some_and(|rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_alphabetic())
            .starts_with('[')
    })
}
