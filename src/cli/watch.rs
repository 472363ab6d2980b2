//! Ends a process whose run does not hear that it is over: what computes, or waits for a disk or a reader, looks
//! neither at the clock nor at signals, and a checkout can give it much to compute. Not a run that writes; of one that
//! wrote, what is left is to be told, and that may wait for a reader, too.

use std::{
    io::Write as _,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use crate::{
    context::{Context, ExitStatus, Format, Signals},
    http::Renewals,
    store::Fence,
    term::{self, Terminal},
    view::failure::FailureReport,
};

/// How long the run itself may take to end.
const GRACE: Duration = Duration::from_secs(2);
/// How long it may take to give back what it holds, while it hears what comes.
const ORDERLY: Duration = Duration::from_secs(15);
/// Longer than a run that hears takes to answer.
const ANSWER: Duration = Duration::from_secs(1);
/// How long a last word may take: nobody may read it.
const WORD: Duration = Duration::from_secs(1);
/// How long a renewal may keep the process: a little longer than the renewal itself.
pub(super) const RENEWAL_LIMIT: Duration = Duration::from_secs(35);

#[derive(Clone)]
struct Watched {
    signals: Signals,
    renewals: Renewals,
    fence: Fence,
    terminal: Arc<Terminal>,
    json: bool,
}

impl Watched {
    fn of(context: &Context) -> Self {
        Self {
            signals: context.signals.clone(),
            renewals: context.renewals.clone(),
            fence: context.fence.clone(),
            terminal: Arc::clone(&context.terminal),
            json: context.globals.format == Format::Json,
        }
    }

    /// Comes back once the run does not write and had so long to end by itself.
    fn until_stuck(&self, patience: Duration) {
        loop {
            let is_held = self.signals.are_held();
            thread::sleep(patience);
            // A lease may be on its way back.
            let orderly = Instant::now() + ORDERLY;
            while self.fence.left().is_some()
                && Instant::now() < orderly
                && self.signals.are_heard_within(ANSWER)
            {}
            if !is_held && !self.signals.are_held() {
                return;
            }
        }
    }

    fn interrupt(&self, status: ExitStatus, at_once: bool) {
        let is_said = self.signals.cut().is_some();
        let (terminal, json) = (Arc::clone(&self.terminal), self.json);
        self.end(status, at_once, move |words| {
            if is_said {
                return;
            }
            let _ = writeln!(std::io::stderr(), "\n{words}");
            if json && !terminal.has_output() {
                terminal.out(&FailureReport::interrupted(&words, status.code()).to_json());
            }
        });
    }

    fn end(&self, status: ExitStatus, at_once: bool, say: impl FnOnce(String) + Send + 'static) {
        let last = Instant::now() + RENEWAL_LIMIT;
        while self.renewals.are_under_way() && Instant::now() < last {
            thread::sleep(Duration::from_millis(20));
        }
        self.signals.end(at_once, |words| {
            let (said, told) = mpsc::channel();
            thread::spawn(move || {
                term::let_go();
                say(words);
                let _ = said.send(());
            });
            let _ = told.recv_timeout(WORD);
            #[expect(
                clippy::disallowed_methods,
                reason = "the run itself does not come back"
            )]
            std::process::exit(status.code().into());
        });
    }
}

/// Ends the process shortly after its time.
pub(super) fn time(context: &Context) {
    let Some(end) = context.deadline else { return };
    let watched = Watched::of(context);
    thread::spawn(move || {
        thread::sleep(end.saturating_duration_since(Instant::now()));
        loop {
            watched.until_stuck(GRACE);
            watched.end(ExitStatus::Error, false, |words| {
                let words = words.split_once(": ").map_or(&*words, |(_, words)| words);
                let _ = writeln!(
                    std::io::stderr(),
                    "error: the time limit is over; {words}\n  help: allow more time with `--max-time`"
                );
            });
        }
    });
}

/// Ends the process shortly after a signal; after the second one also if it writes.
pub(super) fn signals(context: &Context) {
    let watched = Watched::of(context);
    thread::spawn(move || {
        let mut at_once = false;
        Signals::each_apart(|status| {
            if at_once {
                thread::sleep(ANSWER);
                watched.interrupt(status, true);
            } else {
                let watched = watched.clone();
                thread::spawn(move || {
                    loop {
                        watched.until_stuck(ANSWER);
                        watched.interrupt(status, false);
                    }
                });
            }
            at_once = true;
        });
    });
}
