//! How connectors come and go: what a PUT, a consent and a removal mean. The time is given;
//! names of connections and links are drawn.

use std::collections::BTreeMap;

use super::{
    link::LinkProblem,
    provider, random,
    state::{AttemptStatus, Connection, Connector, State},
};
use crate::model::{self, Account, AppId, ConnectorType, RemoteStatus, Scope, Scopes};

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

/// What a PUT or an initiate asks for, and who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ask {
    pub(super) caller: Option<Account>,
    pub(super) scopes: Scopes,
    pub(super) connection_config: BTreeMap<String, String>,
    /// Take over what another collaborator has.
    pub(super) force: bool,
    /// Add the scopes to those that are there.
    pub(super) add: bool,
}

/// What the end of a connection was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Its tokens are gone.
    Deleted,
    /// Other apps of the workspace go on with it.
    Detached,
}

impl Ended {
    fn of(shared: bool) -> Self {
        if shared {
            Self::Detached
        } else {
            Self::Deleted
        }
    }
}

/// The answer to `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Active,
    Failed,
    Pending,
}

impl State {
    /// Asks for exactly these scopes and values. What is in force so is so; anything else needs a
    /// person, and a new link makes every older one useless.
    pub(super) fn put(
        &mut self,
        app: &AppId,
        connector: &ConnectorType,
        ask: Ask,
        now_ms: i64,
    ) -> Put {
        if let Some(message) = self.settings.forbidden.get(connector) {
            return Put::Forbidden(message.clone());
        }
        let entry = self.apps.entry(app.clone()).or_default();
        if let Some(account) = entry.different_user.get(connector)
            && !ask.force
        {
            return Put::DifferentUser(account.clone());
        }
        entry.files.insert(connector.clone());
        let mut scopes = self.settings.kept(connector, &ask.scopes);
        let now = entry.connectors.get(connector).filter(|c| !c.outside_list);
        let more = self.settings.added_scopes.get(connector);
        let in_force = now.filter(|c| {
            let works = c.status == RemoteStatus::Active && !c.withdrawn;
            let same = c.connection_config == ask.connection_config;
            if ask.add {
                let same = same || ask.connection_config.is_empty();
                works && same && provider::covers(connector, &c.scopes, &scopes)
            } else {
                works && same && provider::exactly(connector, &c.scopes, &scopes, more)
            }
        });
        let narrower = now.filter(|c| {
            self.settings.narrows_at_once
                && !ask.add
                && c.status == RemoteStatus::Active
                && c.connection_config == ask.connection_config
                && provider::covers(connector, &c.scopes, &scopes)
        });
        if narrower.is_some() && in_force.is_none() {
            let granted = provider::granted(connector, &scopes);
            let granted = self.settings.with_added(connector, &granted);
            if let Some(now) = entry.connectors.get_mut(connector) {
                now.scopes = granted;
            }
            self.end_pending(app, connector, AttemptStatus::Superseded);
            return Put::Authorized;
        }
        if ask.add {
            let before = now.into_iter().flat_map(|now| now.scopes.iter());
            scopes = scopes.iter().chain(before).cloned().collect();
        }
        if let Some(now) = in_force {
            match (&now.owner, &ask.caller) {
                (Some(owner), Some(caller)) if owner != caller => {
                    if !ask.force {
                        return Put::DifferentUser(owner.clone());
                    }
                }
                _ => {
                    self.end_pending(app, connector, AttemptStatus::Superseded);
                    return Put::Authorized;
                }
            }
        } else if now.is_none() && self.settings.list_unauthorized {
            let shown = Connector {
                status: RemoteStatus::Disconnected,
                scopes: scopes.clone(),
                account: None,
                connection: None,
                owner: None,
                connection_config: BTreeMap::new(),
                shared: false,
                outside_list: false,
                withdrawn: false,
            };
            entry.connectors.insert(connector.clone(), shown);
        }
        self.end_pending(app, connector, AttemptStatus::Superseded);
        let id = random::id("conn");
        let connection = Connection {
            app: app.clone(),
            connector: connector.clone(),
            scopes,
            connection_config: ask.connection_config,
            caller: ask.caller,
            created_ms: now_ms,
            progress: AttemptStatus::Pending,
            ticket: random::secret(),
            form_token: random::secret(),
        };
        self.connections.insert(id.clone(), connection);
        self.forget_old(now_ms);
        Put::Redirect(id)
    }

    /// What became of an authorization; `None` if this app's connector never had it. To all but
    /// who asked for it, it is pending. Superseded and denied ones have failed, and so has one whose
    /// connector rests on another now; one that nobody completes stays pending for ever.
    pub(super) fn asked(
        &self,
        app: &AppId,
        connector: &ConnectorType,
        id: &str,
        caller: Option<&Account>,
        now_ms: i64,
    ) -> Option<Asked> {
        let connection = self.connections.get(id)?;
        if connection.app != *app || connection.connector != *connector {
            return None;
        }
        if let (Some(asker), Some(caller)) = (&connection.caller, caller)
            && asker != caller
        {
            return Some(Asked::Pending);
        }
        Some(match connection.progress {
            AttemptStatus::Pending
                if self.settings.late_links_fail && self.is_late(connection, now_ms) =>
            {
                Asked::Failed
            }
            AttemptStatus::Pending => Asked::Pending,
            AttemptStatus::Approved => {
                let now = self
                    .apps
                    .get(app)
                    .and_then(|app| app.connectors.get(connector));
                let rests = now.is_some_and(|c| {
                    c.status == RemoteStatus::Active && c.connection.as_deref() == Some(id)
                });
                if rests { Asked::Active } else { Asked::Failed }
            }
            AttemptStatus::Denied
            | AttemptStatus::TooLate
            | AttemptStatus::Superseded
            | AttemptStatus::Removed => Asked::Failed,
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
            AttemptStatus::Pending if self.is_late(connection, now_ms) => Err(LinkProblem::Expired),
            AttemptStatus::Pending => Ok(connection),
            AttemptStatus::Approved | AttemptStatus::Denied => Err(LinkProblem::Used),
            AttemptStatus::TooLate => Err(LinkProblem::TooLate),
            AttemptStatus::Superseded => Err(LinkProblem::Superseded),
            AttemptStatus::Removed => Err(LinkProblem::Removed),
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
            return self.set_progress(id, AttemptStatus::Denied);
        };
        let patience = i64::from(self.settings.approval_seconds) * 1000;
        if now_ms >= connection.created_ms.saturating_add(patience) {
            self.set_progress(id, AttemptStatus::TooLate)?;
            return Err(LinkProblem::TooLate);
        }
        check_account(account.as_str())?;
        let ticked = scopes.unwrap_or_else(|| connection.scopes.clone());
        if let Some(foreign) = ticked.iter().find(|s| !connection.scopes.contains(s)) {
            return Err(LinkProblem::Scope(foreign.as_str().to_owned()));
        }
        let (app, connector) = (connection.app.clone(), connection.connector.clone());
        let scopes = provider::granted(&connector, &ticked);
        let granted = Connector {
            status: RemoteStatus::Active,
            scopes: self.settings.with_added(&connector, &scopes),
            account: Some(account),
            connection: Some(id.to_owned()),
            owner: connection.caller.clone(),
            connection_config: connection.connection_config.clone(),
            shared: false,
            outside_list: false,
            withdrawn: false,
        };
        let entry = self.apps.entry(app).or_default();
        entry.different_user.remove(&connector);
        entry.connectors.insert(connector, granted);
        self.set_progress(id, AttemptStatus::Approved)
    }

    /// Removes a connector with all that was asked for it, and its file in the app's code.
    pub(super) fn remove(&mut self, app: &AppId, connector: &ConnectorType) -> Option<Ended> {
        let had = self.apps.get_mut(app).and_then(|entry| {
            entry.files.remove(connector);
            let other = entry.different_user.remove(connector);
            let connected = entry.connectors.remove(connector);
            let connected = connected.map(|c| Ended::of(c.shared));
            connected.or(other.map(|_| Ended::Deleted))
        });
        let pending = self.end_pending(app, connector, AttemptStatus::Removed);
        had.or(pending.then_some(Ended::Deleted))
    }

    /// Ends a connector's connection; its scopes stay.
    pub(super) fn disconnect(&mut self, app: &AppId, connector: &ConnectorType) -> Option<Ended> {
        self.end_pending(app, connector, AttemptStatus::Removed);
        let entry = self.apps.get_mut(app)?;
        let connector = entry.connectors.get_mut(connector)?;
        let ended = Ended::of(connector.shared);
        connector.status = RemoteStatus::Disconnected;
        (connector.connection, connector.owner, connector.shared) = (None, None, false);
        Some(ended)
    }

    /// Finds out which connections were withdrawn at their providers, as listing does.
    pub(super) fn check_live(&mut self, app: &AppId) {
        let connectors = self.apps.get_mut(app);
        for connector in connectors
            .into_iter()
            .flat_map(|a| a.connectors.values_mut())
        {
            if std::mem::take(&mut connector.withdrawn) && connector.status == RemoteStatus::Active
            {
                connector.status = RemoteStatus::Expired;
            }
        }
    }

    fn is_late(&self, connection: &Connection, now_ms: i64) -> bool {
        let lifetime = i64::from(self.settings.link_lifetime_seconds) * 1000;
        now_ms >= connection.created_ms.saturating_add(lifetime)
    }

    fn set_progress(&mut self, id: &str, progress: AttemptStatus) -> Result<(), LinkProblem> {
        let connection = self.connections.get_mut(id).ok_or(LinkProblem::Unknown)?;
        connection.progress = progress;
        Ok(())
    }

    /// Ends what is pending for a connector; false if nothing was.
    fn end_pending(&mut self, app: &AppId, connector: &ConnectorType, how: AttemptStatus) -> bool {
        let mut any = false;
        for connection in self.connections.values_mut() {
            if connection.progress == AttemptStatus::Pending
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
            .filter(|(_, c)| c.progress != AttemptStatus::Pending || self.is_late(c, now_ms))
            .map(|(id, c)| (c.created_ms, id.clone()))
            .collect();
        model::sort(&mut finished, Ord::cmp);
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
