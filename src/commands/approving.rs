//! Whether a plan has the approval that it needs, before anything is written.

use std::{
    num::NonZeroU16,
    path::{Path, PathBuf},
};

use clap::Args;
use miette::Diagnostic as _;

use super::{base::Base, listening, vouching};
use crate::{
    approval::{
        Approval, ApprovalError, Approved, FromRisk, Missing, Need, Requirement, Signers, reviews,
        signatures,
    },
    config::{ApprovalSettings, Project},
    context::{Context, Failure},
    diff::Action,
    fs,
    ops::Team,
    plan::{Digest, Plan},
    publish::{self, Overrides, Place, PublishError},
    risk::{self, Level, RiskKind},
    store::Memory,
    view::{self, shell_word},
};

/// More than any file of signers, or of signatures, has.
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

/// The settings that bind, and whose signatures they let count.
pub(super) struct Binding {
    needs: Vec<Need>,
    signers: Option<Signers>,
    /// Whether there is a commit that this one is measured against.
    has_base: bool,
}

impl Binding {
    /// What every set of settings demands.
    pub(super) fn needs(&self) -> &[Need] {
        &self.needs
    }

    /// Whether a plan of this risk needs approval.
    pub(super) fn concerns(&self, risk: FromRisk) -> bool {
        self.needs.iter().any(|need| need.concerns(risk))
    }

    /// Whether a review could be among what it needs.
    pub(super) fn takes_reviews(&self) -> bool {
        let mut needs = self.needs.iter();
        needs.any(|need| need.require != Requirement::Signature)
    }

    /// Whose signatures count, if anybody's do.
    pub(super) fn signers(&self) -> Option<&Signers> {
        self.signers.as_ref()
    }

    /// The same.
    pub(super) fn into_signers(self) -> Option<Signers> {
        self.signers
    }

    /// Reads them: this checkout's, and those of the commit that it is measured against, which it
    /// cannot loosen. Whose signatures count is the latter's to say.
    pub(super) async fn of(context: &Context, project: &Project) -> Result<Self, Failure> {
        let here = &project.settings.approval;
        let mut needs: Vec<Need> = here.need().into_iter().collect();
        let base = Base::find(context, project).await?;
        let mut before = ApprovalSettings::default();
        if let Some(base) = &base {
            before = base.settings().await?.unwrap_or_default().approval;
            needs.extend(before.need());
        }
        let signers = match (&base, &before.signers) {
            (Some(base), Some(name)) => {
                let file = format!("{name} of {}", base.short());
                let file = crate::escape::limited(&file, 200);
                let text = base.file(name).await?.unwrap_or_default();
                Some(Signers::parse(&file, &text).map_err(ApprovalError::from)?)
            }
            // It asked for signatures and named nobody: nobody can give one.
            (Some(_), None) if before.need().is_some() => None,
            _ => signers(project, here)?,
        };
        Ok(Self {
            needs,
            signers,
            has_base: base.is_some(),
        })
    }
}

fn signers(project: &Project, settings: &ApprovalSettings) -> Result<Option<Signers>, Failure> {
    let (Some(name), Some(home)) = (&settings.signers, settings_home(project)) else {
        return Ok(None);
    };
    let path = home.join(name);
    let bytes = fs::read_confined(&[&project.root], &path, LIMIT)?;
    let text = String::from_utf8_lossy(&bytes);
    let file = crate::escape::limited(&project.shown(&path), 200);
    let signers = Signers::parse(&file, &text).map_err(ApprovalError::from)?;
    Ok(Some(signers))
}

fn settings_home(project: &Project) -> Option<&Path> {
    project.settings_file.as_deref().and_then(Path::parent)
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
        binding.needs.push(Need {
            require: Requirement::Review,
            count: usize::from(count.get()),
            from_risk: FromRisk::None,
        });
    }
    let risk = plan.has_changes().then(|| risk_of(plan));
    let mut approvals = Vec::new();
    let store = store(context, project, plan, &binding, risk).await?;
    if !args.approved_by.is_empty() || store.is_some() {
        if !args.approved_by.is_empty() && !binding.has_base && binding.signers.is_some() {
            context.warn(
                "there is no earlier commit to take the signers from; those of this folder count",
            );
        }
        let memory = store.as_ref().map(Team::memory);
        let signers = binding.signers.as_ref();
        approvals.extend(signed(context, digest, args, signers, memory).await?);
    }
    if args.approved_in_review.is_some() {
        approvals.extend(reviewed(context, plan, digest).await?);
    }
    let approved = Approved::check(digest, risk, &binding.needs, approvals);
    let approved = approved.map_err(|refused| ApprovalError::Missing {
        missing: refused.missing,
        help: help(refused.missing, args, file, store.is_some()),
    })?;
    for approval in approved.approvals() {
        context.terminal.say(&view::approval::said(approval));
    }
    Ok(approved)
}

/// The team's store, where a signature that it keeps could count for this plan. If it is away,
/// nothing starts: it may know who took an approval back.
async fn store(
    context: &Context,
    project: &Project,
    plan: &Plan,
    binding: &Binding,
    risk: Option<FromRisk>,
) -> Result<Option<Team>, Failure> {
    let needed = risk.is_some_and(|risk| binding.concerns(risk));
    if !needed || binding.signers.is_none() {
        return Ok(None);
    }
    let team = listening::team(context, project, &plan.app.app).await?;
    Ok(Some(team).filter(|team| team.memory().is_shared()))
}

/// What the forge says. Whatever it does not say is a refusal.
pub(super) async fn reviewed(
    context: &Context,
    plan: &Plan,
    digest: &Digest,
) -> Result<Vec<Approval>, Failure> {
    let refused = |error: PublishError| ApprovalError::Review {
        help: error.help().map(|help| help.to_string()),
        why: error.to_string(),
    };
    let event = context.event();
    let place =
        Place::find(&context.vars, &Overrides::default(), event.as_ref()).map_err(refused)?;
    let app = &plan.app.app;
    let marker = publish::marker([(app.id.as_str(), app.environment.as_deref())].into_iter());
    let commit = context.origin().and_then(|origin| origin.commit);
    let options = context.client_options();
    let asking = publish::review_facts(&place, &marker, commit.as_deref(), options);
    let facts = asking.await.map_err(refused)?;
    let found = reviews(&facts, digest)?;
    for note in &found.notes {
        context.warn(note);
    }
    Ok(found.approvals)
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
        context.warn(&format!("{name} took the approval of this plan back"));
    }
    Ok(found.approvals)
}

/// How risky a plan is, in the words of the settings. What is not known counts as write access.
pub(super) fn risk_of(plan: &Plan) -> FromRisk {
    let changes = plan
        .changes()
        .filter(|change| change.action != Action::NoOp);
    let of = |change| {
        let level = |risk: &risk::Risk| match (risk.level, risk.kind) {
            (Level::Danger, _) => FromRisk::Danger,
            (Level::Warning, _) | (_, RiskKind::Unknown) => FromRisk::Write,
            (Level::Notice, _) => FromRisk::None,
        };
        risk::assess(change).iter().map(level).max()
    };
    changes.filter_map(of).max().unwrap_or_default()
}

/// The command that gets what is missing.
fn help(missing: Missing, args: &ApprovalArgs, file: Option<&Path>, kept: bool) -> String {
    let plan = file.map_or_else(
        || "PLAN".to_owned(),
        |file| shell_word(&file.display().to_string()),
    );
    let plan = crate::escape::terminal(&plan);
    let mut given = String::new();
    for file in &args.approved_by {
        given.extend([" ", &shell_word(&file.display().to_string())]);
    }
    let given = crate::escape::terminal(&given);
    let sign = if kept {
        format!(
            "a signer runs `connplan approve {plan}`, which keeps the signature in the store; then \
             `connplan apply {plan}`"
        )
    } else {
        format!(
            "a signer runs `connplan approve {plan} --out {plan}.sig`; then \
         `connplan apply {plan} --approved-by{given} {plan}.sig`"
        )
    };
    let review = format!(
        "have the pull or merge request approved whose comment shows this plan; then \
         `connplan apply {plan} --approved-in-review={}`",
        missing.count
    );
    match missing.require {
        Requirement::Signature => sign,
        Requirement::Review => review,
        Requirement::Either => format!("{review}; or {sign}"),
    }
}
