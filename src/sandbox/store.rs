//! The running sandbox's state: changed under a lock, on disk before anyone is told.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{limits::LimitsLog, requests::Requests, state::State};
use crate::fs::{self, Destination, FsError, Lock};

/// What every handler works on.
pub(super) struct Store {
    /// `http://127.0.0.1:PORT`.
    pub(super) base: String,
    /// Waited before every answer of the API.
    pub(super) latency: Duration,
    pub(super) requests: Requests,
    pub(super) limits: LimitsLog,
    /// How many times as fast as the real clock the sandbox's runs.
    pub(super) speed: u32,
    started_ms: i64,
    inner: Mutex<Inner>,
    file: Option<StateFile>,
}

struct Inner {
    state: State,
    /// Grows with every change.
    revision: u64,
}

/// Where the state is kept.
pub(super) struct StateFile {
    /// Its folder is open from the start on: what is put in its place later leads nobody there.
    to: Arc<Destination>,
    /// Held while writing, so that an older state never overwrites a newer one. `None` once the
    /// sandbox has stopped: the file is another's then.
    open: tokio::sync::Mutex<Option<Open>>,
}

struct Open {
    /// The revision on disk.
    written: u64,
    // Two sandboxes on one file would undo each other's changes.
    _lock: Lock,
}

impl StateFile {
    pub(super) fn new(path: &Path, lock: Lock) -> Result<Self, FsError> {
        let to = Arc::new(fs::destination(path, |_| None)?);
        let open = Open {
            written: 0,
            _lock: lock,
        };
        let open = tokio::sync::Mutex::new(Some(open));
        Ok(Self { to, open })
    }
}

impl Store {
    pub(super) fn new(
        base: String,
        latency: Duration,
        speed: u32,
        state: State,
        file: Option<StateFile>,
    ) -> Self {
        Self {
            base,
            latency,
            requests: Requests::default(),
            limits: LimitsLog::default(),
            speed: speed.max(1),
            started_ms: jiff::Timestamp::now().as_millisecond(),
            inner: Mutex::new(Inner { state, revision: 1 }),
            file,
        }
    }

    /// The sandbox's time.
    fn now_ms(&self, state: &State) -> i64 {
        let real = jiff::Timestamp::now().as_millisecond();
        let since = real.saturating_sub(self.started_ms);
        let ahead = since.saturating_mul(i64::from(self.speed) - 1);
        real.saturating_add(ahead)
            .saturating_add(state.clock_ahead_ms)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // After a panic in one handler the others still have a state worth serving.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the state, together with the sandbox's time.
    pub(super) fn read<R>(&self, look: impl FnOnce(&State, i64) -> R) -> R {
        let inner = self.lock();
        let now = self.now_ms(&inner.state);
        look(&inner.state, now)
    }

    /// Changes the state; when this returns `Ok`, the change is on disk.
    pub(super) async fn change<R, E: From<FsError>>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut State, i64) -> Result<R, E>,
    ) -> Result<R, E> {
        let result = {
            let mut inner = self.lock();
            let now = self.now_ms(&inner.state);
            inner.revision += 1;
            change(&mut inner.state, now)?
        };
        self.flush().await?;
        Ok(result)
    }

    /// Writes the state if it changed since it was written.
    pub(super) async fn flush(self: &Arc<Self>) -> Result<(), FsError> {
        if self.file.is_none() {
            return Ok(());
        }
        // A task of its own: a client that hangs up must not end a write half way.
        let store = Arc::clone(self);
        let lost = |e| FsError::io("write", "the sandbox's state", std::io::Error::other(e));
        tokio::spawn(async move { store.write().await })
            .await
            .map_err(lost)?
    }

    async fn write(&self) -> Result<(), FsError> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let failed = |e| FsError::io("write", file.to.path(), e);
        let mut open = file.open.lock().await;
        let Some(open) = open.as_mut() else {
            return Err(failed(std::io::Error::other("the sandbox has stopped")));
        };
        let (bytes, revision) = {
            let inner = self.lock();
            if inner.revision == open.written {
                // Another change took this one along.
                return Ok(());
            }
            (serde_json::to_vec_pretty(&inner.state), inner.revision)
        };
        let to = Arc::clone(&file.to);
        let bytes = bytes.map_err(|e| failed(e.into()))?;
        fs::off_thread(move || to.write_private(&bytes)).await?;
        open.written = revision;
        Ok(())
    }

    /// Writes for the last time and gives the file free. A client that still hangs on can change
    /// nothing any more.
    pub(super) async fn close(self: &Arc<Self>) -> Result<(), FsError> {
        let written = self.flush().await;
        if let Some(file) = &self.file {
            file.open.lock().await.take();
        }
        written
    }
}
