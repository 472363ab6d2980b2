//! What an earlier plan asked for, nobody has consented to, and a later plan of the whole app does not want: the plan says
//! so, and its apply ends it for all.

use std::collections::BTreeMap;

use super::{
    Around, OpEvent,
    agree::{contradicts, is_of_files},
    applied::Carried,
    team,
};
use crate::{
    base::{Held, Merged, Whose},
    catalogue::ScopeEquivalence,
    config::Project,
    context::{Context, Failure},
    diff::{Action, ConsentNeed},
    model::{self, BaseName, ConnectorType, Declared},
    pending::{PendingEntry, PendingSet},
    plan::{Digest, Plan, withdrawal},
    receipt::{Outcome, Receipt},
    syntax::Unlisted,
};

/// What waits and a plan of all does not want, by the plan that asked for it. What it writes itself replaces what waited.
fn unwanted(
    (project, plan): (&Project, &Plan),
    pending: &PendingSet,
    rules: &ScopeEquivalence,
) -> BTreeMap<ConnectorType, Digest> {
    let (keeps, folder) = (project.unlisted() == Unlisted::Keep, project.folder());
    let is_wanted = |connector: &ConnectorType, entry: &PendingEntry| {
        let mut changes = plan.changes();
        let Some(change) = changes.find(|change| change.connector == *connector) else {
            return keeps || entry.elsewhere(&folder).is_some();
        };
        let wants = change.after.as_ref().is_some_and(|after| {
            let same = |a, b| rules.compare(connector, a, b).is_same();
            let (asked, wanted) = (&entry.scopes, &after.scopes);
            same(asked, wanted) && same(wanted, asked) && entry.terms().fit(&after.terms())
        });
        wants || change.action != Action::NoOp || change.authorization == ConsentNeed::Pending
    };
    if !plan.is_whole(keeps) {
        return BTreeMap::new();
    }
    let unwanted = pending.of(&plan.app.app);
    let unwanted = unwanted.filter(|(connector, entry)| !is_wanted(connector, entry));
    let by_plan =
        unwanted.filter_map(|(name, entry)| Some((name.clone(), entry.plan_digest.clone()?)));
    by_plan.collect()
}

/// Has a plan of all say what it withdraws: where it is of the newest commit, or a pipeline's, whose apply looks at that.
/// Of a request only what it takes away, or its base does not want either. Returns what its base asks for since.
pub(super) async fn say(
    around: &Around<'_>,
    (project, plan): (&Project, &mut Plan),
    pending: &PendingSet,
    rules: &ScopeEquivalence,
) -> Vec<ConnectorType> {
    let mut unwanted = unwanted((project, plan), pending, rules);
    if unwanted.is_empty() {
        return Vec::new();
    }
    let (context, mut newer) = (around.context, Vec::new());
    if !context.vars.ci() {
        let newest = newest(around, project).await;
        unwanted.retain(|name, _| is_meant(&newest, (project, plan), name));
    } else if let Some([now, left]) = around_request(context, project).await {
        let wanted = |held: &Held, name: &ConnectorType| {
            let mut there = held.declared.iter();
            there.any(|(_, declared)| contradicts(project, declared, plan, name))
        };
        unwanted.retain(|name, _| {
            let is_newer = wanted(&now, name) && !wanted(&left, name);
            newer.extend(is_newer.then(|| name.clone()));
            !is_newer
        });
    }
    if !newer.is_empty() {
        around.tell(&OpEvent::Newer(&newer));
    }
    let said = unwanted.iter().map(|(name, by)| withdrawal(name, by));
    plan.diagnostics.extend(said);
    newer
}

/// What the branch has that a request goes into, and had where the request left it. Where nobody knows that, a request
/// may have taken away what it does not want.
async fn around_request(context: &Context, project: &Project) -> Option<[Held; 2]> {
    let found = async {
        let event = context.named_event()?;
        if !model::is_request(&context.vars, event.as_ref()) {
            return Ok::<_, Failure>(None);
        }
        Held::around(context, project).await
    };
    found.await.unwrap_or_else(|failure| {
        tracing::info!(%failure.report, "where the request left its branch is not known");
        None
    })
}

/// What the branch has by now, if that is checked out: as it was committed, for files that lie here may be nobody else's.
/// Where nobody shares what waits, a desk asks no remote.
async fn newest(around: &Around<'_>, project: &Project) -> Vec<(Whose, Declared)> {
    let context = around.context;
    if !context.vars.ci() && !matches!(team::place(around, project), Ok(Some(_))) {
        return Vec::new();
    }
    let held = async {
        let Some(merged) = Merged::of(context, project).await? else {
            return Ok::<_, Failure>(None);
        };
        let name = BaseName::Commit(merged.commit.to_string());
        Held::of(context, project, vec![name]).await
    };
    let held = held.await.unwrap_or_else(|failure| {
        tracing::info!(%failure.report, "what the newest commit declares is not known");
        None
    });
    held.map(|held| held.declared).unwrap_or_default()
}

/// Whether the newest commit wants no more of a connector than the plan does.
fn is_meant(
    newest: &[(Whose, Declared)],
    (project, plan): (&Project, &Plan),
    name: &ConnectorType,
) -> bool {
    let mut newest = newest.iter().map(|(_, declared)| declared).peekable();
    newest.peek().is_some() && !newest.any(|there| contradicts(project, there, plan, name))
}

/// What waits and the plan says to withdraw: what was asked for since it was made is not. Tells what else waits and is no
/// part of the plan. A plan that `is_fresh` was made just now.
pub(super) fn to_end(
    around: &Around<'_>,
    (project, plan, is_fresh): (&Project, &Plan, bool),
    pending: &PendingSet,
    rules: &ScopeEquivalence,
) -> Vec<ConnectorType> {
    let mut unwanted = unwanted((project, plan), pending, rules);
    unwanted.retain(|name, by| plan.withdraws_of(name, by));
    let folder = is_fresh.then(|| project.folder());
    // What was planned just now was planned from this folder alone; `plan` tells of others.
    let is_here =
        |entry: &PendingEntry| folder.as_deref().and_then(|f| entry.elsewhere(f)).is_none();
    let left = pending.undeclared(&plan.app);
    let left = left.filter(|(name, entry)| is_here(entry) && !unwanted.contains_key(*name));
    let left: Vec<_> = left.map(|(connector, _)| connector).collect();
    if !left.is_empty() {
        around.tell(&match folder {
            Some(_) => OpEvent::Undeclared(left),
            None => OpEvent::NotInPlan(left),
        });
    }
    unwanted.into_keys().collect()
}

/// What of it an apply ends: it did all, and is of what the branch has by now.
pub(super) async fn ended(
    around: &Around<'_>,
    of: Carried<'_>,
    receipt: &Receipt,
) -> Vec<ConnectorType> {
    let is_left = |outcome| matches!(outcome, Outcome::Failed | Outcome::NotRun);
    let mut results = receipt.results();
    if of.withdrawn.is_empty() || results.any(|result| is_left(result.outcome)) {
        return Vec::new();
    }
    let newest = if is_of_files(of.project, of.plan) {
        newest(around, of.project).await
    } else {
        Vec::new()
    };
    let is_meant = |name: &&ConnectorType| is_meant(&newest, (of.project, of.plan), name);
    let (ended, left): (Vec<_>, Vec<_>) = of.withdrawn.iter().partition(is_meant);
    let ended: Vec<_> = ended.into_iter().cloned().collect();
    if !ended.is_empty() {
        around.tell(&OpEvent::Withdrawn(&ended));
    }
    if !left.is_empty() {
        around.tell(&OpEvent::NotInPlan(left));
    }
    ended
}
