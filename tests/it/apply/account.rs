//! The wrong account: taking a connection over is an explicit change.

use serde_json::json;

use crate::support::{Connector, Platform, Project, result};

fn held_by_another() -> (Platform, Project) {
    let platform = Platform::with(&[Connector::active("slack", &["chat:write", "identify"])]);
    let project = Project::new().at(&platform).file(
        "base44/connectors/slack.jsonc",
        "{ \"type\": \"slack\", \"scopes\": [\"chat:write\"], \"account\": \"ops@example.com\" }",
    );
    (platform, project)
}

#[test]
fn a_takeover_is_a_danger_that_the_plan_shows() {
    let slack = json!({
        "status": "active", "scopes": ["chat:write"],
        "account": "ada@example.com", "owner": "grace@example.com",
    });
    let platform = Platform::seeded(json!({
        "apps": { "app-1": { "connectors": { "slack": slack } } }
    }));
    let (_, project) = held_by_another();
    let project = project.at(&platform);
    let plan = project.run(&["plan", "--out", "x.plan"]);
    plan.expect(0)
        .says("takes the connection over")
        .says("To carry out exactly this plan: connplan apply x.plan");
    let json = project.run(&["plan", "--format", "json"]).json();
    let change = &json["apps"][0]["changes"][0];
    assert_eq!(change["action"], "reauthorize");
    assert_eq!(change["authorization"], "required");
    assert_eq!(change["before"]["account"], "ada@example.com");
    assert_eq!(change["after"]["account"], "ops@example.com");
    assert_eq!(change["risks"][0]["level"], "danger");
    platform.forget();
    let applied = project.run(&["apply", "x.plan", "--format", "json"]);
    applied.expect(0);
    assert_eq!(result(&applied.json(), "slack")["outcome"], "pending");
    assert_eq!(platform.writes(), ["POST external-auth/initiate"]);
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
