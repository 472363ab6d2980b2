//! The shape of a connector file.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ConnectorType, ExpectedAccount, Scope};

/// One connector of the app: a file in the project's connectors folder.
///
/// The reader proper is `crate::syntax::parse_connector`, which knows lines and columns; a test holds the
/// two together.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(
    deny_unknown_fields,
    description = "One connector of the app: a file in the project's connectors folder."
)]
pub struct ConnectorFile {
    /// Which connector: the name that the platform knows it by, such as `slack` or
    /// `googlecalendar`. `connplan list-available` lists them.
    #[serde(rename = "type")]
    pub connector: ConnectorType,
    /// The OAuth scopes to ask for, exactly, each an element of its own. Without effect for
    /// `stripe`.
    #[serde(default)]
    #[schemars(extend("items" = { "$ref": "#/$defs/Scope", "pattern": r"^\S+$" }))]
    pub scopes: Vec<Scope>,
    /// Who is to give consent: an address, or `@` and a domain. Only connplan knows this key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ExpectedAccount", extend("pattern" = r"^\S*@[^@\s]+$"))]
    pub account: Option<ExpectedAccount>,
    /// The values that the connection needs, such as a subdomain, by name; `${NAME}` is a variable of
    /// the environment. Only connplan knows this key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connection_config: BTreeMap<String, String>,
    /// The address of this schema, for editors.
    #[serde(default, rename = "$schema", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub schema: Option<String>,
}
