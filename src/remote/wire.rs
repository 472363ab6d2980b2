//! The API's JSON. Unknown fields are ignored; a known one that is missing or of another type is
//! an error. Nothing of this leaves the room: endpoints turn it into words of the model.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::ended::ConnectionEnd;
use crate::model::{
    Account, ConnectionId, ConnectorType, RemoteStatus, Scopes, Secret, StripeMode,
};

/// `GET external-auth/list`.
#[derive(Deserialize)]
pub(super) struct List {
    pub(super) integrations: Vec<Listed>,
}

#[derive(Deserialize)]
pub(super) struct Listed {
    pub(super) integration_type: ConnectorType,
    pub(super) status: RemoteStatus,
    pub(super) scopes: Scopes,
    #[serde(default, deserialize_with = "filled")]
    pub(super) user_email: Option<String>,
}

impl Listed {
    pub(super) fn account(&mut self) -> Option<Account> {
        self.user_email.take().map(Account::new)
    }
}

/// `PUT external-auth/integrations/{type}`.
#[derive(Deserialize)]
pub(super) struct Put {
    #[serde(default)]
    pub(super) redirect_url: Redirect,
    #[serde(default)]
    pub(super) connection_id: Option<ConnectionId>,
    pub(super) already_authorized: bool,
    #[serde(default, deserialize_with = "filled")]
    pub(super) error: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) error_message: Option<String>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) other_user_email: Option<String>,
}

/// Where a person has to go. What is not said is not `null`, which would mean "in force".
#[derive(Default)]
pub(super) enum Redirect {
    /// The field is missing.
    #[default]
    Unsaid,
    /// `null`.
    Nowhere,
    /// There.
    To(String),
}

impl<'de> Deserialize<'de> for Redirect {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(filled(from)?.map_or(Self::Nowhere, Self::To))
    }
}

/// `GET external-auth/status`.
#[derive(Deserialize)]
pub(super) struct Authorization {
    pub(super) status: AuthorizationWord,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum AuthorizationWord {
    Active,
    Failed,
    Pending,
}

/// `DELETE external-auth/integrations/{type}/remove`.
#[derive(Deserialize)]
pub(super) struct Removed {
    #[serde(rename = "status")]
    pub(super) _status: RemovedWord,
    #[serde(rename = "integration_type")]
    pub(super) _connector: ConnectorType,
    #[serde(flatten)]
    connection: Connection,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RemovedWord {
    Removed,
}

/// `DELETE external-auth/integrations/{type}`: what it answers is not documented.
#[derive(Deserialize)]
pub(super) struct Disconnected {
    #[serde(flatten)]
    connection: Connection,
}

/// What became of the connection, in words that are not documented either.
#[derive(Deserialize)]
struct Connection {
    #[serde(default)]
    detached: Value,
    #[serde(default)]
    deleted: Value,
}

impl Connection {
    fn ended(&self) -> ConnectionEnd {
        if self.detached == Value::Bool(true) {
            ConnectionEnd::Detached
        } else if self.deleted == Value::Bool(true) || self.detached == Value::Bool(false) {
            ConnectionEnd::Deleted
        } else {
            ConnectionEnd::Untold
        }
    }
}

impl Removed {
    pub(super) fn ended(&self) -> ConnectionEnd {
        self.connection.ended()
    }
}

impl Disconnected {
    pub(super) fn ended(&self) -> ConnectionEnd {
        self.connection.ended()
    }
}

/// `GET external-auth/available-integrations`.
#[derive(Deserialize)]
pub(super) struct Available {
    pub(super) integrations: Vec<AvailableOne>,
}

#[derive(Deserialize)]
pub(super) struct AvailableOne {
    pub(super) integration_type: ConnectorType,
    pub(super) display_name: String,
    pub(super) description: String,
    pub(super) connection_config_fields: Vec<ConfigField>,
}

#[derive(Deserialize)]
pub(super) struct ConfigField {
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) description: String,
    pub(super) placeholder: String,
    pub(super) required: bool,
    #[serde(default)]
    pub(super) validation_pattern: Option<String>,
    #[serde(default)]
    pub(super) validation_error: Option<String>,
}

impl ConfigField {
    /// A field of which only the name is sure.
    pub(super) fn lenient(value: &Value) -> Option<Self> {
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Self {
            name: text("name")?,
            display_name: text("display_name").unwrap_or_default(),
            description: text("description").unwrap_or_default(),
            placeholder: text("placeholder").unwrap_or_default(),
            required: value["required"].as_bool().unwrap_or_default(),
            validation_pattern: text("validation_pattern"),
            validation_error: text("validation_error"),
        })
    }
}

/// `GET payments/stripe/status`.
#[derive(Deserialize)]
pub(super) struct StripeState {
    // `deserialize_with` makes the field's absence an error, which a plain Option would hide:
    // a plan must not take "not said" for "not installed".
    #[serde(deserialize_with = "Option::deserialize")]
    pub(super) stripe_mode: Option<StripeMode>,
    #[serde(default, deserialize_with = "filled")]
    pub(super) sandbox_claim_url: Option<String>,
    /// `unclaimed`, `claimed` or `expired`; its name is not documented.
    #[serde(default, alias = "sandbox_state", alias = "claim_status")]
    pub(super) sandbox_status: Value,
    /// When an unclaimed sandbox ends; its name is not documented.
    #[serde(default, alias = "expires_at")]
    pub(super) sandbox_expires_at: Value,
}

/// `POST payments/stripe/install`.
#[derive(Deserialize)]
pub(super) struct StripeInstalled {
    pub(super) already_installed: bool,
    #[serde(default, deserialize_with = "filled")]
    pub(super) claim_url: Option<String>,
}

/// `DELETE payments/stripe`.
#[derive(Deserialize)]
pub(super) struct StripeRemoved {
    pub(super) success: bool,
}

/// `POST oauth/device/code`.
#[derive(Deserialize)]
pub(super) struct DeviceCode {
    #[serde(rename = "device_code", deserialize_with = "secret")]
    pub(super) secret: Secret,
    pub(super) user_code: String,
    pub(super) verification_uri: String,
    pub(super) expires_in: u32,
    pub(super) interval: u32,
}

/// `POST oauth/token`.
#[derive(Deserialize)]
pub(super) struct Granted {
    #[serde(deserialize_with = "secret")]
    pub(super) access_token: Secret,
    #[serde(deserialize_with = "secret")]
    pub(super) refresh_token: Secret,
    pub(super) expires_in: u64,
}

/// `GET oauth/userinfo`.
#[derive(Deserialize)]
pub(super) struct UserInfo {
    pub(super) email: String,
    pub(super) name: String,
}

/// A text; `null`, absent and empty are all "not set".
fn filled<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let text = Option::<String>::deserialize(from)?;
    Ok(text.filter(|text| !text.trim().is_empty()))
}

/// A text that must not be empty, and is a secret from here on.
fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    let text = String::deserialize(from)?;
    if text.is_empty() {
        return Err(serde::de::Error::custom("it is empty"));
    }
    Ok(Secret::new(text))
}
