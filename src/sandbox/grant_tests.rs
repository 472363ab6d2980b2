use super::*;
use crate::sandbox::seed::Seed;

struct World {
    state: State,
    app: AppId,
    slack: ConnectorType,
}

fn world() -> World {
    World {
        state: State::new(Seed::default(), false),
        app: AppId::parse("app-1").unwrap(),
        slack: ConnectorType::parse("slackbot").unwrap(),
    }
}

impl World {
    fn put(&mut self, scopes: &[&str]) -> Put {
        self.put_as("ada@example.com", scopes)
    }

    fn put_as(&mut self, caller: &str, scopes: &[&str]) -> Put {
        let ask = Ask {
            caller: Some(Account::new(caller)),
            scopes: scopes.iter().copied().collect(),
            ..Ask::default()
        };
        self.state.put(&self.app, &self.slack, ask, 0)
    }

    fn redirect(&mut self, scopes: &[&str]) -> String {
        match self.put(scopes) {
            Put::Redirect(id) => id,
            other => panic!("{other:?}"),
        }
    }

    fn asked(&self, id: &str) -> Option<Asked> {
        self.asked_by("ada@example.com", id)
    }

    fn asked_by(&self, caller: &str, id: &str) -> Option<Asked> {
        let caller = Account::new(caller);
        self.state
            .asked(&self.app, &self.slack, id, Some(&caller), 600_000)
    }

    fn scopes(&self) -> Vec<String> {
        let connector = &self.state.apps[&self.app].connectors[&self.slack];
        connector
            .scopes
            .iter()
            .map(|s| s.as_str().to_owned())
            .collect()
    }

    fn approve(&mut self, id: &str) {
        let decision = Decision::approve("ada@example.com");
        self.state.decide(id, decision, 1).unwrap();
    }
}

#[test]
fn consent_brings_a_connector_into_force() {
    let mut w = world();
    let id = w.redirect(&["a", "b"]);
    assert!(!w.state.apps[&w.app].connectors.contains_key(&w.slack));
    assert_eq!(w.asked(&id), Some(Asked::Pending));
    w.approve(&id);
    assert_eq!(w.asked(&id), Some(Asked::Active));
    assert_eq!(w.scopes(), ["a", "b"]);
    let again = w.state.decide(&id, Decision::Deny, 1);
    assert_eq!(again, Err(LinkProblem::Used));
}

#[test]
fn whatever_is_not_exactly_so_needs_a_person() {
    let mut w = world();
    let id = w.redirect(&["a", "b"]);
    w.approve(&id);
    assert_eq!(w.put(&["b", "a"]), Put::Authorized);
    let narrower = w.redirect(&["a"]);
    assert_eq!(w.scopes(), ["a", "b"], "nothing changes before the consent");
    assert_eq!(w.asked(&id), Some(Asked::Active));
    w.approve(&narrower);
    assert_eq!(w.scopes(), ["a"]);
    assert_eq!(
        w.asked(&id),
        Some(Asked::Failed),
        "it rests on the later one"
    );
}

#[test]
fn a_platform_may_narrow_at_once() {
    let mut w = world();
    w.state.settings.narrows_at_once = true;
    let id = w.redirect(&["a", "b"]);
    w.approve(&id);
    assert_eq!(w.put(&["a"]), Put::Authorized);
    assert_eq!(w.scopes(), ["a"]);
    w.redirect(&["a", "c"]);
}

#[test]
fn another_collaborators_connection_is_theirs() {
    let mut w = world();
    let id = w.redirect(&["a"]);
    assert_eq!(w.asked_by("grace@example.com", &id), Some(Asked::Pending));
    w.approve(&id);
    assert_eq!(w.asked_by("grace@example.com", &id), Some(Asked::Pending));
    let ada = Account::new("ada@example.com");
    assert_eq!(
        w.put_as("grace@example.com", &["a"]),
        Put::DifferentUser(ada)
    );
    let other = w.put_as("grace@example.com", &["a", "b"]);
    assert!(matches!(other, Put::Redirect(_)), "other scopes: a link");
    let take = Ask {
        caller: Some(Account::new("grace@example.com")),
        scopes: ["a"].into_iter().collect(),
        force: true,
        add: true,
        ..Ask::default()
    };
    let Put::Redirect(taken) = w.state.put(&w.app, &w.slack, take, 0) else {
        panic!("taken over");
    };
    w.approve(&taken);
    assert_eq!(w.put_as("grace@example.com", &["a"]), Put::Authorized);
}

#[test]
fn the_platform_drops_and_adds() {
    let mut w = world();
    let of = |scopes: &[&str]| [(w.slack.clone(), scopes.iter().copied().collect())].into();
    w.state.settings.dropped_scopes = of(&["b"]);
    w.state.settings.added_scopes = of(&["z"]);
    let id = w.redirect(&["a", "b"]);
    w.approve(&id);
    assert_eq!(w.scopes(), ["a", "z"]);
    assert_eq!(w.put(&["a", "b"]), Put::Authorized);
    assert_eq!(w.put(&["a"]), Put::Authorized);
}

#[test]
fn a_repeated_put_supersedes_the_link() {
    let mut w = world();
    let first = w.redirect(&["a"]);
    let second = w.redirect(&["a"]);
    assert_ne!(first, second);
    assert_eq!(w.asked(&first), Some(Asked::Failed));
    assert_eq!(
        w.state.decide(&first, Decision::Deny, 1),
        Err(LinkProblem::Superseded)
    );
    w.approve(&second);
}

#[test]
fn less_can_be_granted_and_never_more() {
    let mut w = world();
    let id = w.redirect(&["a", "b"]);
    let approve = |scopes: &[&str]| Decision::Approve {
        account: Account::new("ada@example.com"),
        scopes: Some(scopes.iter().copied().collect()),
    };
    let more = w.state.decide(&id, approve(&["a", "z"]), 1);
    assert_eq!(more, Err(LinkProblem::Scope("z".to_owned())));
    w.state.decide(&id, approve(&["b"]), 1).unwrap();
    assert_eq!(w.asked(&id), Some(Asked::Active));
    assert_eq!(w.scopes(), ["b"]);
    assert!(matches!(w.put(&["a", "b"]), Put::Redirect(_)));
}

#[test]
fn links_run_out() {
    let mut w = world();
    let id = w.redirect(&["a"]);
    assert!(w.state.open_connection(&id, 599_999).is_ok());
    assert_eq!(
        w.state.open_connection(&id, 600_000).unwrap_err(),
        LinkProblem::Expired
    );
    assert_eq!(w.asked(&id), Some(Asked::Pending), "for ever");
    w.state.settings.late_links_fail = true;
    assert_eq!(w.asked(&id), Some(Asked::Failed));
}

#[test]
fn approval_has_five_minutes() {
    let mut w = world();
    let id = w.redirect(&["a"]);
    let late = w
        .state
        .decide(&id, Decision::approve("ada@example.com"), 300_000);
    assert_eq!(late, Err(LinkProblem::TooLate));
    assert_eq!(w.asked(&id), Some(Asked::Failed));
}

#[test]
fn denial_and_removal_fail_what_was_asked() {
    let mut w = world();
    let denied = w.redirect(&["a"]);
    w.state.decide(&denied, Decision::Deny, 1).unwrap();
    assert_eq!(w.asked(&denied), Some(Asked::Failed));
    assert!(
        w.state.remove(&w.app, &w.slack).is_none(),
        "nothing was there"
    );
    let id = w.redirect(&["a"]);
    w.approve(&id);
    assert_eq!(w.state.remove(&w.app, &w.slack), Some(Ended::Deleted));
    assert_eq!(w.asked(&id), Some(Asked::Failed));
    let other = ConnectorType::parse("notion").unwrap();
    assert_eq!(w.state.asked(&w.app, &other, &id, None, 1), None);
}

#[test]
fn what_is_not_active_is_asked_for_again() {
    let mut w = world();
    let id = w.redirect(&["a"]);
    w.approve(&id);
    let app = w.state.apps.get_mut(&w.app).unwrap();
    app.connectors.get_mut(&w.slack).unwrap().status = RemoteStatus::Expired;
    assert_eq!(w.asked(&id), Some(Asked::Failed));
    assert!(matches!(w.put(&["a"]), Put::Redirect(_)));
}

#[test]
fn accounts_look_like_addresses() {
    assert!(check_account("ada@example.com").is_ok());
    for bad in ["", "ada", "@example.com", "ada@", "a b@c", "a@b\n"] {
        assert!(check_account(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_platform_may_list_what_was_never_authorized() {
    let mut w = world();
    w.state.settings.list_unauthorized = true;
    w.redirect(&["a"]);
    let shown = &w.state.apps[&w.app].connectors[&w.slack];
    assert_eq!(shown.status, RemoteStatus::Disconnected);
}
