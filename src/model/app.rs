//! Which app, at which address.

use std::{
    cmp::Ordering,
    hash::{Hash, Hasher},
};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::SetBy;

/// An app at an address: what a plan is bound to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct App {
    /// The app.
    pub id: AppId,
    /// Where its API is.
    pub api_url: ApiUrl,
    /// The `--env` by which it was found, if any.
    pub environment: Option<String>,
}

impl App {
    /// The page where a person sees the app's connectors. It holds no secret.
    pub fn dashboard(&self) -> String {
        format!(
            "{}/apps/{}/editor/workspace/app-connections",
            self.api_url, self.id
        )
    }
}

/// An app's id: letters, digits, `_`, `-` and `.`, at most 128 bytes, so that it is always one
/// plain path segment. The platform may read ids without regard to case: one in other letters is the same.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, schemars(extend("pattern" = "^[A-Za-z0-9_.-]{1,128}$")))]
#[cfg_attr(test, schemars(description = "An app's id."))]
pub struct AppId(String);

/// The text is not an app id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an app id is 1 to 128 letters, digits, `_`, `-` or `.`, and not only dots")]
pub struct AppIdError;

impl AppId {
    /// Checks and takes an id; white space around it is dropped.
    pub fn parse(text: &str) -> Result<Self, AppIdError> {
        let text = text.trim();
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let valid = (1..=128).contains(&text.len())
            && text.bytes().all(plain)
            && text.bytes().any(|b| b != b'.');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(AppIdError)
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for each way to write it.
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for AppId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for AppId {}

impl Hash for AppId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.folded().hash(state);
    }
}

impl PartialOrd for AppId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for AppId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.folded().cmp(&other.folded())
    }
}

crate::model::display_as_str!(AppId);

crate::model::text_in_documents!(AppId, AppIdError);

/// The address of the platform, without a slash at its end. Credentials go here and nowhere else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, schemars(extend("pattern" = "^https?://")))]
pub struct ApiUrl(String);

/// Why an address is not accepted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiUrlError {
    /// Not a URL at all.
    #[error("it is not a web address: {0}")]
    Syntax(String),
    /// A name without a scheme.
    #[error(
        "it is not a web address: it does not begin with https:// (or http://, on this machine)"
    )]
    NoScheme,
    /// Another scheme than `http` or `https`.
    #[error("its scheme is `{0}`; only https, and http on this machine, are used")]
    Scheme(String),
    /// Credentials, a query or a fragment, which an address of an API never has.
    #[error("it holds a user name, a password, a query or a fragment")]
    Parts,
    /// A path: the official client drops it, and another program may answer below it.
    #[error("it has a path, `{0}`, and a path is not supported; give scheme, host and port alone")]
    Path(String),
}

/// Where the platform is, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub url: ApiUrl,
    /// `None` for the built-in one.
    pub origin: Option<SetBy>,
}

impl Address {
    /// The address that holds where nobody names another.
    pub fn built_in() -> Self {
        Self {
            url: ApiUrl::default(),
            origin: None,
        }
    }
}

impl ApiUrl {
    /// Where the platform is unless the environment says otherwise.
    pub const DEFAULT: &'static str = "https://app.base44.com";

    /// Checks and takes an address; slashes at its end are dropped.
    pub fn parse(text: &str) -> Result<Self, ApiUrlError> {
        let api_url = Self::parse_with_path(text)?;
        match Url::parse(&api_url.0) {
            Ok(url) if !url.path().chars().all(|c| c == '/') => {
                Err(ApiUrlError::Path(url.path().chars().take(80).collect()))
            }
            _ => Ok(api_url),
        }
    }

    /// The same for other servers' addresses, which may have a path.
    pub fn parse_with_path(text: &str) -> Result<Self, ApiUrlError> {
        let url = Url::parse(text.trim()).map_err(|e| match e {
            url::ParseError::RelativeUrlWithoutBase => ApiUrlError::NoScheme,
            e => ApiUrlError::Syntax(e.to_string()),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(ApiUrlError::Scheme(url.scheme().to_owned()));
        }
        let extra = !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some();
        if extra {
            return Err(ApiUrlError::Parts);
        }
        Ok(Self(url.as_str().trim_end_matches('/').to_owned()))
    }

    /// The address as text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether credentials may travel there: encrypted, or not leaving this machine.
    pub fn is_private(&self) -> bool {
        Url::parse(&self.0).is_ok_and(|url| url.scheme() == "https" || is_loopback(&url))
    }
}

impl Default for ApiUrl {
    fn default() -> Self {
        Self(Self::DEFAULT.to_owned())
    }
}

/// Whether the address is on this machine: `localhost`, `127.0.0.0/8` or `[::1]`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

crate::model::display_as_str!(ApiUrl);

crate::model::text_in_documents!(ApiUrl, ApiUrlError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_app_id_is_one_plain_path_segment() {
        assert_eq!(AppId::parse(" 68a1.b-c ").unwrap().as_str(), "68a1.b-c");
        assert_eq!(AppId::parse("AB").unwrap(), AppId::parse("ab").unwrap());
        for bad in ["", "  ", "..", "a/b", "a?b", "ä"] {
            assert!(AppId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn credentials_only_travel_encrypted_or_on_this_machine() {
        let private = |text| ApiUrl::parse(text).unwrap().is_private();
        assert!(private("https://app.base44.com/"));
        assert!(private("http://127.0.0.1:4400"));
        assert!(private("http://[::1]:1/"));
        assert!(!private("http://example.com"));
        assert!(!private("http://localhost.example.com"));
        assert!(ApiUrl::parse("https://u:p@example.com").is_err());
        assert!(ApiUrl::parse("file:///etc/passwd").is_err());
        let path = ApiUrl::parse("https://example.com/prefix").unwrap_err();
        assert!(
            path.to_string().contains("a path is not supported"),
            "{path}"
        );
    }
}
