//! Waiting for people: what `authorize` and `push` have in common.

mod offer;
mod telling;

use std::time::Duration;

use tokio::sync::mpsc;

pub(super) use self::offer::{Offer, OfferArgs};
use self::telling::Telling;
use super::listening;
use crate::{
    authorize::{Asking, AuthorizeEvent, Command, Pace},
    config::Project,
    context::{Context, Failure},
    model::App,
    ops::{AtWork, AuthorizeInputs, AuthorizeSession, LeasedTurns, WaitInputs},
    page::{Doorway, Page, PageHost},
    syntax::MaxDuration,
    term::{self, Answer, EscapeKey},
    view::{self, Medium, Theme, authorization::Again},
};

/// How to wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting<'a> {
    /// What the command prints for.
    pub(super) medium: Medium<'a>,
    /// For all of them together: it is one person's time.
    pub(super) timeout: Duration,
    pub(super) offer: Offer,
    /// By which name the page is called.
    pub(super) page_host: Option<&'a PageHost>,
    /// Don't ask before opening.
    pub(super) yes: bool,
    /// Who acts. Escaped.
    pub(super) actor: &'a str,
}

/// How long people are waited for unless somebody says.
const TIMEOUT: Duration = Duration::from_mins(10);

/// How long people are waited for: what the command line says, else the settings.
pub(super) fn time_limit(told: Option<MaxDuration>, project: &Project) -> Duration {
    let told = told.or(project.settings.authorize.timeout);
    told.map_or(TIMEOUT, MaxDuration::get)
}

/// Whether a session waited, or why not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SessionOutcome {
    /// It waited for people.
    Waited,
    /// Nothing was left to do.
    NothingToDo,
    /// Nobody can be asked here.
    NotInteractive,
    /// A person did not want to.
    Declined,
}

/// Resumes what waits, and tells the team how it ended. Without `at_work`, or where `waiting` says so, nobody
/// is asked for anything. The session says afterwards how everything stands.
pub(super) async fn resume<'a, 'w>(
    context: &Context,
    inputs: AuthorizeInputs<'a>,
    at_work: Option<&AtWork>,
    waiting: impl FnOnce(&AuthorizeSession<'a>) -> Result<Option<Waiting<'w>>, Failure>,
) -> Result<(AuthorizeSession<'a>, SessionOutcome), Failure> {
    let app = inputs.app;
    let around = listening::around(context);
    let mut session = AuthorizeSession::begin(&around, inputs, at_work).await?;
    let waiting = waiting(&session)?;
    let Some(at_work) = at_work else {
        return Ok((session, SessionOutcome::NothingToDo));
    };
    let outcome = match waiting {
        Some(waiting) => run(context, app, &mut session, at_work, waiting).await?,
        None => SessionOutcome::NothingToDo,
    };
    session.tell(&around, at_work).await;
    context.signals.tells();
    Ok((session, outcome))
}

/// Asks, opens and waits.
async fn run(
    context: &Context,
    app: &App,
    session: &mut AuthorizeSession<'_>,
    at_work: &AtWork,
    waiting: Waiting<'_>,
) -> Result<SessionOutcome, Failure> {
    let open = session.open();
    let Some(before) = session.before().filter(|_| !open.is_empty()) else {
        return Ok(SessionOutcome::NothingToDo);
    };
    // A pipeline has nobody, whatever it pretends; nothing is asked for that nobody can answer.
    if context.vars.ci() || context.globals.no_input {
        return Ok(SessionOutcome::NotInteractive);
    }
    // A person may take minutes: others may work meanwhile, until a link is asked for.
    at_work.pause();
    let mut offer = waiting.offer;
    let whose = view::identity::recorded_as(waiting.actor);
    let theme = Theme::new(context.terminal.color_stderr());
    let columns = context.terminal.columns_stderr();
    let request = view::authorization::request(&open, app, &whose, theme, columns);
    if waiting.yes {
        context.terminal.say(&request);
    } else {
        if !context.terminal.is_interactive() {
            return Ok(SessionOutcome::NotInteractive);
        }
        context.terminal.insist(&request);
        let answer = tokio::select! {
            answer = term::confirm_yes_no(&context.terminal, offer.question(), Answer::Yes) => answer,
            () = context.signals.cancelled() => Answer::No,
        };
        if answer == Answer::No {
            return Ok(SessionOutcome::Declined);
        }
    }
    let (commands, mut receiver) = mpsc::channel(16);
    let page = match offer {
        Offer::Page { .. } => {
            let items = session.items();
            let again = Again::new(context.next());
            let called = waiting.page_host;
            match Page::serve(app, &whose, items, commands.clone(), called, &again).await {
                Ok(page) => Some(page),
                Err(e) => {
                    context.warn(&e.to_string());
                    offer = Offer::IN_TERMINAL;
                    None
                }
            }
        }
        Offer::Tabs { .. } | Offer::Links { .. } => None,
    };
    let doorway = match offer {
        Offer::Page { launch: true } | Offer::Tabs { .. } => Doorway::open().await.ok(),
        Offer::Page { .. } | Offer::Links { .. } => None,
    };
    let telling = Telling::new(
        (context, waiting.medium),
        offer,
        page.as_ref(),
        doorway.as_ref(),
    );
    let tell = |event: &AuthorizeEvent<'_>| telling.tell(event);
    let cancel = context.signals.graceful();
    let patience = context.time_left(waiting.timeout);
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
            // The session may have ended in the same moment.
            let _ = commands.send(Command::Skip).await;
        }
    };
    telling.open_page();
    let turns = LeasedTurns::new(at_work, listening::around(context), before, session.file());
    let waits = WaitInputs {
        patience,
        asking: asking(offer),
        pace: pace(context),
        turns: &turns,
        events: &tell,
    };
    let waited = tokio::select! {
        waited = session.run(waits, &mut receiver, &cancel) => waited,
        () = listening => Ok(()),
    };
    if let Some(page) = page {
        page.end().await;
    }
    waited?;
    Ok(SessionOutcome::Waited)
}

fn asking(offer: Offer) -> Asking {
    match offer {
        Offer::Page { .. } => Asking::OnDemand,
        offer if offer.is_one_by_one() => Asking::OneByOne,
        Offer::Tabs { .. } | Offer::Links { .. } => Asking::AtOnce,
    }
}

/// Tests cannot wait two seconds for each answer, nor minutes for a link to run out.
fn pace(context: &Context) -> Pace {
    let milliseconds = |name: &str| {
        let text = context.vars.get(name)?;
        text.parse().ok().map(Duration::from_millis)
    };
    let pace = Pace::default();
    let busy = milliseconds("__CONNPLAN_TEST_POLL_MS");
    Pace {
        busy: busy.unwrap_or(pace.busy),
        idle: busy.unwrap_or(pace.idle),
        link_lives: milliseconds("__CONNPLAN_TEST_LINK_MS").unwrap_or(pace.link_lives),
        ..pace
    }
}
