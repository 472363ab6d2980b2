//! What the platform offers.

use reqwest::Method;

use crate::{
    http::{CallClass, PaceClass},
    model::ConnectorType,
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
        let path = self.app_path("external-auth/available-integrations");
        let call = Call::new(
            "listing the available integrations",
            CallClass::Read,
            Method::GET,
            path,
        )
        .paced(PaceClass::Policies);
        let answer: wire::Available = self.send(&call).await?.decode()?;
        let mut offers: Vec<_> = answer.integrations.into_iter().map(offer).collect();
        offers.sort_by(|a, b| a.connector.cmp(&b.connector));
        Ok(offers)
    }
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
