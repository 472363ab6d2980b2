//! What this machine and its team know to wait, under lock and lease. The disk is never waited for on the
//! thread that sends requests.

use std::sync::Arc;

use super::{Around, AtWork, stale::forget_stale};
use crate::{
    context::Failure,
    diff::{Action, ConsentNeed},
    fs,
    model::{App, ConnectorType},
    pending::{LocalPending, PendingSet},
    plan::Plan,
    state::Locked,
    store::Waits,
};

/// What this machine knows to wait.
pub async fn own(locked: &Arc<Locked>) -> Result<PendingSet, Failure> {
    let locked = Arc::clone(locked);
    Ok(fs::off_thread(move || LocalPending::load(&locked)).await?)
}

/// Makes this all that this machine knows to wait.
pub(super) async fn save(locked: &Arc<Locked>, own: &PendingSet) -> Result<(), Failure> {
    let (locked, own) = (Arc::clone(locked), own.clone());
    Ok(fs::off_thread(move || LocalPending::save(&locked, &own)).await?)
}

/// Takes out what the remote has in force as declared: somebody consented, and nobody waits. Left
/// in, it would hide that the connector breaks or goes one day.
pub(super) fn forget_done(pending: &mut PendingSet, app: &App, plan: &Plan) -> bool {
    let in_force = plan.changes().filter(|change| {
        // What a consent left out stays known.
        change.action == Action::NoOp
            && change.authorization == ConsentNeed::None
            && change.dropped.is_empty()
    });
    let forgotten = in_force.filter(|change| pending.remove(app, &change.connector));
    forgotten.count() > 0
}

impl AtWork {
    /// What waits here and what waits elsewhere. What is over by the team's word is forgotten here.
    pub async fn known(&self, locked: &Arc<Locked>) -> Result<(PendingSet, Waits), Failure> {
        let mut own = own(locked).await?;
        let waits = self.waits(&own).await?;
        if forget_stale(&mut own, self.app(), &waits) {
            save(locked, &own).await?;
        }
        Ok((own, waits))
    }

    /// Forgets what waits for these, here and in the team's memory; nothing, if one of them is known to
    /// nobody, which is then named.
    pub async fn forget(
        &self,
        around: &Around<'_>,
        locked: &Arc<Locked>,
        connectors: &[ConnectorType],
    ) -> Result<Option<ConnectorType>, Failure> {
        let mut own = own(locked).await?;
        // What other machines asked for is known to the store alone.
        let waits = self.waits(&own).await?;
        forget_stale(&mut own, self.app(), &waits);
        for connector in connectors {
            if !own.remove(self.app(), connector) && waits.get(connector).is_none() {
                return Ok(Some(connector.clone()));
            }
        }
        save(locked, &own).await?;
        self.forgotten(around, connectors.to_vec()).await;
        Ok(None)
    }
}
