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
        let scopes = scopes.iter().copied().collect();
        self.state.put(&self.app, &self.slack, scopes, 0)
    }

    fn redirect(&mut self, scopes: &[&str]) -> String {
        match self.put(scopes) {
            Put::Redirect(id) => id,
            other => panic!("{other:?}"),
        }
    }

    fn asked(&self, id: &str) -> Option<Asked> {
        self.state.asked(&self.app, &self.slack, id, 1)
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
fn narrowing_is_done_at_once_and_widening_needs_a_person() {
    let mut w = world();
    let id = w.redirect(&["a", "b"]);
    w.approve(&id);
    assert_eq!(w.put(&["a"]), Put::Authorized);
    assert_eq!(w.scopes(), ["a"]);
    let wider = w.redirect(&["a", "c"]);
    assert_eq!(w.scopes(), ["a"], "nothing changes before the consent");
    assert_eq!(w.asked(&id), Some(Asked::Active));
    w.approve(&wider);
    assert_eq!(w.scopes(), ["a", "c"]);
    assert_eq!(
        w.asked(&id),
        Some(Asked::Failed),
        "it rests on the later one"
    );
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
    assert_eq!(
        w.state.asked(&w.app, &w.slack, &id, 600_000),
        Some(Asked::Failed)
    );
}

#[test]
fn denial_and_removal_fail_what_was_asked() {
    let mut w = world();
    let denied = w.redirect(&["a"]);
    w.state.decide(&denied, Decision::Deny, 1).unwrap();
    assert_eq!(w.asked(&denied), Some(Asked::Failed));
    assert!(!w.state.remove(&w.app, &w.slack), "nothing was there");
    let id = w.redirect(&["a"]);
    w.approve(&id);
    assert!(w.state.remove(&w.app, &w.slack));
    assert_eq!(w.asked(&id), Some(Asked::Failed));
    let other = ConnectorType::parse("notion").unwrap();
    assert_eq!(w.state.asked(&w.app, &other, &id, 1), None);
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
