//! What waits of an app, before anybody is asked: as the app, this machine, the team and a receipt tell it.

use std::sync::Arc;

use super::{
    Around, AtWork, Brought,
    approving::{LazyBinding, Now, approved_only, receipt_approved, with},
    over,
    rules::{rules, rules_for_listed},
    waits,
};
use crate::{
    catalogue::ScopeEquivalence,
    config::Project,
    context::Failure,
    model::{App, ConnectorType, Declared, Observed},
    pending::{LocalPending, PendingSet},
    remote::{Remote, WantedValues},
    state::{AppState, Locked},
    store::Waits,
};

/// Where to look.
#[derive(Clone, Copy)]
pub struct FirstLookInputs<'a> {
    /// The project.
    pub project: &'a Project,
    /// Its app.
    pub app: &'a App,
    /// Its remote.
    pub remote: &'a Remote,
    /// What is kept of the app.
    pub state: &'a AppState,
    /// What the files declare, where there is a project.
    pub declared: Option<&'a Declared>,
    /// A receipt that was named.
    pub brought: Option<&'a Brought>,
    /// Which approvals are needed.
    pub binding: &'a LazyBinding,
}

impl<'a> FirstLookInputs<'a> {
    /// Whether it may be asked for: what others say is, only where a file declares it.
    fn may_ask(&self, connector: &ConnectorType) -> bool {
        let files = self.declared;
        files.is_none_or(|files| files.connectors.contains_key(connector))
    }

    /// The connection values that may be asked for.
    fn wanted<'p: 'w, 'w>(
        &self,
        pending: &'p PendingSet,
    ) -> impl Iterator<Item = WantedValues<'w>> + use<'a, 'p, 'w>
    where
        'a: 'w,
    {
        let inputs = *self;
        let receipt = self.brought.into_iter();
        let receipt = receipt.flat_map(|brought| brought.saved.receipt.results());
        let receipt = receipt.map(|result| (&result.connector, &result.connection_config));
        let files = self.declared.into_iter().flat_map(Declared::values);
        let own = pending.values(self.app);
        let told = receipt.filter(move |(name, _)| inputs.may_ask(name));
        files.chain(own).chain(told)
    }
}

/// What was found.
#[derive(Debug)]
pub struct FirstLook {
    /// What waits and may be asked for.
    pub pending: PendingSet,
    /// What the app has.
    pub observed: Observed,
    /// What other machines asked for.
    pub waits: Waits,
    /// How scopes compare.
    pub rules: ScopeEquivalence,
    /// The receipt that was named, with what nobody has ended.
    pub brought: Option<Brought>,
}

impl FirstLook {
    /// For a command that only looks: it needs no lock and no proof, for nothing is asked for.
    pub async fn alone(around: &Around<'_>, inputs: FirstLookInputs<'_>) -> Result<Self, Failure> {
        let FirstLookInputs { project, app, .. } = inputs;
        let pending = LocalPending::load(inputs.state)?;
        let look = waits::look(around, project, app, inputs.state, &pending);
        let wanted = inputs.wanted(&pending);
        let (observed, waits) = tokio::join!(inputs.remote.observe_with(wanted), look);
        let mut look = Self::of(around, inputs, (pending, observed?, waits?)).await?;
        waits::merge(&mut look.pending, app, &look.waits);
        if let Some(brought) = &mut look.brought {
            let now = Now {
                observed: &look.observed.connectors,
                rules: &look.rules,
            };
            let receipt = &mut brought.saved.receipt;
            over::end_where_known(around, (project, app), &now, receipt).await;
        }
        Ok(look)
    }

    /// With lock and lease. Whoever can write to the store or to a receipt must not make anybody ask for what
    /// no file declares, nor for what was not approved where that is needed.
    pub async fn under_lease(
        around: &Around<'_>,
        inputs: FirstLookInputs<'_>,
        (locked, at_work): (Arc<Locked>, &AtWork),
    ) -> Result<Self, Failure> {
        let FirstLookInputs {
            project,
            app,
            binding,
            ..
        } = inputs;
        let (pending, waits) = at_work.known(&locked).await?;
        drop(locked);
        let wanted = inputs.wanted(&pending);
        let waiting = waits.iter();
        let waiting = waiting.map(|wait| (&wait.connector, &wait.entry.connection_config));
        let wanted = wanted.chain(waiting.filter(|(name, _)| inputs.may_ask(name)));
        let observed = inputs.remote.observe_with(wanted).await?;
        let mut look = Self::of(around, inputs, (pending, observed, waits)).await?;
        let now = Now {
            observed: &look.observed.connectors,
            rules: &look.rules,
        };
        let place = (project, app, at_work.memory());
        let waits = waits::declared_only(around, look.waits, inputs.declared, &look.rules);
        look.waits = approved_only(around, place, binding, &now, waits).await?;
        waits::merge(&mut look.pending, app, &look.waits);
        let waits = |brought: &&mut Brought| brought.saved.receipt.waiting().next().is_some();
        if let Some(brought) = look.brought.as_mut().filter(waits) {
            let others = binding.other_stores(around, project, app).await?;
            let memories = with(at_work.memory(), &others);
            over::end(around, &memories, &now, &mut brought.saved.receipt).await?;
        }
        if let Some(brought) = &look.brought {
            receipt_approved(around, place, inputs.binding, &now, brought, &look.pending).await?;
        }
        Ok(look)
    }

    async fn of(
        around: &Around<'_>,
        inputs: FirstLookInputs<'_>,
        (pending, observed, waits): (PendingSet, Observed, Waits),
    ) -> Result<Self, Failure> {
        let FirstLookInputs { project, app, .. } = inputs;
        let rules = match inputs.declared {
            Some(files) => {
                rules_for_listed(project, inputs.remote, files, &observed.connectors).await?
            }
            None => rules(project),
        };
        let news = |connector: &ConnectorType| pending.get(app, connector).is_none();
        waits::tell(around, &waits, news);
        Ok(Self {
            pending,
            observed,
            waits,
            rules,
            brought: inputs.brought.cloned(),
        })
    }
}
