//! Who is answered: the browser of this machine, asking for our own address, from our own page.

use axum::http::{HeaderMap, HeaderName, header};

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a request may have come from a person who opened our address, or from our own page.
/// `host` is `127.0.0.1:PORT`.
///
/// A page elsewhere may have given its own name this machine's address (DNS rebinding): then the
/// `Host` is its own. It may send requests here from its own origin: then `Origin` or
/// `Sec-Fetch-Site` says so.
pub(super) fn is_ours(headers: &HeaderMap, host: &str) -> bool {
    let text = |name: HeaderName| headers.get_all(name).iter().map(|v| v.to_str().ok());
    let mut hosts = text(header::HOST);
    if hosts.next() != Some(Some(host)) || hosts.next().is_some() {
        return false;
    }
    let site = text(FETCH_SITE).next().flatten();
    if text(FETCH_SITE).count() > 1 || !matches!(site, None | Some("same-origin" | "none")) {
        return false;
    }
    let mut origins = text(header::ORIGIN);
    match (origins.next(), origins.next()) {
        (None, _) => true,
        // A form of our own page: it tells nobody its address, so the browser does not either.
        (Some(Some("null")), None) => site == Some("same-origin"),
        (Some(Some(origin)), None) => origin.strip_prefix("http://") == Some(host),
        _ => false,
    }
}

/// Whether two texts are the same, in a time that does not depend on where they differ.
pub(super) fn same_secret(a: &str, b: &str) -> bool {
    let differing = a
        .bytes()
        .zip(b.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && differing == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ours(fields: &[(&'static str, &str)]) -> bool {
        let headers = fields.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        is_ours(&headers.collect(), "127.0.0.1:4711")
    }

    #[test]
    fn only_our_own_address_and_page_are_answered() {
        let host = ("host", "127.0.0.1:4711");
        assert!(ours(&[host]));
        assert!(ours(&[host, ("sec-fetch-site", "none")]));
        assert!(ours(&[host, ("origin", "http://127.0.0.1:4711")]));
        let own_form = [host, ("origin", "null"), ("sec-fetch-site", "same-origin")];
        assert!(ours(&own_form));
        for other in [
            "evil.example",
            "evil.example:4711",
            "localhost:4711",
            "127.0.0.1",
            "127.0.0.1:4712",
            "127.0.0.1.evil.example:4711",
        ] {
            assert!(!ours(&[("host", other)]), "{other}");
            let origin = format!("http://{other}");
            assert!(!ours(&[host, ("origin", &origin)]), "{origin}");
        }
        assert!(!ours(&[]));
        assert!(!ours(&[host, ("origin", "null")]));
        assert!(!ours(&[host, ("origin", "https://127.0.0.1:4711")]));
        assert!(!ours(&[host, ("sec-fetch-site", "cross-site")]));
        assert!(!ours(&[host, ("sec-fetch-site", "same-site")]));
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(same_secret("abc", "abc"));
        assert!(!same_secret("abc", "abd"));
        assert!(!same_secret("abc", "ab"));
        assert!(!same_secret("", "a"));
    }
}
