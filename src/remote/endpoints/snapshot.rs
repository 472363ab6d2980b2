//! The whole state of an app, in one round trip.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{ConnectionValues, SandboxState, StripeStatus, available::Offered};
use crate::{
    model::{ConnectorType, Declared, Kind, Observed, RemoteConnector, RemoteStatus, SavedValue},
    remote::{Remote, RemoteError},
};

/// How many connectors' values are asked for at once.
const AT_ONCE: usize = 8;

impl Remote {
    /// Lists the connectors and asks for Stripe's status at the same time. Both or nothing: half a
    /// state would make a plan that removes or creates what it did not see.
    pub async fn observe(&self) -> Result<Observed, RemoteError> {
        self.observe_with([]).await
    }

    /// The same, with the connection values of those for whom some are wanted: the list does not tell them. Whoever
    /// decides about values has to look at them.
    pub fn observe_with<'w>(
        &self,
        wanted: impl IntoIterator<Item = WantedValues<'w>>,
    ) -> impl Future<Output = Result<Observed, RemoteError>> {
        // One future for all callers.
        self.observe_named(named(wanted))
    }

    /// The same, also with the values of others in the app whose types take some: for those who cannot ask it, and
    /// may declare them. What is not told of these is not known, as if nobody had asked.
    pub async fn observe_all(&self, declared: &Declared) -> Result<Observed, RemoteError> {
        let wanted = named(declared.values());
        let looks = Box::pin(self.observe_named(wanted.clone()));
        let (observed, offered) = tokio::join!(looks, self.offered());
        let (mut observed, offered) = (observed?, offered.ok().flatten().unwrap_or_default());
        let takes = |connector: &&ConnectorType| {
            let fields = offered.get(*connector).and_then(Option::as_ref);
            fields.is_some_and(|fields| !fields.is_empty()) && !wanted.contains(connector)
        };
        let others = observed.connectors.keys().filter(takes).cloned();
        let others: BTreeSet<_> = others.collect();
        let values = self.values_of(others.iter().collect()).await;
        tell_values(&mut observed, &values.unwrap_or_default());
        Ok(observed)
    }

    async fn observe_named(
        &self,
        wanted: BTreeSet<&ConnectorType>,
    ) -> Result<Observed, RemoteError> {
        let others =
            Box::pin(async { tokio::try_join!(self.stripe_status(), self.values_of(wanted)) });
        let (connectors, (stripe, values)) = beside(Box::pin(self.list()), others).await?;
        let mut observed = observed(connectors, stripe);
        tell_values(&mut observed, &values);
        Ok(observed)
    }

    /// The values of these.
    async fn values_of(
        &self,
        names: BTreeSet<&ConnectorType>,
    ) -> Result<BTreeMap<ConnectorType, ConnectionValues>, RemoteError> {
        let asked = names.into_iter().map(|connector| async move {
            let told = self.connection_values(connector).await?;
            Ok((connector.clone(), told))
        });
        stream::iter(asked)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// The same for a plan: side by side with it the connector policies, and, `to_change` the app, what the platform
    /// says that its types need.
    pub async fn survey(
        &self,
        declared: &Declared,
        to_change: bool,
    ) -> Result<Survey, RemoteError> {
        let others = Box::pin(async {
            tokio::try_join!(
                self.stripe_status(),
                self.policies(),
                self.values_of(named(declared.values())),
                self.offered_to(declared, to_change)
            )
        });
        let (connectors, (stripe, policies, mut values, offered)) =
            beside(Box::pin(self.list()), others).await?;
        let mut observed = Observed {
            policies,
            ..observed(connectors, stripe)
        };
        tell_values(&mut observed, &values);
        let created = |connector: &&ConnectorType| {
            connector.kind() == Kind::Oauth && !observed.connectors.contains_key(*connector)
        };
        let created = declared.connectors.keys().filter(created);
        let needs_unknown = match &offered {
            None if to_change => created.cloned().collect(),
            None => Vec::new(),
            Some(offered) => {
                for connector in created {
                    let told = values.entry(connector.clone()).or_default();
                    if told.fields.is_empty() {
                        let fields = offered.get(connector).cloned().flatten();
                        told.fields = fields.unwrap_or_default();
                    }
                }
                Vec::new()
            }
        };
        Ok(Survey {
            observed,
            values,
            needs_unknown,
            offered: offered.map(|offered| offered.into_keys().collect()),
        })
    }

    /// What the platform says that its types need. What is created is known only when the list has
    /// come, so the question goes out beside it, where a file could create something.
    async fn offered_to(
        &self,
        declared: &Declared,
        to_change: bool,
    ) -> Result<Option<Offered>, RemoteError> {
        let mut declared = declared.connectors.keys();
        if to_change && declared.any(|connector| connector.kind() == Kind::Oauth) {
            return self.offered().await;
        }
        Ok(None)
    }
}

/// The list and what is asked for at the same time. Where both fail, the list's own failure is told,
/// whichever came first: it is what everybody needs.
async fn beside<L, O, E>(
    list: impl Future<Output = Result<L, E>>,
    others: impl Future<Output = Result<O, E>>,
) -> Result<(L, O), E> {
    tokio::pin!(list, others);
    tokio::select! {
        listed = &mut list => Ok((listed?, others.await?)),
        told = &mut others => Ok((list.await?, told?)),
    }
}

/// A connector, and the connection values that it is to have.
pub type WantedValues<'w> = (&'w ConnectorType, &'w BTreeMap<String, String>);

/// Those for whom some are wanted. What nobody wants is nobody's to compare.
fn named<'w>(wanted: impl IntoIterator<Item = WantedValues<'w>>) -> BTreeSet<&'w ConnectorType> {
    let some = |(connector, values): WantedValues<'w>| {
        (!values.is_empty() && connector.kind() == Kind::Oauth).then_some(connector)
    };
    wanted.into_iter().filter_map(some).collect()
}

fn tell_values(observed: &mut Observed, told: &BTreeMap<ConnectorType, ConnectionValues>) {
    for (connector, told) in told {
        if let Some(known) = observed.connectors.get_mut(connector) {
            known.connection_config = told.saved.clone().map(SavedValue::told);
        }
    }
}

/// What a plan is made from.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// The app.
    pub observed: Observed,
    /// The fields and values of the connectors that declare or need some.
    pub values: BTreeMap<ConnectorType, ConnectionValues>,
    /// What the files add to the app, if the platform does not say which values its types need.
    pub needs_unknown: Vec<ConnectorType>,
    /// The types that the platform offers, where it was asked and told.
    pub offered: Option<BTreeSet<ConnectorType>>,
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

#[cfg(test)]
mod tests {
    use super::*;

    async fn after<T>(turns: usize, told: T) -> T {
        for _ in 0..turns {
            tokio::task::yield_now().await;
        }
        told
    }

    #[tokio::test]
    async fn of_two_failures_the_lists_own_is_told() {
        type Told = Result<u8, &'static str>;
        let (listed, other): (Told, Told) = (Err("list"), Err("other"));
        for (first, second) in [(0, 3), (3, 0), (0, 0)] {
            let run = |list: Told, told: Told| beside(after(first, list), after(second, told));
            assert_eq!(run(listed, other).await, Err("list"));
            assert_eq!(run(Ok(1), other).await, Err("other"));
            assert_eq!(run(listed, Ok(2)).await, Err("list"));
            assert_eq!(run(Ok(1), Ok(2)).await, Ok((1, 2)));
        }
    }
}
