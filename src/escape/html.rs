//! HTML, on pages and within Markdown.

use super::line::terminal;

/// Text for a page, as content or as a quoted attribute's value. Line ends become spaces.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    for c in terminal(&text.replace(['\n', '\r', '\t'], " ")).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '`' => out.push_str("&#96;"),
            c => out.push(c),
        }
    }
    out
}

/// Text between tags in Markdown, where it may or may not be read as Markdown: a `<code>` element,
/// in which nobody is mentioned and nothing linked, with all that could be markup as numbers.
pub fn html_in_markdown(text: &str) -> String {
    let mut out = String::from("<code>");
    for c in terminal(&text.replace(['\n', '\r', '\t'], " ")).chars() {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '/' | '-') {
            out.push_str("&#");
            out.push_str(&u32::from(c).to_string());
            out.push(';');
        } else {
            out.push(c);
        }
    }
    out.push_str("</code>");
    out
}
