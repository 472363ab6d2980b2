//! Adds elements to the end of a list and deletes others from it. No comment is ever deleted: a comment
//! beside a deleted element stays on its line, and its author decides what to do with it.

use super::{
    layout::{Layout, Patch},
    scan::{Scan, is_line_end},
};
use crate::syntax::tree::{Member, Node};

/// Adds items to a list; `member` is its key and the list.
pub(super) fn grow(layout: &Layout<'_>, member: &Member, items: &[String]) -> Patch {
    let mut patch = Patch::default();
    match member.node.elements().last() {
        Some(last) => append(layout, last, items, &mut patch),
        None => fill(layout, member, items, &mut patch),
    }
    patch
}

/// Adds after the last element, on lines of their own if that has one.
fn append(layout: &Layout<'_>, last: &Node, items: &[String], patch: &mut Patch) {
    let scan = layout.scan;
    let end = last.span.end;
    if !scan.starts_line(last.span.start) {
        patch.insert(end, format!(", {}", items.join(", ")));
        return;
    }
    let indent = scan.indentation(last.span.start);
    let lines: Vec<_> = items
        .iter()
        .map(|item| format!("{}{indent}{item}", layout.newline))
        .collect();
    after(scan, end, &lines.join(","), patch);
}

/// Puts a new part on lines of its own behind a value that may have a comma and comments after it.
/// A part that is the last one gets a comma if the one before it had one.
pub(super) fn after(scan: Scan<'_>, end: usize, lines: &str, patch: &mut Patch) {
    if let Some(comma) = scan.comma(end) {
        patch.insert(scan.line_comments(comma + 1), format!("{lines},"));
    } else {
        patch.insert(end, ",");
        patch.insert(scan.line_comments(end), lines);
    }
}

/// Adds to a list that is empty.
fn fill(layout: &Layout<'_>, member: &Member, items: &[String], patch: &mut Patch) {
    let scan = layout.scan;
    let (start, end) = (member.node.span.start + 1, member.node.span.end - 1);
    let inside = scan.text.get(start..end).unwrap_or_default();
    let blank = |c: char| c.is_whitespace() || c == '\u{feff}';
    let content = inside.trim_end_matches(blank);
    let indent = scan.indentation(member.key_span.start);
    let tall = inside.contains(is_line_end);
    if content.is_empty() {
        let list = if tall || scan.starts_line(member.key_span.start) {
            layout.tall_list(items, indent)
        } else {
            Layout::flat_list(items)
        };
        patch.replace(start - 1, end + 1, list);
        return;
    }
    let at = start + content.len();
    if !tall {
        patch.insert(at, format!(" {}", items.join(", ")));
        return;
    }
    patch.insert(at, layout.lines(items, indent));
    let rest = inside.get(content.len()..).unwrap_or_default();
    if !rest.contains(is_line_end) {
        patch.replace(at, end, format!("{}{indent}", layout.newline));
    }
}

/// Takes elements out of a list.
pub(super) fn shrink(scan: Scan<'_>, list: &Node, goes: impl Fn(&str) -> bool) -> Patch {
    let mut patch = Patch::default();
    let elements = list.elements();
    let stays = |element: &Node| element.text().is_none_or(|text| !goes(text));
    let ends_in_comma = elements
        .last()
        .is_some_and(|last| scan.comma(last.span.end).is_some());
    if let Some(last) = elements.iter().rfind(|element| stays(element))
        && !ends_in_comma
        && let Some(comma) = scan.comma(last.span.end)
    {
        patch.delete(comma, comma + 1);
    }
    let mut run: Option<(usize, usize)> = None;
    for element in elements {
        if stays(element) {
            close(scan, &mut run, &mut patch);
            continue;
        }
        let mut end = element.span.end;
        if let Some(comma) = scan.comma(end) {
            if scan.skip_gap(end) == comma {
                end = comma + 1;
            } else {
                // A comment stands between the two.
                patch.delete(comma, comma + 1);
            }
        }
        run = match run {
            Some((start, before)) if scan.skip_gap(before) == element.span.start => {
                Some((start, end))
            }
            _ => {
                close(scan, &mut run, &mut patch);
                Some((element.span.start, end))
            }
        };
    }
    close(scan, &mut run, &mut patch);
    patch
}

/// Deletes adjacent elements of one line, and the line if it is empty then.
fn close(scan: Scan<'_>, run: &mut Option<(usize, usize)>, patch: &mut Patch) {
    let Some((start, end)) = run.take() else {
        return;
    };
    let next = scan.skip_gap(end);
    let before = scan.skip_gap_back(start);
    match (scan.starts_line(start), scan.line_end(next)) {
        (true, Some(line_end)) => patch.delete(scan.line_start(start), line_end),
        (false, Some(_)) => patch.delete(before, end),
        (false, None)
            if scan.rest(next).starts_with(']')
                && !scan.text.get(..before).unwrap_or_default().ends_with('[') =>
        {
            patch.delete(before, end);
        }
        _ => patch.delete(start, next),
    }
}
