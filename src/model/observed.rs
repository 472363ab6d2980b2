//! What the remote has.

use std::collections::BTreeMap;

use jiff::Timestamp;
#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Account, ConnectorType, Kind, Link, Scopes};

/// The remote's state of one app at one moment: every connector, Stripe among them.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    /// By type. Stripe stands here as well when it is installed, with its `mode`.
    pub connectors: BTreeMap<ConnectorType, RemoteConnector>,
    /// The link by which the app's owner claims the Stripe sandbox. Private.
    pub stripe_claim: Option<Link>,
    /// When the Stripe sandbox expires unless somebody claims it, as far as the platform says.
    pub stripe_expires_at: Option<Timestamp>,
    /// What the workspace lets be connected, as far as it was asked and told.
    pub policies: Policies,
}

/// Which types the workspace lets builders connect. What is not told is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies(BTreeMap<ConnectorType, bool>);

impl Policies {
    /// Those that were told, each with whether builders may connect it.
    pub fn new(told: impl IntoIterator<Item = (ConnectorType, bool)>) -> Self {
        Self(super::map_of(told))
    }

    /// Whether the workspace forbids builders to connect this type, for sure.
    pub fn forbid(&self, connector: &ConnectorType) -> bool {
        let mut told = self.0.iter().filter(|(named, _)| named.is_like(connector));
        told.any(|(_, allowed)| !allowed)
    }
}

/// One connector as the remote reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteConnector {
    /// Whether it works.
    pub status: RemoteStatus,
    /// What was granted (or asked for, while it is not connected).
    #[serde(default)]
    pub scopes: Scopes,
    /// Who authorized it, where the remote says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// Stripe alone: which world its payments are in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<StripeMode>,
    /// The values that were saved with the connection, where they were asked for; none where they
    /// are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_config: Option<BTreeMap<String, SavedValue>>,
}

/// A value that was saved with a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SavedValue {
    /// As it is.
    Told(String),
    /// Of which only a digest is known: it is none of those that are declared, whatever text one of them is.
    Other {
        /// The digest.
        digest: String,
    },
}

impl SavedValue {
    /// What was told.
    pub fn told(values: BTreeMap<String, String>) -> BTreeMap<String, Self> {
        let told = values.into_iter();
        super::map_of(told.map(|(name, value)| (name, Self::Told(value))))
    }

    /// Whether it is this text.
    pub fn is(&self, text: &str) -> bool {
        matches!(self, Self::Told(value) if value == text)
    }

    /// For messages.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Told(text) | Self::Other { digest: text } => text,
        }
    }
}

impl RemoteConnector {
    /// Stripe as installed in `mode`.
    pub fn stripe(mode: StripeMode) -> Self {
        Self {
            status: RemoteStatus::Active,
            scopes: Scopes::new(),
            account: None,
            mode: Some(mode),
            connection_config: None,
        }
    }

    /// Puts another word for who holds it.
    pub fn map_account(&mut self, held: impl Fn(&Account) -> Account) {
        self.account = self.account.as_ref().map(held);
    }

    /// Stripe is known by its mode.
    pub fn kind(&self) -> Kind {
        if self.mode.is_some() {
            Kind::Stripe
        } else {
            Kind::Oauth
        }
    }
}

/// The remote's word for a connector's health (`external-auth/list`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RemoteStatus {
    /// Tokens are there and work.
    Active,
    /// Never authorized, or the authorization was withdrawn.
    Disconnected,
    /// The tokens ran out and could not be renewed.
    Expired,
}

impl RemoteStatus {
    /// The remote's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disconnected => "disconnected",
            Self::Expired => "expired",
        }
    }
}

crate::model::display_as_str!(RemoteStatus);

/// Which world a Stripe installation is in (`payments/stripe/status`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum StripeMode {
    /// Test money.
    Sandbox,
    /// Real payments of real people.
    Live,
}

impl StripeMode {
    /// The remote's own word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        }
    }
}

crate::model::display_as_str!(StripeMode);
