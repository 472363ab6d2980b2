//! What a session tells, and what it is told.

use std::{collections::BTreeMap, time::Duration};

use jiff::Timestamp;

use super::State;
use crate::{
    diff::Action,
    model::{ConnectorType, ExpectedAccount, Link, Scopes},
    plan::Digest,
};

/// Something worth telling while authorizations are waited for.
#[derive(Debug)]
pub enum AuthorizeEvent<'a> {
    /// A person can consent here now. Private: show it on a terminal, open it, or do neither.
    LinkReady {
        /// Which connector.
        connector: &'a ConnectorType,
        /// Where.
        link: &'a Link,
        /// Whether it stands for one that ran out or was declined.
        again: bool,
        /// How long it is good for.
        lives: Duration,
        /// Where this provider's links led before, if this one leads elsewhere: then it is never to
        /// be opened without a person having looked at it.
        led_to: Option<&'a [String]>,
    },
    /// The link of this one is too old to be used; it is asked for anew when somebody wants it.
    LinkRanOut(&'a ConnectorType),
    /// These are waited for, in this order. Told whenever the list changes.
    Waiting(&'a [ConnectorType]),
    /// One came to an end, at least for now.
    Settled(&'a AuthorizationResult),
    /// The remote could not be asked just now; it is asked again. Told once for each reason.
    Unreachable(&'a str),
}

/// What a person wants while waiting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Esc: the first one is skipped; it stays pending.
    Skip,
    /// All that remain are skipped; they stay pending.
    Finish,
    /// Somebody wants to consent to this one: its link is asked for, unless there is one.
    Want(ConnectorType),
}

/// How one authorization stands at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationResult {
    /// Which connector.
    pub connector: ConnectorType,
    /// The change that asked.
    pub action: Action,
    /// What was approved.
    pub scopes: Scopes,
    /// The connection values that it is asked for with. Untrusted text.
    pub values: BTreeMap<String, String>,
    /// The plan that asked, if one is known.
    pub plan: Option<Digest>,
    /// Who is to consent, if the file says so.
    pub expected: Option<ExpectedAccount>,
    /// Since when it waits.
    pub since: Timestamp,
    /// How it stands.
    pub state: State,
    /// How long this run waited for it.
    pub took: Option<Duration>,
    /// What else a person should know of it. Escaped.
    pub note: Option<String>,
}
