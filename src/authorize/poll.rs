//! One round of questions to the remote: the status of everything that waits, at the same time.

use std::time::Duration;

use futures_util::future::join_all;

use crate::{
    model::{ConnectionId, ConnectorType, Observed},
    remote::{AuthorizationStatus, Remote, RemoteError},
};

/// What to ask: nothing, a status, or, without an id, only the list.
pub(super) type Question = Option<(ConnectorType, Option<ConnectionId>)>;

/// The answers.
pub(super) struct Round {
    /// In the order of the questions; none where no status could be asked for.
    pub(super) statuses: Vec<Option<Result<AuthorizationStatus, RemoteError>>>,
    /// The list, if any answer makes it worth reading.
    pub(super) observed: Option<Result<Observed, RemoteError>>,
}

impl Round {
    /// How long the remote wants not to be asked.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        let of = |error: &RemoteError| match error {
            RemoteError::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        };
        let statuses = self.statuses.iter().flatten();
        let statuses = statuses.filter_map(|status| of(status.as_ref().err()?));
        let listing = self.observed.as_ref().and_then(|o| of(o.as_ref().err()?));
        statuses.chain(listing).max()
    }

    /// The first reason why the remote could not be asked, if it may pass.
    pub(super) fn trouble(&self) -> Option<String> {
        let statuses = self.statuses.iter().flatten();
        let errors = statuses.filter_map(|status| status.as_ref().err());
        let listing = self.observed.as_ref().and_then(|o| o.as_ref().err());
        let passing = errors.filter(|error| error.is_passing());
        passing.chain(listing).next().map(ToString::to_string)
    }
}

/// The reason without the request's id, which is another one each time.
pub(super) fn without_id(reason: &str) -> &str {
    reason.split(" (request ").next().unwrap_or(reason)
}

/// Whether the list is read whatever the statuses say.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Listing {
    IfItMayTell,
    Always,
}

pub(super) async fn ask(remote: &Remote, questions: &[Question], listing: Listing) -> Round {
    let statuses = join_all(questions.iter().map(|question| async move {
        let (connector, id) = question.as_ref()?;
        Some(remote.integration_status(connector, id.as_ref()?).await)
    }))
    .await;
    let only_listed = questions
        .iter()
        .any(|question| question.as_ref().is_some_and(|(_, id)| id.is_none()));
    let moved = statuses.iter().flatten().any(|status| match status {
        Ok(AuthorizationStatus::Pending) => false,
        Ok(AuthorizationStatus::Active | AuthorizationStatus::Failed) => true,
        Err(e) => super::flow::is_unknown(e),
    });
    let observed = if only_listed || moved || listing == Listing::Always {
        Some(remote.observe().await)
    } else {
        None
    };
    Round { statuses, observed }
}
