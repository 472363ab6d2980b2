//! What surrounds an op, and who listens to it.

use std::{fmt, sync::Arc, time::Duration};

use super::{Listener, OpEvent};
use crate::{
    context::{Context, Failure},
    escape,
    fs::{self, LockError},
    state::{AppLock, AppState, Locked, StateError},
    store::By,
};

/// The process; an op prints nothing on its terminal.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// What surrounds the run.
    pub context: &'a Context,
    /// Told what happens.
    pub listener: &'a dyn Listener,
}

impl fmt::Debug for Around<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around").finish_non_exhaustive()
    }
}

impl Around<'_> {
    /// Tells the listener.
    pub(super) fn tell(&self, event: &OpEvent<'_>) {
        self.listener.event(event);
    }

    pub(super) fn warn(&self, why: impl fmt::Display) {
        self.tell(&OpEvent::Warning(why.to_string()));
    }

    fn user(&self) -> Option<&str> {
        let vars = &self.context.vars;
        vars.get("USER").or_else(|| vars.get("USERNAME"))
    }

    /// The first part of the machine's name.
    #[cfg_attr(
        unix,
        expect(clippy::unused_self, reason = "elsewhere a variable tells it")
    )]
    fn machine(&self) -> Option<String> {
        #[cfg(unix)]
        let name = rustix::system::uname();
        #[cfg(unix)]
        let name = name.nodename().to_str().ok();
        #[cfg(not(unix))]
        let name = self.context.vars.get("COMPUTERNAME");
        let name = name?.split('.').next().unwrap_or_default();
        (!name.is_empty()).then(|| escape::limited(name, 64))
    }

    /// Who does it, for the team.
    pub(super) fn by(&self) -> By {
        let run = self.context.origin().and_then(|origin| origin.run_url);
        let account = self.context.acting.borrow();
        let account = account.as_deref();
        // Some systems call their users by their address.
        let user = self.user().map(|user| user.split('@').next());
        By {
            account: account.map(|account| escape::limited(account, 120)),
            user: user.map(|user| escape::limited(user.unwrap_or_default(), 64)),
            run: run.map(|run| escape::limited(&run, 200)),
            machine: self.machine(),
        }
    }

    /// Who holds a lock, for others to read.
    fn holder(&self, doing: &str) -> String {
        let who = By {
            run: None,
            ..self.by()
        };
        format!(
            "connplan {doing}, {}, process {}, since {}",
            who.shown(),
            std::process::id(),
            self.context.now()
        )
    }

    /// The app's lock, not taken yet.
    pub(super) fn lock_of(&self, state: &AppState, doing: &str) -> Arc<AppLock> {
        Arc::new(AppLock::new(state, self.holder(doing)))
    }

    /// Takes the app's lock, and tells what was not private. Waiting for it leaves signals alone.
    pub(super) async fn lock(
        &self,
        lock: &Arc<AppLock>,
        timeout: Duration,
    ) -> Result<Arc<Locked>, Failure> {
        let take = |timeout| {
            let lock = Arc::clone(lock);
            fs::off_thread(move || lock.take(timeout))
        };
        // Somebody else's turn may end in a moment.
        let locked = match take(AppLock::MOMENT).await {
            Err(StateError::Lock(LockError::Held { holder, .. })) if timeout > AppLock::MOMENT => {
                self.tell(&OpEvent::WaitingFor(&holder));
                take(timeout).await?
            }
            other => other?,
        };
        self.tell(&OpEvent::Insecure(locked.insecure()));
        Ok(locked)
    }
}
