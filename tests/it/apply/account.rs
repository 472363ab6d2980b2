//! The wrong account: taking a connection over is an explicit change.

use serde_json::json;

use crate::support::{
    Connector, Platform, Project, reads, result,
    scripted::{Reply, Scripted},
};

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
    reads!(project.run(&["plan", "--out", "x.plan"]), @"
    exit 0: connplan plan --out x.plan
    App app-1 at http://HOST

    Symbols:  ! look here

      ! slack                 base44/connectors/slack.jsonc
          account: ops@example.com is expected to consent
            chat:write  post messages (as the bot or as the user) · write
          ! takes the connection over: ada@example.com holds it, the file expects ops@example.com
          authorization: required

    note: slack: if somebody else made the connection, plan, apply and authorize it; if it is your own, the platform does not ask again: remove its file and apply, then restore it, apply and authorize

    Plan: 0 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply x.plan
    ");
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

/// Everything that lies in the project and in the state folder, but for what is private by contract.
fn kept(project: &Project) -> String {
    let files = project.all_files().into_iter();
    let kept = files.filter(|(path, _)| !path.ends_with("pending.toml"));
    let kept: Vec<_> = kept
        .map(|(path, text)| format!("{path}\n{text}\n"))
        .collect();
    kept.concat()
}

/// Whose account the platform names is told to who asks, and stands in no file.
#[test]
fn what_is_saved_holds_no_whole_address() {
    let taken = json!({
        "redirect_url": null, "connection_id": null, "already_authorized": false,
        "error": "different_user", "error_message": "x", "other_user_email": "bob@example.com",
    });
    let words = json!({
        "redirect_url": null, "connection_id": null, "already_authorized": false,
        "error": "quota", "error_message": "ask bob@example.com", "other_user_email": null,
    });
    let refused = json!({"message": "its owner bob@example.com must allow that"});
    for (answer, code) in [
        (Reply::json(200, &taken), 0),
        (Reply::json(200, &words), 1),
        (Reply::json(403, &refused), 1),
    ] {
        let server = Scripted::start();
        let route = |method: &str, rest: &str| format!("{method} /api/apps/app-1/{rest}");
        let list = |connectors| Reply::json(200, &json!({ "integrations": connectors }));
        let none = || list(json!([]));
        let bobs = json!([{"integration_type": "slack", "status": "active",
            "scopes": ["chat:write"], "user_email": "bob@example.com"}]);
        server.on(
            &route("GET", "external-auth/list"),
            [none(), none(), list(bobs)],
        );
        server.on(
            &route("GET", "payments/stripe/status"),
            [Reply::json(200, &json!({ "stripe_mode": null }))],
        );
        server.on(&route("PUT", "external-auth/integrations/slack"), [answer]);
        let project = Project::new()
            .at_url(&server.url(), "b44k_canary")
            .connector("slack", &["chat:write"]);
        let applied = project.run(&["apply", "--auto-approve", "--receipt", "r.receipt"]);
        applied.expect(code).says("bob@example.com");
        let kept = kept(&project);
        assert!(kept.contains("b***@example.com"), "{kept}");
        assert!(!kept.contains("bob@example.com"), "{kept}");
    }
}

#[test]
fn what_a_rule_says_of_somebody_is_masked_in_the_plan() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .file(
            "base44/connplan.toml",
            "[policy]\ndenied_types = [\"slack\"]\n[policy.rules.denied_types]\nlevel = \"warn\"\n\
         message = \"ask bob@example.com\"\n",
        );
    reads!(project.run(&["validate"]), @r#"
    exit 0: connplan validate
    Valid, 1 warning. 1 connector in base44/connectors: slack
    --- stderr
    warning: the policy in connplan.toml warns (`denied_types`): slack: the type is denied (ask bob@example.com)
       ╭─[base44/connectors/slack.jsonc:1:33]
     1 │ {"scopes":["chat:write"],"type":"slack"}
       ·                                 ───┬───
       ·                                    ╰── this type
       ╰────
      code: connplan::config::policy
    "#);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let plan = project.read("x.plan");
    assert!(plan.contains("ask b***@example.com"), "{plan}");
    assert!(!plan.contains("bob@example.com"), "{plan}");
}
