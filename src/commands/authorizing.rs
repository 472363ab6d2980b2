//! Waiting for people, in a terminal: what `authorize` and `push` have in common.

use std::{cell::RefCell, sync::mpsc as std_mpsc, time::Duration};

use tokio::sync::mpsc;

use crate::{
    authorize::{Command, Event, Flow, Item, Keeper, Pace},
    catalogue::Rules,
    cli::{Context, Failure},
    escape,
    model::{App, Link},
    remote::Remote,
    term::{self, Answer, EscapeKey},
    view::{self, Theme},
};

/// How to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) timeout: Duration,
    pub(super) browser: bool,
    /// Don't ask before opening.
    pub(super) yes: bool,
}

/// Everything that a phase of waiting needs.
pub(super) struct Phase<'a> {
    pub(super) app: &'a App,
    pub(super) remote: &'a Remote,
    pub(super) rules: &'a Rules,
    pub(super) keeper: &'a mut Keeper,
    pub(super) waiting: Waiting,
}

/// Whether the phase ran, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ran {
    /// Links were handed out and waited for.
    Yes,
    /// Nothing was left to do.
    NothingToDo,
    /// Nobody can be asked here.
    NotInteractive,
    /// A person did not want to.
    Declined,
}

/// Opens what is pending and waits for it. `items` says afterwards how each stands.
pub(super) async fn run(
    context: &Context,
    phase: Phase<'_>,
    items: &mut [Item],
) -> Result<Ran, Failure> {
    let open: Vec<_> = items.iter().filter(|item| !item.state.is_done()).collect();
    if open.is_empty() {
        return Ok(Ran::NothingToDo);
    }
    if !phase.waiting.yes {
        if !context.terminal.is_interactive() {
            return Ok(Ran::NotInteractive);
        }
        let open: Vec<_> = open.iter().map(|item| item.resumed()).collect();
        context.terminal.insist(&view::authorization::request(
            &open,
            phase.app,
            Theme::new(context.terminal.color_stderr()),
        ));
        let question = "Open browser to authorize now?";
        let answer = tokio::select! {
            answer = term::confirm_yes_no(&context.terminal, question, Answer::Yes) => answer,
            () = context.signals.cancelled() => Answer::No,
        };
        if answer == Answer::No {
            return Ok(Ran::Declined);
        }
    }
    let (events, received) = std_mpsc::channel();
    let telling = Telling {
        context,
        browser: phase.waiting.browser,
        events,
        trouble: RefCell::default(),
    };
    let tell = |event: &Event<'_>| telling.tell(event);
    let mut flow = Flow {
        remote: phase.remote,
        rules: phase.rules,
        keeper: phase.keeper,
        pace: pace(context),
        events: &tell,
    };
    let cancel = context.signals.graceful();
    flow.links(items).await?;
    let (commands, orders) = mpsc::channel(4);
    let mut escape = if context.terminal.is_interactive() {
        EscapeKey::listen()
    } else {
        None
    };
    if escape.is_some() && received.try_recv().is_ok() {
        context
            .terminal
            .say("Waiting… (Esc skips what is left, it stays pending)");
    }
    let timeout = context.time_left(phase.waiting.timeout);
    let waiting = flow.wait(items, timeout, orders, &cancel);
    tokio::pin!(waiting);
    loop {
        tokio::select! {
            waited = &mut waiting => { waited?; break; }
            () = pressed(&mut escape) => {
                // The flow may have ended in the same moment.
                let _ = commands.send(Command::Skip).await;
            }
        }
    }
    Ok(Ran::Yes)
}

async fn pressed(escape: &mut Option<EscapeKey>) {
    match escape {
        Some(escape) => escape.pressed().await,
        None => std::future::pending().await,
    }
}

/// A request's id is another one each time.
fn without_id(reason: &str) -> &str {
    reason.split(" (request ").next().unwrap_or(reason)
}

/// Tests can not wait two seconds for each answer.
fn pace(context: &Context) -> Pace {
    let first = context
        .vars
        .get("CONNPLAN_POLL_MS")
        .and_then(|ms| ms.parse().ok());
    let pace = Pace::default();
    first.map_or(pace, |ms| Pace {
        first: Duration::from_millis(ms),
        ..pace
    })
}

/// Tells the terminal what happens, and opens what is to be opened.
struct Telling<'a> {
    context: &'a Context,
    browser: bool,
    /// That a link was shown.
    events: std_mpsc::Sender<()>,
    /// What was wrong with the remote when that was last said.
    trouble: RefCell<String>,
}

impl Telling<'_> {
    fn tell(&self, event: &Event<'_>) {
        let terminal = &self.context.terminal;
        match event {
            Event::LinkReady(connector, link) => {
                let shown = terminal.reveal(&format!("  {connector}: {}", link.expose()));
                if !shown {
                    terminal.say(&format!(
                        "  {connector}: waiting for consent (its link is private and is not shown \
                         in a log)"
                    ));
                }
                if self.browser {
                    self.open(connector.as_str(), link);
                }
                // The receiver lives as long as this value.
                let _ = self.events.send(());
            }
            Event::OtherHost(connector, link, known) => {
                self.context.warn(&format!(
                    "{connector}: its link leads to {}, and earlier ones led to {}; it is not \
                     opened. Open it by hand if that is right",
                    escape::limited(&link.host(), 200),
                    escape::limited(&known.join(", "), 600)
                ));
                let _ = terminal.reveal(&format!("  {connector}: {}", link.expose()));
                let _ = self.events.send(());
            }
            Event::NoLink(connector, reason) => {
                self.context
                    .warn(&format!("{connector}: {}", escape::limited(reason, 600)));
            }
            Event::Waiting(_) => {}
            Event::Settled(resumed) => {
                terminal.say(&view::authorization::line(
                    resumed,
                    Theme::new(terminal.color_stderr()),
                ));
            }
            Event::Unreachable(reason) => {
                // Asked every few seconds, an outage says the same every few seconds.
                let known = without_id(&self.trouble.borrow()) == without_id(reason);
                if known {
                    return;
                }
                self.trouble.replace((*reason).to_owned());
                self.context.warn(&format!(
                    "{} (asked again in a moment)",
                    escape::limited(reason, 600)
                ));
            }
        }
    }

    fn open(&self, connector: &str, link: &Link) {
        if let Err(e) = open::that_detached(link.expose()) {
            // The error may quote the command, and with it the link.
            self.context.warn(&format!(
                "{connector}: no browser could be opened ({}); open the link by hand",
                e.kind()
            ));
        }
    }
}
