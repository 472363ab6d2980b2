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
    approval::{
        Approval, ApprovalError, Approved, FromRisk, Missing, Need, Requirement, Signers,
        signatures,
    },
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
    /// This commit's pull or merge request has N approvals [default: 1]
    #[arg(
        long, value_name = "N", num_args = 0..=1, require_equals = true, default_missing_value = "1"
    )]
    pub approved_in_review: Option<NonZeroU16>,
}

/// Lets a plan through that has the approval that it needs.
pub(super) async fn gate(
    context: &Context,
    project: &Project,
    plan: &Plan,
    digest: &Digest,
    args: &ApprovalArgs,
    file: Option<&Path>,
) -> Result<Approved, Failure> {
    let mut binding = Binding::of(context, project).await?;
    if let Some(count) = args.approved_in_review {
        binding.demand(Need {
            require: Requirement::Review,
            count: usize::from(count.get()),
            from_risk: FromRisk::None,
        });
    }
    let risk = plan.has_changes().then(|| FromRisk::of(plan));
    let mut approvals = Vec::new();
    let store = store(context, project, plan, &binding, risk).await?;
    let is_shared = store.as_ref().is_some_and(|team| team.memory().is_shared());
    if !args.approved_by.is_empty() || store.is_some() {
        if !args.approved_by.is_empty() && !binding.has_base && binding.signers().is_some() {
            context.warn(
                "there is no base commit to take the signers from; the signers file of this folder is used",
            );
        }
        let memory = store.as_ref().map(Team::memory);
        let signers = binding.signers();
        approvals.extend(signed(context, digest, args, signers, memory).await?);
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

/// The team's store, where a signature that it keeps could count for this plan; without one, what this
/// machine remembers. If it is away, nothing starts: it may know who took an approval back.
async fn store(
    context: &Context,
    project: &Project,
    plan: &Plan,
    binding: &Binding,
    risk: Option<FromRisk>,
) -> Result<Option<Team>, Failure> {
    let needed = risk.is_some_and(|risk| binding.concerns(risk));
    if !needed || binding.signers().is_none() {
        return Ok(None);
    }
    let team = listening::team(context, project, &plan.app.app).await?;
    Ok(Some(team))
}

async fn signed(
    context: &Context,
    digest: &Digest,
    args: &ApprovalArgs,
    signers: Option<&Signers>,
    memory: Option<&Memory>,
) -> Result<Vec<Approval>, Failure> {
    let signers = signers.ok_or(ApprovalError::NoSigners)?;
    let mut files = Vec::new();
    for path in &args.approved_by {
        let text = fs::read_text(&context.path(path), LIMIT)?;
        let name = crate::escape::limited(&path.display().to_string(), 200);
        files.push((name, text));
    }
    let found = match memory {
        Some(memory) => vouching::together(context, memory, digest, signers, files).await?,
        None => signatures(&files, digest, signers, context.now())?,
    };
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
