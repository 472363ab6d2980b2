//! What the connector files say.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Account, ConnectorType, Scopes};

/// All that the connector files of one project declare.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// By type; a second file of one type is an error before this value exists.
    pub connectors: BTreeMap<ConnectorType, DeclaredConnector>,
}

/// One connector file's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredConnector {
    /// The scopes to ask for, exactly.
    pub scopes: Scopes,
    /// The file, relative to the project root, with `/` on every system.
    pub file: String,
    /// Who is to give consent, if the file says so.
    pub account: Option<ExpectedAccount>,
}

/// The account a file expects: a whole address, or a domain (`@example.com`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ExpectedAccount(String);

impl ExpectedAccount {
    /// Takes `ops@example.com` or `@example.com`; `None` for anything without an `@` and a domain.
    pub fn parse(text: &str) -> Option<Self> {
        let (_, domain) = text.rsplit_once('@')?;
        let plain = |c: char| !c.is_whitespace() && !c.is_control();
        (!domain.is_empty() && text.chars().all(plain)).then(|| Self(text.to_owned()))
    }

    /// As the file spells it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this account may hold the connector. Case is not told apart in addresses.
    pub fn accepts(&self, account: &Account) -> bool {
        let (mine, theirs) = (self.0.to_lowercase(), account.as_str().to_lowercase());
        if mine.starts_with('@') {
            theirs.ends_with(&mine)
        } else {
            mine == theirs
        }
    }
}
