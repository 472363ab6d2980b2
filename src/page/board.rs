//! What the page shows at one moment, and who waits for the next.

use tokio::sync::watch;

use crate::{
    authorize::{Event, Resumed, State},
    model::{ConnectorType, Link},
    view::authorization,
};

/// One connector on the page.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) resumed: Resumed,
    pub(super) link: Option<Link>,
    /// How many events it has had: tells news from what was there before.
    pub(super) version: u64,
    /// Whether its link stands for one that ran out.
    pub(super) renewed: bool,
    /// Where earlier links led, if this one leads elsewhere.
    pub(super) led_to: Option<String>,
}

/// Everything at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Moment {
    pub(super) rows: Vec<Row>,
    /// The last news, for a screen reader.
    pub(super) said: String,
    /// Why the remote can not be asked just now.
    pub(super) trouble: Option<String>,
    /// Nothing is waited for any more.
    pub(super) ended: bool,
}

impl Moment {
    pub(super) fn row(&self, connector: &ConnectorType) -> Option<&Row> {
        self.rows
            .iter()
            .find(|row| row.resumed.connector == *connector)
    }

    pub(super) fn done(&self) -> usize {
        let done = self.rows.iter().filter(|row| row.resumed.state.is_done());
        done.count()
    }
}

/// The page's state; the flow writes, browsers read.
#[derive(Debug)]
pub(super) struct Board(watch::Sender<Moment>);

impl Board {
    pub(super) fn new(rows: impl Iterator<Item = Resumed>) -> Self {
        let rows = rows.map(|resumed| Row {
            resumed,
            link: None,
            version: 0,
            renewed: false,
            led_to: None,
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

    pub(super) fn tell(&self, event: &Event<'_>) {
        match event {
            Event::LinkReady {
                connector,
                link,
                again,
                led_to,
            } => self.change(connector, |row| {
                row.link = Some((*link).clone());
                row.renewed = *again;
                row.led_to = led_to.map(|hosts| hosts.join(", "));
                row.resumed.state = State::Waiting;
                again.then(|| format!("{connector}: there is a new link"))
            }),
            Event::Settled(resumed) => self.change(&resumed.connector, |row| {
                row.link = None;
                row.renewed = false;
                row.resumed = (*resumed).clone();
                let what = authorization::what(resumed);
                Some(format!("{}: {what}", resumed.connector))
            }),
            Event::Waiting(_) => self.0.send_modify(|moment| moment.trouble = None),
            Event::Unreachable(reason) => self
                .0
                .send_modify(|moment| moment.trouble = Some((*reason).to_owned())),
        }
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
            if let Some(row) = rows.find(|row| row.resumed.connector == *connector) {
                row.version += 1;
                if let Some(said) = change(row) {
                    moment.said = said;
                }
            }
        });
    }
}
