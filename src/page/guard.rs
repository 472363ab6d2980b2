//! Who is answered: the browser of this machine, asking for an address of ours, from our own page.

use axum::http::{HeaderMap, HeaderName, header};

use crate::escape;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The names by which the page may be called.
///
/// `localhost` and `127.0.0.1` on any port: the port may be forwarded from another machine. No page
/// elsewhere can have these names. Every other name has to be told.
#[derive(Clone, Debug, Default)]
pub(super) struct Hosts {
    /// `NAME` or `NAME:PORT`, in small letters.
    pub(super) told: Option<String>,
}

/// Why a request is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It calls us by a name that is none of ours.
    Host(String),
    /// It comes from another page.
    Elsewhere,
}

impl Hosts {
    /// Whether a request may have come from a person who opened our address, or from our own page.
    ///
    /// A page elsewhere may have given its own name this machine's address (DNS rebinding): then
    /// the `Host` is its own. It may send requests here from its own origin: then `Origin` or
    /// `Sec-Fetch-Site` says so.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let text = |name: HeaderName| headers.get_all(name).iter().map(|v| v.to_str().ok());
        let mut hosts = text(header::HOST);
        let host = hosts.next().flatten().unwrap_or_default();
        if hosts.next().is_some() || !self.is_ours(host) {
            return Err(Refused::Host(escape::limited(host, 120)));
        }
        let site = text(FETCH_SITE).next().flatten();
        if text(FETCH_SITE).count() > 1 || !matches!(site, None | Some("same-origin" | "none")) {
            return Err(Refused::Elsewhere);
        }
        let mut origins = text(header::ORIGIN);
        let ours = match (origins.next(), origins.next()) {
            (None, _) => true,
            // A form of our own page: it tells nobody its address, so the browser does not either.
            (Some(Some("null")), None) => site == Some("same-origin"),
            (Some(Some(origin)), None) => self.is_our_origin(origin, host),
            _ => false,
        };
        if ours {
            Ok(())
        } else {
            Err(Refused::Elsewhere)
        }
    }

    fn is_ours(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let (name, port) = host.rsplit_once(':').unwrap_or((&host, "80"));
        let loopback = matches!(name, "localhost" | "127.0.0.1");
        let is_port = port.len() <= 5 && port.parse::<u16>().is_ok();
        loopback && is_port || self.is_told(&host)
    }

    /// A proxy may listen on another port than the one that was told.
    fn is_told(&self, host: &str) -> bool {
        let name = |text: &str| text.split(':').next().unwrap_or_default().to_owned();
        self.told
            .as_deref()
            .is_some_and(|told| host == told || !told.contains(':') && name(host) == told)
    }

    /// The page's own origin is the host that it was called by; a proxy in front may speak TLS and
    /// call us by another name than the browser does.
    fn is_our_origin(&self, origin: &str, host: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        match origin.split_once("://") {
            Some(("http", of)) => of == host.to_ascii_lowercase() || self.is_told(of),
            Some(("https", of)) => self.is_told(of),
            _ => false,
        }
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

    fn ours(told: Option<&str>, fields: &[(&'static str, &str)]) -> bool {
        let headers = fields.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, value.parse().unwrap())
        });
        let hosts = Hosts {
            told: told.map(str::to_owned),
        };
        hosts.check(&headers.collect()).is_ok()
    }

    #[test]
    fn only_our_own_address_and_page_are_answered() {
        let host = ("host", "127.0.0.1:4711");
        assert!(ours(None, &[host]));
        assert!(ours(None, &[host, ("sec-fetch-site", "none")]));
        assert!(ours(None, &[host, ("origin", "http://127.0.0.1:4711")]));
        let own_form = [host, ("origin", "null"), ("sec-fetch-site", "same-origin")];
        assert!(ours(None, &own_form));
        // A forwarded port is another one, or none.
        for forwarded in [
            "localhost:4711",
            "localhost:9000",
            "localhost",
            "LOCALHOST:1",
        ] {
            assert!(ours(None, &[("host", forwarded)]), "{forwarded}");
            let origin = format!("http://{forwarded}");
            assert!(ours(None, &[("host", forwarded), ("origin", &origin)]));
            assert!(!ours(None, &[host, ("origin", &origin)]), "{origin}");
        }
        for other in [
            "evil.example",
            "evil.example:4711",
            "localhost.evil.example:4711",
            "127.0.0.1.evil.example:4711",
            "localhost:x",
            "localhost:4711:1",
            "a@localhost:1",
            "",
        ] {
            assert!(!ours(None, &[("host", other)]), "{other}");
            let origin = format!("http://{other}");
            assert!(!ours(None, &[host, ("origin", &origin)]), "{origin}");
        }
        assert!(!ours(None, &[]));
        assert!(!ours(None, &[host, ("origin", "null")]));
        assert!(!ours(None, &[host, ("origin", "https://127.0.0.1:4711")]));
        assert!(!ours(None, &[host, ("sec-fetch-site", "cross-site")]));
        assert!(!ours(None, &[host, ("sec-fetch-site", "same-site")]));
    }

    #[test]
    fn another_name_is_answered_where_it_was_told() {
        let told = Some("box.example");
        assert!(ours(told, &[("host", "box.example")]));
        assert!(ours(told, &[("host", "BOX.example:8080")]));
        // A proxy that speaks TLS and calls us by the address that it reaches.
        let proxied = [
            ("host", "localhost:4711"),
            ("origin", "https://box.example"),
        ];
        assert!(ours(told, &proxied));
        assert!(!ours(None, &proxied));
        assert!(!ours(told, &[("host", "evil.box.example")]));
        let with_port = Some("box.example:8080");
        assert!(ours(with_port, &[("host", "box.example:8080")]));
        assert!(!ours(with_port, &[("host", "box.example:8081")]));
    }

    #[test]
    fn secrets_are_compared_whole() {
        assert!(same_secret("abc", "abc"));
        assert!(!same_secret("abc", "abd"));
        assert!(!same_secret("abc", "ab"));
        assert!(!same_secret("", "a"));
    }
}
