//! What names a connector.

use std::fmt;

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A connector's type, the name by which files and remote know it (`slack`, `googlecalendar`).
///
/// Always `^[A-Za-z0-9_-]+$` and at most [`ConnectorType::MAX_LEN`] bytes, so that it is safe as a
/// path segment, a file name and a word on a terminal. Case is kept, as the official client does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, schemars(extend("pattern" = "^[A-Za-z0-9_-]{1,128}$")))]
#[cfg_attr(
    test,
    schemars(
        description = "A connector's type: the name by which files and platform know it (`slack`, `googlecalendar`)."
    )
)]
pub struct ConnectorType(String);

/// Why a string is not a connector type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectorTypeError {
    /// Nothing between the quotes.
    #[error("a connector type cannot be empty")]
    Empty,
    /// Over the limit; file systems stop at 255 bytes and we add an extension.
    #[error("a connector type has at most {} characters", ConnectorType::MAX_LEN)]
    TooLong,
    /// A character outside letters, digits, `_` and `-`.
    #[error("a connector type holds only letters, digits, `_` and `-`")]
    Character,
}

impl ConnectorType {
    /// The longest type accepted, in bytes.
    pub const MAX_LEN: usize = 128;

    /// Checks and takes a type.
    pub fn parse(text: impl Into<String>) -> Result<Self, ConnectorTypeError> {
        let text = text.into();
        if text.is_empty() {
            return Err(ConnectorTypeError::Empty);
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        {
            return Err(ConnectorTypeError::Character);
        }
        if text.len() > Self::MAX_LEN {
            return Err(ConnectorTypeError::TooLong);
        }
        Ok(Self(text))
    }

    /// The type `stripe`, which is provisioned rather than authorized.
    pub fn stripe() -> Self {
        Self("stripe".to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the two are the same but for the case of letters.
    pub fn is_like(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// OAuth for all but `stripe`.
    pub fn kind(&self) -> Kind {
        if self.0 == "stripe" {
            Kind::Stripe
        } else {
            Kind::Oauth
        }
    }
}

crate::model::display_as_str!(ConnectorType);

crate::model::text_in_documents!(ConnectorType, ConnectorTypeError);

impl std::str::FromStr for ConnectorType {
    type Err = ConnectorTypeError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// How a connector comes into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A person consents at the provider.
    Oauth,
    /// The platform provisions a Stripe sandbox; there are no scopes and no consent.
    Stripe,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Oauth => "oauth",
            Self::Stripe => "stripe",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_safe_path_segments() {
        assert!(ConnectorType::parse("share_point-2").is_ok());
        assert!(ConnectorType::parse("Slack").is_ok());
        for bad in ["", "..", "a/b", "a b", "gmäil", "a\u{0}", "a.b"] {
            assert!(ConnectorType::parse(bad).is_err(), "{bad:?}");
        }
        assert_eq!(
            ConnectorType::parse("a".repeat(129)),
            Err(ConnectorTypeError::TooLong)
        );
    }
}
