//! Connectors: list, put, remove.

use std::collections::{BTreeMap, btree_map::Entry};

use reqwest::Method;
use serde_json::json;

use crate::{
    http::{CallClass, PaceClass, server_text, server_text_limited},
    model::{Account, ConnectionId, ConnectorType, Kind, Link, LinkError, RemoteConnector, Scopes},
    remote::{ConnectionEnd, Remote, RemoteError, call::Call, wire},
};

/// What the remote says to a connector that was put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PutAnswer {
    /// In force, nothing else said.
    InForce,
    /// In force already, with exactly these scopes.
    AlreadyAuthorized,
    /// A person has to consent.
    NeedsAuthorization {
        /// Where; or why that address is not opened.
        link: Result<Link, LinkError>,
        /// What to ask the status with. Without it, only a new list shows the outcome.
        connection_id: Option<ConnectionId>,
    },
    /// Not done. The HTTP status was a success all the same.
    Refused {
        /// The server's word, made safe to show: `different_user`, ...
        error: String,
        /// The server's sentence, made safe to show.
        message: Option<String>,
        /// Who holds the connection instead. Untrusted text.
        other_account: Option<Account>,
    },
}

impl From<wire::Put> for PutAnswer {
    /// In the order in which the contract reads the fields.
    fn from(put: wire::Put) -> Self {
        if let Some(error) = put.error {
            Self::Refused {
                error: server_text_limited(&error, 80),
                message: put.error_message.map(|text| server_text(&text)),
                other_account: put.other_user_email.map(Account::new),
            }
        } else if put.already_authorized {
            Self::AlreadyAuthorized
        } else if let wire::Redirect::To(url) = put.redirect_url {
            Self::NeedsAuthorization {
                link: Link::parse(&url),
                connection_id: put.connection_id,
            }
        } else {
            Self::InForce
        }
    }
}

impl Remote {
    /// Every OAuth connector of the app. Never a part of them: one entry that cannot be read
    /// makes the whole an error.
    pub async fn list(&self) -> Result<BTreeMap<ConnectorType, RemoteConnector>, RemoteError> {
        let path = self.app_path("external-auth/list");
        let call = Call::new("listing the connectors", CallClass::Read, Method::GET, path)
            .paced(PaceClass::List);
        let answer = self.send(&call).await?;
        let list: wire::List = answer.decode()?;
        let mut connectors = BTreeMap::new();
        for (n, mut listed) in list.integrations.into_iter().enumerate() {
            // Stripe has a state of its own, which is asked for by itself.
            if listed.integration_type.kind() == Kind::Stripe {
                continue;
            }
            let account = listed.account();
            let connector = RemoteConnector {
                status: listed.status,
                scopes: listed.scopes,
                account,
                mode: None,
                connection_config: None,
            };
            match connectors.entry(listed.integration_type) {
                Entry::Vacant(place) => {
                    place.insert(connector);
                }
                Entry::Occupied(other) if *other.get() == connector => {}
                Entry::Occupied(other) => {
                    let field = format!("integrations[{n}].integration_type");
                    let fault =
                        format!("`{}` is listed twice, with different content", other.key());
                    return Err(answer.malformed(field, fault));
                }
            }
        }
        Ok(connectors)
    }

    /// Asks for a connector with exactly these scopes. Safe to repeat.
    pub async fn put_integration(
        &self,
        connector: &ConnectorType,
        scopes: &Scopes,
    ) -> Result<PutAnswer, RemoteError> {
        self.put(connector, scopes, &BTreeMap::new()).await
    }

    /// The same with the connection's values, such as a subdomain.
    pub async fn put_with_values(
        &self,
        connector: &ConnectorType,
        scopes: &Scopes,
        values: &BTreeMap<String, String>,
    ) -> Result<PutAnswer, RemoteError> {
        self.put(connector, scopes, values).await
    }

    async fn put(
        &self,
        connector: &ConnectorType,
        scopes: &Scopes,
        values: &BTreeMap<String, String>,
    ) -> Result<PutAnswer, RemoteError> {
        let path = self.app_path(&format!("external-auth/integrations/{connector}"));
        let mut body = json!({ "scopes": scopes });
        if !values.is_empty() {
            body["connection_config"] = json!(values);
        }
        let call = Call::new(
            format!("setting the connector {connector}"),
            CallClass::RepeatableWrite,
            Method::PUT,
            path,
        )
        .paced(PaceClass::Write)
        .json(&body);
        self.asked(&call).await
    }

    /// Asks for a connector whoever has it now, once a person consents. The platform adds these
    /// scopes to those that are there: it is meant for a takeover of the same scopes.
    pub async fn take_over(
        &self,
        connector: &ConnectorType,
        scopes: &Scopes,
        values: &BTreeMap<String, String>,
    ) -> Result<PutAnswer, RemoteError> {
        let path = self.app_path("external-auth/initiate");
        let mut body = json!({
            "integration_type": connector,
            "scopes": scopes,
            "force_reconnect": true,
        });
        if !values.is_empty() {
            body["connection_config"] = json!(values);
        }
        // Asking twice is asking anew.
        let call = Call::new(
            format!("taking over the connector {connector}"),
            CallClass::RepeatableWrite,
            Method::POST,
            path,
        )
        .paced(PaceClass::Write)
        .json(&body);
        self.asked(&call).await
    }

    async fn asked(&self, call: &Call) -> Result<PutAnswer, RemoteError> {
        let answer = self.send(call).await?;
        let put: wire::Put = answer.decode()?;
        let unsaid = matches!(put.redirect_url, wire::Redirect::Unsaid);
        if put.error.is_none() && !put.already_authorized && unsaid {
            return Err(answer.malformed("redirect_url", "`redirect_url` is missing"));
        }
        Ok(put.into())
    }

    /// Removes a connector and its tokens for good, and its file in the app's own code.
    pub async fn remove_integration(
        &self,
        connector: &ConnectorType,
    ) -> Result<ConnectionEnd, RemoteError> {
        let path = self.app_path(&format!("external-auth/integrations/{connector}/remove"));
        let call = Call::new(
            format!("removing the connector {connector}"),
            CallClass::RepeatableWrite,
            Method::DELETE,
            path,
        )
        .paced(PaceClass::Remove);
        match self.send(&call).await {
            Ok(answer) => answer
                .decode()
                .map(|removed: wire::Removed| removed.ended()),
            // An earlier attempt, whose answer was lost, has removed it.
            Err(error @ RemoteError::NotFound { .. }) if error.is_unclear() => {
                Ok(ConnectionEnd::Untold)
            }
            Err(error) => Err(error),
        }
    }

    /// Ends a connector's connection. The connector stays with its scopes, `disconnected`.
    pub async fn disconnect_integration(
        &self,
        connector: &ConnectorType,
    ) -> Result<ConnectionEnd, RemoteError> {
        let path = self.app_path(&format!("external-auth/integrations/{connector}"));
        let call = Call::new(
            format!("disconnecting the connector {connector}"),
            CallClass::RepeatableWrite,
            Method::DELETE,
            path,
        )
        .paced(PaceClass::Remove);
        let answer: wire::Disconnected = self.send(&call).await?.decode()?;
        Ok(answer.ended())
    }
}
