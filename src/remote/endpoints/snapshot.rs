//! The whole state of an app, in one round trip.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{ConfigField, ConnectionValues, SandboxState, StripeStatus};
use crate::{
    catalogue,
    model::{ConnectorType, Declared, Kind, Observed, RemoteConnector, RemoteStatus},
    remote::{Remote, RemoteError},
};

/// Types that are known to need values: asked for even where a file declares none, within the one
/// round trip. Of any other that the catalogue does not know, the platform's own list says it.
const NEED_VALUES: [&str; 3] = ["bamboohr", "databricks", "snowflake"];
/// How many connectors' values are asked for at once.
const AT_ONCE: usize = 8;

impl Remote {
    /// Lists the connectors and asks for Stripe's status at the same time. Both or nothing: half a
    /// state would make a plan that removes or creates what it did not see.
    pub async fn observe(&self) -> Result<Observed, RemoteError> {
        let (connectors, stripe) = tokio::try_join!(self.list(), self.stripe_status())?;
        Ok(observed(connectors, stripe))
    }

    /// The same for a plan: side by side with it the connector policies, and the values of those
    /// connectors whose files declare some.
    pub async fn survey(&self, declared: &Declared) -> Result<Survey, RemoteError> {
        let with_values = declared.connectors.iter().filter(|(connector, c)| {
            !c.connection_config.is_empty() || NEED_VALUES.contains(&connector.as_str())
        });
        let values = stream::iter(with_values.map(|(connector, _)| async move {
            let told = self.connection_values(connector).await?;
            Ok((connector.clone(), told))
        }))
        .buffer_unordered(AT_ONCE)
        .try_collect::<BTreeMap<_, _>>();
        let (connectors, stripe, policies, mut values, offered) = tokio::try_join!(
            self.list(),
            self.stripe_status(),
            self.policies(),
            values,
            self.needed_values(declared)
        )?;
        for (connector, fields) in offered {
            // What has a connection has its values.
            if !connectors.contains_key(&connector) {
                let told = values.entry(connector).or_default();
                if told.fields.is_empty() {
                    told.fields = fields;
                }
            }
        }
        let mut observed = Observed {
            policies,
            ..observed(connectors, stripe)
        };
        for (connector, told) in &values {
            let file = declared.connectors.get(connector);
            // What no file says is nobody's to compare.
            if file.is_none_or(|file| file.connection_config.is_empty()) {
                continue;
            }
            if let Some(known) = observed.connectors.get_mut(connector) {
                known.connection_config.clone_from(&told.saved);
            }
        }
        Ok(Survey { observed, values })
    }

    /// The fields of the declared types that need values, by the platform's own list: asked for once,
    /// and only where the catalogue does not know a type. What it does not tell is not known.
    async fn needed_values(
        &self,
        declared: &Declared,
    ) -> Result<BTreeMap<ConnectorType, Vec<ConfigField>>, RemoteError> {
        let known: BTreeSet<_> = catalogue::connectors().collect();
        let unknown = |connector: &ConnectorType| {
            let name = connector.as_str();
            connector.kind() == Kind::Oauth && !known.contains(name) && !NEED_VALUES.contains(&name)
        };
        if !declared.connectors.keys().any(unknown) {
            return Ok(BTreeMap::new());
        }
        let offered = match self.available_integrations().await {
            Ok(offered) => offered,
            Err(error @ (RemoteError::Auth(_) | RemoteError::DeadlineExceeded { .. })) => {
                return Err(error);
            }
            Err(error) => {
                tracing::info!(why = %error, "which types need values is not known");
                return Ok(BTreeMap::new());
            }
        };
        let needed = offered.into_iter().filter(|offer| {
            let needs = offer.config_fields.iter().any(|field| field.required);
            needs && declared.connectors.contains_key(&offer.connector)
        });
        Ok(needed
            .map(|offer| (offer.connector, offer.config_fields))
            .collect())
    }
}

/// What a plan is made from.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// The app.
    pub observed: Observed,
    /// The fields and values of the connectors that declare or need some.
    pub values: BTreeMap<ConnectorType, ConnectionValues>,
}

fn observed(
    mut connectors: BTreeMap<ConnectorType, RemoteConnector>,
    stripe: StripeStatus,
) -> Observed {
    if let Some(mode) = stripe.mode {
        let mut connector = RemoteConnector::stripe(mode);
        if stripe.sandbox == Some(SandboxState::Expired) {
            connector.status = RemoteStatus::Expired;
        }
        connectors.insert(ConnectorType::stripe(), connector);
    }
    Observed {
        connectors,
        stripe_claim: stripe.claim,
        // Whose it is does not end.
        stripe_expires_at: stripe
            .expires_at
            .filter(|_| stripe.sandbox == Some(SandboxState::Unclaimed)),
        ..Observed::default()
    }
}
