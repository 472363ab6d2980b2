//! The binary in a pseudo-terminal, with somebody at the keys.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

use std::{
    io::{Read as _, Write as _},
    process::{Child, Command},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use pty_process::blocking::{Pty as Terminal, open};
use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

use super::Project;

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// One terminal at a time: until it is marked as such, a child of another thread has it too, and hangs
/// on to it.
static FORK: Mutex<()> = Mutex::new(());

/// A run in a terminal.
pub(crate) struct Pty {
    terminal: Arc<Terminal>,
    child: Child,
    screen: Arc<Screen>,
    /// How much of it a test has waited for.
    passed: usize,
}

/// What came, and whether more can come. It is read as it comes: nobody waits for a test that looks later.
#[derive(Default)]
struct Screen {
    text: Mutex<(Vec<u8>, bool)>,
    more: Condvar,
}

impl Screen {
    fn fill(&self, mut terminal: &Terminal) {
        let mut buffer = [0; 4096];
        loop {
            // A terminal that nobody has open any more is an error on Linux.
            let read = terminal.read(&mut buffer).unwrap_or(0);
            let mut text = self.text.lock().unwrap();
            text.0.extend_from_slice(&buffer[..read]);
            text.1 = read == 0;
            self.more.notify_all();
            if text.1 {
                return;
            }
        }
    }

    /// What `found` finds in what has come, as soon as it does. An error has all that came.
    fn wait<T>(&self, found: impl Fn(&[u8], bool) -> Option<T>) -> Result<T, String> {
        let until = Instant::now() + PATIENCE;
        let mut text = self.text.lock().unwrap();
        loop {
            if let Some(found) = found(&text.0, text.1) {
                return Ok(found);
            }
            let left = until.saturating_duration_since(Instant::now());
            if text.1 || left.is_zero() {
                return Err(String::from_utf8_lossy(&text.0).into_owned());
            }
            text = self.more.wait_timeout(text, left).unwrap().0;
        }
    }

    fn so_far(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap().0).into_owned()
    }
}

/// None is said where both are 0.
fn size(rows: u16, columns: u16) -> Winsize {
    Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    }
}

impl Pty {
    fn spawn(command: Command, size: Winsize) -> Self {
        let (terminal, child) = {
            let _alone = FORK.lock();
            let (terminal, inside) = open().unwrap();
            tcsetwinsize(&terminal, size).unwrap();
            // What a test types is not shown, so that it finds only what the binary writes.
            let mut modes = tcgetattr(&inside).unwrap();
            modes.local_modes.remove(LocalModes::ECHO);
            tcsetattr(&inside, OptionalActions::Now, &modes).unwrap();
            let command = pty_process::blocking::Command::from(command);
            (Arc::new(terminal), command.spawn(inside).unwrap())
        };
        let screen = Arc::<Screen>::default();
        let (from, to) = (Arc::clone(&terminal), Arc::clone(&screen));
        thread::spawn(move || to.fill(&from));
        Self {
            terminal,
            child,
            screen,
            passed: 0,
        }
    }

    /// Starts the binary with all three streams on a terminal.
    pub(crate) fn start(project: &Project, args: &[&str]) -> Self {
        Self::spawn(project.command(args), size(0, 0))
    }

    /// The same, in a window of this size.
    pub(crate) fn sized(project: &Project, rows: u16, columns: u16, args: &[&str]) -> Self {
        Self::spawn(project.command(args), size(rows, columns))
    }

    /// Gives the window another size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        tcsetwinsize(&*self.terminal, size(rows, columns)).unwrap();
    }

    /// Waits until this text has come, after what was waited for before.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> &mut Self {
        let passed = self.passed;
        let found = self.screen.wait(|all, _| {
            let mut places = all[passed..].windows(text.len());
            let at = places.position(|place| place == text.as_bytes())?;
            Some(passed + at + text.len())
        });
        match found {
            Ok(end) => self.passed = end,
            Err(all) => panic!("no {text:?} after {passed} bytes of:\n{all}"),
        }
        self
    }

    /// Types a line.
    pub(crate) fn line(&mut self, line: &str) -> &mut Self {
        self.press(&format!("{line}\n"))
    }

    /// Says no to all that may be asked, before it is asked.
    pub(crate) fn declining(self) -> Self {
        // One that has ended already asks nothing.
        let _ = (&*self.terminal).write_all("no\n".repeat(24).as_bytes());
        self
    }

    /// Presses keys; no line feed follows.
    pub(crate) fn press(&mut self, keys: &str) -> &mut Self {
        (&*self.terminal).write_all(keys.as_bytes()).unwrap();
        self
    }

    /// Presses Ctrl and a letter.
    pub(crate) fn control(&mut self, letter: char) -> &mut Self {
        let key = u8::try_from(letter.to_ascii_uppercase()).unwrap() - b'@';
        self.press(&char::from(key).to_string())
    }

    /// Whether the terminal takes input line by line, as shells expect to find it.
    pub(crate) fn is_line_by_line(&self) -> bool {
        let modes = tcgetattr(&*self.terminal).unwrap();
        modes.local_modes.contains(LocalModes::ICANON)
    }

    /// Waits until keys are read one by one.
    pub(crate) fn wait_for_keys(&mut self) -> &mut Self {
        for _ in 0..500 {
            if !self.is_line_by_line() {
                return self;
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("keys are never listened to: {}", self.screen.so_far());
    }

    /// Waits for the end; the exit code, and everything that was on the terminal.
    pub(crate) fn end(mut self) -> (i32, String) {
        if let Err(all) = self.screen.wait(|_, ended| ended.then_some(())) {
            panic!("it does not end: {all}");
        }
        let (status, all) = (self.child.wait().unwrap(), self.screen.so_far());
        let code = status.code();
        (code.unwrap_or_else(|| panic!("{status}: {all}")), all)
    }
}

impl Drop for Pty {
    /// One that a failed test leaves behind ends with it.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
