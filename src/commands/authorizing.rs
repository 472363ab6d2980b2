//! Waiting for people: what `authorize` and `push` have in common.

mod offer;
mod telling;

use std::time::Duration;

use tokio::{sync::mpsc, time::Instant};

pub(super) use self::offer::{Offer, OfferArgs};
use self::telling::Telling;
use crate::{
    authorize::{Command, Event, Flow, Item, Keeper, Pace, State},
    catalogue::ScopeEquivalence,
    config::MaxDuration,
    context::{Context, Failure},
    model::App,
    page::Page,
    remote::Remote,
    term::{self, Answer, EscapeKey},
    view::{self, Theme},
};

/// How to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    /// For all of them together: it is one person's time.
    pub(super) timeout: Duration,
    pub(super) offer: Offer,
    /// Don't ask before opening.
    pub(super) yes: bool,
}

/// Everything that a phase of waiting needs.
pub(super) struct Phase<'a> {
    pub(super) app: &'a App,
    pub(super) remote: &'a Remote,
    pub(super) rules: &'a ScopeEquivalence,
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
    let open: Vec<_> = items
        .iter()
        .filter(|item| item.can_be_asked())
        .map(Item::resumed)
        .collect();
    if open.is_empty() {
        return Ok(Ran::NothingToDo);
    }
    let offer = phase.waiting.offer;
    let theme = Theme::new(context.terminal.color_stderr());
    let request = view::authorization::request(&open, phase.app, theme);
    if phase.waiting.yes {
        context.terminal.say(&request);
    } else {
        if !context.terminal.is_interactive() {
            return Ok(Ran::NotInteractive);
        }
        context.terminal.insist(&request);
        let question = offer.question();
        let answer = tokio::select! {
            answer = term::confirm_yes_no(&context.terminal, question, Answer::Yes) => answer,
            () = context.signals.cancelled() => Answer::No,
        };
        if answer == Answer::No {
            return Ok(Ran::Declined);
        }
    }
    let (commands, mut receiver) = mpsc::channel(16);
    let page = match offer {
        Offer::Page => match Page::serve(phase.app, items, commands.clone()).await {
            Ok(page) => Some(page),
            Err(e) => {
                context.warn(&e.to_string());
                None
            }
        },
        Offer::Tabs { .. } | Offer::Links { .. } => None,
    };
    let telling = Telling::new(context, offer, page.as_ref());
    let tell = |event: &Event<'_>| telling.tell(event);
    let mut flow = Flow {
        remote: phase.remote,
        rules: phase.rules,
        keeper: phase.keeper,
        pace: pace(context),
        watched: page.is_some(),
        events: &tell,
    };
    let cancel = context.signals.graceful();
    let patience = context.time_left(phase.waiting.timeout);
    let deadline = Instant::now() + patience;
    if !context.terminal.is_interactive() {
        // No spinner and no key tell it here.
        context.terminal.say(&format!(
            "Waiting at most {}; `--timeout` changes that.",
            MaxDuration::seconds(patience)
        ));
    }
    let listening = async {
        let escape = context.terminal.is_interactive().then(EscapeKey::listen);
        let Some(mut escape) = escape.flatten() else {
            return std::future::pending().await;
        };
        loop {
            escape.pressed().await;
            // The flow may have ended in the same moment.
            let _ = commands.send(Command::Skip).await;
        }
    };
    let working = async {
        if offer.is_one_by_one() {
            for n in 0..items.len() {
                if Instant::now() >= deadline || cancel.is_cancelled() {
                    break;
                }
                let Some(one) = items.get_mut(n..=n) else {
                    break;
                };
                flow.links(one).await?;
                flow.wait(one, deadline, &mut receiver, &cancel).await?;
            }
            return Ok(());
        }
        flow.links(items).await?;
        // Where no link could be had, there is nothing to look at.
        if items.iter().any(|item| item.state == State::Waiting) {
            telling.open_page();
        }
        flow.wait(items, deadline, &mut receiver, &cancel).await
    };
    let waited = tokio::select! {
        waited = working => waited,
        () = listening => Ok(()),
    };
    if let Some(page) = page {
        page.end().await;
    }
    waited?;
    Ok(Ran::Yes)
}

/// Tests can not wait two seconds for each answer, nor minutes for a link to run out.
fn pace(context: &Context) -> Pace {
    let milliseconds = |name: &str| {
        let text = context.vars.get(name)?;
        text.parse().ok().map(Duration::from_millis)
    };
    let pace = Pace::default();
    Pace {
        first: milliseconds("__CONNPLAN_TEST_POLL_MS").unwrap_or(pace.first),
        declined_within: milliseconds("__CONNPLAN_TEST_DECLINED_MS")
            .unwrap_or(pace.declined_within),
        ..pace
    }
}
