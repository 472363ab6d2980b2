//! Ctrl-C, SIGTERM and a terminal that went away.
//!
//! The first one ends a command that only reads at once. A command that writes asks for a token
//! beforehand: then the first one cancels that token, what is under way finishes, and the second
//! one ends the run at once.

use std::{
    future::Future,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::exit::{ExitStatus, Failure};

const AT_ONCE: &str = "Stopped at once: what was under way may have been done. Run the same \
                       command again: it checks, and continues.";
const WROTE: &str = "Interrupted: what was asked for may have been done. Run the same command \
                     again: it checks, and continues.";

/// What signals do to this run.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    token: CancellationToken,
    graceful: Arc<Mutex<bool>>,
    first: Arc<Mutex<Option<ExitStatus>>>,
    cut: Arc<AtomicBool>,
    account: Arc<Mutex<Vec<String>>>,
    asked: Arc<Notify>,
    answers: Arc<AtomicUsize>,
}

impl Signals {
    /// What is said of a run that had written nothing.
    pub const LOOKED: &str =
        "Interrupted: nothing was changed on the app. Run the same command again.";

    /// A token that the first signal cancels; from now on the run does not end at once.
    pub fn graceful(&self) -> CancellationToken {
        *self.is_graceful() = true;
        self.token.clone()
    }

    fn is_graceful(&self) -> MutexGuard<'_, bool> {
        self.graceful.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends a run from outside it, unless it asked for its token; meanwhile it cannot.
    pub fn unless_graceful(&self, end: impl FnOnce()) {
        let graceful = self.is_graceful();
        if !*graceful {
            end();
        }
    }

    /// Whether the run hears what comes: one that computes, or waits for the system, does not. Takes that long.
    pub fn are_heard_within(&self, time: Duration) -> bool {
        let before = self.answers.load(Ordering::Relaxed);
        self.asked.notify_one();
        std::thread::sleep(time);
        self.answers.load(Ordering::Relaxed) != before
    }

    /// The next signal, heard beside the run on a thread of its own. None where the system tells of none.
    pub fn next_apart() -> Option<ExitStatus> {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_io().build().ok()?;
        runtime.block_on(async { Some(Listener::new().ok()?.next().await) })
    }

    /// That token, for what ends its waits by it; what the signal does to the run stays as it is.
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Comes back once the first signal came to a run that does not end at once.
    pub async fn cancelled(&self) {
        self.token.cancelled().await;
    }

    /// The status that the first signal calls for, if there was one.
    pub fn status(&self) -> Option<ExitStatus> {
        self.first.lock().ok().and_then(|first| *first)
    }

    /// What is said of a run that was ended where it was, so that it could not say itself how far it
    /// came.
    pub fn cut(&self) -> Option<&'static str> {
        let words = if *self.is_graceful() {
            AT_ONCE
        } else {
            Self::LOOKED
        };
        self.cut.load(Ordering::Relaxed).then_some(words)
    }

    /// What a run that does not end at once did and did not do: said at its end if a signal came,
    /// whenever that was. Part by part, without a full stop.
    pub fn account(&self, part: String) {
        if let Ok(mut account) = self.account.lock() {
            account.push(part);
        }
    }

    /// The one line of a run that a signal came to and that was not cut.
    pub fn account_line(&self) -> Option<String> {
        self.status()?;
        if self.cut().is_some() {
            return None;
        }
        let account = self.account.lock().ok()?;
        Some(if account.is_empty() {
            WROTE.to_owned()
        } else {
            format!("Interrupted: {}.", account.join("; "))
        })
    }

    /// Runs a command under these rules.
    pub async fn guard(
        &self,
        command: impl Future<Output = Result<ExitStatus, Failure>>,
        say: impl Fn(&str),
    ) -> Result<ExitStatus, Failure> {
        let Ok(mut listener) = Listener::new() else {
            // Without handlers the system's own ones end the run, which is safe: see the journal.
            return command.await;
        };
        tokio::pin!(command);
        loop {
            tokio::select! {
                ended = &mut command => return ended,
                () = self.asked.notified() => {
                    self.answers.fetch_add(1, Ordering::Relaxed);
                }
                status = listener.next() => {
                    let graceful = *self.is_graceful();
                    let second = self.status().is_some();
                    if let Ok(mut first) = self.first.lock() {
                        first.get_or_insert(status);
                    }
                    if second || !graceful {
                        self.cut.store(true, Ordering::Relaxed);
                        say(&format!("\n{}", self.cut().unwrap_or_default()));
                        return Ok(status);
                    }
                    self.token.cancel();
                    say("\nInterrupted: nothing new is started; what is under way finishes. \
                         Interrupt again to stop at once.");
                }
            }
        }
    }
}

#[cfg(unix)]
struct Listener {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Listener {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> ExitStatus {
        tokio::select! {
            _ = self.interrupt.recv() => ExitStatus::Interrupted,
            _ = self.terminate.recv() => ExitStatus::Terminated,
            _ = self.hang_up.recv() => ExitStatus::HungUp,
        }
    }
}

#[cfg(not(unix))]
struct Listener;

#[cfg(not(unix))]
impl Listener {
    #[expect(clippy::unnecessary_wraps, reason = "it can fail on other systems")]
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> ExitStatus {
        match tokio::signal::ctrl_c().await {
            Ok(()) => ExitStatus::Interrupted,
            Err(_) => std::future::pending().await,
        }
    }
}
