//! The lock of an app in turns: held while something is written, free while a person decides.

use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use super::{AppState, Locked, StateError};

/// How an app's lock is taken. While one part of this process has it, the others have it too.
#[derive(Debug)]
pub struct AppLock {
    state: AppState,
    holder: String,
    held: Mutex<Weak<Locked>>,
}

impl AppLock {
    /// How long a write waits for another process: what others write in their turns takes a moment.
    pub const MOMENT: Duration = Duration::from_secs(1);

    /// The app's lock, not taken yet. `holder` tells others who has it.
    pub fn new(state: &AppState, holder: String) -> Self {
        Self {
            state: state.clone(),
            holder,
            held: Mutex::default(),
        }
    }

    /// Takes the lock, or has it with those who have it; waits at most so long. It is free once all of them
    /// have dropped it.
    pub fn take(&self, timeout: Duration) -> Result<Arc<Locked>, StateError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(locked) = held.upgrade() {
            return Ok(locked);
        }
        let locked = Arc::new(self.state.lock(timeout, &self.holder)?);
        *held = Arc::downgrade(&locked);
        Ok(locked)
    }
}
