//! Two texts as one unified diff, as `similar` has it; of its ways to compare, the program has one.

use std::{collections::HashMap, fmt::Write as _, ops::Range};

use similar::{
    DiffOp,
    algorithms::{Capture, Compact, Replace, myers},
    group_diff_ops,
};

/// Lines around a change.
const CONTEXT: usize = 3;

/// What makes `after` of `before`, under the names of both; empty if that is nothing.
pub(super) fn unified(before: &str, after: &str, (from, to): (&str, &str)) -> String {
    let (old, new) = (lines(before), lines(after));
    let mut out = String::new();
    for hunk in group_diff_ops(compared(&old, &new), CONTEXT) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else {
            continue;
        };
        // Writing to a String cannot fail.
        if out.is_empty() {
            let _ = write!(out, "--- {from}\n+++ {to}\n");
        }
        let was = range(first.old_range().start..last.old_range().end);
        let is = range(first.new_range().start..last.new_range().end);
        let _ = writeln!(out, "@@ -{was} +{is} @@");
        for part in &hunk {
            if let DiffOp::Equal { .. } = part {
                add(&mut out, ' ', &old, part.old_range());
            } else {
                add(&mut out, '-', &old, part.old_range());
                add(&mut out, '+', &new, part.new_range());
            }
        }
    }
    out
}

fn compared(old: &[&str], new: &[&str]) -> Vec<DiffOp> {
    let mut known = HashMap::new();
    let mut number = |lines: &[&str]| {
        let numbers = lines.iter().map(|line| {
            let next = known.len();
            *known.entry((*line).to_owned()).or_insert(next)
        });
        numbers.collect::<Vec<usize>>()
    };
    let (old, new) = (number(old), number(new));
    let (old, new) = (old.as_slice(), new.as_slice());
    let mut found = Compact::new(Replace::new(Capture::new()), old, new);
    let Ok(()) = myers::diff(&mut found, old, 0..old.len(), new, 0..new.len());
    found.into_inner().into_inner().into_ops()
}

/// A text's lines, each with what ends it: a line feed, a carriage return, or both.
fn lines(text: &str) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['\n', '\r']) {
        let both = rest.get(at..).is_some_and(|end| end.starts_with("\r\n"));
        let (line, after) = rest.split_at(at + 1 + usize::from(both));
        lines.push(line);
        rest = after;
    }
    if !rest.is_empty() {
        lines.push(rest);
    }
    lines
}

/// Where lines are, from 1; of none, the line before.
fn range(lines: Range<usize>) -> String {
    match lines.len() {
        1 => (lines.start + 1).to_string(),
        0 => format!("{},0", lines.start),
        length => format!("{},{length}", lines.start + 1),
    }
}

fn add(out: &mut String, sign: char, lines: &[&str], range: Range<usize>) {
    for line in lines.get(range).unwrap_or_default() {
        out.push(sign);
        out.push_str(line);
        if !line.ends_with(['\n', '\r']) {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use similar::TextDiff;

    use super::*;

    fn text(lines: Range<usize>) -> impl Strategy<Value = String> {
        let line = prop::sample::select(vec![
            "a\n", "b\n", "c\r\n", "d\r", "\n", "e\n", "x = 1\n", "é\n", "last",
        ]);
        prop::collection::vec(line, lines).prop_map(|lines| lines.concat())
    }

    fn agrees(before: &str, after: &str) -> Result<(), TestCaseError> {
        let theirs = TextDiff::from_lines(before, after)
            .unified_diff()
            .header("a/x", "b/x")
            .to_string();
        prop_assert_eq!(unified(before, after, ("a/x", "b/x")), theirs);
        Ok(())
    }

    proptest! {
        #[test]
        fn it_is_what_similar_makes_of_it(before in text(0..14), after in text(0..14)) {
            agrees(&before, &after)?;
        }

        #[test]
        fn so_it_is_for_long_texts(
            (before, after) in (text(90..260), 0_usize..90, text(0..30)).prop_map(|(before, at, new)| {
                let mut lines: Vec<_> = before.split_inclusive('\n').collect();
                let at = at.min(lines.len());
                lines.splice(at..(at + 5).min(lines.len()), new.split_inclusive('\n'));
                let after = lines.concat();
                (before, after)
            }),
        ) {
            agrees(&before, &after)?;
        }
    }
}
