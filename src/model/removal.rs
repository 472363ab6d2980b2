//! How a connector goes.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How a connector goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Removal {
    /// The connector is removed from the app, with its tokens.
    #[default]
    Remove,
    /// Its tokens go; the connector stays, disconnected, with its scopes.
    Disconnect,
}

impl Removal {
    /// The settings' word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Remove => "remove",
            Self::Disconnect => "disconnect",
        }
    }
}
