//! Paths of a repository as text: any path, and none is the text of two.

use std::{borrow::Cow, ffi::OsString, path::PathBuf};

/// Stands before what is not UTF-8. Unicode gives it to nobody.
const MARK: char = '\u{10FFFE}';

/// A path as text. Where it is UTF-8 that is what it says.
pub fn path_text(path: &[u8]) -> String {
    let mut text = String::with_capacity(path.len());
    for part in path.utf8_chunks() {
        for c in part.valid().chars() {
            text.extend(std::iter::repeat_n(c, 1 + usize::from(c == MARK)));
        }
        for byte in part.invalid() {
            text.push(MARK);
            let digits = [byte >> 4, byte & 0xf];
            text.extend(
                digits
                    .iter()
                    .filter_map(|digit| char::from_digit(u32::from(*digit), 16)),
            );
        }
    }
    text
}

/// The path that such a text is of.
pub fn path_of(text: &str) -> PathBuf {
    PathBuf::from(os_text(text))
}

/// The same, for an argument.
pub(super) fn os_text(text: &str) -> OsString {
    os(bytes_of(text))
}

fn bytes_of(text: &str) -> Cow<'_, [u8]> {
    if !text.contains(MARK) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut parts = text.split(MARK);
    bytes.extend(parts.next().unwrap_or_default().bytes());
    while let Some(part) = parts.next() {
        let byte = part.get(..2).map(|hex| u8::from_str_radix(hex, 16));
        if let Some(Ok(byte)) = byte {
            bytes.push(byte);
            bytes.extend(part.bytes().skip(2));
        } else {
            // It was there itself, and stands twice.
            bytes.extend(MARK.to_string().bytes());
            bytes.extend(parts.next().unwrap_or_default().bytes());
        }
    }
    Cow::Owned(bytes)
}

#[cfg(unix)]
fn os(bytes: Cow<'_, [u8]>) -> OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes.into_owned())
}

#[cfg(not(unix))]
fn os(bytes: Cow<'_, [u8]>) -> OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_a_text_of_its_own_and_comes_back() {
        let paths: [&[u8]; 7] = [
            b"apps/shop",
            b"shop\xfe/x",
            b"shop\xff/x",
            b"\xc3",
            "sh\u{f6}p\u{fffd}".as_bytes(),
            "a\u{10FFFE}b\u{10FFFE}\u{10FFFE}fe".as_bytes(),
            "a\u{10FFFE}fe".as_bytes(),
        ];
        let texts: std::collections::BTreeSet<_> = paths.map(path_text).into();
        assert_eq!(texts.len(), paths.len());
        for path in paths {
            assert_eq!(&*bytes_of(&path_text(path)), path);
        }
        assert_eq!(path_text(b"apps/shop"), "apps/shop");
    }
}
