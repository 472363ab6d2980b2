//! The wrong account: what no apply mends is not promised.

use crate::support::{Connector, Platform, Project};

fn held_by_another() -> (Platform, Project) {
    let platform = Platform::with(&[Connector::active("slack", &["chat:write", "identify"])]);
    let project = Project::new().at(&platform).file(
        "base44/connectors/slack.jsonc",
        "{ \"type\": \"slack\", \"scopes\": [\"chat:write\"], \"account\": \"ops@example.com\" }",
    );
    (platform, project)
}

#[test]
fn a_plan_does_not_promise_what_no_apply_does() {
    let (_platform, project) = held_by_another();
    let plan = project.run(&["plan", "--out", "x.plan"]);
    plan.expect(0)
        .says("ops@example.com")
        .says("no apply changes that")
        .says("authorization: required, once it is removed and added again")
        .says("No apply carries this out")
        .lacks("To carry out")
        .lacks("may stop");
    let shown = project.run(&["show", "x.plan", "--format", "markdown"]);
    shown
        .expect(0)
        .lacks("To carry out")
        .says("No apply carries this out");
    let json = project.run(&["plan", "--format", "json"]).json();
    let change = &json["apps"][0]["changes"][0];
    assert_eq!(change["action"], "reauthorize");
    assert_eq!(change["authorization"], "required");
    // Beside another change the plan is of use.
    project.declare("linear", &["read"]);
    project
        .run(&["plan", "--out", "y.plan"])
        .expect(0)
        .says("To carry out exactly this plan: connplan apply y.plan");
}

#[test]
fn an_apply_that_does_nothing_did_not_apply_in_part() {
    let (_platform, project) = held_by_another();
    project.declare("linear", &["read"]);
    project
        .run(&["apply", "--auto-approve", "--target", "linear"])
        .expect(0);
    // What waits already is no doing of this one.
    project
        .run(&["apply", "--auto-approve"])
        .expect(1)
        .says("Apply failed, 2 connectors: 1 waiting for authorization, 1 failed.")
        .lacks("in part");
}

#[test]
fn the_way_out_that_is_named_is_one() {
    let (platform, project) = held_by_another();
    let file = "base44/connectors/slack.jsonc";
    let text = project.read(file);
    project.undeclare("slack");
    project
        .run(&["apply", "--auto-approve", "--allow-remove-all"])
        .expect(0);
    project.write(file, &text);
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.consent("slack", "ops@example.com");
    project.run(&["authorize"]).expect(0);
    let plan = project.run(&["plan", "--format", "json"]).json();
    assert_eq!(plan["apps"][0]["changes"][0]["action"], "no-op");
    assert_eq!(plan["apps"][0]["changes"].as_array().unwrap().len(), 1);
}
