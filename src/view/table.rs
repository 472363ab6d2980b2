//! Columns that line up.

use crate::escape;

use super::{Style, Theme};

/// Below this a last column is no column any more.
const NARROW: usize = 20;

/// Rows under a heading, the last column as long as it is. On a terminal with `width` columns the
/// last one is wrapped within its own; where even that has no room, each row becomes a paragraph.
pub(super) fn table(
    heading: &[&str],
    rows: &[Vec<String>],
    theme: Theme,
    width: Option<usize>,
) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|cell| cell.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(escape::terminal_width(cell));
        }
    }
    let last = widths.last().copied().unwrap_or(0);
    let before: usize = widths.iter().map(|width| width + 2).sum::<usize>() - last - 2;
    let room = width.unwrap_or(usize::MAX).saturating_sub(before);
    if room < last.min(NARROW) {
        return paragraphs(heading, rows, theme, width.unwrap_or(usize::MAX));
    }
    let cells: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = theme.paint(Style::Bold, &line(&cells, &widths));
    text.push('\n');
    for row in rows {
        let mut row = row.clone();
        if let Some(cell) = row.last_mut() {
            *cell = wrapped(cell, room).join(&format!("\n{:before$}", ""));
        }
        text.push_str(&line(&row, &widths));
        text.push('\n');
    }
    text
}

fn line(cells: &[String], widths: &[usize]) -> String {
    let mut text = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        text.push_str(cell);
        let gap = width.saturating_sub(escape::terminal_width(cell)) + 2;
        text.push_str(&" ".repeat(gap));
    }
    text.trim_end().to_owned()
}

/// A row as its first cell, and the others below it by name; those that say nothing are left out.
fn paragraphs(heading: &[&str], rows: &[Vec<String>], theme: Theme, width: usize) -> String {
    let mut text = String::new();
    for row in rows {
        for (n, (name, cell)) in heading.iter().zip(row).enumerate() {
            if n == 0 {
                text.push_str(&theme.paint(Style::Bold, cell));
                text.push('\n');
            } else if !cell.is_empty() && cell != "-" {
                let line = format!("{}: {cell}", name.to_lowercase());
                text.push_str("  ");
                text.push_str(&wrapped(&line, width.saturating_sub(4)).join("\n    "));
                text.push('\n');
            }
        }
    }
    text
}

fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        let taken = escape::terminal_width(line);
        if taken > 0 && taken + 1 + escape::terminal_width(word) > room {
            lines.push(word.to_owned());
        } else {
            if taken > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(width: Option<usize>) -> String {
        let row = |a: &str, b: &str, c: &str| vec![a.to_owned(), b.to_owned(), c.to_owned()];
        let rows = [
            row("slack", "-", "what people say to each other, all day long"),
            row("gmail", "ada@example.com", ""),
        ];
        table(&["TYPE", "ACCOUNT", "ABOUT"], &rows, Theme::PLAIN, width)
    }

    #[test]
    fn a_pipe_gets_the_whole_line() {
        assert_eq!(
            shown(None),
            "TYPE   ACCOUNT          ABOUT\n\
             slack  -                what people say to each other, all day long\n\
             gmail  ada@example.com\n"
        );
    }

    #[test]
    fn the_last_column_is_wrapped_within_its_own() {
        assert_eq!(
            shown(Some(50)),
            "TYPE   ACCOUNT          ABOUT\n\
             slack  -                what people say to each\n                        \
             other, all day long\n\
             gmail  ada@example.com\n"
        );
    }

    #[test]
    fn without_room_a_row_is_a_paragraph() {
        assert_eq!(
            shown(Some(40)),
            "slack\n  about: what people say to each\n    other, all day long\n\
             gmail\n  account: ada@example.com\n"
        );
    }
}
