//! What the connector files say.

use std::collections::BTreeMap;

use super::{ConnectorType, ExpectedAccount, Scopes};

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
    /// Values that the connection needs (`{"subdomain": "acme"}`).
    pub connection_config: BTreeMap<String, String>,
}
