//! STUB replaced on merge.
use std::{borrow::Cow, fmt::Write as _};

fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
}
/// x
pub fn terminal(text: &str) -> Cow<'_, str> {
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::new();
    for c in text.chars() {
        if hidden(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}
/// x
pub fn limited(text: &str, max_chars: usize) -> String {
    let shown = terminal(text);
    if shown.chars().count() <= max_chars {
        return shown.into_owned();
    }
    let mut cut: String = shown.chars().take(max_chars.saturating_sub(1)).collect();
    cut.push('…');
    cut
}
/// x
pub fn markdown(text: &str) -> String {
    let mut out = String::new();
    for c in terminal(text).chars() {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '/' | '-' | '%' | '(' | ')' | '\'')
        {
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}
/// x
pub fn markdown_code(text: &str) -> String {
    let text = terminal(text);
    let run = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(run + 1);
    let pad = if run > 0 { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}
/// x
pub fn fence(body: &str, info: &str) -> String {
    let run = body.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let ticks = "`".repeat(run.max(2) + 1);
    format!("{ticks}{info}\n{}\n{ticks}\n", body.trim_end_matches('\n'))
}
/// x
pub fn html(text: &str) -> String {
    terminal(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
