//! Whether a plan has the approval that it needs, before anything is written.

use std::{
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use clap::Args;

use super::{
    binding::{Binding, reviewed},
    listening, vouching,
};
use crate::{
    approval::{Approval, ApprovalError, Approved, FromRisk, Missing, Need, Requirement, Signers},
    config::Project,
    context::{Context, Failure},
    fs,
    ops::Team,
    plan::{Digest, Plan},
    store::Memory,
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

/// Lets a plan through that has the approval that it needs. `late`: a rule is overridden that the plan
/// of this digest does not override, so nobody who approved it saw that. From then on the project's store is the
/// base's, where it names none itself.
pub(super) async fn gate(
    context: &Context,
    project: &mut Project,
    plan: &Plan,
    digest: &Digest,
    args: &ApprovalArgs,
    file: Option<&Path>,
    late: bool,
) -> Result<Approved, Failure> {
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
    let mut approvals = Vec::new();
    let stores = stores(context, project, plan, &binding, risk).await?;
    let is_shared = stores.iter().any(|team| team.memory().is_shared());
    if !args.approved_by.is_empty() || !stores.is_empty() {
        if !args.approved_by.is_empty() && !binding.has_base && binding.signers().is_some() {
            context.warn(
                "there is no base commit to take the signers file from; the one of this checkout is used",
            );
        }
        let memories: Vec<_> = stores.iter().map(Team::memory).collect();
        let signers = binding.signers();
        approvals.extend(signed(context, digest, args, signers, &memories).await?);
    }
    if args.approved_in_review.is_some() {
        approvals.extend(reviewed(context, plan, digest).await?);
    }
    let approved = Approved::check(digest, risk, binding.needs(), approvals);
    let approved = approved.map_err(|refused| ApprovalError::Missing {
        missing: refused.missing,
        help: help(refused.missing, args, file, is_shared),
    })?;
    for approval in approved.approvals() {
        context.terminal.say(&view::approval::said(approval));
    }
    Ok(approved)
}

/// The team's stores, this checkout's and the base's, where a signature that they keep could count for
/// this plan; without any, what this machine remembers. If one is away, nothing starts: it may know
/// who took an approval back.
async fn stores(
    context: &Context,
    project: &mut Project,
    plan: &Plan,
    binding: &Binding,
    risk: Option<FromRisk>,
) -> Result<Vec<Team>, Failure> {
    let app = &plan.app.app;
    let needed = risk.is_some_and(|risk| binding.concerns(risk)) && binding.signers().is_some();
    let mut stores = binding.hold_stores(context, project, app, needed).await?;
    if needed {
        stores.push(listening::team(context, project, app).await?);
    }
    Ok(stores)
}

async fn signed(
    context: &Context,
    digest: &Digest,
    args: &ApprovalArgs,
    signers: Option<&Signers>,
    memories: &[&Memory],
) -> Result<Vec<Approval>, Failure> {
    let signers = signers.ok_or(ApprovalError::NoSigners)?;
    let mut files = Vec::new();
    for path in &args.approved_by {
        let text = fs::read_text(&context.path(path), LIMIT)?;
        let name = crate::escape::limited(&path.display().to_string(), 200);
        files.push((name, text));
    }
    let found = vouching::together(context, memories, digest, signers, files).await?;
    for name in &found.revoked {
        let name = crate::escape::limited(name, 100);
        context.warn(&format!("{name} revoked the approval of this plan"));
    }
    Ok(found.approvals)
}

/// The command that gets what is missing.
fn help(missing: Missing, args: &ApprovalArgs, file: Option<&Path>, kept: bool) -> String {
    let plan = file.map(|file| file.display().to_string());
    let mut given = String::new();
    for file in &args.approved_by {
        given.extend([" ", &shell_word(&file.display().to_string())]);
    }
    view::approval::ways(&missing, plan.as_deref(), &given, kept)
}
