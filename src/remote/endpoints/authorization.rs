//! How an authorization stands.

use reqwest::Method;

use crate::{
    http::{CallClass, PaceClass},
    model::{ConnectionId, ConnectorType},
    remote::{Remote, RemoteError, call::Call, wire},
};

/// The remote's word on one attempt at an authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizationStatus {
    /// A person consented. Which scopes were granted, only the list says.
    Active,
    /// Declined, or the provider failed.
    Failed,
    /// Nobody has answered yet.
    Pending,
}

impl Remote {
    /// Asks how one attempt at an authorization stands.
    pub async fn integration_status(
        &self,
        connector: &ConnectorType,
        connection_id: &ConnectionId,
    ) -> Result<AuthorizationStatus, RemoteError> {
        let path = self.app_path("external-auth/status");
        let call = Call::new(
            format!("asking for the authorization of {connector}"),
            CallClass::Read,
            Method::GET,
            path,
        )
        .paced(PaceClass::Status)
        .query("integration_type", connector.as_str())
        .query("connection_id", connection_id.as_str());
        let answer: wire::Authorization = self.send(&call).await?.decode()?;
        Ok(match answer.status {
            wire::AuthorizationWord::Active => AuthorizationStatus::Active,
            wire::AuthorizationWord::Failed => AuthorizationStatus::Failed,
            wire::AuthorizationWord::Pending => AuthorizationStatus::Pending,
        })
    }
}
