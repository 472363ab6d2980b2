//! The binary in a pseudo-terminal, with somebody at the keys.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends at the first surprise"
)]

use std::{
    process::{Command, Stdio},
    sync::Mutex,
    thread,
    time::Duration,
};

use rexpect::{
    process::WaitStatus,
    session::{PtySession, spawn_command},
};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::Project;

/// Longer than anything takes on a busy machine, in milliseconds.
const PATIENCE: u64 = 20_000;

/// One fork at a time. A child has every terminal that another thread is just opening, and hangs on to
/// it. (Where the binary cannot be started, the child of `rexpect` ends with SIGABRT: it closes the
/// terminal by its number and once more on its way out.)
static FORK: Mutex<()> = Mutex::new(());

fn spawn(command: Command) -> PtySession {
    let _alone = FORK.lock();
    spawn_command(command, Some(PATIENCE)).unwrap()
}

/// A run in a terminal.
pub(crate) struct Pty {
    session: PtySession,
    seen: String,
}

impl Pty {
    /// Starts the binary with all three streams on a terminal.
    pub(crate) fn start(project: &Project, args: &[&str]) -> Self {
        let mut command = project.command(args);
        command.stdin(Stdio::inherit());
        let session = spawn(command);
        Self {
            session,
            seen: String::new(),
        }
    }

    /// Starts it by way of a shell: `$0` and `$@` are the command.
    pub(crate) fn through(project: &Project, script: &str, args: &[&str]) -> Self {
        let inner = project.command(args);
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", script])
            .arg(inner.get_program())
            .args(inner.get_args())
            .current_dir(project.root())
            .env_clear()
            .envs(project.environment());
        let session = spawn(command);
        Self {
            session,
            seen: String::new(),
        }
    }

    /// Gives the window another size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        let terminal = self.session.process().get_file_handle().unwrap();
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        tcsetwinsize(&terminal, size).unwrap();
    }

    /// Waits until this text has come.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) -> &mut Self {
        match self.session.exp_string(text) {
            Ok(before) => {
                self.seen.push_str(&before);
                self.seen.push_str(text);
            }
            Err(e) => panic!("no {text:?}: {e}\nbefore that: {}", self.seen),
        }
        self
    }

    /// Types a line.
    pub(crate) fn line(&mut self, line: &str) -> &mut Self {
        self.session.send_line(line).unwrap();
        self
    }

    /// Says no to all that may be asked, before it is asked.
    pub(crate) fn declining(mut self) -> Self {
        for _ in 0..24 {
            // One that has ended already asks nothing.
            let _ = self.session.send_line("no");
        }
        self
    }

    /// Presses keys; no line feed follows.
    pub(crate) fn press(&mut self, keys: &str) -> &mut Self {
        self.session.send(keys).unwrap();
        self.session.flush().unwrap();
        self
    }

    /// Presses Ctrl and a letter.
    pub(crate) fn control(&mut self, letter: char) -> &mut Self {
        self.session.send_control(letter).unwrap();
        self
    }

    /// Whether the terminal takes input line by line, as shells expect to find it.
    pub(crate) fn is_line_by_line(&self) -> bool {
        let terminal = self.session.process().get_file_handle().unwrap();
        let modes = tcgetattr(&terminal).unwrap();
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
        panic!("keys are never listened to: {}", self.seen);
    }

    /// Waits for the end; the exit code, and everything that was on the terminal.
    pub(crate) fn end(mut self) -> (i32, String) {
        match self.session.exp_eof() {
            Ok(rest) => self.seen.push_str(&rest),
            Err(e) => panic!("it does not end: {e}\nbefore that: {}", self.seen),
        }
        match self.session.process().wait().unwrap() {
            WaitStatus::Exited(_, code) => (code, self.seen.clone()),
            other => panic!("{other:?}: {}", self.seen),
        }
    }
}
