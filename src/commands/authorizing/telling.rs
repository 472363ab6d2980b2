//! Tells the terminal and the page what happens, and opens what is to be opened.

use std::cell::Cell;

use super::Offer;
use crate::{
    authorize::{Event, State},
    context::Context,
    escape,
    model::{ConnectorType, Link},
    page::Page,
    view::{self, Theme, qr},
};

pub(super) struct Telling<'a> {
    context: &'a Context,
    offer: Offer,
    page: Option<&'a Page>,
    /// Whether the keys were explained.
    explained: Cell<bool>,
}

impl<'a> Telling<'a> {
    pub(super) fn new(context: &'a Context, offer: Offer, page: Option<&'a Page>) -> Self {
        Self {
            context,
            offer,
            page,
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
        if !shown {
            terminal.say("The page to authorize is opened in the browser of this machine.");
        }
        // The error is not told: it may quote the command, and with it the address.
        if open::that_detached(page.address()).is_err() {
            self.context.warn(&format!(
                "no browser could be opened; {}",
                if shown {
                    "open the address above by hand"
                } else {
                    "run it in a terminal to see the page's address"
                }
            ));
        }
    }

    pub(super) fn tell(&self, event: &Event<'_>) {
        if let Some(page) = self.page {
            page.tell(event);
        }
        let terminal = &self.context.terminal;
        match event {
            Event::LinkReady {
                connector,
                link,
                again,
                led_to,
            } => self.hand_out(connector, link, *again, *led_to),
            Event::Waiting(waiting) => self.waiting(waiting),
            Event::Settled(resumed) => {
                let theme = Theme::new(terminal.color_stderr());
                let mut line = view::authorization::line(resumed, theme);
                let again = self.page.is_some() && resumed.state.can_be_asked_again();
                if again && !matches!(resumed.state, State::Failed(_)) {
                    line.push_str("\n    it can be asked for again on the page");
                }
                terminal.say(&line);
            }
            Event::Unreachable(reason) => {
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
                "{connector}: its link leads to {}, and earlier ones led to {}; it is not opened \
                 unless you do so",
                escape::limited(&link.host(), 200),
                escape::limited(&known.join(", "), 600)
            ));
        }
        let new = if again { " (a new link)" } else { "" };
        let text = format!("  {connector}{new}: {}", link.expose());
        match self.offer {
            Offer::Links { print: true, .. } => terminal.insist(&text),
            _ if terminal.reveal(&text) => {}
            _ if self.page.is_some() => {}
            _ => terminal.say(&format!(
                "  {connector}: waiting for consent (its link is private and is not shown in a log)"
            )),
        }
        if let Offer::Links { qr: true, .. } = self.offer {
            self.draw(connector, link);
        }
        if matches!(self.offer, Offer::Tabs { .. })
            && led_to.is_none()
            && open::that_detached(link.expose()).is_err()
        {
            self.context.warn(&format!(
                "{connector}: no browser could be opened; open the link by hand"
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
