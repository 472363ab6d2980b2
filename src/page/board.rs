//! What the page shows at one moment, and who waits for the next.

use jiff::Timestamp;
use tokio::sync::watch;

use crate::{
    authorize::{AuthorizationResult, AuthorizeEvent, Stage, State},
    model::{ConnectorType, Link},
    view::authorization::{self, Again},
};

/// One connector on the page.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) result: AuthorizationResult,
    /// How to go on with it in a terminal.
    pub(super) again: Again,
    pub(super) offer: Option<Offer>,
    /// How many events it has had: tells news from what was there before.
    pub(super) version: u64,
    /// Whether a link of it ran out unused.
    pub(super) ran_out: bool,
}

/// A link that can be opened now.
#[derive(Clone, Debug)]
pub(super) struct Offer {
    pub(super) link: Link,
    /// When it is too old to be used.
    pub(super) until: Timestamp,
    /// Whether it stands for one that ran out or was declined.
    pub(super) again: bool,
    /// Whether its tab was opened.
    pub(super) opened: bool,
    /// Where earlier links led, if this one leads elsewhere.
    pub(super) led_to: Option<String>,
}

/// Everything at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    pub(super) rows: Vec<Row>,
    /// The last news, for a screen reader.
    pub(super) said: String,
    /// Why the remote cannot be asked just now.
    pub(super) trouble: Option<String>,
    /// Nothing is waited for any more.
    pub(super) ended: bool,
}

impl Moment {
    pub(super) fn row(&self, connector: &ConnectorType) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.result.connector == *connector)
    }

    pub(super) fn done(&self) -> usize {
        let done = self.rows.iter().filter(|row| row.result.state.is_done());
        done.count()
    }
}

/// The page's state; the flow writes, browsers read.
#[derive(Debug)]
pub(super) struct Board(watch::Sender<Moment>);

impl Board {
    pub(super) fn new(rows: impl Iterator<Item = AuthorizationResult>, again: &Again) -> Self {
        let rows = rows.map(|result| Row {
            result,
            again: again.clone(),
            offer: None,
            version: 0,
            ran_out: false,
        });
        Self(watch::Sender::new(Moment {
            rows: rows.collect(),
            ..Moment::default()
        }))
    }

    pub(super) fn watch(&self) -> watch::Receiver<Moment> {
        self.0.subscribe()
    }

    pub(super) fn now(&self) -> Moment {
        self.0.borrow().clone()
    }

    pub(super) fn tell(&self, event: &AuthorizeEvent<'_>) {
        match event {
            AuthorizeEvent::LinkReady {
                connector,
                link,
                again,
                lives,
                led_to,
            } => self.change(connector, |row| {
                let opened = row
                    .offer
                    .as_ref()
                    .is_some_and(|o| o.link == **link && o.opened);
                row.offer = Some(Offer {
                    link: (*link).clone(),
                    until: Timestamp::now() + *lives,
                    again: *again,
                    opened,
                    led_to: led_to.map(|hosts| hosts.join(", ")),
                });
                row.ran_out = false;
                row.result.state = State::Waiting(Stage::Asked);
                None
            }),
            AuthorizeEvent::LinkRanOut(connector) => self.change(connector, |row| {
                row.offer = None;
                row.ran_out = true;
                Some(format!("{connector}: its five minutes are over; ask again"))
            }),
            AuthorizeEvent::Settled(result) => self.change(&result.connector, |row| {
                row.offer = None;
                row.ran_out = false;
                row.result = (*result).clone();
                let what = authorization::what(result);
                Some(format!("{}: {what}", result.connector))
            }),
            AuthorizeEvent::Waiting(_) => self.0.send_modify(|moment| moment.trouble = None),
            AuthorizeEvent::Unreachable(reason) => self
                .0
                .send_modify(|moment| moment.trouble = Some((*reason).to_owned())),
        }
    }

    /// The link of this one was opened in a tab.
    pub(super) fn opened(&self, connector: &ConnectorType) {
        self.change(connector, |row| {
            if let Some(offer) = &mut row.offer {
                offer.opened = true;
            }
            None
        });
    }

    pub(super) fn end(&self) {
        self.0.send_modify(|moment| {
            moment.ended = true;
            moment.trouble = None;
            moment.said.clear();
            moment.said.push_str("connplan has stopped waiting.");
        });
    }

    fn change(&self, connector: &ConnectorType, change: impl FnOnce(&mut Row) -> Option<String>) {
        self.0.send_modify(|moment| {
            moment.trouble = None;
            let mut rows = moment.rows.iter_mut();
            if let Some(row) = rows.find(|row| row.result.connector == *connector) {
                row.version += 1;
                if let Some(said) = change(row) {
                    moment.said = said;
                }
            }
        });
    }
}
