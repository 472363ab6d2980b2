//! Whether a plan has the approval that it needs, before anything is written.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    binding::{Binding, reviewed},
    listening, vouching,
};
use crate::{
    approval::{Approval, ApprovalError, Approved, FromRisk, Missing, Need, Requirement},
    config::Project,
    context::{Context, Failure},
    fs,
    ops::Team,
    plan::{Digest, Plan},
    view::{self, shell_word},
};

/// More than any file of signatures has.
const LIMIT: u64 = 1 << 20;

/// How an apply shows that its plan was approved.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Approval")]
pub struct ApprovalArgs {
    /// SSH signatures of the digest, as `connplan approve` makes them
    #[arg(
        long, value_name = "FILE", num_args = 1.., value_hint = clap::ValueHint::FilePath
    )]
    pub approved_by: Vec<PathBuf>,
    /// Require N approvals in the pull or merge request [default: 1]
    ///
    /// The one that this commit came from.
    #[arg(
        long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "1"
    )]
    pub approved_in_review: Option<NonZeroU16>,
}

/// What decides whether a plan has the approval that it needs. It is asked twice: before anything else
/// is done, and again right before the first write, for meanwhile somebody may have taken it back.
pub(super) struct Gate<'a> {
    context: &'a Context,
    binding: Binding,
    plan: &'a Plan,
    digest: &'a Digest,
    risk: Option<FromRisk>,
    args: &'a ApprovalArgs,
    file: Option<&'a Path>,
    /// The signatures that the command line names.
    given: Vec<(String, String)>,
    /// Stores that the base names and the checkout does not.
    others: Vec<Team>,
    /// The project's, where a signature that it keeps could count.
    own: Option<Team>,
    /// What was said already.
    said: RefCell<BTreeSet<String>>,
}

impl<'a> Gate<'a> {
    /// Reads what binds. `late`: a rule is overridden that the plan of this digest does not override, so nobody
    /// who approved it saw that. From then on the project's store is the base's, where it names none itself. If
    /// a store is away, nothing starts: it may know who took an approval back.
    pub(super) async fn of(
        context: &'a Context,
        project: &mut Project,
        (plan, digest): (&'a Plan, &'a Digest),
        args: &'a ApprovalArgs,
        file: Option<&'a Path>,
        late: bool,
    ) -> Result<Self, Failure> {
        project.check_gates()?;
        let mut binding = Binding::of(context, project).await?;
        if let Some(count) = args.approved_in_review {
            binding.demand(Need {
                require: Requirement::Review,
                count: usize::from(count.get()),
                from_risk: FromRisk::None,
            });
        }
        let risk = plan.has_changes().then(|| FromRisk::of(plan));
        let needed = risk.is_some_and(|risk| binding.concerns(risk));
        if late && (needed || !args.approved_by.is_empty()) {
            return Err(ApprovalError::Override.into());
        }
        let app = &plan.app.app;
        let signed = needed && binding.signers().is_some();
        let others = binding.hold_stores(context, project, app, signed).await?;
        let own = if signed {
            Some(listening::team(context, project, app).await?)
        } else {
            None
        };
        let mut given = Vec::new();
        if !args.approved_by.is_empty() {
            if binding.signers().is_none() {
                return Err(ApprovalError::NoSigners.into());
            }
            if !binding.has_base {
                context.warn(
                    "there is no base commit to take the signers file from; the one of this checkout is used",
                );
            }
        }
        for path in &args.approved_by {
            let text = fs::read_text(&context.path(path), LIMIT)?;
            let name = crate::escape::limited(&path.display().to_string(), 200);
            given.push((name, text));
        }
        Ok(Self {
            context,
            binding,
            plan,
            digest,
            risk,
            args,
            file,
            given,
            others,
            own,
            said: RefCell::default(),
        })
    }

    /// Lets the plan through, and says who approved it.
    pub(super) async fn pass(&self) -> Result<Approved, Failure> {
        let approved = self.look().await?;
        for approval in approved.approvals() {
            self.context.terminal.say(&view::approval::said(approval));
        }
        Ok(approved)
    }

    /// Looks whether it has what it needs, now.
    pub(super) async fn look(&self) -> Result<Approved, Failure> {
        let warn = |text: &str| {
            if self.said.borrow_mut().insert(text.to_owned()) {
                self.context.warn(text);
            }
        };
        let mut approvals = self.signed(&warn).await?;
        if self.args.approved_in_review.is_some() {
            approvals.extend(reviewed(self.context, self.plan, self.digest, &warn).await?);
        }
        let approved = Approved::check(self.digest, self.risk, self.binding.needs(), approvals);
        let approved = approved.map_err(|refused| ApprovalError::Missing {
            missing: refused.missing,
            help: self.help(refused.missing),
        })?;
        Ok(approved)
    }

    /// Other stores that may know that an approval was used.
    pub(super) fn others(&self) -> &[Team] {
        &self.others
    }

    async fn signed(&self, warn: &dyn Fn(&str)) -> Result<Vec<Approval>, Failure> {
        let (Some(signers), false) = (
            self.binding.signers(),
            self.given.is_empty() && self.own.is_none(),
        ) else {
            return Ok(Vec::new());
        };
        let memories: Vec<_> = self.stores().map(Team::memory).collect();
        let given = self.given.clone();
        let context = self.context;
        let found =
            vouching::together(context, &memories, self.digest, signers, given, warn).await?;
        for name in &found.revoked {
            let name = crate::escape::limited(name, 100);
            warn(&format!("{name} revoked the approval of this plan"));
        }
        Ok(found.approvals)
    }

    fn stores(&self) -> impl Iterator<Item = &Team> {
        self.others.iter().chain(&self.own)
    }

    /// The command that gets what is missing.
    fn help(&self, missing: Missing) -> String {
        let plan = self.file.map(|file| file.display().to_string());
        let mut given = String::new();
        for file in &self.args.approved_by {
            given.extend([" ", &shell_word(&file.display().to_string())]);
        }
        let is_shared = self.stores().any(|team| team.memory().is_shared());
        view::approval::ways(&missing, plan.as_deref(), &given, is_shared)
    }
}
