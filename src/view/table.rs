//! Columns that line up.

use crate::escape;

use super::{Style, Theme};

/// Rows under a heading; the last column is as long as it is.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>], theme: Theme) -> String {
    let mut widths: Vec<usize> = heading.iter().map(|cell| cell.len()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(escape::terminal_width(cell));
        }
    }
    let heading: Vec<String> = heading.iter().map(|cell| (*cell).to_owned()).collect();
    let mut text = theme.paint(Style::Bold, &line(&heading, &widths));
    text.push('\n');
    for row in rows {
        text.push_str(&line(row, &widths));
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
