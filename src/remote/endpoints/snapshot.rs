//! The whole state of an app, in one round trip.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{ConnectionValues, SandboxState, StripeStatus};
use crate::{
    model::{ConnectorType, Declared, Observed, RemoteConnector, RemoteStatus},
    remote::{Remote, RemoteError},
};

/// Types that are known to need values: asked for even where a file declares none, within the one
/// round trip. Of any other the platform itself says so when it is connected.
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
        let (connectors, stripe, policies, values) =
            tokio::try_join!(self.list(), self.stripe_status(), self.policies(), values)?;
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
        stripe_expires_at: stripe.expires_at,
        ..Observed::default()
    }
}
