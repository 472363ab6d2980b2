//! What the platform offers.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use crate::{
    http::{CallClass, PaceClass},
    model::{self, ConnectorType, map_of},
    remote::{Remote, RemoteError, call::Call, wire},
};

/// An integration that the platform offers. All of its text is untrusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvailableIntegration {
    /// The type to declare.
    pub connector: ConnectorType,
    /// Its name for people.
    pub display_name: String,
    /// What it is.
    pub description: String,
    /// What a person is asked for before a connection can be made.
    pub config_fields: Vec<ConfigField>,
}

/// One value that a connection needs, such as a subdomain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigField {
    /// Its name for programs.
    pub name: String,
    /// Its name for people.
    pub display_name: String,
    /// What it is.
    pub description: String,
    /// An example.
    pub placeholder: String,
    /// Whether there is no connection without it.
    pub required: bool,
    /// A regular expression that the value must match.
    pub validation_pattern: Option<String>,
    /// What to say when it does not.
    pub validation_error: Option<String>,
}

impl Remote {
    /// The integrations that the platform offers, in order of type.
    pub async fn available_integrations(&self) -> Result<Vec<AvailableIntegration>, RemoteError> {
        let answer: wire::Available = self.send(&self.offers_call()).await?.decode()?;
        let mut offers: Vec<_> = answer.integrations.into_iter().map(offer).collect();
        model::sort(&mut offers, |a, b| a.connector.cmp(&b.connector));
        Ok(offers)
    }

    /// What is offered, for a plan: `None` where the platform does not tell.
    pub(super) async fn offered(&self) -> Result<Option<Offered>, RemoteError> {
        let call = self.offers_call().once();
        let told = self
            .told(&call.patience(self.platform().options().read_timeout / 3))
            .await?;
        Ok(told.as_ref().and_then(offered))
    }

    fn offers_call(&self) -> Call {
        let path = self.app_path("external-auth/available-integrations");
        Call::new(
            "listing the available integrations",
            CallClass::Read,
            Method::GET,
            path,
        )
        .paced(PaceClass::Catalogue)
    }
}

/// Each offered type, with the connection values that it takes, where that is told.
pub(super) type Offered = BTreeMap<ConnectorType, Option<Vec<ConfigField>>>;

/// Reads what is sure of the list, under the key of today or that of before.
fn offered(told: &Value) -> Option<Offered> {
    let list = ["integrations", "available_integrations"]
        .iter()
        .find_map(|key| told[*key].as_array())?;
    let entry = |entry: &Value| {
        let connector = ConnectorType::parse(entry["integration_type"].as_str()?).ok()?;
        let fields = entry["connection_config_fields"].as_array();
        let fields = fields.map(|fields| {
            let fields = fields.iter().filter_map(wire::ConfigField::lenient);
            fields.map(config_field).collect()
        });
        Some((connector, fields))
    };
    Some(map_of(list.iter().filter_map(entry)))
}

fn offer(one: wire::AvailableOne) -> AvailableIntegration {
    AvailableIntegration {
        connector: one.integration_type,
        display_name: one.display_name,
        description: one.description,
        config_fields: one
            .connection_config_fields
            .into_iter()
            .map(config_field)
            .collect(),
    }
}

pub(super) fn config_field(field: wire::ConfigField) -> ConfigField {
    ConfigField {
        name: field.name,
        display_name: field.display_name,
        description: field.description,
        placeholder: field.placeholder,
        required: field.required,
        validation_pattern: field.validation_pattern,
        validation_error: field.validation_error,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_told_of_a_type_is_taken_and_nothing_else() {
        let one = |fields: Value| json!({ "integration_type": "notion", "connection_config_fields": fields });
        let of = |told: &Value| {
            let fields = offered(told)?.remove(&ConnectorType::parse("notion").unwrap())??;
            Some(
                fields
                    .iter()
                    .map(|field| field.required)
                    .collect::<Vec<_>>(),
            )
        };
        for key in ["integrations", "available_integrations"] {
            let needs = json!([{ "name": "subdomain", "required": true }, { "name": "role" }, 3]);
            assert_eq!(of(&json!({ key: [one(needs)] })), Some(vec![true, false]));
            assert_eq!(of(&json!({ key: [one(json!([]))] })), Some(vec![]));
            assert_eq!(of(&json!({ key: [one(Value::Null), 3, {}] })), None);
        }
        for unknown in [json!({}), json!([]), json!({ "integrations": {} })] {
            assert!(offered(&unknown).is_none(), "{unknown}");
        }
    }
}
