//! Every answer that a PUT can have, from a server that says exactly that.

use std::time::Duration;

use serde_json::{Value, json};

use super::apply::made_at;
use crate::{
    support::scripted::{Reply, Scripted},
    support::{Output, Project, reads},
};

const BASE: &str = "/api/apps/app-1";

fn route(method: &str, rest: &str) -> String {
    format!("{method} {BASE}/{rest}")
}

fn list(connectors: &Value) -> Reply {
    Reply::json(200, &json!({ "integrations": connectors }))
}

/// A server where the app has nothing, and slack's PUT is answered so. After that it lists slack.
fn server(answer: Reply) -> Scripted {
    server_with(
        answer,
        &json!([
            { "integration_type": "slack", "status": "active", "scopes": ["chat:write"] }
        ]),
    )
}

fn server_with(answer: Reply, after: &Value) -> Scripted {
    let server = Scripted::start();
    let nothing = || list(&json!([]));
    server.on(
        &route("GET", "external-auth/list"),
        [nothing(), nothing(), list(after)],
    );
    server.on(
        &route("GET", "payments/stripe/status"),
        [Reply::json(200, &json!({ "stripe_mode": null }))],
    );
    server.on(&route("PUT", "external-auth/integrations/slack"), [answer]);
    server
}

fn project(server: &Scripted) -> Project {
    Project::new()
        .at_url(&server.url(), "b44k_canary")
        .connector("slack", &["chat:write"])
}

fn put(redirect: &Value, id: &Value, already: bool, error: &Value) -> Value {
    json!({
        "redirect_url": redirect, "connection_id": id, "already_authorized": already,
        "error": error, "error_message": null, "other_user_email": null, "more": {"to": "come"},
    })
}

fn apply(answer: Reply) -> (Output, Value, Scripted) {
    apply_at(server(answer))
}

fn apply_at(server: Scripted) -> (Output, Value, Scripted) {
    let project = project(&server);
    let output = project.run(&["apply", "--auto-approve", "--format", "json"]);
    let receipt = output.json();
    let result = receipt["apps"][0]["results"][0].clone();
    (output, result, server)
}

#[test]
fn the_four_answers_in_their_order() {
    let link = json!("https://provider.example/consent?state=s3cret");
    let id = json!("c-1");
    // An error goes before everything else.
    let (output, result, _) = apply(Reply::json(200, &put(&link, &id, true, &json!("quota"))));
    output.expect(1).lacks("s3cret");
    assert_eq!(result["outcome"], "failed");
    // In force goes before a link.
    let (output, result, _) = apply(Reply::json(200, &put(&link, &id, true, &Value::Null)));
    assert_eq!(result["outcome"], "added", "{output}");
    output.expect(0);
    let (output, result, _) = apply(Reply::json(200, &put(&link, &id, false, &Value::Null)));
    output.expect(0).lacks("s3cret");
    assert_eq!(result["outcome"], "pending");
    assert_eq!(result["connection_id"], "c-1");
    let (output, result, _) = apply(Reply::json(
        200,
        &put(&Value::Null, &Value::Null, false, &Value::Null),
    ));
    output.expect(0);
    assert_eq!(result["outcome"], "added");
}

#[test]
fn the_body_of_a_put_is_exactly_the_declared_scopes() {
    let server = server(Reply::json(
        200,
        &put(&Value::Null, &Value::Null, true, &Value::Null),
    ));
    let project = project(&server);
    project.declare("slack", &["users:read", "chat:write", "users:read"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let request = server.last(&route("PUT", "external-auth/integrations/slack"));
    assert_eq!(
        request.json(),
        json!({ "scopes": ["chat:write", "users:read"] })
    );
    assert_eq!(request.header("api_key"), Some("b44k_canary"));
    let id = request.header("x-request-id").unwrap();
    assert_eq!(id.len(), 36, "{id}");
    assert!(request.header("user-agent").unwrap().contains("connplan"));
}

#[test]
fn another_users_connector_names_the_user() {
    let mut answer = put(&Value::Null, &Value::Null, false, &json!("different_user"));
    answer["other_user_email"] = json!("grace@example.com");
    // The list has the last word: it is in force, or it is not.
    let wider = json!([
        { "integration_type": "slack", "status": "active", "scopes": ["chat:write", "admin"] }
    ]);
    let right = json!([
        { "integration_type": "slack", "status": "active", "scopes": ["chat:write"] }
    ]);
    for (after, outcome, code) in [
        (right, "added", 0),
        (wider, "failed", 1),
        (json!([]), "failed", 1),
    ] {
        let (output, result, _) = apply_at(server_with(Reply::json(200, &answer), &after));
        output.expect(code);
        assert_eq!(result["outcome"], outcome, "{output}");
        let message = result["message"].as_str().unwrap();
        assert!(message.contains("grace@example.com"), "{message}");
    }
    // Any other error comes with its message.
    let mut answer = put(&Value::Null, &Value::Null, false, &json!("quota"));
    answer["error_message"] = json!("No more than three.\u{1b}[2J");
    let (output, result, _) = apply(Reply::json(200, &answer));
    output.expect(1).lacks("\u{1b}");
    assert!(
        result["message"]
            .as_str()
            .unwrap()
            .contains("No more than three.")
    );
}

#[test]
fn a_refusal_says_what_the_server_says() {
    let refused = Reply::json(403, &json!({ "message": "Your workspace forbids slack." }));
    let (output, result, server) = apply(refused);
    output.expect(1);
    assert!(
        result["message"]
            .as_str()
            .unwrap()
            .contains("Your workspace forbids slack.")
    );
    assert_eq!(
        server.hits(&route("PUT", "external-auth/integrations/slack")),
        1
    );
}

#[test]
fn without_a_connection_id_the_list_tells() {
    let answer = put(
        &json!("https://provider.example/c?s=1"),
        &Value::Null,
        false,
        &Value::Null,
    );
    let server = server(Reply::json(200, &answer));
    let project = project(&server);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let lists = server.hits(&route("GET", "external-auth/list"));
    server.on(
        &route("GET", "external-auth/list"),
        [
            list(&json!([])),
            list(&json!([])),
            list(
                &json!([{ "integration_type": "slack", "status": "active", "scopes": ["chat:write"],
                "user_email": "ada@example.com" }]),
            ),
        ],
    );
    reads!(project.run(&["authorize", "--yes", "--no-browser"]), @"
    exit 0: connplan authorize --yes --no-browser
    CONNECTOR  ACCOUNT          GRANTED  TOOK
    slack      ada@example.com  1 scope  SOME s

    Summary:
      Added: slack
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    1 connector of app app-1 at http://HOST needs consent in a browser:
      slack
        chat:write  post messages (as the bot or as the user) · write
    Each connection is recorded as made by a workspace, whichever account approves at the provider.
    Waiting at most 10m; `--timeout` changes that.
      slack: waiting for consent (its link is private and is not shown in a log; `--print-links` prints it)
    Waiting for slack.
      + slack authorized by ada@example.com (SOME s)
    ");
    assert!(server.hits(&route("GET", "external-auth/list")) > lists + 2);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
}

#[test]
fn a_link_that_is_no_web_address_is_not_opened() {
    for link in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "http://provider.example/x",
        "x-app://y",
        "--help",
    ] {
        let answer = put(&json!(link), &json!("c-1"), false, &Value::Null);
        let server = server_with(Reply::json(200, &answer), &json!([]));
        let project = project(&server);
        let applied = project.run(&["apply", "--auto-approve", "--format", "json"]);
        applied.expect(0);
        let result = applied.json()["apps"][0]["results"][0].clone();
        assert_eq!(result["outcome"], "pending", "{result}");
        let tried = project.run(&["authorize", "--yes", "--timeout", "0s"]);
        tried.expect(4);
        assert_eq!(project.opened(), [] as [&str; 0], "{link}");
    }
}

#[test]
fn several_writes_are_under_way_at_once() {
    let connectors = ["asana", "box", "linear", "notion", "slack", "wix"];
    for (flag, most) in [("1", 1), ("3", 3), ("12", 6)] {
        let answer = put(&Value::Null, &Value::Null, true, &Value::Null);
        let server = server(Reply::json(200, &answer));
        let project = project(&server);
        for connector in connectors {
            project.declare(connector, &[]);
            let route = route("PUT", &format!("external-auth/integrations/{connector}"));
            server.on(&route, [Reply::json(200, &answer)]);
        }
        project.declare("slack", &[]);
        let plan = project.run(&["plan", "--out", "x.plan"]);
        plan.expect(0);
        let there = connectors
            .map(|name| json!({ "integration_type": name, "status": "active", "scopes": [] }));
        server.on(
            &route("GET", "external-auth/list"),
            [list(&json!([])), list(&json!(there))],
        );
        server.latency(Duration::from_millis(100));
        project
            .run(&["apply", "x.plan", "--parallelism", flag])
            .expect(0);
        let puts = server
            .log()
            .iter()
            .filter(|line| line.starts_with("PUT"))
            .count();
        assert_eq!(puts, 6);
        // Looking takes two at once.
        assert_eq!(server.most_under_way(), most.max(2), "--parallelism {flag}");
    }
}

#[test]
fn what_does_not_match_after_the_writes_is_said() {
    let server = server(Reply::json(
        200,
        &put(&Value::Null, &Value::Null, true, &Value::Null),
    ));
    server.on(
        &route("GET", "external-auth/list"),
        [
            list(&json!([])),
            list(&json!([])),
            list(&json!([{ "integration_type": "slack", "status": "active", "scopes": ["users:read"] }])),
        ],
    );
    let project = project(&server);
    reads!(project.run(&["apply", "--auto-approve"]));
}

/// A plan to remove box, which the app answers with "not found" and lists ever after; `looks` says which
/// looks at the list are answered, the last one standing for all that follow.
fn planned_removal_that_never_happens(looks: &[bool]) -> (Scripted, Project) {
    let gone = Reply::json(404, &json!({ "message": "No such connector." }));
    let there = json!([{ "integration_type": "box", "status": "active", "scopes": [] }]);
    let done = put(&Value::Null, &Value::Null, true, &Value::Null);
    let server = server_with(Reply::json(200, &done), &there);
    let look = |answered: &bool| {
        if *answered {
            list(&there)
        } else {
            Reply::status(403)
        }
    };
    server.on(&route("GET", "external-auth/list"), looks.iter().map(look));
    server.on(
        &route("DELETE", "external-auth/integrations/box/remove"),
        [gone],
    );
    let project = Project::new().at_url(&server.url(), "b44k_canary");
    project.write("base44/connectors/README", "");
    let args = ["plan", "--allow-remove-all", "--out", "x.plan"];
    project.run(&args).expect(0);
    (server, project)
}

/// A false answer is no proof: what the app lists decides.
#[test]
fn what_was_answered_well_and_is_not_there_has_failed() {
    let done = put(&Value::Null, &Value::Null, true, &Value::Null);
    for after in [
        json!([]),
        json!([{ "integration_type": "slack", "status": "disconnected", "scopes": ["chat:write"] }]),
    ] {
        let (output, result, _) = apply_at(server_with(Reply::json(200, &done), &after));
        output.expect(1);
        assert_eq!(result["outcome"], "failed", "{output}");
    }
    // A removal that is answered "not found" and did not happen; the next run tries it again.
    let (server, project) = planned_removal_that_never_happens(&[true]);
    for _ in 0..2 {
        let applied = project.run(&["apply", "x.plan", "--format", "json"]);
        applied.expect(1).tells("still lists it");
        assert_eq!(applied.json()["summary"]["failed"], 1);
    }
    let deletes = server.log();
    let deletes = deletes.iter().filter(|line| line.starts_with("DELETE"));
    assert_eq!(deletes.count(), 2);
}

/// Where the look after the writes was refused, nobody knows yet: the next run of the plan looks.
#[test]
fn what_nobody_looked_at_is_looked_at_by_the_next_run() {
    let (server, project) = planned_removal_that_never_happens(&[true, true, false, true]);
    made_at(&project, "x.plan", "2026-01-01T00:00:00Z");
    let args = ["apply", "x.plan", "--format", "json"];
    project.run(&args).expect(0).tells("could not be read back");
    let applied = project.run(&args);
    applied.expect(1).tells("still lists it");
    assert_eq!(applied.json()["summary"]["failed"], 1);
    let deletes = server.log();
    let deletes = deletes.iter().filter(|line| line.starts_with("DELETE"));
    assert_eq!(deletes.count(), 2);
}

/// Narrowing that is answered as done decides nothing: what the plan takes away is there still.
#[test]
fn what_is_to_go_and_is_still_there_has_failed() {
    let done = put(&Value::Null, &Value::Null, true, &Value::Null);
    let there = json!([{ "integration_type": "slack", "status": "active",
        "scopes": ["chat:write", "admin.users:write"] }]);
    let server = server_with(Reply::json(200, &done), &there);
    server.on(&route("GET", "external-auth/list"), [list(&there)]);
    let project = Project::new()
        .at_url(&server.url(), "b44k_canary")
        .connector("slack", &["chat:write"]);
    reads!(project.run(&["apply", "--auto-approve"]));
}

#[test]
fn odd_answers_are_errors_that_name_the_call() {
    for (answer, words) in [
        (
            Reply::html(200, "<h1>Sign in</h1>"),
            "listing the connectors",
        ),
        (Reply::json(200, &json!({ "items": [] })), "integrations"),
        (
            Reply::json(200, &json!({ "integrations": [{ "integration_type": 7 }] })),
            "integration_type",
        ),
        (
            Reply::json(
                200,
                &json!({ "integrations": [{ "integration_type": "slack", "status": "odd", "scopes": [] }] }),
            ),
            "status",
        ),
        (
            Reply::json(
                200,
                &json!({ "integrations": [{ "integration_type": "slack", "status": "active" }] }),
            ),
            "scopes",
        ),
        (
            Reply::json(
                200,
                &json!({ "integrations": [{ "integration_type": "../x", "status": "active", "scopes": [] }] }),
            ),
            "integration_type",
        ),
        (
            Reply::json(401, &json!({ "message": "no" })),
            "BASE44_API_KEY",
        ),
        (Reply::json(404, &json!({ "message": "no app" })), "app"),
        (
            Reply::json(500, &json!({ "message": "down", "error_type": "KeyError" })),
            "down",
        ),
        (
            Reply::json(200, &json!([])).cut(1),
            "listing the connectors",
        ),
    ] {
        let server = server(Reply::status(500));
        server.on(&route("GET", "external-auth/list"), [answer]);
        let project = project(&server);
        let output = project.run(&["plan"]);
        output.expect(1).tells(words).lacks("b44k_canary");
        assert_eq!(output.stdout, "");
        let output = project.run(&["push", "--yes"]);
        output.expect(1);
        let written = server.log().iter().any(|line| !line.starts_with("GET"));
        assert!(!written, "{:?}", server.log());
    }
}

#[test]
fn a_stripe_status_that_fails_is_never_swallowed() {
    let server = server(Reply::json(
        200,
        &put(&Value::Null, &Value::Null, true, &Value::Null),
    ));
    server.on(
        &route("GET", "payments/stripe/status"),
        [Reply::status(400)],
    );
    let project = project(&server);
    for args in [
        &["plan"][..],
        &["apply", "--auto-approve"],
        &["push", "--yes"],
        &["status"],
    ] {
        project.run(args).expect(1).tells("Stripe");
    }
    assert!(server.log().iter().all(|line| line.starts_with("GET")));
}

#[test]
fn what_an_answer_does_not_say_is_not_in_force() {
    let (output, result, _) = apply(Reply::json(200, &json!({ "already_authorized": false })));
    output.expect(1);
    let message = result["message"].as_str().unwrap();
    assert!(message.contains("redirect_url"), "{message}");
    assert_eq!(result["outcome"], "failed");
    // What was said is enough.
    let (output, _, _) = apply(Reply::json(200, &json!({ "already_authorized": true })));
    output.expect(0);
}
