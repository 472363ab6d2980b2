//! Approvals that the team's store keeps. It is written by many: each signature proves itself, or
//! counts for nothing.

use std::collections::BTreeSet;

use super::{
    asked::{Asked, Now},
    binding::{Binding, LazyBinding, Purpose, reviewed},
};
use crate::{
    approval::{
        Approval, ApprovalError, Approved, Missing, REVOKED, Signatures, Signers, key_of,
        signatures,
    },
    base::Bases,
    config::Project,
    context::{Failure, UsageError},
    model::App,
    ops::{
        Around, Brought, Team,
        doubt::{asks, stored},
        in_git::is_led,
        used::unused,
    },
    pending::PendingSet,
    plan::{Digest, Plan},
    receipt::Outcome,
    store::{Memory, StoreError, Waits},
};

/// Those of the store's signatures that count, with all that take an approval back: such a one stays
/// where its key has left the signers file. The others are said.
pub(super) async fn kept(
    around: &Around<'_>,
    memory: &Memory,
    digest: &Digest,
    signers: &Signers,
    warn: &dyn Fn(&str),
) -> Result<Vec<(String, String)>, StoreError> {
    let mut good = Vec::new();
    for (number, text) in memory.approvals(digest).await?.into_iter().enumerate() {
        // What this machine alone remembers approves nothing.
        if !memory.is_shared() && key_of(&text, REVOKED, digest).is_none() {
            continue;
        }
        let file = (format!("entry {} of {}", number + 1, memory.name()), text);
        match signatures(
            std::slice::from_ref(&file),
            digest,
            signers,
            around.context.now(),
        ) {
            Ok(_) => good.push(file),
            // Taken back, and by whom is not known any more: that is for the caller to refuse.
            Err(_) if key_of(&file.1, REVOKED, digest).is_some() => good.push(file),
            Err(e) => warn(&format!("an approval in the store does not count: {e}")),
        }
    }
    Ok(good)
}

/// Holds the stores' signatures and these together against the signers: what is taken back in one
/// place is taken back in all.
pub(super) async fn together(
    around: &Around<'_>,
    memories: &[&Memory],
    digest: &Digest,
    signers: &Signers,
    given: Vec<(String, String)>,
    warn: &dyn Fn(&str),
) -> Result<Signatures, Failure> {
    let mut files = given;
    for memory in memories {
        files.extend(kept(around, memory, digest, signers, warn).await?);
    }
    let found = signatures(&files, digest, signers, around.context.now())?;
    Ok(found)
}

/// This memory first, then those.
pub(in crate::ops) fn with<'a>(memory: &'a Memory, others: &'a [Team]) -> Vec<&'a Memory> {
    let others = others.iter().map(Team::memory);
    std::iter::once(memory).chain(others).collect()
}

/// The stores that the settings of the base name beside the checkout's: what is signed or taken back is for them,
/// too. A checkout that names none has the base's.
pub async fn teams_before(
    around: &Around<'_>,
    project: &mut Project,
    app: &App,
) -> Result<Vec<Team>, Failure> {
    let binding = LazyBinding::default();
    let binding = binding.get(around, project).await?;
    binding.hold_stores(around, project, app, true).await
}

/// What settings from before forbid of a plan, for who signs it, and whether it is known what was applied last.
pub(in crate::ops) async fn forbidden_to_sign(
    around: &Around<'_>,
    project: &Project,
    plan: &Plan,
) -> Result<(BTreeSet<String>, bool), Failure> {
    let binding = Binding::of(around, project, &Bases::default(), Purpose::Sign).await?;
    Ok((binding.forbidden(plan), binding.has_applied))
}

/// Whose signatures count in this project, if anybody's do.
pub async fn signers_that_bind(
    around: &Around<'_>,
    project: &Project,
) -> Result<Option<Signers>, Failure> {
    let binding = Binding::of(around, project, &Bases::default(), Purpose::Look).await?;
    Ok(binding.signers().cloned())
}

/// What approval a plan lacks with these signatures and those of the team's store, for those who only look.
/// Reviews are not asked for: they count where the plan is applied.
pub async fn missing(
    around: &Around<'_>,
    (plan, digest): (&Plan, &Digest),
    binding: &LazyBinding,
    given: Vec<(String, String)>,
) -> Option<Missing> {
    if !plan.has_changes() {
        return None;
    }
    let app = &plan.app.app;
    let (mut project, _) = around.context.project_for(app).ok()?;
    let binding = match binding.get(around, &project).await {
        Ok(binding) => binding,
        Err(failure) => {
            around.warn(failure.told());
            return None;
        }
    };
    if let Some(unasked) = &binding.unasked {
        around.warn(unasked);
    }
    let risk = binding.risk(plan);
    if !binding.concerns(risk) {
        return None;
    }
    let mut approvals = Vec::new();
    let stores = async {
        let others = binding.hold_stores(around, &mut project, app, true).await?;
        Ok::<_, Failure>((others, Team::of(around, &project, app).await?))
    };
    let told = |failure: &Failure| {
        if is_led(failure) {
            around.warn(failure.told());
        }
    };
    if let Some(signers) = binding.signers()
        && let Ok((others, team)) = stores.await.inspect_err(told)
    {
        let memories = if team.memory().is_shared() {
            with(team.memory(), &others)
        } else {
            Vec::new()
        };
        let warn = |text: &str| around.warn(text);
        match together(around, &memories, digest, signers, given, &warn).await {
            Ok(found) => approvals = found.approvals,
            Err(failure) => around.warn(format!(
                "the approvals in the store cannot be read: {}",
                failure.told()
            )),
        }
    }
    let approved = Approved::check(digest, Some(risk), binding.needs(), approvals);
    approved.err().map(|refused| refused.missing)
}

/// Where something is said to wait: the project, its app, and the store of its team.
pub(in crate::ops) type Where<'a> = (&'a Project, &'a App, &'a Memory);

/// Fails where a receipt asks for what needs an approval here, and nothing says that it was given: not its
/// digest, and not this machine or the team, who know what waits anyway.
pub(in crate::ops) async fn receipt(
    around: &Around<'_>,
    (project, app, memory): Where<'_>,
    binding: &LazyBinding,
    now: &Now<'_>,
    brought: &Brought,
    known: &PendingSet,
) -> Result<(), Failure> {
    let receipt = &brought.saved.receipt;
    let asked = brought.unproved(known);
    let asked = asked.filter(|result| result.outcome == Outcome::Pending);
    let asked: Vec<_> = asked.collect();
    if asked.is_empty() {
        return Ok(());
    }
    let binding = binding.get(around, project).await?;
    let others = binding
        .hold_stores(around, &mut project.clone(), app, memory.is_shared())
        .await?;
    let memories = with(memory, &others);
    for result in asked {
        let asked = Asked::by_receipt(receipt, result);
        let risk = now.risk(&asked);
        if !binding.concerns(risk)
            || memory.is_shared()
                && vouched(around, binding, app, &memories, (&asked, now))
                    .await
                    .is_ok()
        {
            continue;
        }
        return Err(UsageError::with_help(
            format!(
                "what this receipt requests for {} needs an approval in this project, and a receipt does not prove \
                 that there is one",
                asked.connector
            ),
            format!(
                "give `--expect-digest` with the digest that `connplan apply` printed; this receipt's is {}",
                brought.saved.digest
            ),
        )
        .into());
    }
    Ok(())
}

/// What waits of it whose plan is approved, where the settings demand that. The rest is said, and
/// left.
pub(in crate::ops) async fn approved_only(
    around: &Around<'_>,
    (project, app, memory): Where<'_>,
    binding: &LazyBinding,
    now: &Now<'_>,
    waits: Waits,
) -> Result<Waits, Failure> {
    if waits.is_empty() {
        return Ok(waits);
    }
    let binding = binding.get(around, project).await?;
    approved_by(around, (project, app, memory), binding, now, waits).await
}

/// The same, by what binds.
pub(super) async fn approved_by(
    around: &Around<'_>,
    (project, app, memory): Where<'_>,
    binding: &Binding,
    now: &Now<'_>,
    mut waits: Waits,
) -> Result<Waits, Failure> {
    if waits.is_empty() || binding.needs().is_empty() {
        return Ok(waits);
    }
    let others = binding
        .hold_stores(around, &mut project.clone(), app, true)
        .await?;
    let memories = with(memory, &others);
    let mut taken = BTreeSet::new();
    for wait in waits.iter() {
        let asked = Asked::by_entry(&wait.connector, &wait.entry);
        match vouched(around, binding, app, &memories, (&asked, now)).await {
            Ok(()) => {
                taken.insert(wait.connector.clone());
            }
            Err(why) => around.warn(format!(
                "the store says that {} waits, but {why}; it is left alone",
                wait.connector
            )),
        }
    }
    waits.retain(|wait| taken.contains(&wait.connector));
    Ok(waits)
}

/// Whether an approved plan asked for exactly this.
async fn vouched(
    around: &Around<'_>,
    binding: &Binding,
    app: &App,
    memories: &[&Memory],
    (wanted, now): (&Asked<'_>, &Now<'_>),
) -> Result<(), String> {
    let digest = wanted.plan.ok_or("it names no plan")?;
    let memory = memories.first().ok_or("there is no store")?;
    let plan = stored(memory, app, digest).await?;
    let terms = (wanted.scopes, wanted.values, wanted.account);
    if !asks(&plan, wanted.connector, terms) {
        return Err("its plan does not ask for that".to_owned());
    }
    let risk = binding.risk(&plan).max(now.risk(wanted));
    if !binding.concerns(risk) {
        return Ok(());
    }
    let warn = |text: &str| around.warn(text);
    let mut approvals: Vec<Approval> = Vec::new();
    if let Some(signers) = binding.signers() {
        let found = together(around, memories, digest, signers, Vec::new(), &warn).await;
        approvals.extend(found.map_err(|e| e.report.to_string())?.approvals);
    }
    let check = |approvals| Approved::check(digest, Some(risk), binding.needs(), approvals);
    let mut checked = check(approvals.clone());
    if checked.is_err()
        && binding.takes_reviews()
        && let Ok(reviews) = reviewed(around, binding, (&plan, digest), &warn).await
    {
        approvals.extend(reviews);
        checked = check(approvals).or(checked);
    }
    let approved = checked.map_err(|refused| {
        ApprovalError::Missing {
            missing: refused.missing,
            help: String::new(),
        }
        .to_string()
    })?;
    let due = BTreeSet::from([wanted.connector]);
    let unused = unused(memories, &approved, &due).await;
    unused.map_err(|e| e.report.to_string())?;
    now.follows(&plan, app, wanted, around.context.now())
}
