//! One round of questions to the remote: its list, and beside it the status of a few connections
//! that this run began.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

use crate::{
    model::{ConnectionId, ConnectorType, RemoteConnector},
    remote::{AuthorizationStatus, Remote, RemoteError},
};

/// How much is under way at once.
pub(super) const PARALLELISM: usize = 8;

/// Whose status is asked for: the item's place, and what it is asked with.
pub(super) struct Question {
    pub(super) index: usize,
    pub(super) connector: ConnectorType,
    pub(super) id: ConnectionId,
}

/// The answers.
pub(super) struct Round {
    pub(super) listed: Result<BTreeMap<ConnectorType, RemoteConnector>, RemoteError>,
    pub(super) statuses: Vec<(
        usize,
        ConnectionId,
        Result<AuthorizationStatus, RemoteError>,
    )>,
    /// When the list was asked for: it proves nothing of what came later.
    pub(super) asked: Instant,
}

impl Round {
    pub(super) async fn ask(remote: &Remote, questions: Vec<Question>) -> Self {
        let statuses = stream::iter(questions).map(|question| async move {
            let Question {
                index,
                connector,
                id,
            } = question;
            let status = remote.integration_status(&connector, &id).await;
            (index, id, status)
        });
        let statuses = statuses.buffer_unordered(PARALLELISM).collect::<Vec<_>>();
        let mut asked = Instant::now();
        let (mut listed, statuses) = tokio::join!(remote.list(), statuses);
        // A consent may have come between the two answers: the list says what it gave only if it is
        // the later one.
        let active = |status: &Result<_, _>| matches!(status, Ok(AuthorizationStatus::Active));
        if listed.is_ok() && statuses.iter().any(|(_, _, status)| active(status)) {
            asked = Instant::now();
            listed = remote.list().await;
        }
        Self {
            listed,
            statuses,
            asked,
        }
    }

    /// How long the remote wants not to be asked, by whichever answer.
    pub(super) fn retry_after(&self) -> Duration {
        let statuses = self
            .statuses
            .iter()
            .filter_map(|(_, _, s)| s.as_ref().err());
        let errors = self.listed.as_ref().err().into_iter().chain(statuses);
        errors.map(retry_after).max().unwrap_or_default()
    }

    /// The first reason why the remote could not be asked, if it may pass.
    pub(super) fn trouble(&self) -> Option<String> {
        let statuses = self
            .statuses
            .iter()
            .filter_map(|(_, _, s)| s.as_ref().err());
        let passing = statuses.filter(|error| error.is_passing());
        let mut errors = self.listed.as_ref().err().into_iter().chain(passing);
        errors.next().map(ToString::to_string)
    }
}

pub(super) fn retry_after(error: &RemoteError) -> Duration {
    match error {
        RemoteError::RateLimited { retry_after, .. } => retry_after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

/// The reason without the request's id, which is another one each time.
pub(super) fn without_id(reason: &str) -> &str {
    reason.split(" (request ").next().unwrap_or(reason)
}
