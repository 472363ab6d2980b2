//! Text for a person, broken at words to the width of a terminal.
//!
//! What somebody copies is never broken: a command, an address, a digest, a path stand whole, on a line
//! of their own where they have to. Nothing is cut.

/// A continuation starts no further to the right than this leaves room for.
const ROOM: usize = 24;

/// Breaks every line that has more columns. Escape sequences take none.
pub fn wrap(text: &str, columns: usize) -> String {
    let mut wrapped = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let end = line.get(content.len()..).unwrap_or_default();
        if width(content) <= columns {
            wrapped.push_str(content);
        } else {
            break_line(content, columns, &mut wrapped);
        }
        wrapped.push_str(end);
    }
    wrapped
}

fn width(text: &str) -> usize {
    console::measure_text_width(text)
}

/// What stays together, and the spaces before it.
struct Unit<'a> {
    gap: usize,
    text: &'a str,
}

fn break_line(line: &str, columns: usize, out: &mut String) {
    // What a command is for stands below it, so that whoever copies the command copies no more.
    let lead = line.len() - line.trim_start_matches(' ').len();
    if line.trim_start().starts_with("connplan ")
        && let Some((command, remark)) = line.split_once(" # ")
    {
        out.push_str(command.trim_end());
        // Who copies these lines, too, copies remarks.
        for line in wrap(remark, columns.saturating_sub(lead + 4)).lines() {
            let before = format!("\n{:lead$}  # ", "");
            out.extend([before.as_str(), line.trim_start()]);
        }
        return;
    }
    // A command that is shown as typed is copied as one.
    let typed = ["$ connplan ", "export BASE44_"];
    if typed
        .iter()
        .any(|typed| line.trim_start().starts_with(typed))
    {
        out.push_str(line);
        return;
    }
    let units = units(line, columns);
    let lead = units.first().map_or(0, |unit| unit.gap);
    let column = units.iter().rposition(|unit| unit.gap >= 2);
    let column = column.filter(|n| *n > 0);
    let indent = continuation(&units, lead, columns);
    // What stands in a column and has no room there stands below, all of it.
    let below = column.filter(|_| indent <= lead + 4);
    let (mut taken, mut owed) = (0, 0);
    for (n, unit) in units.iter().enumerate() {
        let wide = width(unit.text);
        let gap = owed + unit.gap;
        if wide == 0 {
            // Where a colour ends: blanks before it wait for what stands behind it, if that has room.
            out.push_str(unit.text);
            owed = gap;
            continue;
        }
        owed = 0;
        if n > 0 && (taken + gap + wide > columns || below == Some(n)) {
            // Rather to the left than cut by the terminal.
            let fits = indent + wide <= columns;
            let start = if fits { indent } else { indent.min(lead + 2) };
            out.push('\n');
            out.push_str(&" ".repeat(start));
            taken = start;
        } else {
            out.push_str(&" ".repeat(gap));
            taken += gap;
        }
        out.push_str(unit.text);
        taken += wide;
    }
}

/// Where the second line of a text starts: below what stands behind its symbol or its column, and never
/// where a line of ours starts, whoever wrote the text.
fn continuation(units: &[Unit<'_>], lead: usize, columns: usize) -> usize {
    let mut at = 0;
    let mut column = None;
    for (n, unit) in units.iter().enumerate() {
        at += unit.gap;
        if n > 0 && unit.gap >= 2 {
            column = Some(at);
        }
        at += width(unit.text);
    }
    let plain = |unit: &Unit<'_>| console::strip_ansi_codes(unit.text).into_owned();
    let first = units.first().map(plain).unwrap_or_default();
    let symbol = first.split(' ').next().filter(|first| is_symbol(first));
    let indent = match column {
        Some(column) if column + ROOM <= columns => column,
        Some(_) if symbol.is_some() => lead + 4,
        Some(_) => lead + 2,
        None => lead + 1 + symbol.map_or(1, width),
    };
    indent.min(columns / 2)
}

/// Words; but a command is one, a symbol goes with the first word, and what else stands in backticks is one
/// if it has room on a line.
fn units(line: &str, columns: usize) -> Vec<Unit<'_>> {
    let quotes = quotes(line, columns);
    let mut units: Vec<Unit<'_>> = Vec::new();
    let (mut at, mut command, mut symbol, mut entry) = (0, false, false, false);
    while let Some(rest) = line.get(at..).filter(|rest| !rest.trim().is_empty()) {
        let gap = rest.len() - rest.trim_start_matches(' ').len();
        let start = at + gap;
        let spaces = line.match_indices(' ').map(|(space, _)| space);
        let mut ends = spaces.filter(|space| {
            *space > start
                && !quotes
                    .iter()
                    .any(|(open, close)| open < space && space < close)
        });
        let end = ends.next().unwrap_or(line.len());
        at = end;
        let word = line.get(start..end).unwrap_or_default();
        let plain = console::strip_ansi_codes(word);
        command = command && gap < 2;
        entry = entry && gap < 2;
        match units.last_mut() {
            Some(unit) if command || symbol || entry => {
                let begin = start - gap - unit.text.len();
                unit.text = line.get(begin..end).unwrap_or_default();
            }
            before => {
                let is_first = before.is_none();
                let introduced = before.is_none_or(|unit| {
                    let before = console::strip_ansi_codes(unit.text);
                    before.ends_with(':') || before == "->" || before == "$"
                });
                command = introduced
                    && is_program(&plain)
                    && !is_prose(line.get(start..).unwrap_or_default());
                // `! look here`, in a legend.
                entry = !is_first && gap >= 2 && is_symbol(&plain);
                units.push(Unit { gap, text: word });
            }
        }
        symbol = units.len() == 1 && is_symbol(&plain);
    }
    units
}

/// Where backticks open and close, of commands and of what has room on a line.
fn quotes(line: &str, columns: usize) -> Vec<(usize, usize)> {
    let ticks: Vec<_> = line.match_indices('`').map(|(at, _)| at).collect();
    let pairs = ticks.chunks_exact(2).map(|pair| (pair[0], pair[1]));
    pairs
        .filter(|(open, close)| {
            let before = line.get(..*open).and_then(|before| before.rfind(' '));
            let after = line.get(*close..).and_then(|after| after.find(' '));
            let end = after.map_or(line.len(), |after| close + after);
            let whole = line.get(before.unwrap_or(0)..end).map_or(0, width);
            let is_command = line
                .get(open + 1..)
                .is_some_and(|text| text.starts_with("connplan "));
            is_command || whole + columns / 4 <= columns
        })
        .collect()
}

fn is_symbol(word: &str) -> bool {
    matches!(word, "+" | "-" | "~" | "!" | "?" | "*" | "->")
}

/// Whether what begins as a command goes on as a sentence: a word ends in a stop, and is not quoted.
fn is_prose(text: &str) -> bool {
    let plain = console::strip_ansi_codes(text);
    let mut quoted = false;
    plain.split(' ').any(|word| {
        let stops = !quoted && word.ends_with(['.', ',', ';', ':']) && !word.ends_with("..");
        quoted ^= word.matches(['\'', '"']).count() % 2 == 1;
        stops && word.len() > 1
    })
}

fn is_program(word: &str) -> bool {
    matches!(
        word,
        "connplan" | "npx" | "npm" | "cargo" | "export" | "git"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_and_a_column_hang() {
        assert_eq!(
            wrap("  + a scope that is widened by far\n", 20),
            "  + a scope that is\n    widened by far\n"
        );
        assert_eq!(
            wrap(
                "      + chat:write  post messages (as the bot or as the user) · write",
                50
            ),
            "      + chat:write  post messages (as the bot or\n                    as the user) · write"
        );
        assert_eq!(
            wrap("error: what was asked for is not there", 24),
            "error: what was asked\n  for is not there"
        );
    }

    #[test]
    fn a_column_without_room_stands_below_whole() {
        assert_eq!(
            wrap("  - hubspot               no file declares it", 40),
            "  - hubspot\n      no file declares it"
        );
    }

    #[test]
    fn what_a_symbol_stands_for_stays_with_it_and_no_blanks_trail() {
        assert_eq!(
            wrap("Symbols:  + add  ~ change  ! look here\n", 32),
            "Symbols:  + add  ~ change\n  ! look here\n"
        );
        let padded = "\u{1b}[31m~ gmail     \u{1b}[0m  base44/gmail.jsonc";
        assert_eq!(
            wrap(padded, 30),
            "\u{1b}[31m~ gmail\u{1b}[0m\n    base44/gmail.jsonc"
        );
    }

    #[test]
    fn a_command_stays_whole() {
        assert_eq!(
            wrap("Next: connplan authorize --receipt release.receipt", 46),
            "Next:\n  connplan authorize --receipt release.receipt"
        );
        assert_eq!(
            wrap(
                "When that is put right, run `connplan plan --out a.plan` again.",
                40
            ),
            "When that is put right, run\n  `connplan plan --out a.plan` again."
        );
        assert_eq!(
            wrap(
                "a signer runs `connplan approve two.plan --out two.plan.sig`; then",
                40
            ),
            "a signer runs\n  `connplan approve two.plan --out two.plan.sig`;\n  then"
        );
        assert_eq!(
            wrap("$ connplan apply demo.plan --receipt demo.receipt", 20),
            "$ connplan apply demo.plan --receipt demo.receipt"
        );
        assert_eq!(
            wrap("  connplan add         # a new connector, or two", 28),
            "  connplan add\n    # a new connector, or\n    # two"
        );
    }

    #[test]
    fn a_sentence_about_connplan_is_no_command() {
        assert_eq!(
            wrap(
                "error: another connplan is running for this app: connplan plan, an unknown user",
                40
            ),
            "error: another connplan is running for\n  this app: connplan plan, an unknown\n  user"
        );
        assert_eq!(
            wrap(
                "Or: connplan apply r.plan --reason \"so it is, and so\"",
                30
            ),
            "Or:\n  connplan apply r.plan --reason \"so it is, and so\""
        );
        assert_eq!(
            wrap("w: connplan keeps its state outside. Go", 24),
            "w: connplan keeps its\n  state outside. Go"
        );
    }

    #[test]
    fn colour_takes_no_room() {
        let red = "\u{1b}[31mone two three\u{1b}[0m";
        assert_eq!(wrap(red, 13), red);
        assert_eq!(wrap(red, 8), "\u{1b}[31mone two\n  three\u{1b}[0m");
    }
}
