//! E-mail addresses in a text that others read: a log of a pipeline, most of all.

use std::borrow::Cow;

/// The text with every e-mail address masked: `o***@example.com`. What is masked already stays, and a
/// bare `@example.com` is nobody's.
pub fn mask_accounts(text: &str) -> Cow<'_, str> {
    let mut masked = String::new();
    let mut copied = 0;
    for (at, _) in text.match_indices('@') {
        let Some(address) = address(text, copied, at) else {
            continue;
        };
        let first = text.get(address.start..at).and_then(|t| t.chars().next());
        masked.push_str(text.get(copied..address.start).unwrap_or_default());
        masked.extend(first);
        masked.push_str("***");
        masked.push_str(text.get(at..address.end).unwrap_or_default());
        copied = address.end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(text.get(copied..).unwrap_or_default());
    Cow::Owned(masked)
}

/// The address around an `@`, if there is one; it does not reach back beyond `from`.
fn address(text: &str, from: usize, at: usize) -> Option<std::ops::Range<usize>> {
    let local = |c: char| c.is_alphanumeric() || "._%+'-*!#$&/=?^`{|}~".contains(c);
    let before = text.get(from..at)?;
    let mut start = at - before.len() + before.trim_end_matches(local).len();
    if start < from {
        start = from;
    }
    let mut name = text.get(start..at)?;
    // Colour stands right before some.
    if text.get(..start)?.ends_with("\u{1b}[")
        && let Some((colour, rest)) = name.split_once('m')
        && colour.chars().all(|c| c.is_ascii_digit())
    {
        start += colour.len() + 1;
        name = rest;
    }
    // Quotes and brackets around it are not part of it.
    let bare = name.trim_start_matches(['\'', '`', '{', '|', '/', '=', '*', '.']);
    start += name.len() - bare.len();
    let after = text.get(at + 1..)?;
    let domain = |c: char| c.is_alphanumeric() || c == '.' || c == '-';
    let end = after.find(|c| !domain(c)).unwrap_or(after.len());
    let name = after.get(..end)?.trim_end_matches(['.', '-']);
    let (_, top) = name.rsplit_once('.')?;
    let is_one =
        !bare.is_empty() && top.chars().count() >= 2 && top.chars().all(char::is_alphabetic);
    is_one.then(|| start..at + 1 + name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_masked_and_nothing_else_is() {
        for (text, masked) in [
            ("ada@example.com", "a***@example.com"),
            (
                "by Ada <ada.l+x@mail.example.co>.",
                "by Ada <a***@mail.example.co>.",
            ),
            (
                "\"ada@example.com\",'bob@x.io'",
                "\"a***@example.com\",'b***@x.io'",
            ),
            (
                "\u{1b}[1mada@example.com\u{1b}[0m",
                "\u{1b}[1ma***@example.com\u{1b}[0m",
            ),
            ("a=ada@example.com ends.", "a***@example.com ends."),
            ("o***@example.com", "o***@example.com"),
            ("@example.com", "@example.com"),
            (
                "actions/plan@v0.1.0 npm connplan@1.2.3",
                "actions/plan@v0.1.0 npm connplan@1.2.3",
            ),
            ("a@b, @ and ada@", "a@b, @ and ada@"),
            ("\u{e4}da@ex\u{e4}mple.com", "\u{e4}***@ex\u{e4}mple.com"),
        ] {
            assert_eq!(mask_accounts(text), masked, "{text}");
            assert_eq!(mask_accounts(masked), masked, "twice is as once");
        }
    }
}
