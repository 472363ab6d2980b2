//! What an apply needs, what it comes to, and what the steps of one run share.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use miette::Diagnostic as _;
use tokio_util::sync::CancellationToken;

use super::{
    journal::{History, Recorder},
    read_back::PostApplyDrift,
};
use crate::{
    catalogue::ScopeEquivalence,
    diff::Change,
    model::{ConnectorType, Link},
    pending::PendingSet,
    plan::{Override, Refusal, Verified},
    receipt::{ChangeResult, Outcome, Receipt},
    remote::{Remote, RemoteError},
};

/// How an apply goes about it.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// How many writes are under way at once.
    pub parallelism: usize,
    /// Whether removals run although a PUT failed.
    pub keep_going: bool,
    /// After this the app is looked at once more, where it does not show what was written.
    pub read_again: Duration,
}

/// Something worth telling while an apply runs.
#[derive(Debug)]
pub enum ApplyEvent<'a> {
    /// A write is being sent.
    Started(&'a Change),
    /// A write came to an end.
    Finished(&'a ChangeResult),
}

/// All that an apply needs. It cannot be had without a verified plan, nor for another app.
pub struct Job<'a> {
    /// The plan, with the remote as it was just before the first write.
    pub(super) verified: Verified<'a>,
    /// The app.
    pub(super) remote: &'a Remote,
    pub(super) with: With<'a>,
}

/// What goes with a verified plan.
pub struct With<'a> {
    /// What an earlier, interrupted run did.
    pub history: &'a History,
    /// What waited for a person before.
    pub pending: &'a PendingSet,
    /// Where everything is written down.
    pub recorder: Recorder,
    /// The rules that are broken on purpose.
    pub overrides: &'a [Override],
    /// How scopes compare.
    pub rules: &'a ScopeEquivalence,
    /// How to go about it.
    pub options: Options,
    /// Nothing new starts once this is cancelled.
    pub cancel: CancellationToken,
    /// Told what happens.
    pub events: &'a dyn Fn(&ApplyEvent<'_>),
}

impl<'a> Job<'a> {
    /// Fails where the plan is not for this remote's app.
    pub fn new(
        verified: Verified<'a>,
        remote: &'a Remote,
        with: With<'a>,
    ) -> Result<Self, Refusal> {
        verified.is_for(remote.app())?;
        Ok(Self {
            verified,
            remote,
            with,
        })
    }
}

/// What an apply came to.
#[derive(Debug)]
pub struct Finished {
    /// What was done, change by change.
    pub receipt: Receipt,
    /// Where the remote is not as the plan says, after all.
    pub mismatches: Vec<PostApplyDrift>,
    /// Why the remote could not be read back, if so.
    pub unread: Option<String>,
    /// What to do about what failed, each thing once.
    pub advice: BTreeSet<String>,
    /// Whether it was interrupted.
    pub interrupted: bool,
    /// Why something could not be written down: then nothing new was started.
    pub unrecorded: Option<String>,
    /// The link by which a new Stripe sandbox is claimed. Private.
    pub stripe_claim: Option<Link>,
}

/// What the phases of one run share.
pub(super) struct Shared<'a> {
    pub(super) job: &'a Job<'a>,
    pub(super) stripe_claim: Mutex<Option<Link>>,
    pub(super) unrecorded: Mutex<Option<String>>,
    pub(super) failed: AtomicBool,
    /// Whether anything was sent to be written.
    pub(super) sent: AtomicBool,
    /// What to do about what failed.
    pub(super) advice: Mutex<BTreeSet<String>>,
    /// Connectors that another's connection is said to have in force.
    pub(super) contested: Mutex<BTreeSet<ConnectorType>>,
}

impl Shared<'_> {
    pub(super) fn advise(&self, error: &RemoteError) {
        if let (Some(help), Ok(mut advice)) = (error.help(), self.advice.lock()) {
            advice.insert(help.to_string());
        }
    }

    pub(super) fn sending(&self) {
        self.sent.store(true, Ordering::Relaxed);
    }

    pub(super) fn contested(&self, connector: &ConnectorType) {
        if let Ok(mut set) = self.contested.lock() {
            set.insert(connector.clone());
        }
    }

    pub(super) fn claim(&self, link: Option<Link>) {
        if let (Some(link), Ok(mut slot)) = (link, self.stripe_claim.lock()) {
            *slot = Some(link);
        }
    }

    pub(super) fn unrecorded(&self, reason: String) {
        if let Ok(mut slot) = self.unrecorded.lock() {
            slot.get_or_insert(reason);
        }
    }

    pub(super) fn is_unrecorded(&self) -> bool {
        self.unrecorded.lock().is_ok_and(|slot| slot.is_some())
    }
}

/// A result that says nothing but what the plan said.
pub(super) fn blank(change: &Change, outcome: Outcome) -> ChangeResult {
    ChangeResult {
        connector: change.connector.clone(),
        action: change.action,
        outcome,
        message: None,
        scopes: change
            .after
            .as_ref()
            .map(|after| after.scopes.clone())
            .unwrap_or_default(),
        before: change.before.as_ref().map(|before| before.scopes.clone()),
        connection_id: None,
        account: change
            .after
            .as_ref()
            .and_then(|after| after.account.clone()),
        connection_config: change
            .after
            .as_ref()
            .map(|after| after.connection_config.clone())
            .unwrap_or_default(),
        mode: change.before.as_ref().and_then(|before| before.mode),
        basis: None,
    }
}
