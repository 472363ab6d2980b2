//! People read the documents, in a request or a terminal: what is hidden there, or acts on the text around it, is
//! spelt out.

use std::fmt::Write as _;

use toml_parser::{Source, lexer::TokenKind};

use crate::escape::is_hidden;

/// The same document, with such characters as escapes. Only between double quotes there are any.
pub(super) fn spelt_out(toml: String) -> String {
    let is_odd = |c: char| !c.is_ascii() && is_hidden(c);
    if !toml.contains(is_odd) {
        return toml;
    }
    let mut out = String::with_capacity(toml.len() * 2);
    for token in Source::new(&toml).lex() {
        let span = token.span();
        let text = toml.get(span.start()..span.end()).unwrap_or_default();
        let quotes = match token.kind() {
            TokenKind::LiteralString if text.contains(is_odd) => 1,
            TokenKind::MlLiteralString if text.contains(is_odd) => 3,
            _ => 0,
        };
        for (at, c) in text.char_indices() {
            let is_quote = at < quotes || at + quotes >= text.len();
            let code = u32::from(c);
            let _ = match c {
                '\'' if quotes > 0 && is_quote => out.write_char('"'),
                '"' | '\\' if quotes > 0 => write!(out, "\\{c}"),
                c if is_odd(c) && code <= 0xffff => write!(out, "\\u{code:04X}"),
                c if is_odd(c) => write!(out, "\\U{code:08X}"),
                c => out.write_char(c),
            };
        }
    }
    out
}
