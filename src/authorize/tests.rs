//! Which authorizations are found, which are left alone, and every step of one.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use jiff::Timestamp;

use super::{
    Candidate, Candidates, Consent, Effect, End, EntryRetention, Evidence, LinkAnswer, Sources,
    Stage, State, candidates, step,
};
use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, Change, ConsentNeed, Desired},
    model::{
        Account, ApiUrl, App, AppId, ConnectorType, Declared, DeclaredConnector, ExpectedAccount,
        Policies, RemoteConnector, RemoteStatus, Scopes,
    },
    pending::{Before, PendingEntry, PendingSet},
    policy::{self, Verdict},
    remote::AuthorizationStatus,
};

fn app() -> App {
    App {
        id: AppId::parse("a1").unwrap(),
        api_url: ApiUrl::default(),
        environment: None,
    }
}

fn slack() -> ConnectorType {
    ConnectorType::parse("slack").unwrap()
}

fn scopes(of: &[&str]) -> Scopes {
    of.iter().copied().collect()
}

fn remote(status: RemoteStatus, of: &[&str]) -> RemoteConnector {
    RemoteConnector {
        status,
        scopes: scopes(of),
        account: Some(Account::new("ada@example.com")),
        mode: None,
        connection_config: None,
    }
}

fn entry(of: &[&str], before: Option<&RemoteConnector>) -> PendingEntry {
    PendingEntry {
        scopes: scopes(of),
        connection_config: BTreeMap::new(),
        action: Action::Update,
        plan_digest: None,
        since: Timestamp::UNIX_EPOCH,
        before: before.map(Before::from),
        account: None,
        connection_id: None,
        missing: Scopes::new(),
        dropped_by_platform: false,
        overrides: BTreeMap::new(),
        asked_under: None,
        folder: None,
    }
}

fn candidate(entry: PendingEntry) -> Candidate {
    let verdict = verdict(&slack(), &entry.scopes);
    Candidate::new(slack(), entry, None, verdict).unwrap()
}

fn verdict(connector: &ConnectorType, of: &Scopes) -> Verdict {
    let change = Change {
        after: Some(Desired {
            scopes: of.clone(),
            ..Desired::default()
        }),
        authorization: ConsentNeed::Required,
        ..Change::new(connector.clone(), Action::Create)
    };
    policy::evaluate(
        &[change],
        0,
        &policy::Policy::default(),
        &Policies::default(),
        &[],
    )
    .verdict()
    .unwrap()
}

#[test]
fn a_verdict_about_other_scopes_makes_no_candidate() {
    let other = verdict(&slack(), &scopes(&["a"]));
    assert!(Candidate::new(slack(), entry(&["a", "b"], None), None, other).is_none());
}

fn declare(of: &[&str], account: Option<&str>) -> Declared {
    let connector = DeclaredConnector {
        scopes: scopes(of),
        connection_config: BTreeMap::new(),
        file: "slack.jsonc".to_owned(),
        account: account.and_then(ExpectedAccount::parse),
    };
    Declared {
        connectors: [(slack(), connector)].into(),
    }
}

fn find(
    stored: Option<PendingEntry>,
    declared: &Declared,
    is: Option<RemoteConnector>,
) -> Candidates {
    let mut pending = PendingSet::default();
    if let Some(entry) = stored {
        pending.insert(&app(), slack(), entry);
    }
    candidates(&Sources {
        app: &app(),
        pending: &pending,
        receipt: None,
        made: None,
        proved: false,
        declared: Some(declared),
        folder: "base44/connectors",
        observed: &is.map(|is| (slack(), is)).into_iter().collect(),
        targets: &BTreeSet::new(),
        rules: &ScopeEquivalence::default(),
        verdict: &|connector, entry| {
            let scopes = &entry.scopes;
            let denied = scopes.iter().any(|scope| scope.as_str() == "denied");
            if denied {
                return Err("denied".to_owned());
            }
            Ok(verdict(connector, scopes))
        },
        needs_approval: &|change| {
            let wanted = change.after.iter().flat_map(|after| after.scopes.iter());
            wanted.into_iter().any(|scope| scope.as_str() == "grave")
        },
        withheld: &|_, _| None,
        now: Timestamp::UNIX_EPOCH,
    })
    .unwrap()
}

fn resumes(found: &Candidates) -> bool {
    assert_eq!(
        found.resumable.len() + found.left_alone.len(),
        1,
        "{found:?}"
    );
    found.resumable.len() == 1
}

#[test]
fn what_somebody_else_changed_is_left_alone_and_forgotten() {
    let active = |of: &[&str]| Some(remote(RemoteStatus::Active, of));
    let before = remote(RemoteStatus::Active, &["a"]);
    let waits = || Some(entry(&["a", "b"], Some(&before)));
    let with = |is| find(waits(), &declare(&["a", "b"], None), is);
    assert!(resumes(&with(active(&["a"]))), "as it was");
    assert!(resumes(&with(active(&["a", "b"]))), "consented to");
    let foreign = with(active(&["a", "z"]));
    assert!(!resumes(&foreign) && foreign.left_alone[0].obsolete);
    let removed = with(None);
    assert!(!resumes(&removed) && removed.left_alone[0].obsolete);
    // Back on another branch, its file may be there again: then the scopes are the approved ones.
    let moved_on = find(Some(entry(&["a", "b"], None)), &declare(&["c"], None), None);
    assert!(!resumes(&moved_on) && !moved_on.left_alone[0].obsolete);
}

#[test]
fn what_the_policy_denies_is_not_asked_for() {
    let waits = || entry(&["a", "denied"], None);
    let stored = find(Some(waits()), &declare(&["a", "denied"], None), None);
    assert!(!resumes(&stored) && !stored.left_alone[0].obsolete);
    let expired = Some(remote(RemoteStatus::Expired, &["denied"]));
    assert!(!resumes(&find(None, &declare(&["denied"], None), expired)));
}

#[test]
fn broken_connectors_are_repaired_and_wrong_accounts_reported() {
    let expired = |of: &[&str]| Some(remote(RemoteStatus::Expired, of));
    let found = |declared, is| find(None, &declared, is);
    assert!(resumes(&found(declare(&["a"], None), expired(&["a"]))));
    // What needs an approval is asked for where an apply of a plan left it.
    let grave = declare(&["grave"], None);
    assert!(!resumes(&find(None, &grave, expired(&["grave"]))));
    let before = remote(RemoteStatus::Expired, &["grave"]);
    let applied = entry(&["grave"], Some(&before));
    assert!(resumes(&find(Some(applied), &grave, expired(&["grave"]))));
    // A new scope is a change, and has to be planned.
    let widened = found(declare(&["a", "b"], None), expired(&["a"]));
    assert_eq!(widened, Candidates::default());
    let active = || Some(remote(RemoteStatus::Active, &["a"]));
    let right = found(declare(&["a"], Some("@example.com")), active());
    assert_eq!(right, Candidates::default());
    let wrong = found(declare(&["a"], Some("ops@example.com")), active());
    assert!(!resumes(&wrong));
    assert!(matches!(
        wrong.left_alone[0].state,
        State::Consented(Consent::WrongAccount { .. })
    ));
}

/// Each state, and each piece of evidence, under a short name.
fn states() -> Vec<(&'static str, State)> {
    let ada = || Some(Account::new("ada@example.com"));
    let confirming = |rounds, exactly| {
        State::Waiting(Stage::Confirming {
            exactly,
            rounds,
            otherwise: "unlisted".to_owned(),
        })
    };
    vec![
        ("idle", State::Waiting(Stage::Idle)),
        ("asked", State::Waiting(Stage::Asked)),
        ("confirming", confirming(0, false)),
        ("confirming2", confirming(2, false)),
        ("confirming exactly", confirming(0, true)),
        ("declining", State::Waiting(Stage::Declining)),
        (
            "granted",
            State::Consented(Consent::Granted {
                dropped: Scopes::new(),
                account: ada(),
                instead_of: None,
                unasked: Scopes::new(),
            }),
        ),
        (
            "partial",
            State::Consented(Consent::Partial {
                account: ada(),
                missing: scopes(&["b"]),
            }),
        ),
        (
            "wrong",
            State::Consented(Consent::WrongAccount {
                account: Account::new("ada@example.com"),
                expected: "ops@example.com".to_owned(),
            }),
        ),
        ("declined", State::Declined),
        ("failed", State::Failed("unlisted".to_owned().into())),
        ("timed_out", State::TimedOut),
        ("skipped", State::Skipped),
        ("untouched", State::Untouched(String::new())),
        ("undeclared", State::Undeclared(EntryRetention::Kept)),
    ]
}

fn word(state: &State) -> String {
    match state {
        State::Waiting(Stage::Idle) => "idle",
        State::Waiting(Stage::Asked) => "asked",
        State::Waiting(Stage::Confirming {
            rounds, exactly, ..
        }) => {
            let exactly = if *exactly { "-exactly" } else { "" };
            return format!("confirming{rounds}{exactly}");
        }
        State::Waiting(Stage::Declining) => "declining",
        State::Undeclared(_) => "undeclared",
        state => state.as_str(),
    }
    .to_owned()
}

fn effect(effect: &Effect) -> &'static str {
    match effect {
        Effect::AskForLink => "ask",
        Effect::Offer => "offer",
        Effect::DropLink => "drop",
        Effect::LearnHost => "host",
        Effect::Forget => "forget",
        Effect::Remember(_) => "remember",
        Effect::Tell => "tell",
    }
}

/// One line for each evidence that changes anything: `evidence: state effects`.
fn table() -> String {
    let active = |of: &[&str]| remote(RemoteStatus::Active, of);
    let (all, some, other) = (active(&["a", "b"]), active(&["a"]), active(&["z"]));
    let more = remote(RemoteStatus::Expired, &["a", "z"]);
    let answer = |answer| Evidence::Answered(answer);
    let evidence: Vec<(&str, Evidence<'_>)> = vec![
        ("not listed", Evidence::Listed(None)),
        ("listed whole", Evidence::Listed(Some(&all))),
        ("listed in part", Evidence::Listed(Some(&some))),
        ("listed otherwise", Evidence::Listed(Some(&other))),
        ("before a link: not listed", Evidence::BeforeLink(None)),
        ("before a link: whole", Evidence::BeforeLink(Some(&all))),
        ("before a link: in part", Evidence::BeforeLink(Some(&some))),
        ("before a link: has more", Evidence::BeforeLink(Some(&more))),
        (
            "says PENDING",
            Evidence::Status(AuthorizationStatus::Pending),
        ),
        ("says ACTIVE", Evidence::Status(AuthorizationStatus::Active)),
        ("says FAILED", Evidence::Status(AuthorizationStatus::Failed)),
        ("wanted", Evidence::Wanted),
        ("answered: link", answer(LinkAnswer::Link)),
        (
            "answered: in force",
            answer(LinkAnswer::InForce("unlisted".to_owned())),
        ),
        (
            "answered: refused",
            answer(LinkAnswer::Refused("no".to_owned().into())),
        ),
        ("link ran out", Evidence::LinkRanOut),
        ("skipped", Evidence::Skipped),
        ("time up", Evidence::Ended(End::TimeUp)),
        ("left", Evidence::Ended(End::Left)),
    ];
    let candidate = candidate(entry(&["a", "b"], None));
    let mut text = String::new();
    for (name, state) in states() {
        let _ = writeln!(text, "{name}");
        for (what, evidence) in &evidence {
            let (next, effects) = step(&candidate, &state, evidence, &ScopeEquivalence::default());
            if next == state && effects.is_empty() {
                continue;
            }
            let effects: Vec<_> = effects.iter().map(effect).collect();
            let line = format!("  {what}: {} {}", word(&next), effects.join(" "));
            let _ = writeln!(text, "{}", line.trim_end());
        }
    }
    text
}

#[test]
fn every_pair_of_state_and_evidence() {
    let expected = include_str!("steps.txt");
    let found = table();
    assert_eq!(found, expected, "\n{found}");
}

#[test]
fn what_looks_as_before_is_nobodys_consent() {
    let rules = ScopeEquivalence::default();
    let idle = State::Waiting(Stage::Idle);
    let before = remote(RemoteStatus::Active, &["a", "b", "c"]);
    // Asked for fewer: it still has them all, whoever holds it now.
    let narrowed = candidate(entry(&["a"], Some(&before)));
    let other = RemoteConnector {
        account: Some(Account::new("eve@example.com")),
        ..before.clone()
    };
    for is in [&before, &other] {
        let (state, effects) = step(&narrowed, &idle, &Evidence::Listed(Some(is)), &rules);
        assert_eq!((state, effects), (idle.clone(), Vec::new()));
    }
    let done = remote(RemoteStatus::Active, &["a"]);
    let (state, _) = step(&narrowed, &idle, &Evidence::Listed(Some(&done)), &rules);
    assert!(state.is_done());
    // It was expired, and works again: somebody consented.
    let expired = candidate(entry(&["a"], Some(&remote(RemoteStatus::Expired, &["a"]))));
    let (state, _) = step(&expired, &idle, &Evidence::Listed(Some(&done)), &rules);
    assert!(state.is_done());
    // Another account is to take over.
    let mut takeover = entry(&["a"], Some(&done));
    takeover.account = ExpectedAccount::parse("ops@example.com");
    let takeover = candidate(takeover);
    let (state, _) = step(&takeover, &idle, &Evidence::Listed(Some(&done)), &rules);
    assert_eq!(state, idle);
    let ops = RemoteConnector {
        account: Some(Account::new("ops@example.com")),
        ..done
    };
    let (state, _) = step(&takeover, &idle, &Evidence::Listed(Some(&ops)), &rules);
    assert!(state.is_done());
}

/// What no plan asked for must be broken still, with nothing else about it changed.
#[test]
fn a_repair_is_asked_for_while_it_is_one() {
    let rules = ScopeEquivalence::default();
    let idle = State::Waiting(Stage::Idle);
    let expired = |of: &[&str]| remote(RemoteStatus::Expired, of);
    let was = expired(&["a", "b"]);
    let mut repair = entry(&["a", "b"], Some(&was));
    repair.action = Action::Reauthorize;
    let mut of_a_plan = repair.clone();
    of_a_plan.plan_digest = Some(crate::plan::Digest::parse(&"0".repeat(64)).unwrap());
    let mut in_part = repair.clone();
    in_part.missing = scopes(&["b"]);
    in_part.before = Some(Before::from(&remote(RemoteStatus::Active, &["a"])));
    let mut named = repair.clone();
    named.account = ExpectedAccount::parse("ops@example.com");
    for (entry, is, expected) in [
        (&repair, Some(was.clone()), "idle"),
        (
            &repair,
            Some(remote(RemoteStatus::Disconnected, &["a", "b"])),
            "idle",
        ),
        (
            &repair,
            Some(remote(RemoteStatus::Active, &["a", "b"])),
            "granted",
        ),
        (&repair, None, "untouched"),
        (&repair, Some(expired(&["a"])), "untouched"),
        (&repair, Some(expired(&["a", "b", "z"])), "untouched"),
        (&named, Some(was.clone()), "untouched"),
        (&of_a_plan, Some(expired(&["a"])), "idle"),
        (&of_a_plan, None, "untouched"),
        (&in_part, Some(remote(RemoteStatus::Active, &["a"])), "idle"),
    ] {
        let evidence = Evidence::BeforeLink(is.as_ref());
        let (state, _) = step(&candidate(entry.clone()), &idle, &evidence, &rules);
        assert_eq!(word(&state), expected, "{entry:?} {is:?}");
    }
}

#[test]
fn what_was_granted_in_part_before_is_still_granted_in_part() {
    let rules = ScopeEquivalence::default();
    let part = remote(RemoteStatus::Active, &["a"]);
    let mut entry = entry(&["a", "b"], Some(&part));
    entry.missing = scopes(&["b"]);
    let candidate = candidate(entry);
    let asked = State::Waiting(Stage::Asked);
    let (state, _) = step(&candidate, &asked, &Evidence::Ended(End::TimeUp), &rules);
    assert!(matches!(state, State::Consented(Consent::Partial { .. })));
}
