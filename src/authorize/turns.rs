//! Asking for links while others may be at work on the same app: each has its turn.

use std::{collections::BTreeMap, rc::Rc, time::Duration};

use futures_util::{FutureExt, future::LocalBoxFuture};
use tokio::{sync::Mutex, time::Instant};

use super::{Candidate, Evidence, Item, State, machine::can_be_wanted, step};
use crate::{
    catalogue::ScopeEquivalence,
    model::{ConnectorType, RemoteConnector, SavedValue},
    remote::{PutAnswer, Remote, RemoteError},
};

/// Why a link is not asked for. Escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// Somebody else is at work, or that is not known: it can be asked for later.
    Busy(String),
    /// Somebody else changed what waits: this request is out of date.
    Over(String),
    /// The app has this by now, and a link is of no use.
    Moved(Option<Box<RemoteConnector>>),
}

/// Who may write, and when.
pub trait WriteTurns {
    /// Waits for the turn to ask for one connector.
    fn begin<'a>(&'a self, connector: &'a ConnectorType) -> LocalBoxFuture<'a, Result<(), NotNow>>;

    /// What was begun is answered.
    fn end(&self);
}

/// Nobody else is at work.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl WriteTurns for Alone {
    fn begin<'a>(&'a self, _: &'a ConnectorType) -> LocalBoxFuture<'a, Result<(), NotNow>> {
        std::future::ready(Ok(())).boxed_local()
    }

    fn end(&self) {}
}

/// What came of asking for a link.
pub(super) type Asked = Result<Result<PutAnswer, RemoteError>, NotNow>;

/// The app's list for those who have one turn together: it may be read only so often in a minute.
#[derive(Debug)]
pub(super) struct Look {
    lives: Duration,
    listed: Mutex<Option<(Instant, BTreeMap<ConnectorType, RemoteConnector>)>>,
}

impl Look {
    pub(super) fn new(lives: Duration) -> Rc<Self> {
        let listed = Mutex::default();
        Rc::new(Self { lives, listed })
    }

    /// What the app has of one, with its values if some are wanted.
    async fn at(
        &self,
        remote: &Remote,
        candidate: &Candidate,
    ) -> Result<Option<RemoteConnector>, RemoteError> {
        let (connector, entry) = (&candidate.connector, &candidate.entry);
        let mut listed = self.listed.lock().await;
        let known = listed.take().filter(|(at, _)| at.elapsed() < self.lives);
        let (at, all) = match known {
            Some(known) => known,
            None => (Instant::now(), remote.list().await?),
        };
        let mut is = all.get(connector).cloned();
        *listed = Some((at, all));
        drop(listed);
        if let Some(is) = is.as_mut().filter(|_| !entry.connection_config.is_empty()) {
            let told = remote.connection_values(connector).await?;
            is.connection_config = told.saved.map(SavedValue::told);
        }
        Ok(is)
    }
}

/// Asks for the link of one item, in its turn.
pub(super) fn ask<'a>(
    (remote, rules): (&'a Remote, &'a ScopeEquivalence),
    turns: &'a dyn WriteTurns,
    look: Rc<Look>,
    (index, item): (usize, &Item),
) -> LocalBoxFuture<'a, (usize, Asked)> {
    let (candidate, state) = (item.candidate.clone(), item.state.clone());
    let ask = async move {
        if let Err(why) = turns.begin(&candidate.connector).await {
            return (index, Err(why));
        }
        let asked = in_turn((remote, rules), &look, &candidate, &state).await;
        turns.end();
        (index, asked)
    };
    ask.boxed_local()
}

/// Looks at the app once more, and asks. A person may have thought for minutes; and after somebody's consent a new link
/// would make that useless.
async fn in_turn(
    (remote, rules): (&Remote, &ScopeEquivalence),
    look: &Look,
    candidate: &Candidate,
    state: &State,
) -> Asked {
    let (connector, entry) = (&candidate.connector, &candidate.entry);
    let (scopes, values) = (&entry.scopes, &entry.connection_config);
    let is = match look.at(remote, candidate).await {
        Ok(is) => is,
        Err(e) => return Ok(Err(e)),
    };
    let now = Evidence::BeforeLink(is.as_ref());
    if !can_be_wanted(&step(candidate, state, &now, rules).0) {
        return Err(NotNow::Moved(is.map(Box::new)));
    }
    // The platform refuses a plain PUT for a connection of another account with just these scopes.
    Ok(if entry.takes_over() {
        remote.take_over(connector, scopes, values).await
    } else {
        remote.put_with_values(connector, scopes, values).await
    })
}
