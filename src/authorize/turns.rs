//! Asking for links while others may be at work on the same app: each has its turn.

use futures_util::{FutureExt, future::LocalBoxFuture};

use super::Item;
use crate::{
    model::ConnectorType,
    remote::{PutAnswer, Remote, RemoteError},
};

/// Why a link is not asked for. Escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// Somebody else is at work, or that is not known: it can be asked for later.
    Busy(String),
    /// Somebody else changed what waits: this request is out of date.
    Over(String),
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

/// Asks for the link of one item, in its turn.
pub(super) fn ask<'a>(
    remote: &'a Remote,
    turns: &'a dyn WriteTurns,
    index: usize,
    item: &Item,
) -> LocalBoxFuture<'a, (usize, Asked)> {
    let connector = item.connector().clone();
    let scopes = item.candidate.entry.scopes.clone();
    let values = item.candidate.entry.connection_config.clone();
    let takes_over = item.candidate.entry.takes_over();
    let ask = async move {
        if let Err(why) = turns.begin(&connector).await {
            return (index, Err(why));
        }
        // The platform refuses a plain PUT for a connection of another account with just these scopes.
        let answer = if takes_over {
            remote.take_over(&connector, &scopes, &values).await
        } else {
            remote.put_with_values(&connector, &scopes, &values).await
        };
        turns.end();
        (index, Ok(answer))
    };
    ask.boxed_local()
}
