//! A saved plan on its way to an apply: every check, in the order that they need.

use std::{borrow::Cow, rc::Rc};

use jiff::Timestamp;

use super::{
    ApplyInputs, ApprovalGate, Around, Shown, agree::agrees, apply::Judge, gates::lives, policy,
    rules::rules_for_plan,
};
use crate::{
    approval::Approved,
    base,
    config::Project,
    context::Failure,
    model::{self, App, Policies},
    plan::{self, Digest, Plan, Refusal, document},
    remote::Remote,
};

/// A saved plan, as it was named.
pub struct SavedInputs<'a> {
    /// What its text is called.
    pub name: &'a str,
    /// The text.
    pub text: String,
    /// Which digests it must have.
    pub expected: [Option<&'a Digest>; 2],
    /// The rules of the policy that may be broken.
    pub overrides: &'a [String],
    /// Why.
    pub reason: Option<&'a str>,
    /// How it is shown that it was approved.
    pub shown: Shown<'a>,
}

/// A saved plan that may be applied, as far as that is known without its app.
pub struct SavedPlan<'a> {
    /// Its project.
    pub project: Project,
    /// Its app.
    pub app: App,
    around: Around<'a>,
    plan: Plan,
    /// When it was made: see `made`.
    made: Timestamp,
    /// The same with what is overridden now.
    judged: Rc<Plan>,
    gate: ApprovalGate<'a>,
    approved: Approved,
}

/// Fails if a plan is not the one that somebody expects.
pub fn is_expected(actual: &Digest, expected: Option<&Digest>) -> Result<(), Refusal> {
    match expected {
        Some(expected) if expected != actual => Err(Refusal::NotApproved {
            expected: expected.clone(),
            actual: actual.clone(),
        }),
        _ => Ok(()),
    }
}

/// When a plan was made, as its file says; before everything if the file does not say it.
pub fn made(saved: &document::Saved) -> Timestamp {
    let made = saved.created_at.as_ref().and_then(|at| at.parse().ok());
    made.unwrap_or(Timestamp::MIN)
}

impl<'a> SavedPlan<'a> {
    /// Reads it, and lets it through or refuses it.
    pub async fn check(around: Around<'a>, inputs: SavedInputs<'a>) -> Result<Self, Failure> {
        let context = around.context;
        let saved = document::read(inputs.name, &inputs.text)?;
        // It is long, and what it says is read.
        drop(inputs.text);
        for expected in inputs.expected {
            is_expected(&saved.digest, expected)?;
        }
        let made = made(&saved);
        let (plan, digest) = (saved.plan, saved.digest);
        if plan.speculative {
            return Err(Refusal::Speculative.into());
        }
        let (mut project, app) = context.project_of(&plan.app.app.id)?;
        let bases = base::bind(context, &mut project).await?;
        plan::belongs(&plan, &app, context.now())?;
        lives(&project, &plan, context.now())?;
        let uncompared = agrees(&project, &plan)?;
        // The policy that counts is the one that is in force now.
        let policy = policy::of(&project);
        let more = policy::overrides(inputs.overrides, inputs.reason, &policy)?;
        let mut judged = plan.clone();
        let late = more.iter().any(|by| !judged.overrides.contains(by));
        judged.overrides.extend(more);
        model::sort(&mut judged.overrides, Ord::cmp);
        judged.overrides.dedup();
        let planned_for = plan.app.observed().len();
        policy::judge(&judged, planned_for, &project, &Policies::default()).verdict()?;
        for by in &judged.overrides {
            around.warn(format!("danger: {}", by.said()));
        }
        let judged = Rc::new(judged);
        let whose = (Rc::clone(&judged), digest);
        let gate =
            ApprovalGate::of(around, (&mut project, &bases), whose, inputs.shown, late).await?;
        let approved = gate.pass().await?;
        if !uncompared.is_empty() {
            let uncompared = uncompared.to_string();
            if !approved.approvals().is_empty() {
                return Err(Refusal::Uncompared { uncompared }.into());
            }
            around.warn(&uncompared);
        }
        Ok(Self {
            project,
            app,
            around,
            plan,
            made,
            judged,
            gate,
            approved,
        })
    }

    /// The same by the workspace's policies: what builders may not connect by now is not even begun.
    pub async fn to_apply<'s>(&'s self, remote: &'s Remote) -> Result<ApplyInputs<'s>, Failure> {
        let (workspace, rules) = tokio::try_join!(
            remote.policies(),
            rules_for_plan(&self.project, remote, &self.plan)
        )?;
        let judge: Judge<'s> = Box::new(move |present| {
            policy::judge(&self.judged, present, &self.project, &workspace)
        });
        let judgement = judge(self.plan.app.observed().len());
        for told in judgement.warnings() {
            self.around.warn(crate::escape::limited(&told.message, 600));
        }
        judgement.verdict()?;
        Ok(ApplyInputs {
            app: &self.app,
            project: &self.project,
            remote,
            rules: Cow::Owned(rules),
            plan: &self.plan,
            made: Some(self.made),
            judge,
            overrides: self.judged.overrides.clone(),
            approved: self.approved.clone(),
            gate: &self.gate,
            observed: None,
        })
    }
}
