//! The windows of one address, shared by the processes of this machine through a file.

use std::{
    fmt,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use tokio_util::sync::CancellationToken;

use super::window::{PaceClass, Window, Windows};
use crate::fs::{self, Scratch};

/// The largest file that is read; what is longer is not ours.
const MAX_FILE: u64 = 1 << 20;
/// How long another process may hold the file.
const PATIENCE: Duration = Duration::from_millis(500);
/// Waits from this on are told.
const TOLD_FROM: Duration = Duration::from_secs(2);

/// A wait that a person should know of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// For what.
    pub class: PaceClass,
    /// How many of these calls are allowed in a minute; `None` if the server asked for silence.
    pub limit: Option<u32>,
    /// How long.
    pub time: Duration,
}

/// Tells of waits.
type Teller = Box<dyn Fn(&Wait) + Send + Sync>;

/// The pace of requests to one address. Clones share it.
#[derive(Clone)]
pub struct Pace {
    inner: Arc<Inner>,
}

struct Inner {
    file: Option<PathBuf>,
    multiplier: NonZeroU32,
    minute: Duration,
    teller: Option<Teller>,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    /// What this process knows; where there is a file, as it was last read.
    windows: Windows,
    /// Until when a wait was told of already, by class.
    told: std::collections::BTreeMap<PaceClass, u64>,
}

/// Why a call may not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// It would have to wait for so long, which is more than the command has left.
    TooLong(Duration),
    /// The run was interrupted while it waited.
    Cancelled,
}

/// A call that was counted.
#[derive(Debug)]
pub struct Slot {
    class: PaceClass,
    sent: u64,
}

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pace").field(&self.inner.file).finish()
    }
}

impl Pace {
    /// With the windows kept in this file, if any, and the subscription's multiplier. `minute` is the
    /// window: a minute, but for tests.
    pub fn new(file: Option<PathBuf>, multiplier: NonZeroU32, minute: Duration) -> Self {
        let inner = Inner {
            file,
            multiplier,
            minute,
            teller: None,
            memory: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The same, and waits are told of. For a pace that nobody shares yet.
    #[must_use]
    pub fn telling(self, teller: impl Fn(&Wait) + Send + Sync + 'static) -> Self {
        let Ok(inner) = Arc::try_unwrap(self.inner) else {
            unreachable!("a new pace has no clones");
        };
        let teller: Option<Teller> = Some(Box::new(teller));
        Self {
            inner: Arc::new(Inner { teller, ..inner }),
        }
    }

    /// Waits until a call of this class may be made, and counts it. Not longer than what is `left` of
    /// the command's time, nor once it is cancelled.
    pub async fn admit(
        &self,
        class: PaceClass,
        left: Option<Duration>,
        cancel: &CancellationToken,
    ) -> Result<Slot, NotAdmitted> {
        let began = std::time::Instant::now();
        loop {
            let limit = self.limit(class);
            let taken = self.with(class, move |window, now, minute| {
                window.take(limit, now, minute).map(|()| now)
            });
            let wait = match taken.await {
                Ok(sent) => return Ok(Slot { class, sent }),
                Err(wait) => Duration::from_millis(wait),
            };
            let left = left.map(|left| left.saturating_sub(began.elapsed()));
            if left.is_some_and(|left| left < wait) {
                return Err(NotAdmitted::TooLong(wait));
            }
            if cancel.is_cancelled() {
                return Err(NotAdmitted::Cancelled);
            }
            self.tell(Wait {
                class,
                limit,
                time: wait,
            });
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(NotAdmitted::Cancelled),
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// A call was answered: the server counted it no later than now.
    pub async fn answered(&self, slot: Slot) {
        let Slot { class, sent } = slot;
        if self.limit(class).is_none() {
            return;
        }
        self.with(class, move |window, now, _| window.answered(sent, now))
            .await;
    }

    /// The server refused a call of this class, and wants silence for so long.
    pub async fn refused(&self, class: PaceClass, wait: Duration) {
        let limit = self.limit(class);
        let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        self.with(class, move |window, now, minute| {
            window.refused(wait.min(10 * minute), limit, now, minute);
        })
        .await;
    }

    /// Says that a refused call waits for so long before it is made again.
    pub fn tell_refused(&self, class: PaceClass, time: Duration) {
        let limit = None;
        self.tell(Wait { class, limit, time });
    }

    /// How many calls of this class can be made without a wait.
    pub async fn allowed_now(&self, class: PaceClass) -> usize {
        let limit = self.limit(class);
        self.with(class, move |window, now, minute| {
            window.allowed_now(limit, now, minute)
        })
        .await
    }

    fn limit(&self, class: PaceClass) -> Option<u32> {
        let documented = class.documented()?;
        Some(documented.saturating_mul(self.inner.multiplier.get()))
    }

    fn tell(&self, wait: Wait) {
        let Some(teller) = &self.inner.teller else {
            return;
        };
        if wait.time < TOLD_FROM {
            return;
        }
        let until = now() + u64::try_from(wait.time.as_millis()).unwrap_or(u64::MAX);
        let mut memory = self.memory();
        let told = memory.told.entry(wait.class).or_default();
        // Of many calls that wait for the same, one is told of.
        if until <= told.saturating_add(1000) {
            return;
        }
        *told = until;
        drop(memory);
        teller(&wait);
    }

    fn memory(&self) -> std::sync::MutexGuard<'_, Memory> {
        let memory = &self.inner.memory;
        memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Works on a window: that of the file under its lock, else that of this process. What has no
    /// documented limit is this process's own matter: there may be thousands of such calls.
    async fn with<R: Send + 'static>(
        &self,
        class: PaceClass,
        work: impl FnOnce(&mut Window, u64, u64) -> R + Send + 'static,
    ) -> R {
        let minute = self.inner.minute.as_millis();
        let minute = u64::try_from(minute).unwrap_or(60_000).max(1);
        // The clocks of two machines do not tick alike.
        let minute = minute + minute / 240;
        let shared = self.inner.file.is_some() && class.documented().is_some();
        let pace = self.clone();
        let blocking = move || {
            let file = pace.inner.file.as_deref().filter(|_| shared);
            let mut scratch = file.and_then(open);
            let mut memory = pace.memory();
            if let Some(scratch) = &mut scratch {
                let own = memory.windows.remove(&PaceClass::Write);
                memory.windows = read(scratch);
                memory
                    .windows
                    .extend(own.map(|own| (PaceClass::Write, own)));
            }
            let window = memory.windows.entry(class).or_default();
            let result = work(window, now(), minute);
            if let Some(scratch) = &mut scratch {
                write(scratch, &memory.windows);
            }
            result
        };
        if !shared {
            return blocking();
        }
        fs::off_thread(blocking).await
    }
}

/// Opens the file for this process alone. What does not work is not needed: then this process paces
/// itself.
fn open(path: &Path) -> Option<Scratch> {
    let folder = path.parent()?;
    if !folder.is_dir() {
        fs::ensure_private_dir(folder).ok()?;
    }
    Scratch::open(path, PATIENCE)
        .inspect_err(|why| tracing::debug!(%why, "the pace is not shared"))
        .ok()
}

fn read(scratch: &mut Scratch) -> Windows {
    let bytes = scratch.read(MAX_FILE).unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn write(scratch: &mut Scratch, windows: &Windows) {
    let written = serde_json::to_vec(windows).map_err(std::io::Error::from);
    let written = written.and_then(|bytes| scratch.replace(&bytes));
    if let Err(why) = written {
        tracing::debug!(%why, "the pace is not shared");
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(file: Option<PathBuf>) -> Pace {
        Pace::new(file, NonZeroU32::MIN, Duration::from_millis(300))
    }

    fn go() -> CancellationToken {
        CancellationToken::new()
    }

    #[tokio::test]
    async fn two_that_share_a_file_share_the_allowance() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pace/x.json");
        let (one, other) = (pace(Some(file.clone())), pace(Some(file)));
        for _ in 0..5 {
            one.admit(PaceClass::Remove, None, &go()).await.unwrap();
            other.admit(PaceClass::Remove, None, &go()).await.unwrap();
        }
        assert_eq!(one.allowed_now(PaceClass::Remove).await, 0);
        let soon = Some(Duration::from_millis(1));
        assert!(other.admit(PaceClass::Remove, soon, &go()).await.is_err());
        assert!(other.admit(PaceClass::List, soon, &go()).await.is_ok());
        let began = std::time::Instant::now();
        other.admit(PaceClass::Remove, None, &go()).await.unwrap();
        assert!(began.elapsed() > Duration::from_millis(100));
    }

    #[tokio::test]
    async fn a_file_that_is_no_file_is_done_without() {
        let dir = tempfile::tempdir().unwrap();
        let pace = pace(Some(dir.path().to_owned()));
        for _ in 0..10 {
            pace.admit(PaceClass::Remove, None, &go()).await.unwrap();
        }
        assert_eq!(pace.allowed_now(PaceClass::Remove).await, 0);
    }

    #[tokio::test]
    async fn a_refusal_holds_all_back_and_a_long_wait_is_told_once() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&told);
        let pace = pace(None).telling(move |wait| heard.lock().unwrap().push(*wait));
        pace.refused(PaceClass::Write, Duration::from_mins(1)).await;
        assert_eq!(pace.allowed_now(PaceClass::Write).await, 0);
        let wait = pace
            .admit(PaceClass::Write, Some(Duration::ZERO), &go())
            .await;
        assert!(matches!(wait, Err(NotAdmitted::TooLong(wait)) if wait > Duration::from_secs(2)));
        let stop = go();
        stop.cancel();
        let wait = pace.admit(PaceClass::Write, None, &stop).await;
        assert_eq!(wait.unwrap_err(), NotAdmitted::Cancelled);
        for _ in 0..3 {
            pace.tell(Wait {
                class: PaceClass::Remove,
                limit: Some(10),
                time: Duration::from_secs(58),
            });
        }
        assert_eq!(told.lock().unwrap().len(), 1);
    }
}
