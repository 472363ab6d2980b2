use super::*;

fn slack() -> ConnectorType {
    ConnectorType::parse("slack").unwrap()
}

fn declare(scopes: &[&str]) -> Declared {
    let connector = DeclaredConnector {
        scopes: scopes.iter().copied().collect(),
        file: "base44/connectors/slack.jsonc".to_owned(),
        account: None,
        connection_config: BTreeMap::new(),
    };
    Declared {
        connectors: [(slack(), connector)].into(),
    }
}

fn remote(status: RemoteStatus, scopes: &[&str]) -> BTreeMap<ConnectorType, RemoteConnector> {
    let connector = RemoteConnector {
        status,
        scopes: scopes.iter().copied().collect(),
        account: Some(Account::new("ops@example.com")),
        mode: None,
        connection_config: None,
    };
    [(slack(), connector)].into()
}

fn only_change(
    declared: &Declared,
    observed: &BTreeMap<ConnectorType, RemoteConnector>,
    pending: &[&str],
) -> (Action, ConsentNeed) {
    let pending = match pending {
        [] => BTreeMap::new(),
        scopes => {
            let waiting = Waiting {
                scopes: scopes.iter().copied().collect(),
                before: observed.get(&slack()).map(|is| is.scopes.clone()),
                ..Waiting::default()
            };
            [(slack(), waiting)].into()
        }
    };
    let change = changed(declared, observed, &pending);
    (change.action, change.authorization)
}

fn changed(
    declared: &Declared,
    observed: &BTreeMap<ConnectorType, RemoteConnector>,
    pending: &BTreeMap<ConnectorType, Waiting>,
) -> Change {
    let found = Comparison {
        declared,
        observed,
        pending,
        rules: &ScopeEquivalence::default(),
        unlisted: Unlisted::Remove,
        on_remove: Removal::Remove,
        targets: &BTreeSet::new(),
    }
    .run();
    assert_eq!(found.changes.len(), 1);
    found.changes[0].clone()
}

#[test]
fn every_pair_of_states_has_its_action() {
    use Action::{Create, Delete, NoOp, Reauthorize, Update};
    use ConsentNeed::{None, Possible, Required};
    use RemoteStatus::{Active, Disconnected, Expired};
    let nothing = BTreeMap::new();
    let cases = [
        (declare(&["a"]), nothing.clone(), (Create, Required)),
        (declare(&["a"]), remote(Active, &["a"]), (NoOp, None)),
        (
            declare(&["a", "b"]),
            remote(Active, &["a"]),
            (Update, Required),
        ),
        (
            declare(&["a"]),
            remote(Active, &["a", "b"]),
            (Update, Possible),
        ),
        (declare(&["b"]), remote(Active, &["a"]), (Update, Required)),
        (
            declare(&["a"]),
            remote(Expired, &["a"]),
            (Reauthorize, Required),
        ),
        (
            declare(&["a"]),
            remote(Disconnected, &["a"]),
            (Reauthorize, Required),
        ),
        (
            declare(&["a"]),
            remote(Disconnected, &["a", "b"]),
            (Update, Required),
        ),
        (Declared::default(), remote(Active, &["a"]), (Delete, None)),
    ];
    for (declared, observed, expected) in cases {
        assert_eq!(
            only_change(&declared, &observed, &[]),
            expected,
            "{observed:?}"
        );
    }
}

#[test]
fn what_waits_for_a_person_is_not_asked_for_again() {
    let nothing = BTreeMap::new();
    let waiting = (Action::NoOp, ConsentNeed::Pending);
    assert_eq!(only_change(&declare(&["a"]), &nothing, &["a"]), waiting);
    let narrow = remote(RemoteStatus::Active, &["a"]);
    assert_eq!(
        only_change(&declare(&["a", "b"]), &narrow, &["a", "b"]),
        waiting
    );
    // Other scopes than were approved are a new change.
    let widened = only_change(&declare(&["a", "b"]), &nothing, &["a"]);
    assert_eq!(widened, (Action::Create, ConsentNeed::Required));
    // What is in force does not wait, whatever the store says.
    let done = only_change(&declare(&["a"]), &narrow, &["a"]);
    assert_eq!(done, (Action::NoOp, ConsentNeed::None));
}

#[test]
fn what_somebody_else_changed_meanwhile_is_not_hidden() {
    let declared = declare(&["a"]);
    let act = |observed: &BTreeMap<ConnectorType, RemoteConnector>, before: Option<&[&str]>| {
        let waiting = Waiting {
            scopes: ["a"].into_iter().collect(),
            before: before.map(|before| before.iter().copied().collect()),
            ..Waiting::default()
        };
        changed(&declared, observed, &[(slack(), waiting)].into()).action
    };
    let nothing = BTreeMap::new();
    let wide = remote(RemoteStatus::Active, &["admin"]);
    assert_eq!(act(&nothing, None), Action::NoOp);
    assert_eq!(
        act(&remote(RemoteStatus::Disconnected, &["a"]), None),
        Action::NoOp
    );
    assert_eq!(act(&wide, None), Action::Update);
    assert_eq!(act(&wide, Some(&["admin"])), Action::NoOp);
    assert_eq!(act(&nothing, Some(&["admin"])), Action::Create);
}

/// The same scopes elsewhere, or of somebody else, were not asked for.
#[test]
fn what_waits_with_other_values_or_of_another_account_hides_nothing() {
    let value = |text: &str| BTreeMap::from([("subdomain".to_owned(), text.to_owned())]);
    let act = |values: &str, account: Option<&str>| {
        let mut declared = declare(&["a"]);
        let file = declared.connectors.get_mut(&slack()).unwrap();
        file.connection_config = value("acme");
        file.account = ExpectedAccount::parse("ops@example.com");
        let waiting = Waiting {
            scopes: ["a"].into_iter().collect(),
            connection_config: value(values),
            account: account.and_then(ExpectedAccount::parse),
            ..Waiting::default()
        };
        changed(&declared, &BTreeMap::new(), &[(slack(), waiting)].into()).action
    };
    assert_eq!(act("acme", Some("OPS@example.com")), Action::NoOp);
    assert_eq!(act("acme", None), Action::NoOp);
    assert_eq!(act("evil", Some("ops@example.com")), Action::Create);
    assert_eq!(act("acme", Some("@evil.example")), Action::Create);
}

#[test]
fn what_a_consent_left_out_is_no_change_for_ever() {
    let act = |declared: &Declared, observed: &BTreeMap<ConnectorType, RemoteConnector>| {
        let waiting = Waiting {
            scopes: ["a", "b"].into_iter().collect(),
            missing: ["b"].into_iter().collect(),
            ..Waiting::default()
        };
        let settled = Waiting {
            settled: true,
            ..waiting.clone()
        };
        // Whoever unticked it is asked again, until it turns out that nobody can grant it.
        let asks = changed(declared, observed, &[(slack(), waiting)].into());
        let is_left_alone = asks.action == Action::NoOp && !asks.dropped.is_empty();
        assert_eq!(is_left_alone, asks.authorization == ConsentNeed::Pending);
        let change = changed(declared, observed, &[(slack(), settled)].into());
        (change.action, change.authorization, change.dropped.len())
    };
    let noop = (Action::NoOp, ConsentNeed::None, 1);
    let active = |scopes: &[&str]| remote(RemoteStatus::Active, scopes);
    assert_eq!(act(&declare(&["a", "b"]), &active(&["a"])), noop);
    // Other scopes, here or there, are a change as ever.
    assert_eq!(
        act(&declare(&["a", "b"]), &active(&["a", "c"])).0,
        Action::Update
    );
    assert_eq!(
        act(&declare(&["a", "b", "c"]), &active(&["a"])).0,
        Action::Update
    );
    assert_eq!(act(&declare(&["a", "b"]), &active(&["a", "b"])).2, 0);
}

#[test]
fn the_wrong_account_is_a_change() {
    let mut declared = declare(&["a"]);
    let connector = declared.connectors.get_mut(&slack()).unwrap();
    connector.account = ExpectedAccount::parse("@example.com");
    let observed = remote(RemoteStatus::Active, &["a"]);
    assert_eq!(only_change(&declared, &observed, &[]).0, Action::NoOp);
    let connector = declared.connectors.get_mut(&slack()).unwrap();
    connector.account = ExpectedAccount::parse("ceo@example.com");
    assert_eq!(
        only_change(&declared, &observed, &[]).0,
        Action::Reauthorize
    );
}

#[test]
fn targets_hide_the_rest_but_keep_it_bound() {
    let mut declared = declare(&["a"]);
    let linear = ConnectorType::parse("linear").unwrap();
    let same = declared.connectors[&slack()].clone();
    declared.connectors.insert(linear.clone(), same);
    let mut observed = remote(RemoteStatus::Active, &["a"]);
    let notion = ConnectorType::parse("notion").unwrap();
    let state = observed[&slack()].clone();
    observed.insert(notion.clone(), state);
    let found = Comparison {
        declared: &declared,
        observed: &observed,
        pending: &BTreeMap::new(),
        rules: &ScopeEquivalence::default(),
        unlisted: Unlisted::Remove,
        on_remove: Removal::Remove,
        targets: &[slack()].into(),
    }
    .run();
    assert_eq!(found.changes.len(), 1);
    assert!(found.untargeted.contains_key(&notion));
    assert_eq!(found.untargeted_new, [linear].into());
}
