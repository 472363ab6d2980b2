//! The lines of a file that a message is about, with what is said of them, as rustc draws them.
//!
//! On a terminal no line is wider than it: what does not matter of the file's line is an ellipsis, and a
//! label goes on below itself.

use miette::{Diagnostic, LabeledSpan, Severity, SourceCode, SpanContents};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::{Style, Theme};
use crate::{model, term::wrap};

const TAB: usize = 4;
/// A label is broken rather than that it takes more of a narrow line from the file.
const LABEL: usize = 24;
/// `╰── `, before a label.
const HOOK: usize = 4;

/// Draws them; nothing where no lines are known. Without `columns` nothing is cut.
pub(super) fn draw(diagnostic: &dyn Diagnostic, theme: Theme, columns: Option<usize>) -> String {
    let (Some(source), Some(labels)) = (diagnostic.source_code(), diagnostic.labels()) else {
        return String::new();
    };
    let main = match diagnostic.severity() {
        Some(Severity::Warning) => Style::Attention,
        _ => Style::Danger,
    };
    let groups = groups(source, labels.collect());
    let drawn = groups.iter().map(|group| {
        let pen = Pen::new(group, theme, columns);
        pen.group(group, source, main)
    });
    drawn.collect()
}

/// Labels whose lines are beside each other.
struct Group<'a> {
    labels: Vec<LabeledSpan>,
    start: usize,
    end: usize,
    lines: Box<dyn SpanContents<'a> + 'a>,
}

fn groups<'a>(source: &'a dyn SourceCode, mut labels: Vec<LabeledSpan>) -> Vec<Group<'a>> {
    let read = |start: usize, end: usize| source.read_span(&(start, end - start).into(), 1, 1);
    model::sort_by_key(&mut labels, LabeledSpan::offset);
    let mut groups: Vec<Group<'a>> = Vec::new();
    for label in labels {
        let (start, end) = (label.offset(), label.offset() + label.len());
        // A place that the text does not have has no lines.
        let Ok(lines) = read(start, end) else {
            continue;
        };
        if let Some(last) = groups.last_mut()
            && last.lines.line() + last.lines.line_count() >= lines.line()
            && let Ok(both) = read(last.start, end.max(last.end))
        {
            last.end = end.max(last.end);
            last.lines = both;
            last.labels.push(label);
            continue;
        }
        groups.push(Group {
            labels: vec![label],
            start,
            end,
            lines,
        });
    }
    groups
}

/// A label below its line, in columns of that line.
struct Mark<'a> {
    start: usize,
    end: usize,
    /// Where its text hangs.
    hook: usize,
    is_place: bool,
    text: Option<&'a str>,
    style: Style,
}

struct Pen {
    theme: Theme,
    digits: usize,
    /// How many columns a line of the file has.
    room: usize,
    out: String,
}

impl Pen {
    fn new(group: &Group<'_>, theme: Theme, columns: Option<usize>) -> Self {
        let text = String::from_utf8_lossy(group.lines.data());
        let last = group.lines.line() + text.lines().count().max(1);
        let digits = last.to_string().len();
        let room = columns.map_or(usize::MAX, |columns| columns.saturating_sub(digits + 4));
        Self {
            theme,
            digits,
            room: room.max(16),
            out: String::new(),
        }
    }

    fn group(mut self, group: &Group<'_>, source: &dyn SourceCode, main: Style) -> String {
        let place = group.labels.iter().find(|label| label.primary());
        let place = place.or(group.labels.first());
        let place = place.and_then(|label| source.read_span(label.inner(), 0, 0).ok());
        if let Some(place) = place {
            let name = place.name().unwrap_or_default();
            let (line, column) = (place.line() + 1, place.column() + 1);
            let blank = self.digits + 2;
            self.say(&format!("{:blank$}╭─[{name}:{line}:{column}]", ""));
        }
        let text = String::from_utf8_lossy(group.lines.data());
        let mut start = group.lines.span().offset();
        let mut lines = text.split_inclusive('\n').enumerate().peekable();
        while let Some((n, line)) = lines.next() {
            let end = start + line.len();
            let is_last = lines.peek().is_none();
            let row = Row::new(line.trim_end_matches(['\n', '\r']));
            let labels = group
                .labels
                .iter()
                .filter(|label| start <= label.offset() && (label.offset() < end || is_last));
            let mut taken = 0;
            let marks: Vec<_> = labels
                .map(|label| {
                    let style = if label.primary() { main } else { Style::Bold };
                    let at = label.offset() - start;
                    let mark = row.mark(label, at, style, taken);
                    taken = mark.end;
                    mark
                })
                .collect();
            self.line(group.lines.line() + n + 1, &row, marks);
            start = end;
        }
        let blank = self.digits + 2;
        self.say(&format!("{:blank$}╰────", ""));
        self.out
    }

    /// A line of the file and what is said of it. What has no room together stands one below the other.
    fn line(&mut self, number: usize, row: &Row, marks: Vec<Mark<'_>>) {
        match self.first_column(row, &marks) {
            Some(from) => self.shown(number, row, from, &marks),
            None if marks.len() > 1 => {
                for mark in marks {
                    self.line(number, row, vec![mark]);
                }
            }
            None => {
                // The text hangs where the place begins, which has to be in sight; its end has not.
                let marks = marks.into_iter().map(|mark| Mark {
                    hook: mark.start,
                    ..mark
                });
                let marks: Vec<_> = marks.collect();
                let from = marks.first().map_or(0, |mark| mark.start.saturating_sub(1));
                let least = marks.iter().map(|mark| self.reach(row, mark)).max();
                let from = from.min(least.unwrap_or(0).saturating_sub(self.room));
                self.shown(number, row, from, &marks);
            }
        }
    }

    /// From where the line is shown, so that all marks and the most of their texts are.
    fn first_column(&self, row: &Row, marks: &[Mark<'_>]) -> Option<usize> {
        let Some(first) = marks.first() else {
            return Some(0);
        };
        let reach = marks.iter().map(|mark| self.reach(row, mark)).max();
        let from = reach.unwrap_or(0).saturating_sub(self.room);
        (from == 0 || from < first.start).then_some(from)
    }

    /// The column behind a mark and the most of its text.
    fn reach(&self, row: &Row, mark: &Mark<'_>) -> usize {
        let ellipsis = usize::from(mark.end < row.width);
        let text = mark.text.map_or(0, |text| {
            mark.hook + HOOK + text.width().min(LABEL.max(self.room / 2))
        });
        text.max(mark.end + ellipsis)
    }

    fn shown(&mut self, number: usize, row: &Row, from: usize, marks: &[Mark<'_>]) {
        let digits = self.digits;
        let number = self.theme.paint(Style::Dim, &format!("{number:digits$}"));
        self.say(&format!(" {number} │ {}", row.cut(from, self.room)));
        if marks.is_empty() {
            return;
        }
        let before = format!(" {:digits$} · ", "");
        let to = from.saturating_add(self.room);
        let seen = to - usize::from(row.width > to);
        let mut line = before.clone();
        let mut at = from;
        for mark in marks {
            line.push_str(&" ".repeat(mark.start - at));
            at = mark.end.min(seen).max(mark.start + 1);
            let under = (mark.start..at).map(|column| match (column == mark.hook, mark.text) {
                (true, _) if mark.is_place => '▲',
                (true, Some(_)) => '┬',
                _ => '─',
            });
            line.push_str(&self.theme.paint(mark.style, &under.collect::<String>()));
        }
        self.say(&line);
        for (n, mark) in marks.iter().enumerate().rev() {
            let Some(text) = mark.text else { continue };
            let left = to.saturating_sub(mark.hook + HOOK);
            let text = if text.width() > left {
                wrap(text, left)
            } else {
                text.to_owned()
            };
            for (part, text) in text.lines().enumerate() {
                let mut line = before.clone();
                let mut at = from;
                for other in marks.get(..n).unwrap_or_default() {
                    if other.text.is_some() {
                        line.push_str(&" ".repeat(other.hook - at));
                        line.push_str(&self.theme.paint(other.style, "│"));
                        at = other.hook + 1;
                    }
                }
                line.push_str(&" ".repeat(mark.hook - at));
                let hook = if part == 0 { "╰── " } else { "    " };
                let text = format!("{hook}{}", text.trim_start());
                line.push_str(&self.theme.paint(mark.style, &text));
                self.say(&line);
            }
        }
    }

    fn say(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }
}

/// A line as it is shown, and where each byte of the file stands in it.
struct Row {
    text: String,
    columns: Vec<usize>,
    width: usize,
}

impl Row {
    fn new(line: &str) -> Self {
        let (mut text, mut columns, mut width) = (String::new(), Vec::new(), 0);
        for c in line.chars() {
            columns.extend(std::iter::repeat_n(width, c.len_utf8()));
            if c == '\t' {
                let blanks = TAB - width % TAB;
                text.push_str(&" ".repeat(blanks));
                width += blanks;
            } else {
                let c = if c.width().is_none() { '\u{fffd}' } else { c };
                text.push(c);
                width += c.width().unwrap_or(0);
            }
        }
        Self {
            text,
            columns,
            width,
        }
    }

    /// The column of a byte; behind the line, the one after it.
    fn column(&self, byte: usize) -> usize {
        let column = self.columns.get(byte).copied();
        column.unwrap_or(self.width + usize::from(byte > self.columns.len()))
    }

    fn mark<'a>(&self, label: &'a LabeledSpan, at: usize, style: Style, taken: usize) -> Mark<'a> {
        let start = self.column(at).max(taken);
        let end = self.column(at + label.len()).max(start + 1);
        Mark {
            start,
            end,
            hook: start.midpoint(end),
            is_place: label.is_empty(),
            text: label.label(),
            style,
        }
    }

    /// So many columns of it. Where something is left out an ellipsis stands.
    fn cut(&self, from: usize, room: usize) -> String {
        let to = from.saturating_add(room);
        let (start, end) = (
            from + usize::from(from > 0),
            to - usize::from(self.width > to),
        );
        let mut shown = String::new();
        let mut at = 0;
        for c in self.text.chars() {
            let next = at + c.width().unwrap_or(0);
            if at >= start && next <= end {
                shown.push(c);
            } else if next > start && at < end {
                // Half of a wide one.
                let blanks = next.min(end) - at.max(start);
                shown.push_str(&" ".repeat(blanks));
            }
            at = next;
        }
        let ellipsis = |cut: bool| if cut { "…" } else { "" };
        format!("{}{shown}{}", ellipsis(from > 0), ellipsis(self.width > to))
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::syntax::{Finding, Problem, Source};

    fn drawn(line: &str, places: &[(&str, &str)], columns: usize) -> String {
        let source = Source::new("a.jsonc", line);
        let finding = Finding::Setting {
            message: "odd".to_owned(),
        };
        let problem =
            places
                .iter()
                .fold(Problem::new(finding, &source), |problem, (part, text)| {
                    let start = line.find(part).unwrap();
                    problem.label(start..start + part.len(), *text)
                });
        for columns in 40..=200 {
            let text = draw(&problem, Theme::PLAIN, Some(columns));
            let wide = text.lines().find(|line| line.width() > columns);
            assert_eq!(wide, None, "at {columns}");
        }
        draw(&problem, Theme::PLAIN, Some(columns))
    }

    #[test]
    fn a_place_far_to_the_right_is_in_sight_with_its_label() {
        let line = "{\"type\": \"slack\", \"scopes\": [\"chat:write\"], \"account\": \"ops\", \"more\": 1}";
        assert_snapshot!(drawn(line, &[("\"ops\"", "an address is expected")], 40), @r#"
      ╭─[a.jsonc:1:56]
    1 │ …unt": "ops", "more": 1}
      ·        ──┬──
      ·          ╰── an address is expected
      ╰────
    "#);
        assert_snapshot!(
            drawn(line, &[("\"slack\"", "a label of more words than have room beside it")], 40),
            @r#"
      ╭─[a.jsonc:1:10]
    1 │ …": "slack", "scopes": ["chat:writ…
      ·     ───┬───
      ·        ╰── a label of more words
      ·            than have room beside
      ·            it
      ╰────
    "#
        );
    }

    #[test]
    fn places_that_do_not_fit_together_stand_below_each_other() {
        let line = "\tscopes: [\"äöü\", \"chat:write\", \"a\", \"b\", \"c\", \"d\", \"e\", \"日本語\", \"users:read\"]";
        let places = [
            ("\"chat:write\"", "first here"),
            ("\"users:read\"", "again here"),
        ];
        assert_snapshot!(drawn(line, &places, 40), @r#"
      ╭─[a.jsonc:1:18]
    1 │ …opes: ["äöü", "chat:write", "a", …
      ·                ──────┬─────
      ·                      ╰── first here
    1 │ …e", "日本語", "users:read"]
      ·                ──────┬─────
      ·                      ╰── again here
      ╰────
    "#);
        assert_snapshot!(drawn(line, &places, 60), @r#"
      ╭─[a.jsonc:1:18]
    1 │     scopes: ["äöü", "chat:write", "a", "b", "c", "d", …
      ·                     ──────┬─────
      ·                           ╰── first here
    1 │ …a", "b", "c", "d", "e", "日本語", "users:read"]
      ·                                    ──────┬─────
      ·                                          ╰── again here
      ╰────
    "#);
        assert_snapshot!(drawn(line, &places, 120), @r#"
      ╭─[a.jsonc:1:18]
    1 │     scopes: ["äöü", "chat:write", "a", "b", "c", "d", "e", "日本語", "users:read"]
      ·                     ──────┬─────                                     ──────┬─────
      ·                           │                                                ╰── again here
      ·                           ╰── first here
      ╰────
    "#);
    }

    #[test]
    fn of_a_long_place_the_beginning_is_shown() {
        let line = format!("url = \"https://{}\" # so", "日本".repeat(24));
        let value = line.split('"').nth(1).unwrap().to_owned();
        assert_snapshot!(drawn(&line, &[(&value, "is not an address")], 40), @"
      ╭─[a.jsonc:1:8]
    1 │ …https://日本日本日本日本日本日本 …
      ·  ┬────────────────────────────────
      ·  ╰── is not an address
      ╰────
    ");
    }
}
