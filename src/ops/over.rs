//! What is over: what a plan carried out since it was made, and what a receipt says that waits and somebody has ended
//! since.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{
    Around, Team,
    applied::{Unread, receipt_of},
    approving::Now,
    used::{Done, decided, done},
    waits::PATIENCE,
};
use crate::{
    approval::Approved,
    base::begun,
    catalogue::ScopeEquivalence,
    config::Project,
    context::{Context, Failure},
    diff::Action,
    model::{App, ConnectorType},
    plan::{Digest, Plan, Refusal, Verified},
    receipt::{Basis, ChangeResult, Outcome, Receipt},
    store::{HistoryEvent, Memory, StoreError, What},
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
/// that. The same where a store has forgotten what happened since then, and neither an event that it has nor the run
/// says that the plan is newer: its file alone does not. What an apply wrote and nobody could look at was not carried
/// out, as far as anybody knows. A plan that needed an approval has a rule of its own: `used::unused`.
pub(super) async fn not_over(
    memories: &[&Memory],
    (approved, context): (&Approved, &Context),
    plan: &Digest,
    made: Option<Timestamp>,
    due: &Names<'_>,
) -> Result<(), Failure> {
    let Some(made) = made.filter(|_| !due.is_empty()) else {
        return Ok(());
    };
    let seen = look(memories, plan, made).await?;
    let again = seen.known.iter().flat_map(|(done, kept)| {
        let again = due.iter().filter_map(|name| done.get(*name));
        let again = again.filter(|done| is_before((seen.made, *kept), done));
        again.map(Done::second)
    });
    let mut gone = seen.gone;
    if let Some(at) = gone {
        let is_newer = seen.told.max(begun(context)?) > Some(at);
        gone = gone.filter(|_| made <= at || !is_newer);
    }
    match (again.max(), gone) {
        (Some(at), _) if !approved.was_needed() => Err(Refusal::Over { at }.into()),
        (_, Some(gone)) => Err(Refusal::Unremembered { gone }.into()),
        _ => Ok(()),
    }
}

/// When a plan was carried out whole, if that was since it was made. The same plan made anew is another decision.
pub async fn over(
    memories: &[&Memory],
    (plan, digest): (&Plan, &Digest),
    made: Timestamp,
) -> Result<Option<Timestamp>, Failure> {
    let seen = look(memories, digest, made).await?;
    Ok(seen.over(&changed(plan)))
}

/// What memories know of a plan.
struct Seen {
    /// What each knows to be carried out, and the number of the event by which it was kept last.
    known: Vec<(BTreeMap<ConnectorType, Done>, Option<usize>)>,
    /// In which second it was made. No digest covers when its file says that: it makes the plan no newer than they know it.
    made: Timestamp,
    /// When one of them was told of it last, other than by an apply.
    told: Option<Timestamp>,
    /// Until when one of them has forgotten entries.
    gone: Option<Timestamp>,
}

impl Seen {
    fn over(&self, names: &Names<'_>) -> Option<Timestamp> {
        let last = self.known.iter();
        last.filter_map(|(done, kept)| {
            since(done, names, |done| is_before((self.made, *kept), done))
        })
        .max()
    }
}

async fn look(memories: &[&Memory], digest: &Digest, made: Timestamp) -> Result<Seen, Failure> {
    let (mut known, mut kept, mut told, mut gone) = (Vec::new(), None, None, None);
    for memory in memories {
        let events = memory.events().await?;
        let done = done(&events, digest).map_err(|unread| unread.of(memory))?;
        known.push((
            done,
            events.iter().rposition(|event| event.is_saved(digest)),
        ));
        let saved = events.iter().filter(|event| event.is_saved(digest));
        kept = kept.max(saved.map(|event| event.at).max());
        let of_it = |event: &&HistoryEvent| event.what.digest() == Some(digest);
        let events = events.iter().filter(of_it);
        let events = events.filter(|event| !event.is_apply_of(digest));
        told = told.max(events.map(|event| event.at).max());
        gone = gone.max(memory.waits_known().await?.gone());
    }
    // One of a time to come is of an unknown one.
    let made = Some(made).filter(|made| *made <= Context::clock());
    let made = made.unwrap_or(Timestamp::MIN);
    Ok(Seen {
        known,
        made: second(kept.map_or(made, |kept| kept.min(made))),
        told,
        gone,
    })
}

/// Whether a plan was made before that was done. Within one second, what a memory kept of it later says that it was not.
pub(super) fn is_before((made, kept): (Timestamp, Option<usize>), done: &Done) -> bool {
    let is_kept_since = kept.is_some_and(|kept| kept > done.number);
    done.second() > made || done.second() == made && !is_kept_since
}

/// In which second the last of these changes was carried out, if all of them were and that was later. What was
/// carried out before then only, and was to be done again since and failed, is still to be done.
pub(super) fn since(
    done: &BTreeMap<ConnectorType, Done>,
    names: &Names<'_>,
    is_later: impl Fn(&Done) -> bool,
) -> Option<Timestamp> {
    let mut last = None;
    for name in names {
        let done = done.get(*name)?;
        if is_later(done) {
            last = last.max(Some(done.second()));
        } else if done.failed {
            return None;
        }
    }
    last
}

/// Has nothing of a receipt wait that these memories know to be ended, and says so of what is not in force. Where a
/// team's store has forgotten entries, the receipt's apply may be one of those: unless it is known to be later, it was
/// before what the store knows.
pub(super) async fn end(
    around: &Around<'_>,
    memories: &[&Memory],
    now: &Now<'_>,
    receipt: &mut Receipt,
) -> Result<(), Failure> {
    for memory in memories {
        let events = memory.events().await?;
        let is_gone = memory.is_shared() && memory.waits_known().await?.gone().is_some();
        let waiting = receipt.waiting().filter(|_| is_gone);
        let waits = waiting.map(|(name, _)| name.clone()).collect();
        let ended = ended(&events, &receipt.plan_digest, waits);
        let ended = ended.map_err(|unread| unread.of(memory))?;
        let way_on = if is_gone {
            " (the store has not all of before any more); plan it anew if you need it"
        } else {
            ""
        };
        for result in &mut receipt.results {
            let waits = result.outcome == Outcome::Pending && !now.has(result);
            let Some((at, how)) = ended.get(&result.connector).filter(|_| waits) else {
                continue;
            };
            result.outcome = Outcome::Unchanged;
            around.warn(format!(
                "the receipt says that {} waits, but {how} at {at}: by this receipt it waits no more{way_on}",
                result.connector
            ));
        }
    }
    Ok(())
}

/// Why what the app shows as broken is not repaired, as these memories know it: somebody decided that it goes, or gave it
/// up, or a plan asks for it, which goes before. Escaped.
pub(super) async fn unrepaired(
    memories: &[&Memory],
    rules: &ScopeEquivalence,
) -> Result<BTreeMap<ConnectorType, String>, StoreError> {
    let (mut last, mut reasons) = (
        BTreeMap::<_, (Timestamp, Option<String>)>::new(),
        BTreeMap::new(),
    );
    for memory in memories {
        let mut here = BTreeMap::new();
        for event in memory.events().await? {
            let said = goes(&event, rules).map_err(|unread| unread.of(memory))?;
            here.extend(said.into_iter().map(|(name, why)| (name, (event.at, why))));
        }
        for (name, said) in here {
            let known = last.entry(name).or_insert_with(|| said.clone());
            if known.0 < said.0 {
                *known = said;
            }
        }
        for wait in memory.waits_known().await? {
            if let Some(plan) = wait.entry.plan_digest {
                let why = format!(
                    "plan {plan} asks for it, and not as the files here declare it: get the newest commits, or plan and apply"
                );
                reasons.insert(wait.connector, why);
            }
        }
    }
    for (name, (at, what)) in last {
        if let Some(what) = what {
            let at = second(at);
            let why = format!("{what} at {at}: plan and apply it to connect it again");
            reasons.insert(name, why);
        }
    }
    Ok(reasons)
}

/// What an event says of connectors: why they go, or nothing where they are wanted. Of an apply that is what its plan
/// wanted and is so, whoever did it.
fn goes<'e>(
    event: &'e HistoryEvent,
    rules: &ScopeEquivalence,
) -> Result<BTreeMap<ConnectorType, Option<String>>, Unread<'e>> {
    let mut said: BTreeMap<_, _> = decided(event)?
        .into_iter()
        .map(|name| (name, None))
        .collect();
    let plan = match &event.what {
        What::Apply(plan, _) => plan,
        What::Forget(_) => {
            for why in said.values_mut() {
                *why = Some("it was given up".to_owned());
            }
            return Ok(said);
        }
        _ => return Ok(said),
    };
    for name in &event.withdrawn {
        said.insert(name.clone(), Some(format!("plan {plan} withdrew it")));
    }
    for of in receipt_of(event)?.into_iter().flat_map(|r| r.results) {
        let is_withdrawn = event.withdrawn.contains(&of.connector);
        let why = match of.action {
            // A connector may have no scopes: then the basis alone tells that the plan does without it.
            Action::NoOp if of.basis == Some(Basis::Found) || has_lost_all(&of, rules) => {
                (!is_withdrawn).then(|| Some(format!("plan {plan} does without it")))
            }
            Action::NoOp => {
                // With a message it is not as it should be, or was given up before.
                let is_so = of.outcome == Outcome::Unchanged && of.message.is_none();
                (is_withdrawn || is_so).then_some(None)
            }
            _ if !of.outcome.is_effect() => None,
            Action::Delete => Some(Some(format!("plan {plan} removed it"))),
            _ => Some(None),
        };
        said.extend(why.map(|why| (of.connector, why)));
    }
    Ok(said)
}

/// Whether a plan that leaves it as it is wants none of the scopes that it has.
fn has_lost_all(of: &ChangeResult, rules: &ScopeEquivalence) -> bool {
    let has = of.before.as_ref().filter(|_| of.scopes.is_empty());
    has.is_some_and(|has| !rules.compare(&of.connector, &of.scopes, has).is_same())
}

/// As exactly as people are told.
fn second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
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

/// What of an apply of this plan somebody has ended since its last one, when, and how. `waits`: what it asked for
/// before all of these.
fn ended<'e>(
    events: &'e [HistoryEvent],
    digest: &Digest,
    mut waits: BTreeSet<ConnectorType>,
) -> Result<BTreeMap<ConnectorType, (Timestamp, &'static str)>, Unread<'e>> {
    let mut ended = BTreeMap::new();
    for event in events {
        let mut names = decided(event)?;
        if event.is_apply_of(digest) {
            let results = receipt_of(event)?.into_iter().flat_map(|r| r.results);
            for asked in results.filter(|result| result.outcome == Outcome::Pending) {
                names.remove(&asked.connector);
                ended.remove(&asked.connector);
                waits.insert(asked.connector);
            }
        }
        let how = match &event.what {
            What::Apply(..) => "an apply changed it",
            What::Consent(_) => "somebody consented to it",
            _ => "it was given up",
        };
        names.retain(|name| waits.remove(name));
        let at = second(event.at);
        ended.extend(names.into_iter().map(|name| (name, (at, how))));
    }
    Ok(ended)
}
