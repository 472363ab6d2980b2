//! Links and credentials in free text, told by their looks.

use std::borrow::Cow;

use super::HIDDEN;

/// A text of a server's own without web addresses' paths, and without what looks like a credential,
/// whoever's it is.
pub(crate) fn without_secrets(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    let mut scan = Scan { text, no_jwt: 0 };
    while let Some(byte) = text.as_bytes().get(at) {
        let found = match byte {
            b':' => scan.address(at),
            b'/' => scan.bare_address(at),
            b'?' | b'#' => scan.query(at),
            byte if byte.is_ascii_alphabetic() => scan.credential(at),
            _ => None,
        };
        let Some(found) = found else {
            at += 1;
            continue;
        };
        out.push_str(text.get(kept..found.start).unwrap_or_default());
        out.push_str(&found.shown);
        kept = found.end;
        at = found.end;
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(text.get(kept..).unwrap_or_default());
    Cow::Owned(out)
}

/// What stands where, and what is shown instead.
struct Found<'a> {
    start: usize,
    end: usize,
    shown: Cow<'a, str>,
}

struct Scan<'a> {
    text: &'a str,
    /// Up to here it is known that no JSON web token begins.
    no_jwt: usize,
}

/// How credentials of these services begin, and whether that is so odd that it needs no boundary
/// before it.
const BEGINNINGS: [(&str, bool); 24] = [
    ("b44k_", true),
    ("b44u_", true),
    ("github_pat_", true),
    ("ghp_", true),
    ("gho_", true),
    ("ghu_", true),
    ("ghs_", true),
    ("ghr_", true),
    ("glpat-", true),
    ("glcbt-", true),
    ("gldt-", true),
    ("glptt-", true),
    ("sk_live_", false),
    ("sk_test_", false),
    ("rk_live_", false),
    ("rk_test_", false),
    ("whsec_", false),
    ("xoxa-", true),
    ("xoxb-", true),
    ("xoxe-", true),
    ("xoxp-", true),
    ("xoxr-", true),
    ("xoxs-", true),
    ("ya29.", false),
];

/// Whether this stands for a port; none is one, too.
fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

impl<'a> Scan<'a> {
    fn from(&self, at: usize) -> &'a str {
        self.text.get(at..).unwrap_or_default()
    }

    /// The web address whose `://` begins here: host and port stay, what follows does not.
    fn address(&self, colon: usize) -> Option<Found<'a>> {
        let scheme = self.text.as_bytes().get(colon.checked_sub(1)?)?;
        // JSON may have escaped the slashes, and browsers take backslashes for them.
        let slashes: &[char] = &['/', '\\'];
        let after = self.from(colon + 1);
        let rest = after.trim_start_matches(slashes);
        let run = after.get(..after.len() - rest.len()).unwrap_or_default();
        if !scheme.is_ascii_alphanumeric() || run.len() < 2 {
            return None;
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '`');
        let address = rest.split(ends).next().unwrap_or_default();
        let sentence: &[char] = &['.', ',', ';', ':', '!', '?', ')', ']', '}', '\'', '\\'];
        let address = address.trim_end_matches(sentence);
        let end = colon + 1 + run.len() + address.len();
        let authority = address.split(['/', '\\', '?', '#']).next();
        let authority = authority.unwrap_or_default();
        let path = address.get(authority.len()..).unwrap_or_default();
        // Before an `@` stands a name, and maybe a password.
        let host = authority.rsplit('@').next().unwrap_or_default();
        let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
        // A password may have a `/`: what is then no port is the password's.
        let after = host.rsplit(']').next().unwrap_or_default();
        let has_port = after.split_once(':').is_none_or(|(_, port)| is_port(port));
        let usual = host.len() <= 255
            && host.chars().all(is_host)
            && has_port
            && run.matches('/').count() == 2;
        let whole = authority == host && (matches!(path, "" | "/") || is_scope(host, path));
        let shown = match (usual, whole) {
            (true, true) => return None,
            (true, false) => format!("://{host}/…"),
            (false, _) => "://…".to_owned(),
        };
        Some(Found {
            start: colon,
            end,
            shown: Cow::Owned(shown),
        })
    }

    /// The web address without a scheme whose path begins here, if it has a query: by that, it may give
    /// whoever opens it a power.
    fn bare_address(&self, slash: usize) -> Option<Found<'a>> {
        const LONGEST: usize = 2048;
        let in_host = |b: &&u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-');
        let before = self.text.get(..slash)?;
        let numbers = before.trim_end_matches(|c: char| c.is_ascii_digit());
        let before = numbers.strip_suffix(':').unwrap_or(before).as_bytes();
        let host = before.iter().rev().take(255).take_while(in_host).count();
        let host = self.text.get(before.len() - host..before.len())?;
        let (name, end) = host.rsplit_once('.')?;
        let is_end = end.len() >= 2 && end.bytes().all(|b| b.is_ascii_alphabetic());
        if name.is_empty() || !is_end {
            return None;
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '`');
        let rest = self.from(slash).char_indices();
        let end = rest
            .take_while(|(at, c)| *at < LONGEST && !ends(*c))
            .last()
            .map_or(0, |(at, c)| at + c.len_utf8());
        let path = self.text.get(slash..slash + end)?;
        let (_, query) = path.split_once('?')?;
        query.contains('=').then(|| Found {
            start: slash,
            end: slash + end,
            shown: Cow::Borrowed("/…"),
        })
    }

    /// The query or the fragment that begins here, of an address without scheme and host, or with a host
    /// that is none by its look: a ticket in it gives the same power.
    fn query(&self, mark: usize) -> Option<Found<'a>> {
        const LONGEST: usize = 2048;
        let in_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '%');
        let after = self.from(mark + 1);
        let value = after.trim_start_matches(in_name);
        let name = after.len() - value.len();
        if name == 0 || name > 64 || !value.starts_with('=') {
            return None;
        }
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '<' | '>' | '`');
        let word = after.char_indices();
        let end = word
            .take_while(|(at, c)| *at < LONGEST && !ends(*c))
            .last()
            .map_or(0, |(at, c)| at + c.len_utf8());
        (end > name + 1).then(|| Found {
            start: mark + 1,
            end: mark + 1 + end,
            shown: Cow::Borrowed("…"),
        })
    }

    /// The credential that begins here.
    fn credential(&mut self, at: usize) -> Option<Found<'a>> {
        let before = at.checked_sub(1).and_then(|n| self.text.as_bytes().get(n));
        let free = before.is_none_or(|b| !b.is_ascii_alphanumeric() && *b != b'_');
        let rest = self.from(at);
        let known = BEGINNINGS.iter().find(|(start, _)| rest.starts_with(start));
        let token = known
            .filter(|(_, odd)| *odd || free)
            .map(|(start, _)| (token(rest), start.len()))
            .filter(|(token, start)| token.len() > *start)
            .map(|(token, _)| token);
        if let Some(token) = token.or_else(|| self.json_web_token(at)) {
            return Some(Found {
                start: at,
                end: at + token.len(),
                shown: Cow::Borrowed(HIDDEN),
            });
        }
        if free { self.bearer(at) } else { None }
    }

    /// Three parts with points between them, the first of which is a JSON object.
    fn json_web_token(&mut self, at: usize) -> Option<&'a str> {
        let rest = self.from(at);
        if at < self.no_jwt || !rest.starts_with("eyJ") {
            return None;
        }
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let part = |text: &'a str| {
            let rest = text.trim_start_matches(is_part);
            (text.len() - rest.len(), rest.strip_prefix('.'))
        };
        let (first, rest_of) = part(rest);
        // Wherever within the first part another one began, it would end like this one.
        self.no_jwt = at + first;
        let (second, end) = part(rest_of?);
        if second == 0 {
            return None;
        }
        let tail = end?.trim_start_matches(|c| is_part(c) || c == '.');
        rest.get(..rest.len() - tail.len())
    }

    /// What follows `Bearer`, unless it is a word of a sentence.
    fn bearer(&self, at: usize) -> Option<Found<'a>> {
        const WORD: &str = "bearer";
        let rest = self.from(at);
        let word = rest.get(..WORD.len())?;
        if !word.eq_ignore_ascii_case(WORD) {
            return None;
        }
        let after = rest.get(WORD.len()..)?;
        let value = after.trim_start();
        let token = token(value);
        if value.len() == after.len() || token.is_empty() || is_plain_word(token) {
            return None;
        }
        let start = at + WORD.len() + (after.len() - value.len());
        Some(Found {
            start,
            end: start + token.len(),
            shown: Cow::Borrowed(HIDDEN),
        })
    }
}

/// A scope that looks like an address, and leads nowhere.
fn is_scope(host: &str, path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_lowercase() || matches!(b, b'.' | b'_' | b'-' | b'/');
    host == "www.googleapis.com" && path.starts_with("/auth/") && path.bytes().all(plain)
}

/// As far as a credential goes; the point at the end is the sentence's.
fn token(text: &str) -> &str {
    let odd = |b: u8| matches!(b, b'_' | b'-' | b'.' | b'~' | b'+' | b'/' | b'=');
    let end = text
        .bytes()
        .position(|b| !b.is_ascii_alphanumeric() && !odd(b))
        .unwrap_or(text.len());
    text.get(..end).unwrap_or_default().trim_end_matches('.')
}

/// `Bearer authentication is required` holds no secret.
fn is_plain_word(word: &str) -> bool {
    let tail = word.get(1..).unwrap_or_default();
    word.len() < 20
        && word.bytes().all(|b| b.is_ascii_alphabetic())
        && tail.bytes().all(|b| b.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        without_secrets(text).into_owned()
    }

    #[test]
    fn an_address_keeps_its_host() {
        for (text, told) in [
            ("see https://a.example/x?y=1#z.", "see https://a.example/…."),
            (
                "(https://a.example/x), https://b.example?q",
                "(https://a.example/…), https://b.example/…",
            ),
            (
                "https:\\/\\/a.example\\/consent\\/abc",
                "https://a.example/…",
            ),
            ("https:\\\\a.example\\consent", "https://…"),
            ("HTTPS://u:p@a.example:8080/", "HTTPS://a.example:8080/…"),
            ("https://u:p/w@a.example/", "https://…"),
            ("http://[::1]:80/x", "http://[::1]:80/…"),
            (
                "[{\"url\":\"http://127.0.0.1:1/c/d\",\"x\":1}]",
                "[{\"url\":\"http://127.0.0.1:1/…\",\"x\":1}]",
            ),
            ("file:///etc/passwd", "file://…"),
            ("https://a\u{202e}b.example/c", "https://…"),
            (
                "https://a.example/c\u{200b}d\u{3000}e",
                "https://a.example/…\u{3000}e",
            ),
        ] {
            assert_eq!(shown(text), told);
        }
        for (text, told) in [
            ("at a.example/consent?ticket=abc now", "at a.example/… now"),
            ("a.example:8080/c?t=1", "a.example:8080/…"),
            (
                "{\"at\":\"www.a.example/c?t=1\"}",
                "{\"at\":\"www.a.example/…\"}",
            ),
            ("at /consent?ticket=abc now", "at /consent?… now"),
            ("localhost:8080/c?t=1&u=2, or", "localhost:8080/c?… or"),
            ("10.0.0.1/c?t=1", "10.0.0.1/c?…"),
            ("a.example?t=1", "a.example?…"),
            ("a.example/c#access_token=x", "a.example/c#…"),
        ] {
            assert_eq!(shown(text), told);
        }
        for same in [
            "a.example/path is not there",
            "is base44/connectors/slack.jsonc right? x=y",
            "what? a=b, #1 = 2 and c#=3",
            "https://a.example",
            "at https://a.example/, or http://[::1]:80.",
            "scope https://www.googleapis.com/auth/calendar.readonly is unknown",
            "12:30, a://",
            "C:\\x",
            "://x/y",
        ] {
            assert_eq!(shown(same), same);
        }
        assert_eq!(
            shown("https://www.googleapis.com/auth/x?state=abc"),
            "https://www.googleapis.com/…"
        );
    }

    #[test]
    fn what_looks_like_a_credential_is_hidden() {
        for text in [
            "key b44k_x1 is wrong",
            "key b44k_a/b+c= is wrong",
            "key b44u_x1 is wrong",
            "key eyJh.eyJi.c-_ is wrong",
            "key eyJh.eyJi. is wrong",
            "key sk_live_1 is wrong",
            "key rk_test_1 is wrong",
            "key ghs_1 is wrong",
            "key github_pat_1_2 is wrong",
            "key glpat-1 is wrong",
            "key xoxb-1-2 is wrong",
        ] {
            assert_eq!(shown(text), "key [hidden] is wrong");
        }
        assert_eq!(shown("x-key=b44k_x."), "x-key=[hidden].");
        assert_eq!(shown("k%3Db44k_x"), "k%3D[hidden]");
        assert_eq!(shown("bEARER  aB3"), "bEARER  [hidden]");
        assert_eq!(shown("Bearer eyJa.b.c"), "Bearer [hidden]");
        let eyes = format!("{}.b.c", "eyJ".repeat(3));
        assert_eq!(shown(&eyes), HIDDEN);
        for same in [
            "API keys begin with b44k_",
            "task_test_x",
            "Bearer token required",
            "Bearer authentication",
            "forbearer x1",
            "Bearer",
            "eyJa.b",
            "eyJa..c",
            "heyJude",
            "é",
        ] {
            assert_eq!(shown(same), same);
        }
    }
}
