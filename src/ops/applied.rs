//! From which commit an app was last changed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Component, Path},
};

use super::{agree::is_of_files, apply_outcome::connects_alike};
use crate::{
    base::Merged,
    config::Project,
    context::{Context, Failure},
    diff::{Action, ConsentNeed},
    fs,
    model::ConnectorType,
    plan::{Plan, Refusal},
    receipt::{self, ChangeResult, Outcome, Receipt},
    remote::Remote,
    store::{AppliedFrom, FilesOf, HistoryEvent, Memory, StoreError, What},
    syntax::Unlisted,
};

/// The commits of the applies that changed something and left nothing over, the newest first, for each set of files,
/// as this memory knows them. What the settings asked for at the last is asked for until something is applied again.
pub(super) async fn applied_from(memory: &Memory) -> Result<BTreeSet<Vec<String>>, StoreError> {
    let events = memory.events().await?;
    let mut by_files: BTreeMap<&FilesOf, Vec<String>> = BTreeMap::new();
    for from in events
        .iter()
        .rev()
        .filter_map(|event| event.applied_from.as_ref())
    {
        for files in &from.files {
            let commits = by_files.entry(files).or_default();
            if !commits.contains(&from.commit) {
                commits.push(from.commit.clone());
            }
        }
    }
    Ok(by_files.into_values().collect())
}

/// The events of those applies, and their commits.
pub(super) fn last(events: &[HistoryEvent]) -> BTreeMap<&FilesOf, (&HistoryEvent, &str)> {
    let mut last = BTreeMap::new();
    for event in events {
        if let Some(from) = &event.applied_from {
            let of = (event, from.commit.as_str());
            last.extend(from.files.iter().map(|files| (files, of)));
        }
    }
    last
}

/// An apply after which the app is as its plan says.
#[derive(Clone, Copy)]
pub(super) struct Carried<'a> {
    /// The project.
    pub(super) project: &'a Project,
    /// The plan.
    pub(super) plan: &'a Plan,
    /// The app's remote.
    pub(super) remote: &'a Remote,
    /// Whether it wrote anything.
    pub(super) writes: bool,
    /// What waits and the plan withdraws.
    pub(super) withdrawn: &'a [ConnectorType],
}

/// What an apply is to the next ones: **here alone it is decided whether it moves what was applied last.** It does
/// where it left nothing over of what is checked out, and that is, beyond doubt, what the branch has by now; for no
/// other files than its own, and those of folders that are gone whose connectors it has. Where it does not, what bound
/// it binds the next one.
pub(super) async fn moves_to(
    context: &Context,
    of: Carried<'_>,
    receipt: &Receipt,
    memory: &Memory,
) -> Option<AppliedFrom> {
    let Carried { project, plan, .. } = of;
    let keeps = project.unlisted() == Unlisted::Keep;
    if !context.vars.ci()
        || !plan.is_whole(keeps)
        || !is_done(plan, receipt)
        || !is_of_files(project, plan)
    {
        return None;
    }
    let found = async {
        let Some(merged) = Merged::of(context, project).await? else {
            return Ok(None);
        };
        let own = own_files(context, project, &merged)?;
        let events = memory.events().await?;
        let last = last(&events);
        // The first one frees nothing: from then on something binds.
        let is_first = !last.contains_key(&own);
        if !(of.writes && is_effect(receipt) || is_first) {
            return Ok(None);
        }
        if !connects_alike(plan, of.remote).await {
            return Ok(None);
        }
        let mut files = Vec::new();
        // Who has the files of another one by now is new, and what it took over goes on with it.
        let mine = last.get(&own).map(|(event, _)| event.id.as_str());
        for (of, (event, _)) in &last {
            let is_mine = mine.is_none_or(|mine| mine == event.id);
            if **of != own
                && is_mine
                && is_gone(&merged.root, &of.folder)
                && is_taken_over(plan, event)
            {
                files.push((*of).clone());
            }
        }
        Ok::<_, Failure>(Some(AppliedFrom {
            commit: merged.commit.to_string(),
            files: [vec![own], files].concat(),
        }))
    };
    found.await.unwrap_or_else(|failure| {
        tracing::info!(%failure.report, "what was applied last stays what it was");
        None
    })
}

/// Whether nothing of the plan is still to be done. What waits by the plan's word alone is.
fn is_done(plan: &Plan, receipt: &Receipt) -> bool {
    let waits = plan
        .changes()
        .filter(|change| change.authorization == ConsentNeed::Pending);
    let waits: BTreeSet<_> = waits.map(|change| &change.connector).collect();
    let is_done = |of: &ChangeResult| {
        of.outcome.is_effect() || of.outcome == Outcome::Unchanged && !waits.contains(&of.connector)
    };
    receipt.results().all(is_done)
}

/// Whether something was changed.
fn is_effect(receipt: &Receipt) -> bool {
    let is_effect = |of: &ChangeResult| of.action != Action::NoOp && of.outcome.is_effect();
    receipt.results().any(is_effect)
}

fn own_files(context: &Context, project: &Project, merged: &Merged) -> Result<FilesOf, Failure> {
    let folder = match merged.folder.as_str() {
        "" => ".".to_owned(),
        folder => folder.to_owned(),
    };
    let is_other = context.project(None)?.connectors_dir != project.connectors_dir;
    let dir = is_other.then(|| project.folder());
    Ok(FilesOf { folder, dir })
}

/// Whether nothing can be applied from there any more.
fn is_gone(root: &Path, folder: &str) -> bool {
    let folder = Path::new(folder);
    let mut parts = folder.components();
    let seen = || fs::look(&[root], &root.join(folder));
    let is_nothing = |seen: fs::Seen| seen.there.is_none() && !seen.leads_out;
    parts.all(|part| matches!(part, Component::Normal(_))) && is_nothing(seen())
}

/// Whether this plan is of all that that apply was of: of a folder that is gone, only the project that took its
/// connectors over can be applied instead.
fn is_taken_over(plan: &Plan, last: &HistoryEvent) -> bool {
    let Ok(Some(receipt)) = receipt_of(last) else {
        return false;
    };
    let planned: BTreeSet<_> = plan.changes().map(|change| &change.connector).collect();
    let mut had = receipt
        .results()
        .filter(|result| result.action != Action::Delete);
    had.all(|result| planned.contains(&result.connector))
}

/// An apply whose receipt cannot be read: what it did counts as nothing for nobody.
#[derive(Debug)]
pub(super) struct Unread<'e> {
    event: &'e HistoryEvent,
    reason: Refusal,
}

impl Unread<'_> {
    /// The error of who decides by this memory.
    pub(super) fn of(self, memory: &Memory) -> StoreError {
        memory.unread(self.event, self.reason.to_string())
    }
}

/// The receipt of an event that is an apply.
pub(super) fn receipt_of(event: &HistoryEvent) -> Result<Option<Receipt>, Unread<'_>> {
    let What::Apply(_, text) = &event.what else {
        return Ok(None);
    };
    match receipt::read("in it", text) {
        Ok(saved) => Ok(Some(saved.receipt)),
        Err(reason) => Err(Unread { event, reason }),
    }
}
