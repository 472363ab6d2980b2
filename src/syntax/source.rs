//! A file's text for showing: harmless characters only, and never more of a line than is useful.

use std::{fmt, ops::Range, sync::Arc};

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

use super::quote::escaped;
use crate::{escape::masked, model};

/// The most bytes shown around one place. A file of a single endless line stays bearable.
const MAX_SHOWN: usize = 1200;
/// What is shown on each side where a line is too long to be shown whole.
const AROUND: usize = 200;

/// A file's name and text, both safe to print. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
    quoted: bool,
}

impl Source {
    /// Keeps a harmless copy of both; spans into `text` hold for the copy too.
    pub fn new(name: &str, text: &str) -> Self {
        Self {
            name: escaped(name).into(),
            text: without_credentials(masked(text)).into(),
            quoted: true,
        }
    }

    /// The same, whose lines are shown, or are not.
    #[must_use]
    pub fn quoting(mut self, quoted: bool) -> Self {
        self.quoted = quoted;
        self
    }

    /// Whether its lines are shown.
    pub fn is_quoted(&self) -> bool {
        self.quoted
    }

    /// The file, relative to the project root, with `/`; unsafe characters as `\u{..}`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text with its unsafe characters replaced.
    pub fn shown(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte, both from 1, the column in characters.
    pub fn position(&self, offset: usize) -> (u32, u32) {
        let before = self.before(offset);
        let lines = before.bytes().filter(|b| *b == b'\n').count();
        let column = before.rsplit('\n').next().unwrap_or_default();
        let number = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        (number(lines), number(column.chars().count()))
    }

    fn before(&self, offset: usize) -> &str {
        self.text.get(..self.floor(offset)).unwrap_or_default()
    }

    fn floor(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset)
    }

    /// Where the line that holds `offset` starts, or the one `back` lines before it.
    fn line_start(&self, offset: usize, back: usize) -> usize {
        let before = self.before(offset);
        before
            .rmatch_indices('\n')
            .nth(back)
            .map_or(0, |(at, _)| at + 1)
    }

    /// Where the line that holds `offset` ends, its line end included, or the one `on` lines later.
    fn line_end(&self, offset: usize, on: usize) -> usize {
        let from = self.floor(offset);
        let after = self.text.get(from..).unwrap_or_default();
        after
            .match_indices('\n')
            .nth(on)
            .map_or(self.text.len(), |(at, _)| from + at + 1)
    }
}

/// A text of the same length in which no address has a name or a password, and no `Authorization` a
/// value: a file of another purpose may have been named for a connector's.
fn without_credentials(text: String) -> String {
    const HEADER: &str = "authorization";
    /// No credential is longer: a line of nothing but addresses stays one walk.
    const LONGEST: usize = 512;
    let mut hidden: Vec<Range<usize>> = Vec::new();
    for (at, mark) in text.match_indices("://") {
        let start = at + mark.len();
        let rest = text.get(start..).unwrap_or_default();
        let end = rest.find(|c: char| c == '/' || c == '"' || c == '\'' || c.is_whitespace());
        let authority = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        // A password may have a `/`: what stands before it is then no host with a port.
        let is_port = |port: &str| port.bytes().all(|b| b.is_ascii_digit());
        let is_host = authority
            .split_once(':')
            .is_none_or(|(_, port)| is_port(port));
        let length = authority.rfind('@').or_else(|| {
            let word = rest.get(..rest.floor_char_boundary(LONGEST))?;
            let ends = |c: char| c == '"' || c == '\'' || c.is_whitespace();
            let word = word.split(ends).next().filter(|_| !is_host)?;
            word.rfind('@')
        });
        hidden.extend(length.map(|length| start..start + length));
    }
    let lower = text.to_ascii_lowercase();
    let mut until = 0;
    for (at, name) in lower.match_indices(HEADER) {
        // The rest of its line is hidden already: a line of nothing but these stays one walk.
        if at < until {
            continue;
        }
        let start = at + name.len();
        let rest = lower.get(start..).unwrap_or_default();
        until = start + rest.find('\n').unwrap_or(rest.len());
        hidden.push(start..until);
    }
    if hidden.is_empty() {
        return text;
    }
    model::sort_by_key(&mut hidden, |range| range.start);
    let (mut hidden, mut until) = (hidden.into_iter().peekable(), 0);
    let mut shown = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        while let Some(range) = hidden.next_if(|range| range.start <= at) {
            until = until.max(range.end);
        }
        if at < until && !c.is_whitespace() {
            shown.extend(std::iter::repeat_n('*', c.len_utf8()));
        } else {
            shown.push(c);
        }
    }
    shown
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.name).finish()
    }
}

impl SourceCode for Source {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let (start, end) = (span.offset(), span.offset().saturating_add(span.len()));
        if end > self.text.len() {
            return Err(MietteError::OutOfBounds);
        }
        // Without context, the span is wanted alone.
        let mut from = match lines_before {
            0 => self.floor(start),
            lines => self.line_start(start, lines),
        };
        let mut to = match lines_after {
            0 => self.text.ceil_char_boundary(end),
            // The last character's line, not the one after its line end.
            lines => self.line_end(end.saturating_sub(1).max(start), lines),
        };
        if to - from > MAX_SHOWN {
            if span.len() > MAX_SHOWN {
                // Two places too far apart for one view: they are then shown apart.
                return Err(MietteError::OutOfBounds);
            }
            from = from.max(self.floor(start.saturating_sub(AROUND)));
            to = to.min(self.text.ceil_char_boundary(end + AROUND));
        }
        let shown = self.text.get(from..to).unwrap_or_default();
        let (line, column) = self.position(from);
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.to_string(),
            shown.as_bytes(),
            (from, to - from).into(),
            line as usize - 1,
            column as usize - 1,
            shown.lines().count(),
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_both_kinds_of_ends() {
        let source = Source::new("a", "{\r\n\t\"ä\u{202e}\": 1\n}");
        let at = |part: &str| source.position(source.shown().find(part).unwrap());
        assert_eq!(at("{"), (1, 1));
        assert_eq!(at("1"), (2, 8));
        assert_eq!(at("}"), (3, 1));
        assert_eq!(source.position(usize::MAX), (3, 2));
    }

    #[test]
    fn credentials_in_a_line_are_not_shown() {
        for (text, shown) in [
            (
                "url = https://user:tok@host/x",
                "url = https://********@host/x",
            ),
            ("a 'ftp://t@h' b", "a 'ftp://*@h' b"),
            ("https://host/a@b", "https://host/a@b"),
            ("http://host:80/a@b", "http://host:80/a@b"),
            ("https://u:p/w@host/x", "https://*****@host/x"),
            (
                "AUTHORIZATION: basic eHg=\nnext",
                "AUTHORIZATION* ***** ****\nnext",
            ),
            ("\"scopes\": []", "\"scopes\": []"),
        ] {
            let found = Source::new("a", text);
            assert_eq!(found.shown(), shown);
            assert_eq!(found.shown().len(), text.len());
        }
    }

    #[test]
    fn an_endless_line_is_cut() {
        let source = Source::new("a", &"ä".repeat(100_000));
        let shown = source.read_span(&(100_001, 3).into(), 1, 1).unwrap();
        assert!(shown.data().len() < 500);
        assert!(std::str::from_utf8(shown.data()).is_ok());
        assert_eq!(shown.column(), shown.span().offset() / 2);
        assert!(source.read_span(&(0, 50_000).into(), 1, 1).is_err());
        assert!(source.read_span(&(usize::MAX, 9).into(), 1, 1).is_err());
    }
}
