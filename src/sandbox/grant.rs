//! How connectors come and go: what a PUT, a consent and a removal mean. Pure: the time is given.

use thiserror::Error;

use super::{
    provider, random,
    state::{Connection, Connector, Progress, State},
};
use crate::model::{Account, AppId, ConnectorType, RemoteStatus, Scope, Scopes};

/// How many authorizations are remembered; the oldest finished ones go first.
const KEPT_CONNECTIONS: usize = 1000;

/// What a person decides on the consent page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, as this account.
    Approve {
        /// Who consents.
        account: Account,
        /// The ticked scopes, out of those asked for; `None` for all of them.
        scopes: Option<Scopes>,
    },
    /// No.
    Deny,
}

impl Decision {
    /// Consent to everything that is asked for.
    pub fn approve(account: impl Into<String>) -> Self {
        Self::Approve {
            account: Account::new(account),
            scopes: None,
        }
    }
}

/// Why a link is of no use (any more), or what was sent with it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LinkProblem {
    /// No such connection, or not the secret that belongs to it.
    #[error("the sandbox knows no such link")]
    Unknown,
    /// A decision was made before.
    #[error("this link was used already")]
    Used,
    /// A PUT after the one that made it.
    #[error("a newer link replaced this one")]
    Superseded,
    /// The connector went away meanwhile.
    #[error("the connector was removed")]
    Removed,
    /// Too late.
    #[error("this link has run out")]
    Expired,
    /// A ticked scope that was not on the page.
    #[error("the scope `{0}` was not asked for")]
    Scope(String),
    /// No account, or nothing like one.
    #[error("an account is an e-mail address")]
    Account,
}

/// The answer to a PUT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Put {
    /// In force with these scopes.
    Authorized,
    /// A person must open the link of this connection.
    Redirect(String),
    /// Someone else has it.
    DifferentUser(Account),
    /// The workspace does not want it, in these words.
    Forbidden(String),
}

/// The answer to `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Active,
    Failed,
    Pending,
}

impl State {
    /// Asks for exactly these scopes. An active connector that has them all is narrowed to them on
    /// the spot; anything else needs a person, and a new link makes every older one useless.
    pub(super) fn put(
        &mut self,
        app: &AppId,
        connector: &ConnectorType,
        asked: Scopes,
        now_ms: i64,
    ) -> Put {
        if let Some(message) = self.settings.forbidden.get(connector) {
            return Put::Forbidden(message.clone());
        }
        let entry = self.apps.entry(app.clone()).or_default();
        if let Some(account) = entry.different_user.get(connector) {
            return Put::DifferentUser(account.clone());
        }
        let authorized = match entry.connectors.get_mut(connector) {
            Some(c)
                if c.status == RemoteStatus::Active
                    && provider::covers(connector, &c.scopes, &asked) =>
            {
                c.scopes = provider::granted(connector, &asked);
                true
            }
            None if self.settings.list_unauthorized => {
                let shown = Connector {
                    status: RemoteStatus::Disconnected,
                    scopes: asked.clone(),
                    account: None,
                    connection: None,
                };
                entry.connectors.insert(connector.clone(), shown);
                false
            }
            _ => false,
        };
        self.end_pending(app, connector, Progress::Superseded);
        if authorized {
            return Put::Authorized;
        }
        let id = random::id("conn");
        let connection = Connection {
            app: app.clone(),
            connector: connector.clone(),
            scopes: asked,
            created_ms: now_ms,
            progress: Progress::Pending,
            ticket: random::secret(),
            form_token: random::secret(),
        };
        self.connections.insert(id.clone(), connection);
        self.forget_old(now_ms);
        Put::Redirect(id)
    }

    /// What became of an authorization; `None` if this app's connector never had it. Superseded,
    /// denied and late ones have failed, and so has one whose connector rests on another now.
    pub(super) fn asked(
        &self,
        app: &AppId,
        connector: &ConnectorType,
        id: &str,
        now_ms: i64,
    ) -> Option<Asked> {
        let connection = self.connections.get(id)?;
        if connection.app != *app || connection.connector != *connector {
            return None;
        }
        Some(match connection.progress {
            Progress::Pending if self.is_late(connection, now_ms) => Asked::Failed,
            Progress::Pending => Asked::Pending,
            Progress::Approved => {
                let now = self
                    .apps
                    .get(app)
                    .and_then(|app| app.connectors.get(connector));
                let rests = now.is_some_and(|c| {
                    c.status == RemoteStatus::Active && c.connection.as_deref() == Some(id)
                });
                if rests { Asked::Active } else { Asked::Failed }
            }
            Progress::Denied | Progress::Superseded | Progress::Removed => Asked::Failed,
        })
    }

    /// The connection, if a person can still decide on it.
    pub(super) fn open_connection(
        &self,
        id: &str,
        now_ms: i64,
    ) -> Result<&Connection, LinkProblem> {
        let connection = self.connections.get(id).ok_or(LinkProblem::Unknown)?;
        match connection.progress {
            Progress::Pending if self.is_late(connection, now_ms) => Err(LinkProblem::Expired),
            Progress::Pending => Ok(connection),
            Progress::Approved | Progress::Denied => Err(LinkProblem::Used),
            Progress::Superseded => Err(LinkProblem::Superseded),
            Progress::Removed => Err(LinkProblem::Removed),
        }
    }

    /// Carries out what a person decided.
    pub(super) fn decide(
        &mut self,
        id: &str,
        decision: Decision,
        now_ms: i64,
    ) -> Result<(), LinkProblem> {
        let connection = self.open_connection(id, now_ms)?;
        let Decision::Approve { account, scopes } = decision else {
            return self.set_progress(id, Progress::Denied);
        };
        check_account(account.as_str())?;
        let ticked = scopes.unwrap_or_else(|| connection.scopes.clone());
        if let Some(foreign) = ticked.iter().find(|s| !connection.scopes.contains(s)) {
            return Err(LinkProblem::Scope(foreign.as_str().to_owned()));
        }
        let (app, connector) = (connection.app.clone(), connection.connector.clone());
        let granted = Connector {
            status: RemoteStatus::Active,
            scopes: provider::granted(&connector, &ticked),
            account: Some(account),
            connection: Some(id.to_owned()),
        };
        let entry = self.apps.entry(app).or_default();
        entry.connectors.insert(connector, granted);
        self.set_progress(id, Progress::Approved)
    }

    /// Removes a connector with all that was asked for it; false if there was nothing.
    pub(super) fn remove(&mut self, app: &AppId, connector: &ConnectorType) -> bool {
        let had = self.apps.get_mut(app).is_some_and(|entry| {
            let connected = entry.connectors.remove(connector).is_some();
            entry.different_user.remove(connector).is_some() || connected
        });
        self.end_pending(app, connector, Progress::Removed) || had
    }

    fn is_late(&self, connection: &Connection, now_ms: i64) -> bool {
        let lifetime = i64::from(self.settings.link_lifetime_seconds) * 1000;
        now_ms >= connection.created_ms.saturating_add(lifetime)
    }

    fn set_progress(&mut self, id: &str, progress: Progress) -> Result<(), LinkProblem> {
        let connection = self.connections.get_mut(id).ok_or(LinkProblem::Unknown)?;
        connection.progress = progress;
        Ok(())
    }

    /// Ends what is pending for a connector; false if nothing was.
    fn end_pending(&mut self, app: &AppId, connector: &ConnectorType, how: Progress) -> bool {
        let mut any = false;
        for connection in self.connections.values_mut() {
            if connection.progress == Progress::Pending
                && connection.app == *app
                && connection.connector == *connector
            {
                connection.progress = how;
                any = true;
            }
        }
        any
    }

    fn forget_old(&mut self, now_ms: i64) {
        let excess = self.connections.len().saturating_sub(KEPT_CONNECTIONS);
        let mut finished: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, c)| c.progress != Progress::Pending || self.is_late(c, now_ms))
            .map(|(id, c)| (c.created_ms, id.clone()))
            .collect();
        finished.sort();
        for (_, id) in finished.into_iter().take(excess) {
            self.connections.remove(&id);
        }
    }
}

/// An account is shown to people and compared, so it has to look like an address.
pub(super) fn check_account(account: &str) -> Result<(), LinkProblem> {
    let plain = |c: char| !c.is_whitespace() && !c.is_control();
    let valid = account.len() <= 254
        && account.chars().all(plain)
        && account
            .rsplit_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if valid {
        Ok(())
    } else {
        Err(LinkProblem::Account)
    }
}

/// The scopes of a PUT, as they came: any text that a scope can be.
pub(super) fn check_scope(scope: &Scope) -> bool {
    let text = scope.as_str();
    !text.trim().is_empty() && text.len() <= 1024 && !text.chars().any(char::is_control)
}

#[cfg(test)]
#[path = "grant_tests.rs"]
mod tests;
