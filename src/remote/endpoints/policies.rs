//! What the workspace lets be connected, and what the platform does to scopes. Neither is needed for
//! a plan: what cannot be read is not known.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use crate::{
    http::{CallClass, PaceClass},
    model::{ConnectorType, Policies, Scope, Scopes, map_of},
    remote::{Remote, RemoteError, call::Call},
};

impl Remote {
    /// The connector policies. An answer of another shape, or none, is "not known"; only an end of
    /// the login or of the time is an error.
    pub async fn policies(&self) -> Result<Policies, RemoteError> {
        let path = self.app_path("external-auth/connector-governance");
        let call = Call::new(
            "reading the connector policies",
            CallClass::Read,
            Method::GET,
            path,
        )
        .paced(PaceClass::Policies)
        .once()
        .patience(self.platform().options().read_timeout / 3);
        Ok(self
            .told(&call)
            .await?
            .map_or_else(Policies::default, |told| {
                Policies::new(entries(&told).iter().filter_map(policy))
            }))
    }

    /// The scopes that the platform adds by itself, by type; empty where it does not tell.
    pub async fn auto_added_scopes(&self) -> Result<BTreeMap<ConnectorType, Scopes>, RemoteError> {
        let path = "/api/external-auth/auto-added-scopes";
        let call = Call::new(
            "asking for the scopes that the platform adds",
            CallClass::Read,
            Method::GET,
            path,
        )
        .once()
        .patience(self.platform().options().read_timeout / 3);
        let told = self.told(&call).await?.unwrap_or_default();
        let told = told
            .get("auto_added_scopes")
            .or_else(|| told.get("scopes"))
            .unwrap_or(&told);
        let entry = |(connector, scopes): (&String, &Value)| {
            let scopes = scopes.as_array()?.iter().filter_map(Value::as_str);
            let scopes = scopes.map(Scope::from).collect();
            Some((ConnectorType::parse(connector.as_str()).ok()?, scopes))
        };
        let map = told.as_object();
        Ok(map_of(map.into_iter().flatten().filter_map(entry)))
    }

    /// Whatever JSON comes, if any does. No call for what may not exist is repeated: a plan must not
    /// wait for it.
    pub(super) async fn told(&self, call: &Call) -> Result<Option<Value>, RemoteError> {
        match self.send(call).await {
            Ok(answer) => Ok(serde_json::from_slice(&answer.body).ok()),
            Err(error @ (RemoteError::Auth(_) | RemoteError::DeadlineExceeded { .. })) => {
                Err(error)
            }
            Err(error) => {
                tracing::info!(call = %call.name, why = %error, "not known");
                Ok(None)
            }
        }
    }
}

/// The list inside an answer whose key is not known for sure.
fn entries(told: &Value) -> &[Value] {
    let list = told.as_array().or_else(|| {
        let mut lists = told.as_object()?.values().filter_map(Value::as_array);
        told["connectors"].as_array().or_else(|| lists.next())
    });
    list.map(Vec::as_slice).unwrap_or_default()
}

fn policy(entry: &Value) -> Option<(ConnectorType, bool)> {
    let connector = entry["integration_type"].as_str()?;
    let enabled = entry["builder_connection_enabled"].as_bool()?;
    Some((ConnectorType::parse(connector).ok()?, enabled))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_list_is_found_under_any_key() {
        let one = json!({"integration_type": "slack", "builder_connection_enabled": false});
        for told in [
            json!([one]),
            json!({"connectors": [one]}),
            json!({"policies": [one], "x": 1}),
        ] {
            let all: Vec<_> = entries(&told).iter().filter_map(policy).collect();
            assert_eq!(
                all,
                [(ConnectorType::parse("slack").unwrap(), false)],
                "{told}"
            );
        }
        for nothing in [
            json!(null),
            json!({}),
            json!({"connectors": [1, {"integration_type": 2}]}),
        ] {
            assert_eq!(entries(&nothing).iter().filter_map(policy).count(), 0);
        }
    }
}
