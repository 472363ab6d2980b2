//! Tells the terminal and the page what happens, and opens what is to be opened.

use std::cell::Cell;

use super::Offer;
use crate::{
    authorize::{AuthorizeEvent, State},
    context::Context,
    escape,
    model::{ConnectorType, Link},
    page::{Doorway, Page},
    term,
    view::{self, Medium, Theme, qr},
};

pub(super) struct Telling<'a> {
    context: &'a Context,
    medium: Medium<'a>,
    offer: Offer,
    page: Option<&'a Page>,
    doorway: Option<&'a Doorway>,
    /// Whether the keys were explained.
    explained: Cell<bool>,
}

impl<'a> Telling<'a> {
    pub(super) fn new(
        (context, medium): (&'a Context, Medium<'a>),
        offer: Offer,
        page: Option<&'a Page>,
        doorway: Option<&'a Doorway>,
    ) -> Self {
        Self {
            context,
            medium,
            offer,
            page,
            doorway,
            explained: Cell::new(false),
        }
    }

    /// Opens the page.
    pub(super) fn open_page(&self) {
        let Some(page) = self.page else {
            return;
        };
        let terminal = &self.context.terminal;
        let shown = terminal.reveal(&format!(
            "Everything is on one page, for you alone: {}",
            page.address()
        ));
        let launch = matches!(self.offer, Offer::Page { launch: true });
        match (shown, launch) {
            (true, _) => {}
            (false, true) => {
                terminal.say("The page to authorize is opened in the browser of this machine.");
            }
            (false, false) => self.context.warn(
                "the page's address is private, so only a terminal shows it, and there is no \
                 browser here to open it: run this command in a terminal",
            ),
        }
        if launch && !self.launch(page.address()) {
            self.context.warn(&format!(
                "no browser could be opened; {}",
                if shown {
                    "open the address above by hand"
                } else {
                    "run this command in a terminal to see the page's address"
                }
            ));
        }
    }

    /// Opens a secret address in the browser, by one that works once: everybody on this machine
    /// can read a command line.
    fn launch(&self, address: &str) -> bool {
        let door = self.doorway.map(|doorway| doorway.to(address));
        door.is_some_and(|door| term::open_browser(&self.context.vars, &door).is_ok())
    }

    pub(super) fn tell(&self, event: &AuthorizeEvent<'_>) {
        if let Some(page) = self.page {
            page.tell(event);
        }
        let terminal = &self.context.terminal;
        match event {
            AuthorizeEvent::LinkReady {
                connector,
                link,
                again,
                led_to,
                lives: _,
            } => self.hand_out(connector, link, *again, *led_to),
            AuthorizeEvent::LinkRanOut(connector) if self.page.is_some() => terminal.say(&format!(
                "  {connector}: the link has expired after five minutes; ask for a new one on the page"
            )),
            AuthorizeEvent::LinkRanOut(_) => {}
            AuthorizeEvent::Waiting(waiting) => self.waiting(waiting),
            AuthorizeEvent::Settled(result) => {
                let theme = Theme::new(terminal.color_stderr());
                let interrupted = self.context.signals.status().is_some();
                let medium = self.medium.at(self.context.now());
                let line = view::authorization::settled(result, interrupted, &medium, theme);
                let Some(mut line) = line else {
                    return;
                };
                let again = self.page.is_some() && result.state.can_be_asked_again();
                if again && !matches!(result.state, State::Failed(_)) {
                    line.push_str("\n    it can be asked for again on the page");
                }
                terminal.say(&line);
            }
            AuthorizeEvent::Unreachable(reason) => {
                self.context.warn(&format!(
                    "{} (asked again in a moment)",
                    escape::limited(reason, 600)
                ));
            }
        }
    }

    fn hand_out(
        &self,
        connector: &ConnectorType,
        link: &Link,
        again: bool,
        led_to: Option<&[String]>,
    ) {
        let terminal = &self.context.terminal;
        if let Some(known) = led_to {
            self.context.warn(&format!(
                "{connector}: its link leads to {}, but earlier links led to {}; connplan does not open it. \
                 Open it yourself only if you know why",
                escape::limited(&link.host(), 200),
                escape::limited(&known.join(", "), 600)
            ));
        }
        let new = if again { " (a new link)" } else { "" };
        let text = format!("  {connector}{new}: {}", link.expose());
        match self.offer {
            Offer::Page { .. } => {
                terminal.say(&format!(
                    "  {connector}: opened; approve within five minutes"
                ));
                return;
            }
            Offer::Links { print: true, .. } if !terminal.stderr_is_terminal() => {
                view::authorization::print_link(&text, &self.medium, terminal);
            }
            _ if terminal.reveal(&text) => {}
            _ => {
                // In a pipeline no option shows it either.
                let way = if self.context.vars.ci() {
                    ""
                } else {
                    "; `--print-links` prints it"
                };
                terminal.say(&format!(
                    "  {connector}: waiting for consent (its link is private and is not shown in a log{way})"
                ));
            }
        }
        if let Offer::Links { qr: true, .. } = self.offer {
            self.draw(connector, link);
        }
        if matches!(self.offer, Offer::Tabs { .. })
            && led_to.is_none()
            && !self.launch(link.expose())
        {
            self.context.warn(&format!(
                "{connector}: no browser could be opened; `--no-browser` shows the link in a terminal"
            ));
        }
    }

    fn draw(&self, connector: &ConnectorType, link: &Link) {
        let terminal = &self.context.terminal;
        let drawn = qr::picture(link, terminal.width(), terminal.color_stderr());
        let reason = match drawn {
            Ok(picture) => {
                terminal.reveal(&picture);
                return;
            }
            Err(qr::NoPicture::LinkTooLong) => "its link is too long for a QR code".to_owned(),
            Err(qr::NoPicture::TooNarrow { columns }) => {
                format!("its QR code takes {columns} columns, and the terminal has fewer")
            }
        };
        terminal.say(&format!("  {connector}: {reason}"));
    }

    /// Who is waited for, in front the one that Esc leaves.
    fn waiting(&self, waiting: &[ConnectorType]) {
        let Some(front) = waiting.first() else {
            return;
        };
        let terminal = &self.context.terminal;
        let names: Vec<_> = waiting.iter().map(ConnectorType::as_str).collect();
        let keys = match (terminal.is_interactive(), self.explained.get()) {
            (false, _) => String::new(),
            (true, true) => format!(" Esc skips {front}."),
            (true, false) => {
                self.explained.set(true);
                format!(" Esc skips {front}, Ctrl-C ends; what is left stays pending.")
            }
        };
        terminal.say(&format!("Waiting for {}.{keys}", names.join(", ")));
    }
}
