//! Carrying a plan out, with everything around it: the lock and the lease, the journal, the last
//! look, what the team is told.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;

use super::{
    ApprovalGate, Around, AtWork, OpEvent,
    applied::Carried,
    apply_outcome::{ApplyEnd, ApplyOutcome, ended, is_looked_at},
    approving::{Now, with},
    known,
    over::{self, Names},
    policy, used, waits, withdrawn,
};
use crate::{
    apply::{
        self, Finished, Job, Options, PostApplyDrift, With, at_most_pending,
        journal::{self, History, Journal},
        recorded_receipt,
    },
    approval::Approved,
    catalogue::ScopeEquivalence,
    config::Project,
    context::Failure,
    diff::Action,
    fs,
    model::{App, ConnectorType, Observed},
    pending::{LocalPending, PendingSet},
    plan::{self, Override, Plan, Refusal, Verified},
    policy::{Judgement, Verdict},
    receipt::{Outcome, Receipt},
    remote::Remote,
    state::Locked,
    store::{Memory, Waits},
};

/// What one change takes on the disk, in bytes, in the pending file, the journal and the receipt
/// each.
const ROOM: usize = 4096;

type Progresses = BTreeMap<ConnectorType, plan::Progress>;

/// What the policy says to a plan, where its app has so many connectors.
pub type Judge<'a> = Box<dyn Fn(usize) -> Judgement + 'a>;

/// What is to be carried out, and where.
pub struct ApplyInputs<'a> {
    /// The app.
    pub app: &'a App,
    /// Its project.
    pub project: &'a Project,
    /// Its remote.
    pub remote: &'a Remote,
    /// How scopes compare.
    pub rules: Cow<'a, ScopeEquivalence>,
    /// The plan.
    pub plan: &'a Plan,
    /// When it was made, where that was before this run.
    pub made: Option<Timestamp>,
    /// What the policy in force says to it.
    pub judge: Judge<'a>,
    /// The rules that it breaks with somebody's consent.
    pub overrides: Vec<Override>,
    /// That it has the approval that it needs.
    pub approved: Approved,
    /// Says whether it still has. Asked under the lease: somebody may have taken it back meanwhile.
    pub gate: &'a ApprovalGate<'a>,
    /// The remote as the plan was just made from it; `None` where time has passed since.
    pub observed: Option<&'a Observed>,
}

/// What is left to do of a plan that was applied.
enum Left<'a> {
    /// All of it: the app is again as the plan saw it.
    All,
    /// What these waited for was dropped since.
    Forgotten(Vec<&'a ConnectorType>),
}

/// How many bytes may be written down for a plan.
pub fn bytes_needed(plan: &Plan) -> usize {
    plan.changes().filter(|c| c.action != Action::NoOp).count() * ROOM
}

/// An apply that has lock and lease. [`ApplySession::end`] gives the lease back.
pub struct ApplySession<'a> {
    inputs: ApplyInputs<'a>,
    options: Options,
    around: Around<'a>,
    digest: plan::Digest,
    locked: Arc<Locked>,
    at_work: AtWork,
    pending: PendingSet,
    /// What of it this machine asked for: others' are looked at, and not kept as its own.
    own: PendingSet,
    /// What the team says to wait.
    waits: Waits,
    /// What waits and is to be ended.
    withdrawn: Vec<ConnectorType>,
    /// What an earlier run of the plan did, and where that is written.
    history: History,
    journal: PathBuf,
}

impl<'a> ApplySession<'a> {
    /// Takes lock and lease, and reads what earlier runs left. Changes nothing on the remote. `patience` is how
    /// long to wait for another connplan.
    pub async fn begin(
        inputs: ApplyInputs<'a>,
        around: Around<'a>,
        options: Options,
        patience: Duration,
    ) -> Result<Self, Failure> {
        let digest = plan::document::digest(inputs.plan)?;
        if !inputs.approved.is_for(&digest) {
            return Err(Refusal::NotApproved {
                expected: inputs.approved.digest().clone(),
                actual: digest,
            }
            .into());
        }
        let state = around.context.app_state(inputs.project, inputs.app);
        let lock = around.lock_of(&state, "apply");
        let locked = around.lock(&lock, patience).await?;
        let place = (inputs.project, inputs.app, &state);
        let at_work = AtWork::begin(&around, place, "apply", patience).await?;
        let mut session = Self {
            inputs,
            options,
            around,
            digest,
            locked,
            at_work,
            pending: PendingSet::default(),
            own: PendingSet::default(),
            waits: Waits::default(),
            withdrawn: Vec::new(),
            history: History::default(),
            journal: PathBuf::new(),
        };
        match session.remember().await {
            Ok(()) => Ok(session),
            Err(failure) => {
                session.end().await;
                Err(failure)
            }
        }
    }

    /// What waits, and what the journal of an earlier run tells.
    async fn remember(&mut self) -> Result<(), Failure> {
        let (app, plan) = (self.inputs.app, self.inputs.plan);
        let (own, waits) = self.at_work.known(&self.locked).await?;
        self.own = own;
        let mut pending = self.own.clone();
        waits::merge(&mut pending, app, &waits);
        let of = (self.inputs.project, plan, self.inputs.observed.is_some());
        self.withdrawn = withdrawn::to_end(&self.around, of, &pending, &self.inputs.rules);
        let (locked, digest) = (Arc::clone(&self.locked), self.digest.clone());
        let (most, bytes) = (at_most_pending(plan, &digest, &pending), bytes_needed(plan));
        let read = fs::off_thread(move || -> Result<_, Failure> {
            // An answer that cannot be kept would be a link that nobody has.
            locked.probe_writable(bytes)?;
            LocalPending::check_fits(&most)?;
            let journal = locked
                .ensure_journal_dir()?
                .join(journal::file_name(&digest));
            let history = journal::read(&journal, &digest)?;
            Ok((journal, history))
        });
        (self.journal, self.history) = read.await?;
        (self.pending, self.waits) = (pending, waits);
        if self.history.torn {
            self.around.tell(&OpEvent::JournalTorn);
        }
        Ok(())
    }

    /// Looks at the app under the lock: what another run here did meanwhile is seen, and between this
    /// look and the first write lies nothing but the comparison.
    pub async fn observe(&self) -> Result<Observed, Failure> {
        let inputs = &self.inputs;
        match inputs.observed {
            Some(observed) if !inputs.plan.has_changes() => Ok(observed.clone()),
            _ => {
                let wanted = inputs.plan.values().chain(self.pending.values(inputs.app));
                Ok(inputs.remote.observe_with(wanted).await?)
            }
        }
    }

    fn verify<'v>(
        &self,
        verdict: &'v Verdict,
        observed: &'v Observed,
        progress: &Progresses,
    ) -> Result<Verified<'v>, Refusal>
    where
        'a: 'v,
    {
        let ApplyInputs {
            app, plan, rules, ..
        } = &self.inputs;
        let now = self.around.context.now();
        plan::verify(plan, verdict, app, now, observed, progress, rules)
    }

    fn recorded(&self, observed: &Observed) -> (Receipt, Vec<PostApplyDrift>) {
        recorded_receipt(
            self.inputs.plan,
            &self.digest,
            &self.history,
            &self.pending,
            observed,
            &self.inputs.rules,
        )
    }

    /// What an earlier run that did all of it leaves to be done.
    fn left(&self, verdict: &Verdict, observed: &Observed) -> Left<'a> {
        let mut entries = self.pending.of(self.inputs.app);
        if entries.any(|(_, entry)| entry.plan_digest.as_ref() == Some(&self.digest)) {
            let progress = self.history.progress();
            return match self.verify(verdict, observed, &progress) {
                Ok(verified) => Left::Forgotten(self.forgotten(&verified)),
                Err(_) => Left::Forgotten(Vec::new()),
            };
        }
        match self.verify(verdict, observed, &BTreeMap::new()) {
            Ok(anew) if !anew.is_all_done() => Left::All,
            _ => Left::Forgotten(Vec::new()),
        }
    }

    /// What waited for this plan, and neither waits nor is as the plan wants it.
    fn forgotten(&self, verified: &Verified<'_>) -> Vec<&'a ConnectorType> {
        let app = self.inputs.app;
        let connectors = self.inputs.plan.changes().map(|change| &change.connector);
        let waited = connectors.filter(|connector| {
            let done = self.history.done(connector);
            done.is_some_and(|done| done.outcome == Outcome::Pending)
                && self.pending.get(app, connector).is_none()
                && !verified.is_done(connector)
        });
        waited.collect()
    }

    /// Takes out what waits by the store's word alone, is a no-op of this plan, and lacks an approval that it needs: the
    /// receipt would be a proof of it.
    async fn believe(&mut self, observed: &Observed) -> Result<(), Failure> {
        let ApplyInputs {
            project,
            app,
            plan,
            gate,
            rules,
            ..
        } = &self.inputs;
        let no_ops = plan
            .changes()
            .filter(|change| change.action == Action::NoOp);
        let no_ops: BTreeSet<_> = no_ops.map(|change| &change.connector).collect();
        let mut by_word = self.waits.clone();
        by_word.retain(|wait| {
            no_ops.contains(&wait.connector) && self.own.get(app, &wait.connector).is_none()
        });
        let asked: Vec<_> = by_word.iter().map(|wait| wait.connector.clone()).collect();
        let now = Now {
            observed: &observed.connectors,
            rules,
        };
        let place = (*project, *app, self.at_work.memory());
        let believed = gate.approved_only(place, &now, by_word).await?;
        for connector in asked.iter().filter(|name| believed.get(name).is_none()) {
            self.pending.remove(app, connector);
        }
        Ok(())
    }

    /// Verifies and writes. Nothing is written to the remote before every check has passed.
    pub async fn run(&mut self, observed: Observed) -> Result<ApplyOutcome, Failure> {
        self.believe(&observed).await?;
        let present = policy::present(self.inputs.plan, &observed.connectors);
        let verdict = (self.inputs.judge)(present).verdict()?;
        let mut again = Vec::new();
        if self.history.finished {
            match self.left(&verdict, &observed) {
                Left::Forgotten(connectors) if connectors.is_empty() => {
                    return Ok(self.already_applied(observed).await);
                }
                Left::Forgotten(connectors) => again = connectors,
                Left::All => {
                    self.is_not_over(&over::changed(self.inputs.plan)).await?;
                    // It is a new plan with the same content.
                    let old = self.journal.clone();
                    fs::off_thread(move || fs::remove(&old)).await?;
                    self.history = History::default();
                }
            }
        }
        let goes_on = self.history.has_begun() && !self.history.finished;
        let progress = self.history.progress();
        let verified = self.verify(&verdict, &observed, &progress);
        let verified = verified.inspect_err(|_| self.tell_earlier(&observed))?;
        let due = over::due(self.inputs.plan, &verified);
        self.is_not_over(&due).await?;
        if !verified.is_all_done() && self.inputs.approved.was_needed() {
            self.inputs.approved = self.inputs.gate.look().await?;
            self.unused(&verified, &due).await?;
        }
        if known::forget_done(&mut self.own, self.inputs.app, self.inputs.plan) {
            known::save(&self.locked, &self.own).await?;
        }
        known::forget_done(&mut self.pending, self.inputs.app, self.inputs.plan);
        let writes = !verified.is_all_done() || self.history.has_begun();
        if !writes {
            self.around.tell(&OpEvent::AlreadyApplied);
        } else if goes_on {
            self.around.tell(&OpEvent::GoesOn);
        } else if !again.is_empty() {
            self.around.tell(&OpEvent::AsksAgain(again));
        }
        let (finished, pending) = self.write(verified).await?;
        let pending = if let Some(pending) = pending {
            Ok(pending)
        } else {
            let locked = Arc::clone(&self.locked);
            fs::off_thread(move || LocalPending::load(&locked)).await
        };
        match pending {
            Ok(mut pending) => {
                let receipt = &finished.receipt;
                let inputs = &self.inputs;
                let of = is_looked_at(inputs.plan, &finished).then_some(Carried {
                    project: inputs.project,
                    plan: inputs.plan,
                    remote: inputs.remote,
                    writes,
                    withdrawn: &self.withdrawn,
                });
                let told = self.at_work.applied(&self.around, receipt, &pending, of);
                let ended = told.await.into_iter();
                let ended = ended.filter(|name| pending.remove(inputs.app, name));
                if ended.count() > 0
                    && let Err(failure) = known::save(&self.locked, &pending).await
                {
                    self.around.warn(failure.told());
                }
            }
            Err(e) => self.around.warn(e),
        }
        Ok(ApplyOutcome {
            ended: ended(&finished),
            receipt: finished.receipt,
            drift: finished.mismatches,
            unread: finished.unread,
            unrecorded: finished.unrecorded,
            stripe_claim: finished.stripe_claim,
        })
    }

    /// What tells what became of the plan.
    fn memories(&self) -> Vec<&Memory> {
        with(self.at_work.memory(), self.inputs.gate.others())
    }

    /// Refuses to do again what the plan carried out, and somebody has undone.
    async fn is_not_over(&self, due: &Names<'_>) -> Result<(), Failure> {
        let (inputs, memories) = (&self.inputs, self.memories());
        inputs.gate.is_not_behind(due)?;
        let whose = (&inputs.approved, self.around.context);
        over::not_over(&memories, whose, &self.digest, inputs.made, due).await
    }

    /// Refuses an approval of what was done already and is to be done again.
    async fn unused(&self, verified: &Verified<'_>, due: &Names<'_>) -> Result<(), Failure> {
        // A run that was killed told nobody what it did.
        let done = due.iter().copied().filter(|connector| {
            let done = self.history.done(connector);
            done.is_some_and(|done| done.outcome != Outcome::Pending)
        });
        let done: BTreeSet<_> = done.collect();
        if !used::is_known(self.at_work.memory(), &self.digest, &done).await? {
            let (mut receipt, _) = self.recorded(verified.observed());
            self.vouch(&mut receipt);
            self.at_work
                .applied(&self.around, &receipt, &self.own, None)
                .await;
        }
        used::unused(&self.memories(), &self.inputs.approved, due).await
    }

    /// Writes; with what came of it, what waits then on this machine, as far as that is known.
    async fn write(
        &self,
        verified: Verified<'_>,
    ) -> Result<(Finished, Option<PendingSet>), Failure> {
        let (path, history) = (self.journal.clone(), self.history.clone());
        let (digest, app) = (self.digest.clone(), self.inputs.app.clone());
        let (locked, own) = (Arc::clone(&self.locked), self.own.clone());
        let kept = (own, self.at_work.memory().identity());
        let open = move || Journal::open(&path, &history, &digest, &app, locked, kept);
        let journal = fs::off_thread(open).await?;
        let events = |event: &apply::ApplyEvent<'_>| {
            if let apply::ApplyEvent::Finished(result) = event {
                self.around.tell(&OpEvent::Wrote(result));
            }
        };
        let (recorder, writing) = journal.start();
        let with = With {
            history: &self.history,
            pending: &self.pending,
            recorder,
            overrides: &self.inputs.overrides,
            rules: &self.inputs.rules,
            options: self.options,
            // Until now a signal ended the run at once, a wait for the lock too.
            cancel: self.around.context.signals.graceful(),
            events: &events,
        };
        let job = Job::new(verified, self.inputs.remote, with)?;
        // Whoever authorizes elsewhere has to see what was approved.
        let (memory, plan) = (self.at_work.memory(), self.inputs.plan);
        if memory.is_shared() && plan.has_changes() {
            let text = plan::document::to_toml(plan, Some(self.around.context.now().to_string()))?;
            memory.ensure_plan(&self.digest, &text.into()).await?;
        }
        if self.inputs.approved.was_needed() && plan.has_changes() {
            self.at_work.begins(&self.digest).await?;
        }
        self.at_work.check().await?;
        let mut finished = job.run().await;
        for advice in &finished.advice {
            self.around.tell(&OpEvent::Advice(advice));
        }
        self.vouch(&mut finished.receipt);
        // It holds the lock too. Had it failed, a note would have failed before.
        let pending = writing.await.ok().flatten();
        Ok((finished, pending))
    }

    /// Who approved it, what rules it breaks by whose word, and in which run it is said.
    fn vouch(&self, receipt: &mut Receipt) {
        receipt.approvals = self.inputs.approved.approvals().to_vec();
        receipt.overrides.clone_from(&self.inputs.overrides);
        receipt.origin = self.around.context.origin();
    }

    async fn already_applied(&self, observed: Observed) -> ApplyOutcome {
        self.around.tell(&OpEvent::AlreadyApplied);
        let (mut receipt, drift) = self.recorded(&observed);
        self.vouch(&mut receipt);
        // Who approves now did not approve what was done then.
        receipt.approvals = used::approved_then(self.at_work.memory(), &self.digest).await;
        ApplyOutcome {
            receipt,
            ended: ApplyEnd::AlreadyApplied,
            drift,
            unread: None,
            unrecorded: None,
            stripe_claim: observed.stripe_claim,
        }
    }

    /// A plan that was cut short and cannot be finished any more: what it did stands nowhere else.
    fn tell_earlier(&self, observed: &Observed) {
        if !self.history.has_begun() {
            return;
        }
        let (recorded, _) = self.recorded(observed);
        let (done, unclear): (Vec<_>, Vec<_>) = recorded
            .results()
            .filter(|result| self.history.may_have_done(&result.connector))
            .partition(|result| self.history.done(&result.connector).is_some());
        self.around.tell(&OpEvent::CutShort(&done, &unclear));
    }

    /// Old journals go once they are not needed: the receipt is where it was wanted. One that stays
    /// does no harm.
    pub fn prune(&self) {
        let pending = || LocalPending::load(&self.locked);
        if let Err(why) = journal::prune(&self.locked, &self.digest, pending) {
            tracing::info!(%why, "old journals stay");
        }
    }

    /// Gives lease and lock back.
    pub async fn end(self) {
        self.at_work.end().await;
    }
}
