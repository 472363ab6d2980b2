//! Whether a plan has the approval that it needs, before anything is written.

use std::{cell::RefCell, collections::BTreeSet, num::NonZeroU16, path::PathBuf, rc::Rc};

use super::{
    asked::Now,
    binding::{Binding, LazyBinding, Purpose, reviewed},
    vouching,
};
use crate::{
    approval::{Approval, ApprovalError, Approved, FromRisk, Missing, Need, Requirement},
    base::{Bases, is_again},
    config::Project,
    context::Failure,
    fs,
    ops::{Around, OpEvent, Team, over::Names},
    plan::{Digest, Plan, Refusal},
    store::Waits,
};

/// More than any file of signatures has.
const LIMIT: u64 = 1 << 20;

/// Says how to get what is missing, and whether by a store that takes signatures.
pub type Ways<'a> = Box<dyn Fn(&Missing, bool) -> String + 'a>;

/// How it is shown that a plan was approved.
pub struct Shown<'a> {
    /// Files with signatures.
    pub signatures: &'a [PathBuf],
    /// So many approving reviews are demanded.
    pub reviews: Option<NonZeroU16>,
    /// How to get what is missing.
    pub ways: Ways<'a>,
}

/// What decides whether a plan has the approval that it needs. It is asked twice: before anything else
/// is done, and again right before the first write, for meanwhile somebody may have taken it back.
pub struct ApprovalGate<'a> {
    around: Around<'a>,
    binding: Binding,
    plan: Rc<Plan>,
    digest: Digest,
    risk: Option<FromRisk>,
    shown: Shown<'a>,
    /// The signatures that the command line names.
    given: Vec<(String, String)>,
    /// Stores that the base names and the checkout does not.
    others: Vec<Team>,
    /// The project's, where a signature that it keeps could count.
    own: Option<Team>,
    /// What was said already.
    said: RefCell<BTreeSet<String>>,
}

impl<'a> ApprovalGate<'a> {
    /// Reads what binds. `late`: a rule is overridden that the plan of this digest does not override, so nobody
    /// who approved it saw that. From then on the project's store is the base's, where it names none itself. If
    /// a store is away, nothing starts: it may know who took an approval back.
    pub async fn of(
        around: Around<'a>,
        (project, bases): (&mut Project, &Bases),
        (plan, digest): (Rc<Plan>, Digest),
        shown: Shown<'a>,
        late: bool,
    ) -> Result<Self, Failure> {
        project.check_gates()?;
        let mut binding = Binding::of(&around, project, bases, Purpose::Write).await?;
        if let Some(count) = shown.reviews {
            binding.demand(Need {
                require: Requirement::Review,
                count: usize::from(count.get()),
                from_risk: FromRisk::None,
                signers: false,
            });
        }
        let risk = plan.has_changes().then(|| binding.risk(&plan));
        let needed = risk.is_some_and(|risk| binding.concerns(risk));
        if late && (needed || !shown.signatures.is_empty()) {
            return Err(ApprovalError::Override.into());
        }
        let app = &plan.app.app;
        let signed = needed && binding.signers().is_some();
        let others = binding.hold_stores(&around, project, app, signed).await?;
        let own = if signed {
            Some(Team::of(&around, project, app).await?)
        } else {
            None
        };
        let mut given = Vec::new();
        for path in shown.signatures {
            let text = fs::read_text(&around.context.input_file(path)?, LIMIT)?;
            let name = crate::escape::limited(&path.display().to_string(), 200);
            given.push((name, text));
        }
        if !shown.signatures.is_empty() {
            if binding.signers().is_none() {
                return Err(ApprovalError::NoSigners.into());
            }
            if !binding.has_base {
                around.warn(
                    "there is no base commit to take the signers file from; the one of this checkout is used",
                );
            }
        }
        Ok(Self {
            around,
            binding,
            plan,
            digest,
            risk,
            shown,
            given,
            others,
            own,
            said: RefCell::default(),
        })
    }

    /// Lets the plan through, and tells who approved it.
    pub async fn pass(&self) -> Result<Approved, Failure> {
        let approved = self.look().await?;
        for approval in approved.approvals() {
            self.around.tell(&OpEvent::Approved(approval));
        }
        Ok(approved)
    }

    /// Looks whether it has what it needs, now.
    pub(in crate::ops) async fn look(&self) -> Result<Approved, Failure> {
        let warn = |text: &str| {
            if self.said.borrow_mut().insert(text.to_owned()) {
                self.around.warn(text);
            }
        };
        let mut approvals = self.signed(&warn).await?;
        if self.shown.reviews.is_some() {
            approvals.extend(
                reviewed(
                    &self.around,
                    &self.binding,
                    (&self.plan, &self.digest),
                    &warn,
                )
                .await?,
            );
        }
        let approved = Approved::check(&self.digest, self.risk, self.binding.needs(), approvals);
        let approved = approved.map_err(|refused| {
            let is_shared = self.stores().any(|team| team.memory().is_shared());
            ApprovalError::Missing {
                missing: refused.missing,
                help: (self.shown.ways)(&refused.missing, is_shared),
            }
        })?;
        Ok(approved)
    }

    /// What waits by the store's word and may be believed: where an approval is needed, it was given for that.
    pub(in crate::ops) async fn approved_only(
        &self,
        place: vouching::Where<'_>,
        now: &Now<'_>,
        waits: Waits,
    ) -> Result<Waits, Failure> {
        vouching::approved_by(&self.around, place, &self.binding, now, waits).await
    }

    /// Refuses what a run that was started again would undo: nobody decided that.
    pub(in crate::ops) fn is_not_behind(&self, due: &Names<'_>) -> Result<(), Failure> {
        match &self.binding.behind {
            Some(said) if !due.is_empty() && is_again(self.around.context) => {
                Err(Refusal::Behind { said: said.clone() }.into())
            }
            _ => Ok(()),
        }
    }

    /// Other stores that may know that an approval was used.
    pub(in crate::ops) fn others(&self) -> &[Team] {
        &self.others
    }

    /// What binds, for what comes after the apply.
    pub fn into_binding(self) -> LazyBinding {
        self.binding.into()
    }

    async fn signed(&self, warn: &dyn Fn(&str)) -> Result<Vec<Approval>, Failure> {
        let (Some(signers), false) = (
            self.binding.signers(),
            self.given.is_empty() && self.own.is_none(),
        ) else {
            return Ok(Vec::new());
        };
        let memories: Vec<_> = self.stores().map(Team::memory).collect();
        let (around, given) = (&self.around, self.given.clone());
        let found =
            vouching::together(around, &memories, &self.digest, signers, given, warn).await?;
        for name in &found.revoked {
            let name = crate::escape::limited(name, 100);
            warn(&format!("{name} revoked the approval of this plan"));
        }
        Ok(found.approvals)
    }

    fn stores(&self) -> impl Iterator<Item = &Team> {
        self.others.iter().chain(&self.own)
    }
}
