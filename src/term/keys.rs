//! Keys, one by one: held for as long as a list is shown, and waiting for Esc while something else goes on.

use tokio::sync::mpsc;

/// Listens for the Esc key. The terminal is put back as it was when this value is dropped.
#[derive(Debug)]
pub struct EscapeKey {
    presses: mpsc::Receiver<()>,
    #[cfg(unix)]
    _watch: unix::Watch,
}

impl EscapeKey {
    /// Starts to listen; `None` where there is no terminal to listen to.
    #[cfg(unix)]
    pub fn listen() -> Option<Self> {
        let (sender, presses) = mpsc::channel(4);
        unix::Watch::start(sender).map(|watch| Self {
            presses,
            _watch: watch,
        })
    }

    /// Esc is not listened to on this system; Ctrl-C ends the wait.
    #[cfg(not(unix))]
    pub fn listen() -> Option<Self> {
        None
    }

    /// Waits for the next press; for ever, if there will be none.
    pub async fn pressed(&mut self) {
        if self.presses.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Holds the terminal key by key, without an echo, until this value is dropped. Ctrl-C stays a signal.
///
/// `console` does so for each key that it reads and no longer. What somebody types in between would be edited
/// as a line: a Backspace would be lost.
#[derive(Debug)]
pub(super) struct KeyByKey {
    #[cfg(unix)]
    _held: Option<unix::KeyByKey>,
}

impl KeyByKey {
    /// Does nothing where there is no terminal to hold.
    pub(super) fn hold() -> Self {
        Self {
            #[cfg(unix)]
            _held: unix::KeyByKey::hold(),
        }
    }
}

/// Puts a terminal that somebody holds back as it was: the process ends.
pub fn let_go() {
    #[cfg(unix)]
    if unix::let_go() {
        let _ = console::Term::stderr().show_cursor();
    }
}

#[cfg(unix)]
mod unix {
    use std::{
        os::fd::AsFd,
        sync::{
            Arc, Mutex, PoisonError,
            atomic::{AtomicBool, Ordering},
        },
        thread,
    };

    use rustix::{
        event::{PollFd, PollFlags, Timespec, poll},
        io::read,
        stdio::stdin,
        termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr},
    };
    use tokio::sync::mpsc;

    /// The terminal as it was, while somebody holds it.
    static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

    #[derive(Debug)]
    pub(super) struct KeyByKey(());

    pub(super) fn let_go() -> bool {
        let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
        // A terminal that went away needs no repair.
        let repaired = before.map(|before| tcsetattr(stdin(), OptionalActions::Now, &before));
        repaired.is_some()
    }

    impl KeyByKey {
        pub(super) fn hold() -> Option<Self> {
            let before = tcgetattr(stdin()).ok()?;
            let mut held = before.clone();
            held.local_modes
                .remove(LocalModes::ICANON | LocalModes::ECHO);
            tcsetattr(stdin(), OptionalActions::Now, &held).ok()?;
            *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
            Some(Self(()))
        }
    }

    impl Drop for KeyByKey {
        fn drop(&mut self) {
            let_go();
        }
    }

    /// A thread that reads the keys. It ends before the terminal is let go.
    #[derive(Debug)]
    pub(super) struct Watch {
        stop: Arc<AtomicBool>,
        thread: Option<thread::JoinHandle<()>>,
        _keys: KeyByKey,
    }

    impl Watch {
        pub(super) fn start(sender: mpsc::Sender<()>) -> Option<Self> {
            let keys = KeyByKey::hold()?;
            let stop = Arc::new(AtomicBool::new(false));
            let seen = Arc::clone(&stop);
            let thread = thread::spawn(move || {
                while !seen.load(Ordering::Relaxed) {
                    if !wait(100) {
                        continue;
                    }
                    let mut keys = [0_u8; 64];
                    let Ok(count @ 1..) = read(stdin(), &mut keys) else {
                        return;
                    };
                    // A lone Esc; arrow and function keys begin with one and go on.
                    if count == 1
                        && keys.first() == Some(&0x1b)
                        && sender.blocking_send(()).is_err()
                    {
                        return;
                    }
                }
            });
            Some(Self {
                stop,
                thread: Some(thread),
                _keys: keys,
            })
        }
    }

    /// Whether there is input within so many milliseconds.
    fn wait(milliseconds: i64) -> bool {
        let input = stdin();
        let mut polled = [PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN)];
        let limit = Timespec {
            tv_sec: 0,
            tv_nsec: milliseconds * 1_000_000,
        };
        poll(&mut polled, Some(&limit)).is_ok_and(|ready| ready > 0)
    }

    impl Drop for Watch {
        fn drop(&mut self) {
            self.stop.store(true, Ordering::Relaxed);
            if let Some(thread) = self.thread.take() {
                // It only reads keys; it has nothing to report.
                let _ = thread.join();
            }
        }
    }
}
