//! One step of one authorization: a state and a piece of evidence make the next state, and what has
//! to be done. Pure.

use super::{
    Candidate, Consent, FailReason, Stage, State,
    consent::{consent_of, has_new_values, is_as_before},
    objection::{FOREIGN, objection_now},
};
use crate::{
    catalogue::ScopeEquivalence,
    model::{RemoteConnector, Scopes},
    pending::Before,
    remote::AuthorizationStatus,
};

/// So many lists without the connector are accepted after the remote said ACTIVE.
const UNLISTED_ROUNDS: u8 = 3;

/// What is learnt of an authorization.
#[derive(Clone, Debug)]
pub enum Evidence<'a> {
    /// What the app's list has of the connector.
    Listed(Option<&'a RemoteConnector>),
    /// The same right before a link is asked for.
    BeforeLink(Option<&'a RemoteConnector>),
    /// What the app says of the connection that this run began. Nobody else's is asked for: it
    /// reads PENDING for ever.
    Status(AuthorizationStatus),
    /// A person wants to consent now.
    Wanted,
    /// The app was asked for a link.
    Answered(LinkAnswer),
    /// This run's link is too old to be used.
    LinkRanOut,
    /// A person leaves it for later.
    Skipped,
    /// Nothing is waited for any more.
    Ended(End),
}

/// What came of asking for a link.
#[derive(Clone, Debug)]
pub enum LinkAnswer {
    /// There is one.
    Link,
    /// None is needed; the list will show it, or this is why not.
    InForce(String),
    /// The app does not want to, or it cannot be asked. Escaped.
    Refused(FailReason),
}

/// Why nothing is waited for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The time is up.
    TimeUp,
    /// A person left, or the run is interrupted.
    Left,
}

/// What has to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Ask the app for a link, with the scopes and values that were approved.
    AskForLink,
    /// Hand out the link that there is.
    Offer,
    /// The link is of no use any more.
    DropLink,
    /// Remember where the link led: somebody used it.
    LearnHost,
    /// Take the entry out of the pending file.
    Forget,
    /// Write down what a consent left out, and from what the next one starts.
    Remember(Box<Before>),
    /// Tell how it stands.
    Tell,
}

/// The next state, and what has to be done.
pub fn step(
    candidate: &Candidate,
    state: &State,
    evidence: &Evidence<'_>,
    rules: &ScopeEquivalence,
) -> (State, Vec<Effect>) {
    let stays = || (state.clone(), Vec::new());
    match evidence {
        Evidence::Listed(_) if state.ignores_lists() => stays(),
        Evidence::Listed(is) => listed(candidate, state, *is, rules),
        // It may have been finished while the app was asked.
        Evidence::BeforeLink(_) | Evidence::Answered(_) if !can_be_wanted(state) => stays(),
        Evidence::BeforeLink(is) => {
            let (next, effects) = listed(candidate, state, *is, rules);
            match objection_now(&candidate.connector, &candidate.entry, *is, rules) {
                Some(why) if can_be_wanted(&next) => {
                    let next = State::Untouched(why);
                    let effects = effects_of(&next, *is);
                    (next, effects)
                }
                _ => (next, effects),
            }
        }
        Evidence::Status(AuthorizationStatus::Pending) => stays(),
        Evidence::Status(AuthorizationStatus::Active) => match state {
            State::Waiting(Stage::Asked) => (confirming(UNLISTED, false), Vec::new()),
            _ => stays(),
        },
        Evidence::Status(AuthorizationStatus::Failed) => match state {
            State::Waiting(Stage::Asked | Stage::Confirming { .. }) => {
                (State::Waiting(Stage::Declining), Vec::new())
            }
            _ => stays(),
        },
        Evidence::Wanted => match state {
            State::Waiting(Stage::Asked) => (state.clone(), vec![Effect::Offer]),
            state if can_be_wanted(state) => (state.clone(), vec![Effect::AskForLink]),
            _ => stays(),
        },
        Evidence::Answered(answer) => match answer {
            LinkAnswer::Link => (State::Waiting(Stage::Asked), vec![Effect::Offer]),
            LinkAnswer::InForce(otherwise) => (confirming(otherwise, true), Vec::new()),
            LinkAnswer::Refused(reason) => (State::Failed(reason.clone()), vec![Effect::Tell]),
        },
        Evidence::LinkRanOut => match state {
            State::Waiting(Stage::Asked) => (State::Waiting(Stage::Idle), vec![Effect::DropLink]),
            _ => stays(),
        },
        Evidence::Skipped | Evidence::Ended(End::Left) => ended(candidate, state, State::Skipped),
        Evidence::Ended(End::TimeUp) => ended(candidate, state, State::TimedOut),
    }
}

/// Said of a connector that is in force by one answer and not by the other.
pub(super) const UNLISTED: &str = "the platform says that it is authorized, but does not list it as active; look at the app's connections in the Base44 editor";

fn confirming(otherwise: &str, exactly: bool) -> State {
    State::Waiting(Stage::Confirming {
        rounds: 0,
        otherwise: otherwise.to_owned(),
        exactly,
    })
}

pub(super) fn can_be_wanted(state: &State) -> bool {
    matches!(state, State::Waiting(Stage::Idle) | State::Skipped) || state.can_be_asked_again()
}

/// What the list says decides, whoever began and whoever finished it.
fn listed(
    candidate: &Candidate,
    state: &State,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> (State, Vec<Effect>) {
    let consent = seen(candidate, state, is, rules);
    let next = match (consent, is) {
        (Some(consent), Some(is)) => after_consent(candidate, state, consent, is, rules),
        _ => after_nothing(state),
    };
    match next {
        Some(next) => {
            let effects = effects_of(&next, is);
            (next, effects)
        }
        None => (state.clone(), Vec::new()),
    }
}

/// The consent that the list shows. A list that looks as before shows none, unless the app itself said that
/// somebody consented (Confirming).
fn seen(
    candidate: &Candidate,
    state: &State,
    is: Option<&RemoteConnector>,
    rules: &ScopeEquivalence,
) -> Option<Consent> {
    let (connector, entry) = (&candidate.connector, &candidate.entry);
    let before = entry.before.as_ref();
    let as_before = !has_new_values(entry, is) && is_as_before(connector, before, is, rules);
    if !is_confirmed(state) && as_before {
        return None;
    }
    consent_of(connector, entry, is, rules)
}

/// Whether the app says that it is authorized.
fn is_confirmed(state: &State) -> bool {
    matches!(state, State::Waiting(Stage::Confirming { .. }))
}

/// The state after a consent that the list shows; none where it says nothing new.
fn after_consent(
    candidate: &Candidate,
    state: &State,
    consent: Consent,
    is: &RemoteConnector,
    rules: &ScopeEquivalence,
) -> Option<State> {
    // The app says that exactly this is in force.
    let exactly = matches!(
        state,
        State::Waiting(Stage::Confirming { exactly: true, .. })
    );
    match consent {
        Consent::Granted { .. } if keeps_more(candidate, is, rules) => match state {
            // Nobody consented; the app only says so.
            _ if exactly => Some(State::Failed(still_has(candidate).into())),
            _ if is_confirmed(state) => Some(State::Consented(consent)),
            _ => None,
        },
        Consent::Partial { .. } if !is_confirmed(state) && has_more(candidate, is, rules) => {
            Some(State::Untouched(FOREIGN.to_owned()))
        }
        // One answer may be wrong: a consent that left it out, and then this, is not.
        Consent::Partial { account, missing }
            if exactly
                && !candidate.entry.missing.is_empty()
                && !has_more(candidate, is, rules) =>
        {
            Some(State::Consented(Consent::Granted {
                account,
                instead_of: None,
                unasked: Scopes::new(),
                dropped: missing,
            }))
        }
        consent => Some(State::Consented(consent)),
    }
}

/// The state after a list without a consent; none where that changes nothing.
fn after_nothing(state: &State) -> Option<State> {
    match state {
        State::Waiting(Stage::Declining) => Some(State::Declined),
        State::Waiting(Stage::Confirming {
            rounds,
            otherwise,
            exactly,
        }) => Some(if rounds + 1 >= UNLISTED_ROUNDS {
            State::Failed(otherwise.clone().into())
        } else {
            State::Waiting(Stage::Confirming {
                rounds: rounds + 1,
                otherwise: otherwise.clone(),
                exactly: *exactly,
            })
        }),
        _ => None,
    }
}

/// What has to be done where the list led to this state.
fn effects_of(next: &State, is: Option<&RemoteConnector>) -> Vec<Effect> {
    // The next try starts from here.
    let remember = || is.map(|is| Effect::Remember(Box::new(Before::from(is))));
    let kept = match next {
        State::Waiting(_) => return Vec::new(),
        State::Consented(Consent::Granted { dropped, .. }) if dropped.is_empty() => {
            let whole = [
                Effect::LearnHost,
                Effect::DropLink,
                Effect::Forget,
                Effect::Tell,
            ];
            return whole.into();
        }
        State::Consented(Consent::Granted { .. } | Consent::Partial { .. }) => remember(),
        // Not pending: `plan` shows it, with before and after.
        State::Consented(Consent::WrongAccount { .. }) | State::Untouched(_) => {
            Some(Effect::Forget)
        }
        _ => None,
    };
    let link_is_spent = [Effect::DropLink].into_iter();
    link_is_spent.chain(kept).chain([Effect::Tell]).collect()
}

/// Asked for fewer scopes, it still has all that it had: nobody has consented yet, whatever else
/// of it changed.
fn keeps_more(candidate: &Candidate, is: &RemoteConnector, rules: &ScopeEquivalence) -> bool {
    let (connector, entry) = (&candidate.connector, &candidate.entry);
    let Some(before) = &entry.before else {
        return false;
    };
    let narrows = !rules
        .compare(connector, &entry.scopes, &before.scopes)
        .removed
        .is_empty();
    narrows && super::consent::same_scopes(rules, connector, &before.scopes, &is.scopes)
}

fn still_has(candidate: &Candidate) -> String {
    format!(
        "the platform says that it is authorized, but its list still has the scopes that should be removed; if the \
         provider or the platform adds them by itself, list them in connplan.toml: `[providers.{}] adds`",
        candidate.connector
    )
}

/// Whether it has scopes that nobody approved.
fn has_more(candidate: &Candidate, is: &RemoteConnector, rules: &ScopeEquivalence) -> bool {
    let diff = rules.compare(&candidate.connector, &candidate.entry.scopes, &is.scopes);
    !diff.removed.is_empty()
}

/// Ends without an answer. What was granted in part before is still granted in part.
fn ended(candidate: &Candidate, state: &State, end: State) -> (State, Vec<Effect>) {
    if !state.is_waiting() {
        return (state.clone(), Vec::new());
    }
    let entry = &candidate.entry;
    let end = match &entry.before {
        Some(before) if !entry.missing.is_empty() => State::Consented(Consent::Partial {
            account: before.account.clone(),
            missing: entry.missing.clone(),
        }),
        _ => end,
    };
    (end, vec![Effect::DropLink, Effect::Tell])
}
