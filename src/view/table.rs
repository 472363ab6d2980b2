//! Columns that line up.

use std::borrow::Cow;

use crate::escape;

use super::{Medium, Style, Theme};

/// Below this, and below half of what it would take, a last column is too narrow to read.
const NARROW: usize = 20;
/// No other column gets narrower than this.
const LEAST: usize = 8;

/// Rows under a heading, the last column as long as it is. On a terminal cells are broken within their own
/// columns, the widest first; where even that has no room, each row becomes a paragraph.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>], medium: &Medium<'_>) -> String {
    let Medium { theme, columns, .. } = *medium;
    let mut rows = Cow::Borrowed(rows);
    if medium.masked {
        for cell in rows.to_mut().iter_mut().flatten() {
            *cell = escape::mask_accounts(cell).into_owned();
        }
    }
    lay_out(heading, &rows, theme, columns)
}

fn lay_out(heading: &[&str], rows: &[Vec<String>], theme: Theme, width: Option<usize>) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|cell| cell.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(escape::terminal_width(cell));
        }
    }
    if let Some(width) = width
        && !fit(&mut widths, heading, rows, width)
    {
        return paragraphs(heading, rows, theme, width);
    }
    let cells: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = theme.paint(Style::Bold, &line(&cells, &widths));
    text.push('\n');
    for row in rows {
        let cells: Vec<_> = row
            .iter()
            .zip(&widths)
            .map(|(cell, width)| wrapped(cell, *width))
            .collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        for n in 0..height {
            let of_line = |lines: &Vec<String>| lines.get(n).cloned().unwrap_or_default();
            let cells: Vec<_> = cells.iter().map(of_line).collect();
            text.push_str(&line(&cells, &widths));
            text.push('\n');
        }
    }
    text
}

/// Takes from the widest column what is too much. False where no table fits.
fn fit(widths: &mut [usize], heading: &[&str], rows: &[Vec<String>], room: usize) -> bool {
    let Some(last) = widths.len().checked_sub(1) else {
        return true;
    };
    let longest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let words = cells.filter_map(|cell| pieces(cell).map(escape::terminal_width).max());
        words.max().unwrap_or(0)
    };
    let floors: Vec<usize> = (0..widths.len())
        .map(|column| {
            let whole = widths.get(column).copied().unwrap_or(0);
            let floor = if column == last {
                NARROW.max(whole.div_ceil(2))
            } else {
                LEAST
            };
            let word = longest(column).max(heading.get(column).map_or(0, |cell| cell.len()));
            word.max(floor).min(whole)
        })
        .collect();
    loop {
        let taken: usize = widths.iter().map(|width| width + 2).sum::<usize>() - 2;
        let Some(over) = taken.checked_sub(room).filter(|over| *over > 0) else {
            return true;
        };
        // The last column gives first: it is the one that tells.
        let spare = |column: usize| {
            let width = widths.get(column).copied().unwrap_or(0);
            width.saturating_sub(floors.get(column).copied().unwrap_or(0))
        };
        let widest = (0..widths.len()).max_by_key(|column| (spare(*column), *column));
        let Some(column) = widest.filter(|column| spare(*column) > 0) else {
            return false;
        };
        let given = spare(column)
            .min(over)
            .min(if column == last { over } else { 1 });
        if let Some(width) = widths.get_mut(column) {
            *width -= given;
        }
    }
}

/// Words; an address of e-mail may end a line before its `@`.
fn pieces(cell: &str) -> impl Iterator<Item = &str> {
    cell.split(' ').flat_map(|word| {
        let at = word.rfind('@').filter(|at| *at > 0).unwrap_or(word.len());
        let (name, domain) = word.split_at_checked(at).unwrap_or((word, ""));
        [name, domain].into_iter().filter(|part| !part.is_empty())
    })
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
        for (n, piece) in pieces(word).enumerate() {
            let Some(line) = lines.last_mut() else { break };
            let taken = escape::terminal_width(line);
            let gap = usize::from(taken > 0 && n == 0);
            if taken > 0 && taken + gap + escape::terminal_width(piece) > room {
                lines.push(piece.to_owned());
            } else {
                line.push_str(if gap == 1 { " " } else { "" });
                line.push_str(piece);
            }
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
        lay_out(&["TYPE", "ACCOUNT", "ABOUT"], &rows, Theme::PLAIN, width)
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
