//! The credentials that went with a request, found again in its answer.

use zeroize::Zeroizing;

use super::HIDDEN;

/// What is shorter is not a credential, and might be a word of any answer.
const SHORTEST: usize = 8;

/// The credentials that went with one request. An answer may repeat them: in a message, a title, a
/// page that shows the request for debugging.
#[derive(Clone, Default)]
pub(crate) struct Sent(Vec<Zeroizing<Vec<u8>>>);

impl Sent {
    /// Takes another one; the fewest requests have more than one.
    pub(crate) fn and(mut self, secret: &[u8]) -> Self {
        let plain = Zeroizing::new(units(secret).map(|unit| unit.byte).collect::<Vec<_>>());
        if plain.len() >= SHORTEST {
            self.0.push(plain);
        }
        self
    }

    /// The text without them, however JSON, an address or a web page had to spell them.
    pub(crate) fn hide(&self, mut text: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        for secret in &self.0 {
            let found = places(&text, secret);
            if found.is_empty() {
                continue;
            }
            // What stands in is never longer, so that nothing moves and is left behind unzeroed.
            let mut out = Zeroizing::new(Vec::with_capacity(text.len()));
            let mut kept = 0;
            for (start, end) in found {
                out.extend_from_slice(text.get(kept..start).unwrap_or_default());
                out.extend_from_slice(HIDDEN.as_bytes());
                kept = end;
            }
            out.extend_from_slice(text.get(kept..).unwrap_or_default());
            text = out;
        }
        text
    }

    /// Whether one of them is in a text.
    pub(crate) fn is_in(&self, text: &[u8]) -> bool {
        self.0.iter().any(|secret| !places(text, secret).is_empty())
    }
}

/// One byte of what a text means, and where it is spelt.
struct Unit {
    byte: u8,
    start: usize,
    end: usize,
}

/// The bytes that a text means, whoever encoded it: `\/` and `\u002f` are JSON's slash, `%2F` an
/// address's, `&#x2F;` a web page's. Backslashes themselves are left out: JSON within JSON doubles
/// them.
fn units(text: &[u8]) -> impl Iterator<Item = Unit> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        loop {
            let rest = text.get(at..)?;
            let (byte, length) = match rest {
                [b'\\', b'u', b'0', b'0', a, b, ..] => {
                    hex(*a, *b).map_or((None, 1), |b| (Some(b), 6))
                }
                [b'\\', ..] => (None, 1),
                [b'%', a, b, ..] => hex(*a, *b).map_or((Some(b'%'), 1), |b| (Some(b), 3)),
                [b'&', b'#', ..] => entity(rest).map_or((Some(b'&'), 1), |(b, n)| (Some(b), n)),
                [byte, ..] => (Some(*byte), 1),
                [] => return None,
            };
            at += length;
            if let Some(byte) = byte.filter(|byte| *byte != b'\\') {
                return Some(Unit {
                    byte,
                    start,
                    end: at,
                });
            }
        }
    })
}

fn hex(a: u8, b: u8) -> Option<u8> {
    let digit = |digit: u8| char::from(digit).to_digit(16);
    u8::try_from(digit(a)? * 16 + digit(b)?).ok()
}

/// `&#47;` or `&#x2F;`: the byte, and how long it is spelt.
fn entity(text: &[u8]) -> Option<(u8, usize)> {
    let head = text.get(..text.len().min(8))?;
    let end = head.iter().position(|b| *b == b';')?;
    let number = std::str::from_utf8(head.get(2..end)?).ok()?;
    let byte = match number.strip_prefix(['x', 'X']) {
        Some(number) => u8::from_str_radix(number, 16),
        None => number.parse(),
    };
    Some((byte.ok()?, end + 1))
}

/// Where a secret is in a text, first byte and the one after the last.
fn places(text: &[u8], secret: &[u8]) -> Vec<(usize, usize)> {
    // Most answers spell nothing in another way, and plain bytes are found much faster.
    if memchr::memchr3(b'\\', b'%', b'&', text).is_none() {
        let starts = memchr::memmem::find_iter(text, secret);
        return starts.map(|at| (at, at + secret.len())).collect();
    }
    spelt_places(text, secret)
}

/// The same where bytes may be spelt in other ways (Knuth, Morris and Pratt).
fn spelt_places(text: &[u8], secret: &[u8]) -> Vec<(usize, usize)> {
    // For each length of a beginning, the longest shorter one that it ends with.
    let mut shorter = vec![0; secret.len() + 1];
    let mut length = 0;
    for (n, byte) in secret.iter().enumerate().skip(1) {
        length = longer(secret, &shorter, length, *byte);
        if let Some(place) = shorter.get_mut(n + 1) {
            *place = length;
        }
    }
    let mut found = Vec::new();
    let mut starts = vec![0; secret.len()];
    let mut length = 0;
    for (n, unit) in units(text).enumerate() {
        if let Some(place) = starts.get_mut(n % secret.len()) {
            *place = unit.start;
        }
        length = longer(secret, &shorter, length, unit.byte);
        if length == secret.len() {
            let first = starts.get((n + 1) % secret.len());
            found.push((first.copied().unwrap_or_default(), unit.end));
            length = 0;
        }
    }
    found
}

/// How much of the secret has been seen, with one byte more.
fn longer(secret: &[u8], shorter: &[usize], mut length: usize, byte: u8) -> usize {
    loop {
        if secret.get(length) == Some(&byte) {
            return length + 1;
        }
        match length {
            0 => return 0,
            _ => length = shorter.get(length).copied().unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(secret: &str, text: &str) -> String {
        let sent = Sent::default().and(secret.as_bytes());
        let out = sent.hide(Zeroizing::new(text.as_bytes().to_vec()));
        assert_eq!(
            sent.is_in(text.as_bytes()),
            out.as_slice() != text.as_bytes()
        );
        String::from_utf8(out.to_vec()).unwrap()
    }

    #[test]
    fn what_was_sent_is_hidden_however_it_is_spelt() {
        let secret = "ab/cd+ef=\\gh";
        for spelt in [
            "ab/cd+ef=\\gh",
            r"ab\/cd+ef=\\gh",
            r"ab\\\/cd+ef=\\\\gh",
            r"\u0061b\u002Fcd+ef\u003d\u005Cgh",
            "ab%2Fcd%2bef%3D%5cgh",
            "ab&#47;cd&#x2B;ef&#x3d;&#92;gh",
        ] {
            let text = format!("{{\"a\":\"x {spelt}\",\"b\":\"{spelt}{spelt}\"}}");
            assert_eq!(
                hidden(secret, &text),
                "{\"a\":\"x [hidden]\",\"b\":\"[hidden][hidden]\"}",
                "{spelt}"
            );
        }
    }

    #[test]
    fn nothing_else_is_touched() {
        for text in [
            "",
            "\\",
            "\\u00",
            "%4",
            "&#",
            "&#x;",
            "ab/cd+ef=\\gH",
            "ÿ\u{0}",
        ] {
            assert_eq!(hidden("ab/cd+ef=\\gh", text), text);
        }
        assert_eq!(hidden("short", "a short text"), "a short text");
        // A beginning within a beginning is not lost.
        assert_eq!(hidden("aabaabaac", "aabaabaabaac"), "aab[hidden]");
    }

    #[test]
    fn plain_texts_are_searched_as_spelt_ones_are() {
        let letters = "[ab]{0,40}";
        proptest::proptest!(|(text in letters, secret in "[ab]{1,5}")| {
            let [text, secret] = [text.as_bytes(), secret.as_bytes()];
            proptest::prop_assert_eq!(places(text, secret), spelt_places(text, secret));
        });
    }
}
