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

/// The folder of a file that is named from a project's root.
pub fn folder_of(file: &str) -> &str {
    file.rsplit_once('/').map_or(".", |(folder, _)| folder)
}

impl Declared {
    /// The connection values of each.
    pub fn values(&self) -> impl Iterator<Item = (&ConnectorType, &BTreeMap<String, String>)> {
        let files = self.connectors.iter();
        files.map(|(connector, file)| (connector, &file.connection_config))
    }
}

impl DeclaredConnector {
    /// What a consent to it is for, beside the scopes.
    pub fn terms(&self) -> Terms<'_> {
        Terms {
            values: &self.connection_config,
            account: self.account.as_ref(),
        }
    }
}

/// What a consent is for, beside the scopes: to where it connects, and whose it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms<'a> {
    /// Connection values.
    pub values: &'a BTreeMap<String, String>,
    /// Who is to consent, if that is said.
    pub account: Option<&'a ExpectedAccount>,
}

impl Terms<'_> {
    /// Whether what was asked for like this is still what is declared. Where nobody was named, whom
    /// the files name by now counts.
    pub fn fit(&self, declared: &Terms<'_>) -> bool {
        self.values == declared.values
            && (self.account.is_none() || self.account == declared.account)
    }
}
