//! A write that waits, for its turn or to be sent again, is not begun once a signal came.

use serde_json::{Value, json};

use super::signals::{end, outcomes, pairs, put_of, route, signal, start, until};
use crate::{
    support::Project,
    support::scripted::{Reply, Scripted},
};

const APPLY: [&str; 4] = ["apply", "--auto-approve", "--receipt", "saved.receipt"];

fn removal_of(connector: &str) -> String {
    let rest = format!("external-auth/integrations/{connector}/remove");
    route("DELETE", &rest)
}

/// An app that has these, each to be removed.
fn server(connectors: &[String]) -> Scripted {
    let server = Scripted::start();
    let active =
        |name: &String| json!({"integration_type": name, "status": "active", "scopes": []});
    let list: Vec<Value> = connectors.iter().map(active).collect();
    let list = Reply::json(200, &json!({ "integrations": list }));
    server.on(&route("GET", "external-auth/list"), [list]);
    let none = json!({"stripe_mode": null, "sandbox_claim_url": null});
    server.on(
        &route("GET", "payments/stripe/status"),
        [Reply::json(200, &none)],
    );
    for name in connectors {
        let removed = json!({"status": "removed", "integration_type": name});
        server.on(&removal_of(name), [Reply::json(200, &removed)]);
    }
    let put = json!({"redirect_url": null, "connection_id": null, "already_authorized": true});
    server.on(&put_of("box"), [Reply::json(200, &put)]);
    server
}

fn project(server: &Scripted) -> Project {
    Project::new()
        .at_url(&server.url(), "b44k_key")
        .connector("box", &[])
}

#[test]
fn removals_that_wait_for_the_pace_are_not_begun() {
    let names: Vec<_> = (0..20).map(|n| format!("type-{n:02}")).collect();
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let server = server(&names);
        // Ten removals, and then a long time nothing.
        let project = project(&server).var("__CONNPLAN_TEST_MINUTE_MS", "120000");
        let child = start(&project, &APPLY);
        let removals = || -> usize { names.iter().map(|n| server.hits(&removal_of(n))).sum() };
        until("ten removals", || removals() == 10);
        signal(&child, name);
        let (ended, _, err) = end(child);
        assert_eq!(ended, Some(code), "{err}");
        assert_eq!(removals(), 10, "{err}");
        let outcomes = outcomes(&project);
        let of = |word: &str| outcomes.iter().filter(|(_, o)| o == word).count();
        assert_eq!((of("removed"), of("not_run"), of("failed")), (10, 10, 0));
        assert!(err.contains("10 not run"), "{err}");
    }
}

#[test]
fn what_waits_to_be_sent_again_is_not_sent_again() {
    // What is asked for, the first answer, what the receipt says of it.
    let box_put = || put_of("box");
    for (route, answer, outcome) in [
        (box_put(), Reply::status(429), "not_run"),
        (removal_of("old"), Reply::status(429), "not_run"),
        (box_put(), Reply::status(503), "failed"),
        (removal_of("old"), Reply::status(503), "failed"),
    ] {
        let server = server(&["old".to_owned()]);
        server.on(&route, [answer.header("retry-after", "40")]);
        let project = project(&server);
        let child = start(&project, &APPLY);
        until("the first attempt", || server.hits(&route) == 1);
        signal(&child, "INT");
        let (ended, _, err) = end(child);
        assert_eq!(ended, Some(130), "{err}");
        assert_eq!(server.hits(&route), 1, "{route}: {err}");
        let connector = if route.contains("box") { "box" } else { "old" };
        let found = outcomes(&project);
        let found = found.iter().find(|(name, _)| name == connector).unwrap();
        assert_eq!(found.1, outcome, "{route}: {err}");
        let receipt = project.read("saved.receipt");
        assert_eq!(
            receipt.contains("it may have been done anyway"),
            outcome == "failed",
            "{receipt}"
        );
    }
}

#[test]
fn an_installation_that_may_have_been_made_is_not_asked_for_again() {
    let server = server(&[]);
    let install = route("POST", "payments/stripe/install");
    server.on(&install, [Reply::status(503)]);
    let project = project(&server)
        .file("base44/connectors/stripe.jsonc", "{\"type\": \"stripe\"}")
        .var("__CONNPLAN_TEST_RETRY_BASE_MS", "60000");
    let child = start(&project, &APPLY);
    until("the first attempt", || server.hits(&install) == 1);
    signal(&child, "INT");
    let (ended, _, err) = end(child);
    assert_eq!(ended, Some(130), "{err}");
    assert_eq!(server.hits(&install), 1, "{err}");
    let expected = pairs(&[("box", "added"), ("stripe", "failed")]);
    assert_eq!(outcomes(&project), expected, "{err}");
}

/// What was not begun is due for the same plan again.
#[test]
fn the_same_command_goes_on_with_what_was_not_begun() {
    let server = server(&[]);
    let plan = ["apply", "saved.plan", "--receipt", "saved.receipt"];
    server.on(
        &put_of("box"),
        [Reply::status(429).header("retry-after", "40")],
    );
    let project = project(&server);
    project.run(&["plan", "--out", "saved.plan"]).expect(0);
    let child = start(&project, &plan);
    until("the first attempt", || server.hits(&put_of("box")) == 1);
    signal(&child, "TERM");
    assert_eq!(end(child).0, Some(143));
    assert_eq!(outcomes(&project), pairs(&[("box", "not_run")]));
    let link = json!({"redirect_url": "https://box.example/o", "connection_id": "c-box",
        "already_authorized": false});
    server.on(&put_of("box"), [Reply::json(200, &link)]);
    project.run(&plan).expect(0);
    assert_eq!(server.hits(&put_of("box")), 2);
    assert_eq!(outcomes(&project), pairs(&[("box", "pending")]));
}
