//! Standard output for data, standard error for everything said to a person on the way.

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use console::Term;
use indicatif::{ProgressBar, ProgressStyle};

use super::wrap;
use crate::{escape::mask_accounts, model::Vars};

/// How many columns standard output has; `None` where it is not a terminal.
pub fn columns() -> Option<usize> {
    io::stdout().is_terminal().then(stdout_columns)
}

fn stdout_columns() -> usize {
    usize::from(Term::stdout().size().1).max(20)
}

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless the environment says otherwise.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The three streams, probed once.
#[derive(Debug)]
pub struct Terminal {
    stdout_tty: bool,
    stderr_tty: bool,
    color_stdout: bool,
    color_stderr: bool,
    interactive: bool,
    dumb: bool,
    still: bool,
    quiet: bool,
    prose: bool,
    mask_stdout: bool,
    mask_stderr: bool,
    // A line that moves; whatever is written steps around it.
    progress: Mutex<Option<ProgressBar>>,
    // Writing may fail for reasons that a user has to know (a full disk behind a redirection); a
    // reader that went away is none.
    failed: Mutex<Option<io::Error>>,
    // Whether anything went to standard output.
    has_output: AtomicBool,
}

impl Terminal {
    /// Looks at the streams and the environment.
    pub fn probe(vars: &Vars, color: ColorChoice, no_input: bool, quiet: bool) -> Self {
        let stdout_tty = io::stdout().is_terminal();
        let stderr_tty = io::stderr().is_terminal();
        let interactive = io::stdin().is_terminal() && stderr_tty && !vars.ci() && !no_input;
        let colored = |is_terminal: bool| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if vars.get("NO_COLOR").is_some() => false,
            ColorChoice::Auto => match vars.get("CLICOLOR_FORCE").or(vars.get("FORCE_COLOR")) {
                Some(force) if force != "0" && force != "false" => true,
                _ => is_terminal && vars.get("TERM") != Some("dumb"),
            },
        };
        Self {
            stdout_tty,
            stderr_tty,
            color_stdout: colored(stdout_tty),
            color_stderr: colored(stderr_tty),
            interactive,
            dumb: vars.get("TERM").is_none_or(|term| term == "dumb") && cfg!(unix),
            still: false,
            quiet,
            prose: false,
            mask_stdout: false,
            mask_stderr: false,
            progress: Mutex::new(None),
            failed: Mutex::new(None),
            has_output: AtomicBool::new(false),
        }
    }

    /// Whether questions may be asked: standard input and standard error are a terminal, `CI` is
    /// not set, and `--no-input` was not given.
    pub fn is_interactive(&self) -> bool {
        self.interactive
    }

    /// Without lines that move: something else writes to standard error.
    #[must_use]
    pub fn still(self) -> Self {
        Self {
            still: true,
            ..self
        }
    }

    /// What goes to standard output is for a person: on a terminal it is broken at words.
    #[must_use]
    pub fn prose(self) -> Self {
        Self {
            prose: true,
            ..self
        }
    }

    /// Masks e-mail addresses in whatever is written: in standard error, and in standard output where
    /// that is not a document for programs.
    #[must_use]
    pub fn masking(self, stdout: bool) -> Self {
        Self {
            mask_stdout: stdout,
            mask_stderr: true,
            ..self
        }
    }

    /// Whether e-mail addresses are masked on standard output.
    pub fn masks_stdout(&self) -> bool {
        self.mask_stdout
    }

    /// Whether they are on standard error.
    pub fn masks_stderr(&self) -> bool {
        self.mask_stderr
    }

    /// Whether the terminal cannot move its cursor.
    pub fn is_dumb(&self) -> bool {
        self.dumb
    }

    /// Whether a line that moves is of use: a person looks, and wants to know.
    pub fn shows_progress(&self) -> bool {
        self.stderr_is_terminal() && !self.dumb && !self.still && !self.quiet
    }

    /// Shows a line that moves, until the guard is dropped. Nothing where nobody sees it move.
    pub fn progress(&self, text: &str) -> ProgressGuard<'_> {
        if self.shows_progress()
            && let Ok(mut progress) = self.progress.lock()
            && progress.is_none()
        {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
                bar.set_style(style);
            }
            bar.set_message(text.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            *progress = Some(bar);
        }
        ProgressGuard { terminal: self }
    }

    /// Writes around the line that moves.
    fn around(&self, write: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let bar = self.progress.lock().ok().and_then(|bar| bar.clone());
        match bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    /// Whether standard error goes to a person rather than to a log.
    pub fn stderr_is_terminal(&self) -> bool {
        self.stderr_tty
    }

    /// Whether standard output takes colour.
    pub fn color_stdout(&self) -> bool {
        self.color_stdout
    }

    /// Whether standard error takes colour.
    pub fn color_stderr(&self) -> bool {
        self.color_stderr
    }

    /// How many columns standard error has; 80 where nobody knows.
    pub fn width(&self) -> usize {
        self.columns_stderr().unwrap_or(80)
    }

    /// How many columns standard error has; `None` where it is not a terminal, and nothing is to be
    /// wrapped.
    pub fn columns_stderr(&self) -> Option<usize> {
        self.stderr_tty
            .then(|| usize::from(Term::stderr().size().1).max(20))
    }

    /// How many columns standard output has; `None` where it is not a terminal, and nothing is to be
    /// wrapped.
    pub fn columns(&self) -> Option<usize> {
        self.stdout_tty.then(stdout_columns)
    }

    /// Writes data to standard output.
    pub fn out(&self, text: &str) {
        // Masked first: what is broken in two would not be found.
        let text = masked(text, self.mask_stdout);
        match self.columns().filter(|_| self.prose) {
            Some(columns) => self.verbatim(&wrap(&text, columns)),
            None => self.verbatim(&text),
        }
    }

    /// Writes to standard output what is never broken: the lines of a file.
    pub fn verbatim(&self, text: &str) {
        let text = masked(text, self.mask_stdout);
        self.has_output.store(true, Ordering::Relaxed);
        self.keep(self.around(|| write(&mut io::stdout().lock(), &text)));
    }

    /// Whether anything went to standard output.
    pub fn has_output(&self) -> bool {
        self.has_output.load(Ordering::Relaxed)
    }

    /// Says something to a person, on standard error; not with `-q`.
    pub fn say(&self, text: &str) {
        if !self.quiet {
            self.insist(text);
        }
    }

    /// Says something that has to be said even with `-q`: errors, warnings, links.
    pub fn insist(&self, text: &str) {
        let text = masked(text, self.mask_stderr);
        match self.columns_stderr() {
            Some(columns) => self.insist_verbatim(&wrap(&text, columns)),
            None => self.insist_verbatim(&text),
        }
    }

    /// As [`Terminal::insist`], for what is laid out already: lines of a file, a picture.
    pub fn insist_verbatim(&self, text: &str) {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let line = format!("{}{end}", masked(text, self.mask_stderr));
        self.keep(self.around(|| write(&mut io::stderr().lock(), &line)));
    }

    /// Writes a question, without a line feed.
    pub(super) fn prompt(&self, text: &str) {
        self.end_progress();
        let end = text.len() - text.trim_end().len();
        let columns = self.columns_stderr().unwrap_or(usize::MAX);
        let text = masked(text.trim_end(), self.mask_stderr);
        let text = format!("{}{:end$}", wrap(&text, columns), "");
        self.keep(write(&mut io::stderr().lock(), &text));
    }

    /// Writes a link or another secret where a person sees it: on standard error if that is a
    /// terminal, else nowhere. False if it was not shown.
    pub fn reveal(&self, text: &str) -> bool {
        let visible = self.stderr_tty;
        if visible {
            self.insist(text);
        }
        visible
    }

    /// Takes the line that moves away.
    fn end_progress(&self) {
        if let Ok(mut progress) = self.progress.lock()
            && let Some(bar) = progress.take()
        {
            bar.finish_and_clear();
        }
    }

    /// The first failure to write, if there was one.
    pub fn take_failure(&self) -> Option<io::Error> {
        self.failed.lock().ok()?.take()
    }

    fn keep(&self, written: io::Result<()>) {
        if let Err(e) = written
            && e.kind() != io::ErrorKind::BrokenPipe
            && let Ok(mut failed) = self.failed.lock()
        {
            failed.get_or_insert(e);
        }
    }
}

/// Takes the line that moves away when it is dropped.
#[derive(Debug)]
pub struct ProgressGuard<'a> {
    terminal: &'a Terminal,
}

impl Drop for ProgressGuard<'_> {
    fn drop(&mut self) {
        self.terminal.end_progress();
    }
}

fn write(stream: &mut dyn Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

fn masked(text: &str, mask: bool) -> Cow<'_, str> {
    if mask {
        mask_accounts(text)
    } else {
        Cow::Borrowed(text)
    }
}
