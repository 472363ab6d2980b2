//! Ends a process whose run does not hear that it is over: what computes, or waits for a disk or a reader, looks
//! neither at the clock nor at signals, and a checkout can give it much to compute. Not a run that has begun to write.

use std::{
    io::Write as _,
    sync::{Arc, mpsc},
    thread,
    time::{Duration, Instant},
};

use super::traits::Cut;
use crate::{
    context::{Context, ExitStatus, Format, Signals},
    http::Renewals,
    term::Terminal,
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

const LATE: &str = "error: the time limit is over; nothing was changed\n  help: allow more time with `--max-time`\n";

struct Watched {
    signals: Signals,
    renewals: Renewals,
    terminal: Arc<Terminal>,
    json: bool,
}

impl Watched {
    fn of(context: &Context) -> Self {
        Self {
            signals: context.signals.clone(),
            renewals: context.renewals.clone(),
            terminal: Arc::clone(&context.terminal),
            json: context.globals.format == Format::Json,
        }
    }

    fn end(self, status: ExitStatus, words: impl FnOnce() + Send + 'static) {
        let last = Instant::now() + RENEWAL_LIMIT;
        while self.renewals.are_under_way() && Instant::now() < last {
            thread::sleep(Duration::from_millis(20));
        }
        self.signals.unless_graceful(|| {
            let (said, told) = mpsc::channel();
            thread::spawn(move || {
                words();
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
pub(super) fn time(context: &Context, cut: Cut) {
    let Some(end) = context.deadline else { return };
    let watched = Watched::of(context);
    thread::spawn(move || {
        thread::sleep(end.saturating_duration_since(Instant::now()) + GRACE);
        // A lease may be on its way back.
        let orderly = Instant::now() + ORDERLY;
        while cut == Cut::UntilItWrites
            && Instant::now() < orderly
            && watched.signals.are_heard_within(ANSWER)
        {}
        watched.end(ExitStatus::Error, || {
            let _ = std::io::stderr().write_all(LATE.as_bytes());
        });
    });
}

/// Ends the process shortly after a signal.
pub(super) fn signals(context: &Context) {
    let watched = Watched::of(context);
    thread::spawn(move || {
        let Some(status) = Signals::next_apart() else {
            return;
        };
        thread::sleep(ANSWER);
        let is_said = watched.signals.cut().is_some();
        let (terminal, json) = (Arc::clone(&watched.terminal), watched.json);
        watched.end(status, move || {
            if is_said {
                return;
            }
            let _ = writeln!(std::io::stderr(), "\n{}", Signals::LOOKED);
            if json && !terminal.has_output() {
                terminal.out(&FailureReport::interrupted(Signals::LOOKED, status.code()).to_json());
            }
        });
    });
}
