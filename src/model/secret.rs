//! What must not be printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::app::is_loopback;

/// A token, a key or the like. It has no `Display`, its `Debug` hides it, and its memory is zeroed.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// The secret itself. Each call is a place to look at in a review.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

/// A link that gives whoever has it a power: an authorization link, a Stripe claim link.
///
/// Only addresses of web pages become a `Link`: `https`, or `http` on this machine, without user
/// name or password, and without characters that a terminal would take for a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link(Secret);

/// Why an address that the remote gave is not opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Not a URL.
    #[error("the remote's link is not a web address")]
    Syntax,
    /// `javascript:`, `file:`, `http` to another machine, ...
    #[error("the remote's link is not https (its scheme is `{0}`), so it is not opened")]
    Scheme(String),
    /// `https://user:password@…` misleads the eye.
    #[error("the remote's link holds a user name or password, so it is not opened")]
    Credentials,
    /// No sane link is that long.
    #[error("the remote's link is longer than {} bytes", Link::MAX_LEN)]
    TooLong,
}

impl Link {
    /// The longest link accepted, in bytes.
    pub const MAX_LEN: usize = 8192;

    /// Checks and takes a link. What is kept is the parsed address, re-encoded: no control or
    /// invisible character survives that.
    pub fn parse(text: &str) -> Result<Self, LinkError> {
        if text.len() > Self::MAX_LEN {
            return Err(LinkError::TooLong);
        }
        let url = Url::parse(text).map_err(|_| LinkError::Syntax)?;
        let web = match url.scheme() {
            "https" => url.host().is_some(),
            "http" => is_loopback(&url),
            _ => false,
        };
        if !web {
            return Err(LinkError::Scheme(url.scheme().to_owned()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(LinkError::Credentials);
        }
        Ok(Self(Secret::new(String::from(url))))
    }

    /// The whole address. Only for a terminal, a browser or a private file.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// The host alone, which is not a secret.
    pub fn host(&self) -> String {
        let url = Url::parse(self.expose()).ok();
        url.and_then(|url| url.host_str().map(str::to_owned))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_pages_are_links() {
        assert!(Link::parse("https://auth.example.com/o?x=1").is_ok());
        assert!(Link::parse("http://127.0.0.1:9/consent").is_ok());
        for bad in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "http://example.com/",
            "https://good.example@evil.example/",
            "ms-settings:x",
            "--help",
            "",
        ] {
            assert!(Link::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_link_keeps_nothing_invisible() {
        let link = Link::parse("https://example.com/a\u{202e}b\u{7}").unwrap();
        assert!(
            link.expose().bytes().all(|b| (0x21..0x7f).contains(&b)),
            "{}",
            link.expose()
        );
    }

    #[test]
    fn nothing_prints_a_secret() {
        let secret = Secret::new("canary");
        let link = Link::parse("https://example.com/canary").unwrap();
        assert!(!format!("{secret:?} {link:?}").contains("canary"));
    }
}
