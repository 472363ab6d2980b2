//! A run: look, ask for links, read back. The waiting is in `wait`.

use std::collections::BTreeMap;

use futures_util::{StreamExt, future::join_all, stream};

use super::{Candidate, Event, Fate, Item, Keeper, LeftAlone, Pace, State, Verdict, judge};
use crate::{
    apply::refusal,
    authorize::candidate::{foreign, same_scopes},
    catalogue::ScopeEquivalence,
    diff::Action,
    model::{ConnectorType, Observed, RemoteConnector},
    pending::{LastTry, PendingError},
    remote::{AuthorizationStatus, PutAnswer, Remote, RemoteError},
};

/// How many links are asked for at once.
const PARALLELISM: usize = 16;

/// What a run needs.
pub struct Flow<'a> {
    /// The app.
    pub remote: &'a Remote,
    /// How scopes compare.
    pub rules: &'a ScopeEquivalence,
    /// Where every change is kept.
    pub keeper: &'a mut Keeper,
    /// How often the remote is asked.
    pub pace: Pace,
    /// Whether links are opened where that is seen ([`super::Command::Opened`]): then a link that
    /// fails unopened has run out, and who declined can ask again while the others are waited for.
    pub watched: bool,
    /// Told what happens.
    pub events: &'a dyn Fn(&Event<'_>),
}

impl Flow<'_> {
    /// Forgets entries that are of no more use, so that `plan` shows their change again.
    pub fn forget(&mut self, left_alone: &mut [LeftAlone]) -> Result<(), PendingError> {
        for left in left_alone.iter_mut().filter(|left| left.obsolete) {
            self.keeper.drop(&left.connector)?;
            if left.state == State::Undeclared(Fate::Kept) && self.keeper.writes() {
                left.state = State::Undeclared(Fate::Forgotten);
            }
        }
        Ok(())
    }

    /// Asks for the status of everything that is pending: what meanwhile became ACTIVE is done,
    /// what FAILED needs a fresh link. Changes nothing on the remote.
    pub async fn inspect(
        &mut self,
        candidates: Vec<Candidate>,
        observed: &Observed,
    ) -> Result<Vec<Item>, PendingError> {
        let statuses = join_all(candidates.iter().map(|candidate| async {
            let id = candidate.entry.connection_id.as_ref()?;
            Some(
                self.remote
                    .integration_status(&candidate.connector, id)
                    .await,
            )
        }))
        .await;
        // What a status says may have become so after the list was read.
        let moved = statuses.iter().any(|status| {
            matches!(
                status,
                Some(Ok(AuthorizationStatus::Active | AuthorizationStatus::Failed))
            )
        });
        let fresh = if moved {
            self.remote.observe().await.ok()
        } else {
            None
        };
        let connectors = &fresh.as_ref().unwrap_or(observed).connectors;
        let mut items = Vec::new();
        for (candidate, status) in candidates.into_iter().zip(statuses) {
            let baseline = connectors.get(&candidate.connector).cloned();
            let mut item = Item::new(candidate, baseline);
            match status {
                // Held against a list from before the consent it would look partly granted.
                Some(Ok(AuthorizationStatus::Active)) if fresh.is_none() => {}
                Some(Ok(AuthorizationStatus::Active)) => self.read_back(&mut item, connectors)?,
                // A remote that can not be asked is asked again once somebody waits.
                None => self.look(&mut item, connectors)?,
                Some(Err(ref e)) if !is_unknown(e) => self.look(&mut item, connectors)?,
                Some(status) => {
                    self.unless_foreign(&mut item, connectors)?;
                    if item.state == State::Waiting {
                        self.look(&mut item, connectors)?;
                    }
                    let void = !matches!(status, Ok(AuthorizationStatus::Pending));
                    if item.state == State::Waiting && void {
                        self.void(&mut item)?;
                    }
                }
            }
            items.push(item);
        }
        Ok(items)
    }

    /// Nobody has consented to this link; if the connector works with other scopes all the same,
    /// somebody else made it so.
    fn unless_foreign(
        &mut self,
        item: &mut Item,
        connectors: &BTreeMap<ConnectorType, RemoteConnector>,
    ) -> Result<(), PendingError> {
        let connector = item.candidate.connector.clone();
        let is = connectors.get(&connector);
        if let Some(reason) = foreign(&connector, &item.candidate.entry, is, self.rules) {
            self.keeper.drop(&connector)?;
            item.settle(State::Untouched(reason));
        }
        Ok(())
    }

    /// The link is of no more use.
    pub(super) fn void(&mut self, item: &mut Item) -> Result<(), PendingError> {
        let connector = item.candidate.connector.clone();
        let entry = &mut item.candidate.entry;
        entry.link = None;
        entry.connection_id = None;
        entry.last = LastTry::Failed;
        if self.keeper.has(&connector) {
            self.keeper.keep(&connector, entry.clone())?;
        }
        Ok(())
    }

    /// Whether the list alone shows what became of it.
    pub(super) fn look(
        &mut self,
        item: &mut Item,
        connectors: &BTreeMap<ConnectorType, RemoteConnector>,
    ) -> Result<(), PendingError> {
        let (candidate, is) = (&item.candidate, connectors.get(&item.candidate.connector));
        let entry = &candidate.entry;
        // What was there before the change looks partial or wrong, and is no person's answer.
        let answered = item.baseline.as_ref() != is || entry.before.is_none();
        let by_another = |account| entry.account_before.as_ref().is_some_and(|b| b != account);
        match judge(&candidate.connector, entry, is, self.rules) {
            // Asked for fewer scopes, it still has all of them: nobody has consented yet.
            Verdict::Granted { .. } if self.is_as_before(candidate, is) => Ok(()),
            Verdict::Granted { .. } => self.read_back(item, connectors),
            // An earlier answer, which was written down.
            Verdict::Partial { account, missing }
                if matches!(entry.last, LastTry::Partial(_)) && item.baseline.as_ref() == is =>
            {
                item.state = match item.handed_out {
                    None => State::Partial { account, missing },
                    Some(_) => State::Waiting,
                };
                Ok(())
            }
            Verdict::Partial { .. } if answered => self.read_back(item, connectors),
            Verdict::WrongAccount { account, .. } if answered || by_another(&account) => {
                self.read_back(item, connectors)
            }
            Verdict::Partial { .. } | Verdict::WrongAccount { .. } | Verdict::NotInForce => Ok(()),
        }
    }

    /// Whether the list shows it in force as wanted, whoever finished it; then it is done.
    pub(super) fn is_finished(
        &mut self,
        item: &mut Item,
        connectors: &BTreeMap<ConnectorType, RemoteConnector>,
    ) -> Result<bool, PendingError> {
        let candidate = &item.candidate;
        let is = connectors.get(&candidate.connector);
        let verdict = judge(&candidate.connector, &candidate.entry, is, self.rules);
        if !matches!(verdict, Verdict::Granted { .. }) || self.is_as_before(candidate, is) {
            return Ok(false);
        }
        self.read_back(item, connectors)?;
        Ok(true)
    }

    fn is_as_before(&self, candidate: &Candidate, is: Option<&RemoteConnector>) -> bool {
        let before = candidate.entry.before.as_ref();
        candidate.entry.action == Action::Update
            && before.zip(is).is_some_and(|(before, is)| {
                same_scopes(self.rules, &candidate.connector, before, &is.scopes)
            })
    }

    /// Takes what the remote lists as the result. What it does not list as active waits on: the
    /// list may lag behind the status.
    pub(super) fn read_back(
        &mut self,
        item: &mut Item,
        connectors: &BTreeMap<ConnectorType, RemoteConnector>,
    ) -> Result<(), PendingError> {
        let connector = item.candidate.connector.clone();
        let is = connectors.get(&connector);
        let verdict = judge(&connector, &item.candidate.entry, is, self.rules);
        match verdict {
            Verdict::Granted {
                account,
                instead_of,
                unasked,
            } => {
                if let Some(link) = &item.candidate.entry.link {
                    self.keeper.learn(&connector, link)?;
                }
                item.settle(State::Granted {
                    account,
                    instead_of,
                    unasked,
                });
                self.keeper.drop(&connector)
            }
            // Not pending: `plan` shows it, with before and after.
            Verdict::WrongAccount { account, expected } => {
                item.settle(State::WrongAccount { account, expected });
                self.keeper.drop(&connector)
            }
            Verdict::Partial { account, missing } => {
                let entry = &mut item.candidate.entry;
                // Spent: the next try needs a link of its own, and starts from here.
                entry.link = None;
                entry.connection_id = None;
                entry.last = LastTry::Partial(missing.clone());
                entry.before = is.map(|is| is.scopes.clone());
                entry.account_before = is.and_then(|is| is.account.clone());
                let entry = entry.clone();
                item.baseline = is.cloned();
                item.settle(State::Partial { account, missing });
                self.keeper.keep(&connector, entry)
            }
            Verdict::NotInForce => Ok(()),
        }
    }

    /// Makes sure that everything that waits has a link, all at the same time.
    pub async fn links(&mut self, items: &mut [Item]) -> Result<(), PendingError> {
        let remote = self.remote;
        let wanting = items.iter().enumerate().filter(|(_, item)| {
            let entry = &item.candidate.entry;
            let has_link = entry.link.is_some() && entry.connection_id.is_some();
            item.can_be_asked() && !(item.state == State::Waiting && has_link)
        });
        let questions: Vec<_> = wanting
            .map(|(index, item)| {
                let connector = item.candidate.connector.clone();
                let scopes = item.candidate.entry.scopes.clone();
                async move { (index, remote.put_integration(&connector, &scopes).await) }
            })
            .collect();
        for item in items.iter_mut() {
            let entry = &item.candidate.entry;
            if item.state == State::Waiting && entry.link.is_some() && entry.connection_id.is_some()
            {
                self.announce(item, false)?;
            }
        }
        let mut answers = stream::iter(questions).buffer_unordered(PARALLELISM);
        while let Some((index, answer)) = answers.next().await {
            if let Some(item) = items.get_mut(index) {
                self.answered(item, answer).await?;
                self.announce(item, false)?;
            }
        }
        Ok(())
    }

    /// Asks for one again, with a fresh link.
    pub(super) async fn renew(&mut self, item: &mut Item) -> Result<(), PendingError> {
        let scopes = &item.candidate.entry.scopes;
        let answer = self
            .remote
            .put_integration(&item.candidate.connector, scopes)
            .await;
        self.answered(item, answer).await?;
        self.announce(item, true)
    }

    async fn answered(
        &mut self,
        item: &mut Item,
        answer: Result<PutAnswer, RemoteError>,
    ) -> Result<(), PendingError> {
        let connector = item.candidate.connector.clone();
        match answer {
            Ok(PutAnswer::NeedsAuthorization {
                link,
                connection_id,
            }) => {
                let entry = &mut item.candidate.entry;
                entry.connection_id = connection_id;
                if entry.last == LastTry::Failed {
                    entry.last = LastTry::Open;
                }
                match link {
                    Ok(link) => {
                        entry.link = Some(link);
                        item.state = State::Waiting;
                    }
                    Err(e) => {
                        entry.link = None;
                        item.state = State::Failed(e.to_string());
                    }
                }
                // On disk before anybody can see it.
                self.keeper.keep(&connector, entry.clone())
            }
            Ok(PutAnswer::InForce | PutAnswer::AlreadyAuthorized) => {
                match self.remote.observe().await {
                    Ok(observed) => self.read_back(item, &observed.connectors)?,
                    Err(e) => item.state = State::Failed(e.to_string()),
                }
                if item.state == State::Waiting {
                    item.settle(State::Failed(UNLISTED.to_owned()));
                }
                Ok(())
            }
            Ok(PutAnswer::Refused {
                error,
                message,
                other_account,
            }) => {
                let reason = refusal(&error, message.as_deref(), other_account.as_ref());
                item.state = State::Failed(reason);
                Ok(())
            }
            Err(e) => {
                item.state = State::Failed(e.to_string());
                Ok(())
            }
        }
    }

    fn announce(&mut self, item: &mut Item, again: bool) -> Result<(), PendingError> {
        if item.state != State::Waiting {
            (self.events)(&Event::Settled(&item.resumed()));
            return Ok(());
        }
        item.hand_out();
        let connector = &item.candidate.connector;
        if let Some(link) = &item.candidate.entry.link {
            let familiar = self.keeper.is_familiar(connector, link)?;
            (self.events)(&Event::LinkReady {
                connector,
                link,
                again,
                led_to: familiar.as_ref().err().map(Vec::as_slice),
            });
        }
        Ok(())
    }
}

/// Said of a connector that is in force by one answer and not by the other.
pub(super) const UNLISTED: &str =
    "the remote says that it is authorized, and does not list it as active; look at the dashboard";

/// Whether the remote knows nothing of a connection: its link is of no use any more.
pub(super) fn is_unknown(error: &RemoteError) -> bool {
    matches!(error, RemoteError::NotFound { .. })
}
