//! Text as a string of a file.

use std::fmt::Write as _;

use super::scan::Syntax;
use crate::escape;

/// A scope as a string, in the quotes that the file has around its own.
pub(super) fn quoted(text: &str, quote: char, syntax: Syntax) -> String {
    // Within TOML's single quotes nothing can be escaped.
    let quote = if syntax == Syntax::Toml { '"' } else { quote };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        let hidden = !matches!(c, ' '..='~') && {
            let mut buffer = [0; 4];
            let one: &str = c.encode_utf8(&mut buffer);
            escape::terminal(one) != one
        };
        if c == '\\' || c == quote {
            out.push('\\');
            out.push(c);
        } else if !hidden {
            out.push(c);
        } else if syntax == Syntax::Toml {
            // Writing to a string does not fail.
            let _ = write!(out, "\\U{:08X}", u32::from(c));
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_means_what_was_meant() {
        for text in ["a", "it's \"b\\c\"", "\u{202e}x\u{e0041}\n\u{7f}", "ü"] {
            for quote in ['"', '\''] {
                let json = quoted(text, quote, Syntax::Json5);
                let node = crate::syntax::json5::parse(&json).unwrap();
                assert_eq!(node.text(), Some(text), "{json}");
            }
            let toml = format!("x = {}", quoted(text, '\'', Syntax::Toml));
            let table: toml::Table = toml.parse().unwrap();
            assert_eq!(table["x"].as_str(), Some(text), "{toml}");
        }
    }
}
