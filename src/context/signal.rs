//! Ctrl-C, SIGTERM and a terminal that went away.
//!
//! The first one ends a run that has only looked at once. A run says before its first write that it writes: then
//! the first one cancels its token, what is under way finishes, and the second one ends the run at once.

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

const LOOKED: &str = "Interrupted: nothing was changed on the app. Run the same command again.";
const AT_ONCE: &str = "Stopped at once: what was under way may have been done. Run the same \
                       command again: it checks, and continues.";
const WROTE: &str = "Interrupted: what was asked for may have been done. Run the same command \
                     again: it checks, and continues.";

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Looks,
    Writes,
    /// It wrote, and may be ended as one that looks.
    Wrote,
    /// It ends by itself: what is left is to tell of it.
    Tells,
}

/// What signals do to this run.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    token: CancellationToken,
    phase: Arc<Mutex<Phase>>,
    first: Arc<Mutex<Option<ExitStatus>>>,
    cut: Arc<AtomicBool>,
    account: Arc<Mutex<Vec<String>>>,
    asked: Arc<Notify>,
    answers: Arc<AtomicUsize>,
}

impl Signals {
    /// A token that the first signal cancels; from now on the run does not end at once.
    pub fn graceful(&self) -> CancellationToken {
        *self.phase() = Phase::Writes;
        self.token.clone()
    }

    /// The same for as long as the value lives.
    #[must_use]
    pub fn writing(&self) -> Writing<'_> {
        self.graceful();
        Writing(self)
    }

    /// Whoever took the token writes nothing any more.
    pub fn tells(&self) {
        let mut phase = self.phase();
        if *phase == Phase::Writes {
            *phase = Phase::Tells;
        }
    }

    fn phase(&self) -> MutexGuard<'_, Phase> {
        self.phase.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the run writes.
    pub fn are_held(&self) -> bool {
        *self.phase() == Phase::Writes
    }

    /// Ends a run from outside it, with what is to be said of it; one that writes only at once. Meanwhile it cannot
    /// begin to write.
    pub fn end(&self, at_once: bool, end: impl FnOnce(String)) {
        let phase = self.phase();
        if at_once || *phase != Phase::Writes {
            end(self.told(*phase));
        }
    }

    fn told(&self, phase: Phase) -> String {
        match phase {
            Phase::Looks => LOOKED.to_owned(),
            Phase::Writes => AT_ONCE.to_owned(),
            Phase::Wrote | Phase::Tells => self.accounts(),
        }
    }

    /// Whether the run hears what comes: one that computes, or waits for the system, does not. Takes that long.
    pub fn are_heard_within(&self, time: Duration) -> bool {
        let before = self.answers.load(Ordering::Relaxed);
        self.asked.notify_one();
        std::thread::sleep(time);
        self.answers.load(Ordering::Relaxed) != before
    }

    /// Tells each signal, heard beside the run on a thread of its own. Comes back where the system tells of none.
    pub fn each_apart(mut tell: impl FnMut(ExitStatus)) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let Ok(runtime) = runtime.enable_io().build() else {
            return;
        };
        runtime.block_on(async {
            if let Ok(mut listener) = Listener::new() {
                loop {
                    tell(listener.next().await);
                }
            }
        });
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
    pub fn cut(&self) -> Option<String> {
        let is_cut = self.cut.load(Ordering::Relaxed);
        is_cut.then(|| self.told(*self.phase()))
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
        self.cut().is_none().then(|| self.accounts())
    }

    fn accounts(&self) -> String {
        let account = self.account.lock().map(|account| account.join("; "));
        match account.ok().filter(|account| !account.is_empty()) {
            None => WROTE.to_owned(),
            Some(account) => format!("Interrupted: {account}."),
        }
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
                    let graceful = matches!(*self.phase(), Phase::Writes | Phase::Tells);
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

/// A run that writes.
#[derive(Debug)]
pub struct Writing<'a>(&'a Signals);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        *self.0.phase() = Phase::Wrote;
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
