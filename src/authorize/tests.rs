//! Which authorizations are found, and which are left alone.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Candidates, Document, Sources, State, candidates};
use crate::{
    catalogue::ScopeEquivalence,
    diff::{Action, Change, ConfigDiff, ConsentNeed, Desired, Removal},
    model::{
        Account, ApiUrl, App, AppId, ConnectorType, Declared, DeclaredConnector, ExpectedAccount,
        RemoteConnector, RemoteStatus, Scopes,
    },
    pending::{Entry, LastTry, PendingSet},
    plan::{AppPlan, Digest},
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

fn declare(of: &[&str], account: Option<&str>) -> Declared {
    let connector = DeclaredConnector {
        scopes: scopes(of),
        file: "slack.jsonc".to_owned(),
        account: account.and_then(ExpectedAccount::parse),
        connection_config: BTreeMap::new(),
    };
    Declared {
        connectors: [(slack(), connector)].into(),
    }
}

fn plan(before: Option<RemoteConnector>, after: &[&str], action: Action) -> AppPlan {
    let change = Change {
        connector: slack(),
        action,
        file: None,
        before,
        after: Some(Desired {
            scopes: scopes(after),
            account: None,
            connection_config: BTreeMap::new(),
        }),
        scopes: crate::catalogue::ScopeDiff::default(),
        connection_config: ConfigDiff::default(),
        authorization: ConsentNeed::Required,
        removal: Removal::Remove,
        why: None,
    };
    AppPlan {
        app: app(),
        changes: vec![change],
        unmanaged: BTreeMap::new(),
        untargeted: BTreeMap::new(),
        untargeted_new: BTreeSet::new(),
    }
}

fn stored(of: &[&str], before: Option<&[&str]>) -> PendingSet {
    let mut pending = PendingSet::default();
    let entry = Entry {
        scopes: scopes(of),
        action: Action::Update,
        plan_digest: None,
        since: Timestamp::UNIX_EPOCH,
        before: before.map(scopes),
        account_before: None,
        account: None,
        connection_id: None,
        link: None,
        last: LastTry::Open,
    };
    pending.insert(&app(), slack(), entry);
    pending
}

fn find(
    pending: &PendingSet,
    plan: Option<&AppPlan>,
    declared: &Declared,
    observed: Option<RemoteConnector>,
) -> Candidates {
    let digest = Digest::parse(&"0".repeat(64)).unwrap();
    candidates(&Sources {
        app: &app(),
        pending,
        document: plan.map_or(Document::None, |plan| Document::Plan(plan, &digest)),
        made: None,
        declared: Some(declared),
        observed: &observed.map(|is| (slack(), is)).into_iter().collect(),
        targets: &BTreeSet::new(),
        rules: &ScopeEquivalence::default(),
        now: Timestamp::UNIX_EPOCH,
    })
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
fn a_plan_is_resumed_only_where_the_remote_shows_that_it_was_applied() {
    use RemoteStatus::{Active, Disconnected, Expired};
    let none = PendingSet::default();
    let with = |before, after: &[&str], action, is| {
        find(
            &none,
            Some(&plan(before, after, action)),
            &declare(after, None),
            is,
        )
    };
    // Nothing is listed: it may never have been applied.
    let unsure = with(None, &["a"], Action::Create, None);
    assert!(!resumes(&unsure));
    let State::Untouched(reason) = &unsure.left_alone[0].state else {
        panic!("{unsure:?}")
    };
    assert!(reason.contains("--receipt"), "{reason}");
    let listed = Some(remote(Disconnected, &[]));
    assert!(resumes(&with(None, &["a"], Action::Create, listed)));
    // As the plan found it: the same.
    let before = remote(Active, &["a"]);
    let unmoved = with(
        Some(before.clone()),
        &["a", "b"],
        Action::Update,
        Some(before.clone()),
    );
    assert!(!resumes(&unmoved));
    let moved = Some(remote(Disconnected, &["a", "b"]));
    assert!(resumes(&with(
        Some(before),
        &["a", "b"],
        Action::Update,
        moved
    )));
    // These scopes were approved long ago.
    let expired = remote(Expired, &["a"]);
    let again = with(
        Some(expired.clone()),
        &["a"],
        Action::Reauthorize,
        Some(expired),
    );
    assert!(resumes(&again));
}

#[test]
fn this_machines_store_is_proof_enough_for_a_plan() {
    let plan = plan(None, &["a"], Action::Create);
    let found = find(
        &stored(&["a"], None),
        Some(&plan),
        &declare(&["a"], None),
        None,
    );
    assert!(resumes(&found) && found.resumable[0].stored);
}

#[test]
fn what_somebody_else_changed_is_left_alone_and_forgotten() {
    let active = |of: &[&str]| Some(remote(RemoteStatus::Active, of));
    let with = |is| {
        find(
            &stored(&["a", "b"], Some(&["a"])),
            None,
            &declare(&["a", "b"], None),
            is,
        )
    };
    assert!(resumes(&with(active(&["a"]))), "as it was");
    assert!(resumes(&with(active(&["a", "b"]))), "consented to");
    let foreign = with(active(&["a", "z"]));
    assert!(!resumes(&foreign) && foreign.left_alone[0].obsolete);
    let removed = with(None);
    assert!(!resumes(&removed) && removed.left_alone[0].obsolete);
    // Back on another branch, its file may be there again: then the scopes are the approved ones.
    let moved_on = find(
        &stored(&["a", "b"], None),
        None,
        &declare(&["c"], None),
        None,
    );
    assert!(!resumes(&moved_on) && !moved_on.left_alone[0].obsolete);
}

#[test]
fn broken_connectors_are_repaired_and_wrong_accounts_reported() {
    let none = PendingSet::default();
    let expired = Some(remote(RemoteStatus::Expired, &["a"]));
    assert!(resumes(&find(&none, None, &declare(&["a"], None), expired)));
    let active = || Some(remote(RemoteStatus::Active, &["a"]));
    let right = find(
        &none,
        None,
        &declare(&["a"], Some("@example.com")),
        active(),
    );
    assert_eq!(right, Candidates::default());
    let wrong = find(
        &none,
        None,
        &declare(&["a"], Some("ops@example.com")),
        active(),
    );
    assert!(!resumes(&wrong));
    assert!(matches!(
        wrong.left_alone[0].state,
        State::WrongAccount { .. }
    ));
}
