//! Text as a part of an address.

use std::fmt::Write as _;

/// The text with every byte written as `%XX` that is not a letter or digit of ASCII, nor one of `plain`.
pub fn percent(text: &str, plain: &[u8]) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
