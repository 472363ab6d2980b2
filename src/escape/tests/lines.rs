//! What must hold of the writers of single lines, and of the mask.

use proptest::prelude::*;

use super::super::*;

#[test]
fn a_mask_moves_nothing() {
    let text = "a\x1b\u{85}\u{202e}\u{e0041}ä\r\n\rb\t";
    let shown = masked(text);
    assert_eq!(shown, "a?¿\u{fffd}🛇ä\r\n?b\t");
    assert_eq!(
        masked("x ##vso[task] ::error::y"),
        "x ?#vso[task] ?:error?:y"
    );
}

#[test]
fn marks_pile_up_on_no_letter() {
    let piled = |count: usize| format!("e{}x", "\u{301}".repeat(count));
    assert_eq!(terminal(&piled(4)), piled(4));
    let shown = "e\u{301}\u{301}\u{301}\u{301}\\u{301}\\u{301}x";
    assert_eq!(terminal(&piled(6)), shown);
    assert_eq!(markdown_code(&piled(6)), format!("`{shown}`"));
    assert_eq!(masked(&piled(600)).matches('\u{301}').count(), 4);
}

proptest! {
    #[test]
    fn masking_keeps_every_span(text in commands()) {
        let shown = masked(&text);
        prop_assert_eq!(shown.len(), text.len());
        let starts = |s: &str| s.char_indices().map(|(at, _)| at).collect::<Vec<_>>();
        prop_assert_eq!(starts(&shown), starts(&text));
        prop_assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
        for line in shown.lines() {
            harmless(line.trim_end_matches('\r'))?;
        }
    }

    #[test]
    fn no_writer_of_a_line_lets_anything_through(text in commands(), max in 0_usize..60) {
        for shown in [
            terminal(&text).into_owned(),
            limited(&text, max),
            quoted(&text, max),
            log_line(&text).into_owned(),
            command_property(&text),
        ] {
            harmless(&shown)?;
            prop_assert!(!shown.contains('\n'));
        }
        prop_assert!(quoted(&text, max).chars().count() <= max + 1);
    }
}

/// What names of a plan may hold, and what a page writes between two of them.
const NAMES: [&str; 10] = [
    "\"",
    "\"q",
    "q\"",
    "admin-all",
    "linear",
    "a\"b",
    "ro\"@a.bc",
    "\"q\"@a.bc",
    "\"@a.bc",
    "ada@example.com",
];
const GAPS: [&str; 9] = [
    "\n",
    "\n      + ",
    "  ",
    ", ",
    " (",
    ")\n",
    "`, `",
    "` (`",
    "\n· ",
];

proptest! {
    #[test]
    fn a_mask_of_accounts_hides_no_name_that_is_none(
        parts in prop::collection::vec((prop::sample::select(&NAMES), prop::sample::select(&GAPS)), 1..12),
    ) {
        let page: String = parts.iter().flat_map(|(name, gap)| [*name, *gap]).collect();
        let alone = |(name, gap): &(&str, &str)| mask_accounts(name).into_owned() + gap;
        let shown: String = parts.iter().map(alone).collect();
        prop_assert_eq!(mask_accounts(&page), shown);
        for (name, _) in &parts {
            prop_assert!(name.contains('@') || mask_accounts(name) == *name);
        }
    }

    #[test]
    fn a_mask_of_accounts_removes_no_line(text in "([\"\\\\ @,(│·─╰\n1m]|@a\\.bc|ada|1 │ ){0,40}") {
        let lines = |text: &str| text.matches('\n').count();
        prop_assert_eq!(lines(&mask_accounts(&text)), lines(&text));
    }
}

/// No line of it, wherever it is broken, is a command, moves a cursor, hides or reorders.
fn harmless(line: &str) -> Result<(), TestCaseError> {
    for c in line.chars() {
        prop_assert!(!is_hidden(c) || c == '\t', "{c:?} in {line:?}");
    }
    let colons = line
        .match_indices("::")
        .filter(|(at, _)| !line[at + 2..].starts_with(|c: char| c.is_ascii_digit() || c == ']'));
    prop_assert_eq!(colons.count(), 0, "{:?}", line);
    for sign in ["##[", "##vso[", "##teamcity["] {
        prop_assert!(!line.contains(sign), "{line:?}");
    }
    Ok(())
}

/// Texts of the pieces that do harm.
fn commands() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "::",
        ":",
        "error",
        "##",
        "vso",
        "[",
        "]",
        "#",
        "\x1b[2J",
        "\u{202e}",
        "\u{2028}",
        "\r",
        "\n",
        " ",
        "---",
        "ä",
        "🛇",
        "\u{200b}",
        "a",
        "\u{e0041}",
        "\u{9b}",
        "\t",
        "stop-commands",
    ]);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}
