//! One line of a terminal.

use std::borrow::Cow;

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::hidden::is_hidden;

/// Text as one line for a terminal, or for any reader of plain text.
pub fn terminal(text: &str) -> Cow<'_, str> {
    written(text, command_start(text))
}

/// The columns that [`terminal`] text takes on a terminal.
pub fn terminal_width(text: &str) -> usize {
    terminal(text).width()
}

/// As [`terminal`], shortened in the middle to at most `max` columns (and characters), with `…` for
/// what was left out.
pub fn limited(text: &str, max: usize) -> String {
    let pieces: Vec<(String, usize)> = marked(text, command_start(text))
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
    let head = fitting(pieces.iter(), room.div_ceil(2));
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

/// The text with every marked character written as its number.
pub(super) fn written(text: &str, start: Option<usize>) -> Cow<'_, str> {
    if !marked(text, start).any(|(_, mark)| mark) {
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

/// Each character, and whether it must not be shown as it is. `start` is the offset of one that
/// would begin a command.
fn marked(text: &str, start: Option<usize>) -> impl Iterator<Item = (char, bool)> {
    text.char_indices().map(move |(at, c)| {
        let mark = is_hidden(c)
            || start == Some(at)
            || c == '#' && text.get(at..).is_some_and(is_bracket_command);
        (c, mark)
    })
}

/// Where `::` begins the text, white space aside: GitHub's runner reads a command there.
pub(super) fn command_start(text: &str) -> Option<usize> {
    let command = text.trim_start_matches(' ');
    command
        .starts_with("::")
        .then(|| text.len() - command.len())
}

/// `##[group]`, `##vso[...]`, `##teamcity[...]`: runners find these anywhere in a line.
fn is_bracket_command(text: &str) -> bool {
    text.strip_prefix("##").is_some_and(|rest| {
        rest.trim_start_matches(|c: char| c.is_ascii_alphabetic())
            .starts_with('[')
    })
}
