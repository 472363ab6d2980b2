//! Inline text of GitHub's and GitLab's Markdown.
//!
//! Backslashes and entities stop markup, but not what happens after it: mentions, references and
//! links are looked for in the finished page's text, where `\@` and `&#64;` are `@` again. Only a
//! code span keeps them out. So words that are plainly words stay, and all others become code, which
//! reads well as plain text too.

use super::{fence::longest_run, line::terminal};

/// Longer runs of backticks are written as entities: renderers stop looking for the end of a code
/// span's fence somewhere (at 80).
const LONGEST_RUN: usize = 8;

/// Prose: for a cell, a list's item, a heading, a paragraph. White space at the ends is dropped, any
/// other becomes one space. Not between HTML tags: use `html_in_markdown` there.
pub fn markdown(text: &str) -> String {
    let words: Vec<&str> = text
        .split([' ', '\n', '\r', '\t'])
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    let mut out = String::with_capacity(line.len() + 16);
    for word in terminal(&line).split(' ') {
        if !out.is_empty() {
            out.push(' ');
        }
        if word.is_empty() || is_plain(word) {
            out.push_str(word);
        } else {
            code(word, &mut out);
        }
    }
    out
}

/// A name, a scope or any text that is to be seen to the letter: one code span, but for pipes, which
/// stand between spans, since a table's cell ends at a pipe even in code.
pub fn markdown_code(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    // There is no empty code span.
    let text = if text.is_empty() { " " } else { text };
    code(&terminal(text), &mut out);
    out
}

/// Whether a word can be nothing but itself, wherever it stands.
fn is_plain(word: &str) -> bool {
    let core = word
        .trim_start_matches(['(', '"', '\''])
        .trim_end_matches(['.', ',', ';', ':', '!', '?', ')', '"', '\'']);
    let is_letter = |c: char| c.is_alphanumeric() || !c.is_ascii();
    let is_safe = |c: char| is_letter(c) || "-.,;/'\"()?".contains(c);
    // Beginning with a letter, it is not a list, no rule, no command.
    core.starts_with(is_letter)
        && core.chars().all(is_safe)
        && !is_list_number(word)
        && !is_reference(core)
}

/// `1.` and `1)` begin a list.
fn is_list_number(word: &str) -> bool {
    word.strip_suffix(['.', ')'])
        .is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

/// What GitHub or GitLab link without any mark: web addresses, commits, `GH-12`, `TICKET-12`.
fn is_reference(word: &str) -> bool {
    let is_commit = |part: &str| part.len() >= 7 && part.bytes().all(|b| b.is_ascii_hexdigit());
    let digit_next = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    word.to_ascii_lowercase().contains("www.")
        || word
            .split(|c: char| !c.is_ascii_alphanumeric())
            .any(is_commit)
        || word.split('-').skip(1).any(digit_next)
}

/// Writes code spans for one line of shown text.
fn code(text: &str, out: &mut String) {
    let spell_ticks = longest_run(text) > LONGEST_RUN;
    for piece in text.split_inclusive(|c| c == '|' || spell_ticks && c == '`') {
        let (piece, entity) = match piece.char_indices().next_back() {
            Some((at, '|')) => (piece.get(..at).unwrap_or_default(), "&#124;"),
            Some((at, '`')) if spell_ticks => (piece.get(..at).unwrap_or_default(), "&#96;"),
            _ => (piece, ""),
        };
        if !piece.is_empty() {
            span(piece, out);
        }
        out.push_str(entity);
    }
}

/// Writes one code span with a fence of its own length.
fn span(text: &str, out: &mut String) {
    let fence = "`".repeat(longest_run(text) + 1);
    // A renderer takes one space off both ends, if both have one and there is more than space.
    let at_ends = |c: char| text.starts_with(c) && text.ends_with(c);
    let touches = text.starts_with('`') || text.ends_with('`');
    let pad = if touches || at_ends(' ') && !text.trim_matches(' ').is_empty() {
        " "
    } else {
        ""
    };
    for part in [&fence, pad, text, pad, &fence] {
        out.push_str(part);
    }
}
