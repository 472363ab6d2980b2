//! A fenced block of Markdown.

use super::line::written;

/// Longer runs are broken up. Renderers stop counting somewhere (at 255), and would take a run that
/// long for the end of any block.
const LONGEST_RUN: usize = 15;

/// Lines as they are, in a fenced block of its own that they cannot close. `info` says what they
/// are (`diff`); the result ends with a line end, and belongs at the start of a line.
///
/// A line that a runner or GitLab would take for a command (`::`, `/close`) has its first character
/// written as a number.
pub fn fence(body: &str, info: &str) -> String {
    let body = body.strip_suffix('\n').unwrap_or(body);
    let lines: Vec<String> = body.split('\n').map(line).collect();
    let longest = lines
        .iter()
        .map(|line| longest_run(line))
        .max()
        .unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    let info: String = info
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '+'))
        .collect();
    format!("{fence}{info}\n{}\n{fence}\n", lines.join("\n"))
}

fn line(text: &str) -> String {
    let text = text.strip_suffix('\r').unwrap_or(text);
    let shown = written(text, quick_action(text));
    let (mut out, mut run) = (String::with_capacity(shown.len()), 0);
    for c in shown.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        if run > LONGEST_RUN {
            out.extend(c.escape_unicode());
            run = 0;
        } else {
            out.push(c);
        }
    }
    out
}

/// Where the line begins with what GitLab carries out in a comment: `/` and a word. It looks for
/// code blocks first, but with a simpler pattern than Markdown's.
fn quick_action(line: &str) -> Option<usize> {
    let action = line.trim_start_matches(' ');
    let mut chars = action.chars();
    (chars.next() == Some('/') && chars.next().is_some_and(|c| c.is_ascii_alphabetic()))
        .then(|| line.len() - action.len())
}

/// The longest run of backticks.
pub(super) fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}
