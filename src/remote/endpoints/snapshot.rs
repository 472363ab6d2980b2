//! The whole state of an app, in one round trip.

use crate::{
    model::{ConnectorType, Observed, RemoteConnector},
    remote::{Remote, RemoteError},
};

impl Remote {
    /// Lists the connectors and asks for Stripe's status at the same time. Both or nothing: half a
    /// state would make a plan that removes or creates what it did not see.
    pub async fn observe(&self) -> Result<Observed, RemoteError> {
        let (mut connectors, stripe) = tokio::try_join!(self.list(), self.stripe_status())?;
        if let Some(mode) = stripe.mode {
            connectors.insert(ConnectorType::stripe(), RemoteConnector::stripe(mode));
        }
        Ok(Observed {
            connectors,
            stripe_claim: stripe.claim,
        })
    }
}
