//! What a pending authorization is asked about with.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The remote's name for one attempt at an authorization. No secret: receipts hold it. Untrusted
/// all the same, so only printable ASCII without spaces, and not too much of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, schemars(extend("pattern" = "^[!-~]{1,512}$")))]
#[cfg_attr(
    test,
    schemars(description = "The platform's name for one attempt at an authorization. No secret.")
)]
pub struct ConnectionId(String);

/// The text is not a connection id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a connection id is 1 to {} printable ASCII characters",
    ConnectionId::MAX_LEN
)]
pub struct ConnectionIdError;

impl ConnectionId {
    /// The longest id accepted, in bytes.
    pub const MAX_LEN: usize = 512;

    /// Checks and takes an id.
    pub fn parse(text: impl Into<String>) -> Result<Self, ConnectionIdError> {
        let text = text.into();
        let plain = text.bytes().all(|b| b.is_ascii_graphic());
        if plain && (1..=Self::MAX_LEN).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(ConnectionIdError)
        }
    }

    /// The id as text. It may hold `/`, `?` or `&`: encode it where it becomes part of an address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::model::display_as_str!(ConnectionId);

crate::model::text_in_documents!(ConnectionId, ConnectionIdError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_can_be_printed_anywhere() {
        assert!(ConnectionId::parse("conn_1/2?x=1&y").is_ok());
        for bad in ["", "a b", "a\nb", "a\u{202e}b", "\u{1b}[2J"] {
            assert!(ConnectionId::parse(bad).is_err(), "{bad:?}");
        }
        assert!(ConnectionId::parse("a".repeat(513)).is_err());
    }
}
