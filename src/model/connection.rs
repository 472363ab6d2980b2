//! What the remote calls one request for consent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The remote's id of one authorization under way. No secret: it only asks for a status. Untrusted
/// all the same: 1 to 512 printable ASCII characters, so that it is plain wherever it is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ConnectionId(String);

/// The text is no connection id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a connection id is 1 to 512 printable ASCII characters without white space")]
pub struct ConnectionIdError;

impl ConnectionId {
    /// Checks and takes an id.
    pub fn parse(text: impl Into<String>) -> Result<Self, ConnectionIdError> {
        let text = text.into();
        let plain = text.bytes().all(|b| b.is_ascii_graphic());
        if plain && (1..=512).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err(ConnectionIdError)
        }
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl TryFrom<String> for ConnectionId {
    type Error = ConnectionIdError;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(text)
    }
}

impl From<ConnectionId> for String {
    fn from(id: ConnectionId) -> Self {
        id.0
    }
}
