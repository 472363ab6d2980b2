//! One change carried out: written down, sent, answered, written down.

use jiff::Timestamp;

use super::{
    entry::{entry_of, seconds},
    job::{ApplyEvent, Shared, blank},
    journal::{PendingChange, Record, Recorded},
};
use crate::{
    diff::{Action, Change, ConfigDiff, Removal},
    escape,
    model::{
        Account, App, ConnectionId, ExpectedAccount, Kind, Likeness, RemoteConnector, RemoteStatus,
        StripeMode,
    },
    pending::PendingEntry,
    plan::field_differences,
    receipt::{Basis, ChangeResult, Outcome},
    remote::{ConnectionEnd, PutAnswer, RemoteError},
};

/// Said of a connector that needed no write.
const ALREADY: &str = "it was already as the plan wants it";

/// Said of a connector whose write was not begun because a signal came.
pub(super) const INTERRUPTED: &str = "the run was interrupted";

/// One change of one run.
pub(super) struct Step<'a, 'b> {
    pub(super) shared: &'b Shared<'a>,
    pub(super) change: &'a Change,
}

/// What a write came to, before it is written down.
struct Answer {
    outcome: Outcome,
    message: Option<String>,
    connection_id: Option<ConnectionId>,
    mode: Option<StripeMode>,
    basis: Option<Basis>,
    /// When it was asked for: the answer may come to a process that stood still meanwhile.
    asked_at: Option<Timestamp>,
}

impl From<Outcome> for Answer {
    fn from(outcome: Outcome) -> Self {
        Self {
            outcome,
            message: None,
            connection_id: None,
            mode: None,
            basis: None,
            asked_at: None,
        }
    }
}

impl Answer {
    fn failed(message: impl Into<String>) -> Self {
        Self {
            message: Some(message.into()),
            ..Self::from(Outcome::Failed)
        }
    }

    /// A call failed. If its answer was lost or could not be read, the call may have taken effect.
    fn failed_by(error: &RemoteError) -> Self {
        if error.is_not_begun() {
            return Self {
                message: Some(INTERRUPTED.to_owned()),
                ..Self::from(Outcome::NotRun)
            };
        }
        let unclear = if error.is_unclear() {
            "; it may have been done anyway"
        } else {
            ""
        };
        Self::failed(format!("{error}{unclear}"))
    }
}

impl Step<'_, '_> {
    /// As [`Answer::failed_by`], without the advice: that is given once for all connectors.
    fn failed_by(&self, error: &RemoteError) -> Answer {
        if !error.is_not_begun() {
            self.shared.advise(error);
        }
        Answer::failed_by(error)
    }

    pub(super) async fn run(self) -> ChangeResult {
        let job = self.shared.job;
        if job.verified.is_done(&self.change.connector) {
            return self.done().await;
        }
        if let Some(done) = job.with.history.done(&self.change.connector)
            && self.lasts(done)
        {
            return self.result_of(done);
        }
        if job.with.history.writes.contains_key(&self.change.connector)
            && let Some(answer) = self.look_up()
        {
            return self.record(answer).await;
        }
        let connector = self.change.connector.clone();
        if let Err(reason) = job
            .with
            .recorder
            .note(Record::Intent { connector }, PendingChange::None)
            .await
        {
            self.shared.unrecorded(reason);
            return ChangeResult {
                message: Some(
                    "it was not sent, because its journal entry could not be written first"
                        .to_owned(),
                ),
                ..blank(self.change, Outcome::NotRun)
            };
        }
        self.shared.sending();
        (job.with.events)(&ApplyEvent::Started(self.change));
        let answer = match (self.change.kind(), self.change.action) {
            (Kind::Oauth, Action::Delete) if self.change.removal == Removal::Disconnect => {
                self.disconnect().await
            }
            (Kind::Oauth, Action::Delete) => self.remove().await,
            (Kind::Stripe, Action::Delete) => self.remove_stripe().await,
            (Kind::Stripe, _) => self.install_stripe().await,
            (Kind::Oauth, _) => self.put().await,
        };
        self.record(answer).await
    }

    /// Asks for the same once more; nothing if a signal comes before.
    pub(super) async fn put_again(self) -> Option<ChangeResult> {
        let answer = self.put().await;
        match answer.outcome {
            Outcome::NotRun => None,
            outcome if outcome == self.in_force() => Some(blank(self.change, outcome)),
            _ => Some(self.record(answer).await),
        }
    }

    /// It is as the plan wants it, whoever saw to that.
    async fn done(&self) -> ChangeResult {
        if let Some(done) = self.shared.job.with.history.done(&self.change.connector)
            && done.outcome != Outcome::Pending
        {
            return self.result_of(done);
        }
        let outcome = match (self.change.action, self.change.kind()) {
            (Action::Delete, _) => Outcome::Removed,
            (_, Kind::Stripe) => Outcome::Provisioned,
            (_, Kind::Oauth) => self.in_force(),
        };
        self.record(Answer {
            message: Some(ALREADY.to_owned()),
            basis: Some(Basis::Found),
            mode: self.is().and_then(|is| is.mode),
            ..Answer::from(outcome)
        })
        .await
    }

    /// Whether what an earlier run did is still so. The app may be again as the plan saw it, by
    /// somebody's hand: then the plan's write is due again.
    fn lasts(&self, done: &Recorded) -> bool {
        let is = self.is();
        match done.outcome {
            Outcome::Removed => is.is_none(),
            Outcome::Provisioned => is.is_some(),
            Outcome::Pending => self.waiting().is_some() || !self.is_as_before(),
            _ => !self.is_as_before(),
        }
    }

    /// What an interrupted write turns out to have done: nothing is sent twice that took effect.
    fn look_up(&self) -> Option<Answer> {
        match (self.change.kind(), self.change.action, self.is()) {
            (_, Action::Delete, None) => Some(Outcome::Removed.into()),
            (_, Action::Delete, Some(_)) | (Kind::Stripe, _, None) => None,
            (Kind::Stripe, _, Some(is)) => Some(Answer {
                mode: is.mode,
                ..Answer::from(Outcome::Provisioned)
            }),
            (Kind::Oauth, _, is) => {
                if let Some(entry) = self.waiting() {
                    return Some(Answer {
                        connection_id: entry.connection_id.clone(),
                        ..Answer::from(Outcome::Pending)
                    });
                }
                let after = self.change.after.as_ref()?;
                let is = is?;
                let rules = self.shared.job.with.rules;
                let same = rules.compare(&self.change.connector, &after.scopes, &is.scopes);
                let other = ExpectedAccount::is_other(after.account.as_ref(), is.account.as_ref());
                let in_force = is.status == RemoteStatus::Active
                    && same.is_same()
                    && ConfigDiff::likeness(&after.connection_config, is) != Likeness::Other
                    && !other
                    && !self.is_as_before();
                in_force.then(|| self.in_force().into())
            }
        }
    }

    /// What the app has now.
    fn is(&self) -> Option<&RemoteConnector> {
        let observed = self.shared.job.verified.observed();
        observed.connectors.get(&self.change.connector)
    }

    fn is_as_before(&self) -> bool {
        let rules = self.shared.job.with.rules;
        let change = self.change;
        let declared = change.after.as_ref().map(|after| &after.scopes);
        let before = change.before.as_ref();
        field_differences(&change.connector, before, self.is(), declared, rules).is_empty()
    }

    /// What an earlier run of this plan left waiting for a person.
    fn waiting(&self) -> Option<&PendingEntry> {
        let job = self.shared.job;
        job.with
            .pending
            .get(self.app(), &self.change.connector)
            .filter(|entry| entry.plan_digest.as_ref() == Some(job.verified.digest()))
    }

    fn in_force(&self) -> Outcome {
        Outcome::in_force(self.change.action)
    }

    async fn put(&self) -> Answer {
        let Some(after) = &self.change.after else {
            return Answer::failed("the plan does not say what it should become");
        };
        let remote = self.shared.job.remote;
        let (connector, values) = (&self.change.connector, &after.connection_config);
        let asked_at = Some(Timestamp::now());
        let asked = if self.takes_over() {
            remote.take_over(connector, &after.scopes, values).await
        } else {
            remote
                .put_with_values(connector, &after.scopes, values)
                .await
        };
        match asked {
            Ok(PutAnswer::InForce | PutAnswer::AlreadyAuthorized) => self.in_force().into(),
            Ok(PutAnswer::NeedsAuthorization {
                connection_id,
                // It is dead in ten minutes: `authorize` asks for one when a person is there.
                link: _,
            }) => Answer {
                connection_id,
                asked_at,
                ..Answer::from(Outcome::Pending)
            },
            Ok(PutAnswer::Refused {
                error,
                message,
                other_account,
            }) => {
                let refused = refusal(&error, message.as_deref(), other_account.as_ref());
                let expected = after.account.as_ref();
                let refused_for = ExpectedAccount::is_other(expected, other_account.as_ref());
                if error == "different_user" && !refused_for {
                    // It says that these very scopes are in force. The app's list has the last word.
                    self.shared.contested(&self.change.connector);
                    return Answer {
                        message: Some(held(other_account.as_ref())),
                        ..self.in_force().into()
                    };
                }
                Answer::failed(refused)
            }
            Err(e) => self.failed_by(&e),
        }
    }

    /// Whether the plan says that another account is to hold what works now.
    fn takes_over(&self) -> bool {
        let (before, after) = (self.change.before.as_ref(), self.change.after.as_ref());
        let status = before.map(|before| before.status);
        let expected = after.and_then(|after| after.account.as_ref());
        let holder = before.and_then(|before| before.account.as_ref());
        self.change.action.takes_over(status, expected, holder)
    }

    async fn disconnect(&self) -> Answer {
        let remote = self.shared.job.remote;
        match remote.disconnect_integration(&self.change.connector).await {
            Ok(_) => Answer {
                message: Some("it is disconnected; its scopes are kept".to_owned()),
                ..Answer::from(Outcome::Removed)
            },
            Err(e) => self.failed_by(&e),
        }
    }

    async fn remove(&self) -> Answer {
        match self
            .shared
            .job
            .remote
            .remove_integration(&self.change.connector)
            .await
        {
            Ok(ConnectionEnd::Detached) => Answer {
                message: Some(
                    "it was detached, and its file in the app's own code is deleted: other apps of the \
                     workspace go on with the connection"
                        .to_owned(),
                ),
                ..Answer::from(Outcome::Removed)
            },
            Ok(ConnectionEnd::Deleted | ConnectionEnd::Untold) => Outcome::Removed.into(),
            // Somebody was quicker; it is gone, as planned.
            Err(RemoteError::NotFound { .. }) => Answer {
                message: Some("it was gone already".to_owned()),
                ..Answer::from(Outcome::Removed)
            },
            Err(e) => self.failed_by(&e),
        }
    }

    async fn install_stripe(&self) -> Answer {
        match self.shared.job.remote.install_stripe().await {
            Ok(installed) => {
                self.shared.claim(installed.claim);
                // The platform provisions nothing but sandboxes.
                Answer {
                    mode: Some(StripeMode::Sandbox),
                    ..Answer::from(Outcome::Provisioned)
                }
            }
            Err(e) => self.failed_by(&e),
        }
    }

    async fn remove_stripe(&self) -> Answer {
        match self.shared.job.remote.remove_stripe().await {
            Ok(()) => Outcome::Removed.into(),
            Err(RemoteError::NotFound { .. }) => Answer {
                message: Some("it was gone already".to_owned()),
                ..Answer::from(Outcome::Removed)
            },
            Err(e) => self.failed_by(&e),
        }
    }

    /// Makes the outcome last before anything else happens.
    async fn record(&self, answer: Answer) -> ChangeResult {
        let recorded = Recorded {
            connector: self.change.connector.clone(),
            outcome: answer.outcome,
            message: Recorded::said(answer.message.as_deref()),
            connection_id: answer.connection_id,
            mode: answer.mode,
            basis: answer.basis,
        };
        let result = ChangeResult {
            message: answer.message,
            ..self.result_of(&recorded)
        };
        let connector = self.change.connector.clone();
        let since = seconds(answer.asked_at.unwrap_or_else(Timestamp::now));
        let pending = match answer.outcome {
            // Looked up after a crash: the entry is there already.
            Outcome::Pending if self.has_entry(&recorded) => PendingChange::None,
            Outcome::Pending => {
                PendingChange::Add(connector, Box::new(self.entry(&recorded, since)))
            }
            Outcome::Failed | Outcome::NotRun => PendingChange::None,
            _ => PendingChange::Remove(connector),
        };
        let noted = self
            .shared
            .job
            .with
            .recorder
            .note(Record::Outcome(recorded), pending)
            .await;
        if let Err(reason) = noted {
            self.shared.unrecorded(reason);
        }
        result
    }

    fn has_entry(&self, recorded: &Recorded) -> bool {
        self.waiting()
            .is_some_and(|entry| entry.connection_id == recorded.connection_id)
    }

    fn app(&self) -> &App {
        &self.shared.job.verified.app().app
    }

    fn entry(&self, recorded: &Recorded, since: Timestamp) -> PendingEntry {
        let id = recorded.connection_id.clone();
        let entry = entry_of(
            self.change,
            self.shared.job.verified.digest(),
            id,
            self.shared.job.with.overrides,
        );
        PendingEntry { since, ..entry }
    }

    fn result_of(&self, recorded: &Recorded) -> ChangeResult {
        let connection_id = recorded.connection_id.clone().or_else(|| {
            let job = self.shared.job;
            let entry = job.with.pending.get(self.app(), &self.change.connector)?;
            entry
                .connection_id
                .clone()
                .filter(|_| recorded.outcome == Outcome::Pending)
        });
        let blank = blank(self.change, recorded.outcome);
        ChangeResult {
            message: recorded.message.clone(),
            connection_id,
            mode: recorded.mode.or(blank.mode),
            basis: recorded.basis,
            ..blank
        }
    }
}

/// Another collaborator's connection has just these scopes.
fn held(by: Option<&Account>) -> String {
    match by {
        Some(by) => format!(
            "{} has authorized it with these scopes already",
            escape::limited(by.as_str(), 200)
        ),
        None => "another account has authorized it with these scopes already".to_owned(),
    }
}

/// Why the remote did not take a PUT, as one sentence.
pub(crate) fn refusal(
    error: &str,
    message: Option<&str>,
    other_account: Option<&Account>,
) -> String {
    let message = message.map(|text| escape::limited(text, 500));
    match (error, other_account) {
        ("different_user", Some(other)) => {
            let other = escape::limited(other.as_str(), 200);
            format!("{other} has authorized it already; only that account can change it")
        }
        ("different_user", None) => {
            "another account has authorized it already; only that one can change it".to_owned()
        }
        (error, _) => message.unwrap_or_else(|| escape::limited(error, 200)),
    }
}
