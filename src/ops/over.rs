//! What is over: what a plan carried out since it was made, and what a receipt says that waits and somebody has ended
//! since.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Around, Team,
    applied::{Unread, receipt_of},
    approving::Now,
    used::{Done, done},
    waits::PATIENCE,
};
use crate::{
    approval::Approved,
    config::Project,
    context::Failure,
    diff::Action,
    model::{App, ConnectorType},
    plan::{Digest, Plan, Refusal, Verified},
    receipt::{Outcome, Receipt},
    store::{HistoryEvent, Memory, What},
};

/// Some of a plan's connectors.
pub(super) type Names<'a> = BTreeSet<&'a ConnectorType>;

/// Those that a plan changes.
pub(super) fn changed(plan: &Plan) -> Names<'_> {
    let changes = plan.changes().filter(|c| c.action != Action::NoOp);
    changes.map(|change| &change.connector).collect()
}

/// What of a plan is to be done.
pub(super) fn due<'a>(plan: &'a Plan, verified: &Verified<'_>) -> Names<'a> {
    let mut due = changed(plan);
    due.retain(|connector| !verified.is_done(connector));
    due
}

/// Refuses to do again what a plan carried out since it was made, unless it was made in this run: somebody has undone
/// that. An apply that was begun here and did not end goes on, unless the whole plan is over; and if nothing of it is in
/// force, its own word may be all that there is: nobody looked at the app after its writes. A plan that needed an approval
/// has a rule of its own: `used::unused`.
pub(super) async fn not_over(
    memories: &[&Memory],
    approved: &Approved,
    plan: (&Plan, &Digest),
    made: Option<Timestamp>,
    (due, goes_on): (&Names<'_>, bool),
) -> Result<(), Failure> {
    let is_only_told = goes_on && *due == changed(plan.0);
    let asks = !approved.was_needed() && !due.is_empty() && !is_only_told;
    let Some(made) = made.filter(|_| asks) else {
        return Ok(());
    };
    let at = if goes_on {
        over(memories, plan, made).await?
    } else {
        let (known, made) = look(memories, plan.1, made).await?;
        let again = known.iter().flat_map(|done| {
            let again = due.iter().filter_map(|name| done.get(*name));
            again.map(Done::second).filter(|at| *at > made)
        });
        again.max()
    };
    match at {
        Some(at) => Err(Refusal::Over { at }.into()),
        None => Ok(()),
    }
}

/// When a plan was carried out whole, if that was since it was made. The same plan made anew is another decision.
pub async fn over(
    memories: &[&Memory],
    (plan, digest): (&Plan, &Digest),
    made: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let names = changed(plan);
    let (known, made) = look(memories, digest, made).await?;
    let last = known.iter().filter_map(|done| since(done, &names, made));
    Ok(last.max())
}

/// What these memories know to be carried out of a plan, and when it was made. No digest covers when its file says that:
/// it makes the plan no newer than they know it.
async fn look(
    memories: &[&Memory],
    digest: &Digest,
    made: Timestamp,
) -> Result<(Vec<BTreeMap<ConnectorType, Done>>, Timestamp), Failure> {
    let (mut known, mut kept) = (Vec::new(), None);
    for memory in memories {
        let events = memory.events().await?;
        known.push(done(&events, digest).map_err(|unread| unread.of(memory))?);
        let saved = events.iter().filter(|event| event.is_saved(digest));
        kept = kept.max(saved.map(|event| event.at).max());
    }
    let made = kept.map_or(made, |kept| kept.min(made));
    Ok((known, made))
}

/// In which second the last of these changes was carried out, if all of them were and that was later. What was
/// carried out before then only, and was to be done again since and failed, is still to be done.
pub(super) fn since(
    done: &BTreeMap<ConnectorType, Done>,
    names: &Names<'_>,
    made: Timestamp,
) -> Option<Timestamp> {
    let times = names.iter().map(|name| {
        let done = done.get(*name)?;
        Some(done.second()).filter(|at| *at > made || !done.failed)
    });
    let times: Option<Vec<_>> = times.collect();
    times?.into_iter().max().filter(|at| *at > made)
}

/// Has nothing of a receipt wait that these memories know to be ended, and says so of what is not in force.
pub(super) async fn end(
    around: &Around<'_>,
    memories: &[&Memory],
    now: &Now<'_>,
    receipt: &mut Receipt,
) -> Result<(), Failure> {
    for memory in memories {
        let events = memory.events().await?;
        let ended = ended(&events, &receipt.plan_digest).map_err(|unread| unread.of(memory))?;
        for result in &mut receipt.results {
            let waits = result.outcome == Outcome::Pending && !now.has(result);
            let Some((at, how)) = ended.get(&result.connector).filter(|_| waits) else {
                continue;
            };
            result.outcome = Outcome::Unchanged;
            around.warn(format!(
                "the receipt says that {} waits, but {how} at {at}: by this receipt it waits no more",
                result.connector
            ));
        }
    }
    Ok(())
}

/// The same for who only looks: where the memory is away, the receipt's word counts.
pub(super) async fn end_where_known(
    around: &Around<'_>,
    (project, app): (&Project, &App),
    now: &Now<'_>,
    receipt: &mut Receipt,
) {
    if receipt.waiting().next().is_none() {
        return;
    }
    let ending = async {
        let team = Team::of(around, project, app).await?;
        end(around, &[team.memory()], now, receipt).await
    };
    match tokio::time::timeout(PATIENCE, ending).await {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => {
            tracing::info!(why = %failure.report, "what became of a receipt is not known");
        }
        Err(_) => tracing::info!("what became of a receipt is not known in time"),
    }
}

/// What of an apply of this plan somebody has ended since its last one, when, and how. Of an apply that is not known
/// here, nothing is.
fn ended<'e>(
    events: &'e [HistoryEvent],
    digest: &Digest,
) -> Result<BTreeMap<ConnectorType, (Timestamp, &'static str)>, Unread<'e>> {
    let (mut waits, mut ended) = (BTreeSet::new(), BTreeMap::new());
    for event in events {
        let (names, how): (Vec<_>, _) = match &event.what {
            What::Apply(of, _) => {
                let results = receipt_of(event)?.into_iter().flat_map(|r| r.results);
                let (asked, changed): (Vec<_>, Vec<_>) =
                    results.partition(|result| of == digest && result.outcome == Outcome::Pending);
                for result in asked {
                    ended.remove(&result.connector);
                    waits.insert(result.connector);
                }
                let changed = changed
                    .into_iter()
                    .filter(|result| result.action != Action::NoOp && result.outcome.is_effect());
                let changed = changed.map(|result| result.connector);
                (changed.collect(), "an apply changed it")
            }
            What::Consent(consents) => {
                let consents = consents.iter().filter(|c| c.is_authorized());
                let names = consents.map(|consent| consent.connector.clone());
                (names.collect(), "somebody consented to it")
            }
            What::Forget(names) => (names.clone(), "it was given up"),
            What::Plan(_) | What::Approval(..) | What::Unlock(_) => continue,
        };
        let names = names.into_iter().filter(|name| waits.remove(name));
        let names: Vec<_> = names.collect();
        let at = Timestamp::from_second(event.at.as_second()).unwrap_or(event.at);
        ended.extend(names.into_iter().map(|name| (name, (at, how))));
    }
    Ok(ended)
}
