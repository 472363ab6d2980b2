//! `authorize` has the lease while it writes, and not while a person thinks.

use std::{
    process::{Child, Stdio},
    time::Duration,
};

use serde_json::json;

use super::team::{Team, member};
use crate::support::{Connector, Project, reads, result};

fn start(project: &Project, args: &[&str]) -> Child {
    let mut command = project.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn ended(child: Child) -> (Option<i32>, String) {
    let ended = child.wait_with_output().unwrap();
    let text = [ended.stdout, ended.stderr].concat();
    (ended.status.code(), String::from_utf8(text).unwrap())
}

/// Waits until the person's run has asked for a link of the connector.
fn asked(team: &Team, connector: &str) {
    for _ in 0..1200 {
        if team
            .platform
            .writes()
            .iter()
            .any(|write| write.contains(connector))
        {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nobody asked for {connector}: {:?}", team.platform.writes());
}

/// Linear is consented to; meanwhile another machine has decided about slack.
fn asks_no_more_for_slack(team: &Team, person: Child) {
    let writes = team.platform.writes().len();
    team.platform.consent("linear", "olga@example.com");
    let (code, text) = ended(person);
    assert_eq!(code, Some(4), "{text}");
    assert!(
        text.contains("another machine has changed the pending authorization of slack"),
        "{text}"
    );
    assert_eq!(team.platform.writes().len(), writes, "{text}");
}

const WAITS: [&str; 5] = ["authorize", "--yes", "--print-links", "--timeout", "2m"];

/// A pipeline has time for the moment in which a link is asked for.
const APPLY: [&str; 4] = ["apply", "--auto-approve", "--lock-timeout", "30s"];

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn a_pipeline_applies_while_a_person_thinks() {
    let team = Team::new();
    team.pipeline.run(&APPLY).expect(0);
    team.platform.forget();
    let person = start(&team.person, &WAITS);
    asked(&team, "slack");
    team.second.declare("linear", &["read"]);
    team.second.run(&APPLY).expect(0);
    reads!(team.second.run(&["unlock", "--yes"]), @"
    exit 0: connplan unlock --yes
    --- stderr
    Nobody holds the lease on app app-1.
    ");
    team.platform.consent("slack", "olga@example.com");
    let (code, text) = ended(person);
    assert_eq!(code, Some(0), "{text}");
    // What the other one asked for is not taken away by what was consented to.
    for project in [&team.pipeline, &team.person] {
        project.declare("linear", &["read"]);
    }
    for output in team.agree(&["authorize", "--list", "--format", "json"], 4) {
        let list = output.json();
        assert_eq!(result(&list, "linear")["state"], "pending", "{list}");
        let results = list["apps"][0]["results"].as_array().unwrap();
        assert_eq!(results.len(), 1, "{list}");
    }
    let history = team.person.run(&["history", "--format", "json"]).json();
    let events = history["apps"][0]["events"].as_array().unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event["event"].clone()).collect();
    let last = kinds.last().unwrap();
    assert_eq!(last, &json!("consent"), "{history}");
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_another_machine_changed_meanwhile_is_not_asked_for() {
    let team = Team::new();
    for project in team.all() {
        project.declare("linear", &["read"]);
    }
    team.pipeline.run(&APPLY).expect(0);
    let mut args = WAITS.to_vec();
    args.push("--one-by-one");
    team.platform.forget();
    let person = start(&team.person, &args);
    asked(&team, "linear");
    for project in team.all() {
        project.declare("slack", &["chat:write", "users:read"]);
    }
    team.second.run(&APPLY).expect(0);
    asks_no_more_for_slack(&team, person);
    for output in team.agree(&["authorize", "--list", "--format", "json"], 4) {
        let list = output.json();
        let slack = result(&list, "slack");
        assert_eq!(
            slack["scopes"],
            json!(["chat:write", "users:read"]),
            "{list}"
        );
        assert_eq!(list["apps"][0]["results"].as_array().unwrap().len(), 1);
    }
}

/// Nobody waits for what is found broken, nor, as the store knows it, for what another one's receipt asks for. What
/// another machine decides of it ends it all the same.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_another_machine_decided_meanwhile_is_not_asked_for() {
    const BOTH: &[&str] = &["chat:write", "users:read"];
    for by_receipt in [false, true] {
        let team = Team::new();
        team.platform.set(&Connector {
            status: "expired",
            ..Connector::active("slack", BOTH)
        });
        for project in team.all() {
            project.declare("linear", &["read"]);
            project.declare("slack", BOTH);
        }
        let mut args = [&WAITS[..], &["--one-by-one"]].concat();
        if by_receipt {
            let alone = member(&team.platform, "alone", Project::new())
                .connector("linear", &["read"])
                .connector("slack", BOTH);
            let apply = ["apply", "--auto-approve", "--receipt", "x.receipt"];
            alone.run(&apply).expect(0);
            team.person.write("x.receipt", &alone.read("x.receipt"));
            args.extend(["--receipt", "x.receipt"]);
        } else {
            let apply = [&APPLY[..], &["--target", "linear"]].concat();
            team.pipeline.run(&apply).expect(0);
        }
        team.platform.forget();
        let person = start(&team.person, &args);
        asked(&team, "linear");
        team.second.declare("slack", &["chat:write"]);
        let apply = [&APPLY[..], &["--target", "slack"]].concat();
        team.second.run(&apply).expect(0);
        asks_no_more_for_slack(&team, person);
    }
}

/// What was asked for on another branch waits for all, whoever looks from here.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_this_branch_does_not_declare_waits_still() {
    let team = Team::new();
    team.pipeline.run(&APPLY).expect(0);
    team.platform.forget();
    team.pipeline.undeclare("slack");
    let run = team.pipeline.run(&["authorize", "--yes", "--print-links"]);
    run.expect(0)
        .says("`connplan authorize --forget slack` gives it up");
    assert!(team.platform.writes().is_empty(), "{run}");
    team.pipeline.declare("slack", &["chat:write"]);
    for output in team.agree(&["authorize", "--list", "--format", "json"], 4) {
        let list = output.json();
        assert_eq!(result(&list, "slack")["state"], "pending", "{list}");
    }
    team.pipeline.undeclare("slack");
    let forget = ["authorize", "--forget", "slack"];
    team.pipeline.run(&forget).expect(0);
    team.agree(&["authorize", "--list"], 0);
}
