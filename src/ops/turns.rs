//! Lock and lease in turns: held while a link is asked for, and not while a person thinks.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use tokio::sync::Mutex;

use super::{Around, AtWork, PendingBefore};
use crate::{
    authorize::{NotNow, WriteTurns},
    escape, fs,
    model::ConnectorType,
    pending::SharedPending,
};

/// How long a person who wants a link waits for another connplan.
const PATIENCE: Duration = Duration::from_mins(1);

/// The turns of one session.
pub struct LeasedTurns<'a> {
    at_work: &'a AtWork,
    around: Around<'a>,
    before: Arc<PendingBefore>,
    file: Option<Arc<SharedPending>>,
    /// How many requests are under way, or about to be.
    writing: std::sync::Mutex<usize>,
    /// One at a time takes the lease.
    taking: Mutex<()>,
}

impl<'a> LeasedTurns<'a> {
    /// Turns for whoever has this lock and this lease. `before` is what waited when the session began, `file`
    /// what this machine keeps of it.
    pub fn new(
        at_work: &'a AtWork,
        around: Around<'a>,
        before: Arc<PendingBefore>,
        file: Option<Arc<SharedPending>>,
    ) -> Self {
        Self {
            at_work,
            around,
            before,
            file,
            writing: std::sync::Mutex::new(0),
            taking: Mutex::new(()),
        }
    }

    fn count(&self, change: impl Fn(usize) -> usize) {
        let mut writing = self
            .writing
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *writing = change(*writing);
        if *writing == 0 {
            self.at_work.pause();
        }
    }

    /// What another run or another machine did meanwhile is seen before anything is written.
    async fn enter(&self, connector: &ConnectorType) -> Result<(), NotNow> {
        let busy = |why: &dyn std::fmt::Display| {
            NotNow::Busy(escape::limited(
                &format!("no link was asked for: {why}"),
                400,
            ))
        };
        let taken = self.at_work.resume(&self.around, PATIENCE).await;
        taken.map_err(|failure| busy(&failure.report))?;
        let changed = |who: &str| {
            NotNow::Over(format!(
                "{who} has changed the pending authorization of {connector} in the meantime"
            ))
        };
        if let Some(file) = self.file.clone() {
            let connector = connector.clone();
            let moved = fs::off_thread(move || file.is_moved(&connector)).await;
            if moved.map_err(|e| busy(&e))? {
                return Err(changed("another run on this machine"));
            }
        }
        let (app, memory) = (self.at_work.app(), self.at_work.memory());
        let since = self.before.since(app, memory).await;
        let since = since.map_err(|e| busy(&e))?;
        if since.changed.contains(connector) {
            return Err(changed(if memory.is_shared() {
                "another machine"
            } else {
                "another run on this machine"
            }));
        }
        if self.before.is_revoked(app, connector, &since) {
            return Err(NotNow::Over(format!(
                "an approval of the plan that asked for {connector} was revoked in the meantime"
            )));
        }
        Ok(())
    }
}

impl WriteTurns for LeasedTurns<'_> {
    fn begin<'t>(&'t self, connector: &'t ConnectorType) -> LocalBoxFuture<'t, Result<(), NotNow>> {
        let begin = async move {
            let _one = self.taking.lock().await;
            // Counted first: whoever ends meanwhile must not give it back.
            self.count(|writing| writing + 1);
            let entered = self.enter(connector).await;
            if entered.is_err() {
                self.end();
            }
            entered
        };
        begin.boxed_local()
    }

    fn end(&self) {
        self.count(|writing| writing.saturating_sub(1));
    }
}
