//! `apply` of a plan that the app has moved away from.

use std::time::Duration;

use serde_json::json;

use super::apply::made_at;
use crate::support::{
    APP, Connector, Platform, Project, Pty, all_cases, change, planned, reads, result,
};

const NOTHING: [&str; 0] = [];

#[test]
fn whatever_moved_is_named_and_nothing_is_written() {
    type Move = fn(&Platform);
    let moves: [(Move, &[&str]); 6] = [
        (
            |p| p.set(&Connector::active("hubspot", &["tickets"])),
            &["hubspot", "scopes", "tickets"],
        ),
        (
            |p| {
                p.set(&Connector {
                    status: "disconnected",
                    ..Connector::active("hubspot", &["crm.objects.contacts.read"])
                });
            },
            &["hubspot", "status", "disconnected"],
        ),
        (
            |p| {
                p.set(&Connector {
                    account: Some("grace@example.com"),
                    ..Connector::active("github", &["repo"])
                });
            },
            &["github", "account", "grace@example.com"],
        ),
        (
            |p| {
                p.set(&Connector {
                    account: None,
                    ..Connector::active("github", &["repo"])
                });
            },
            &["github", "account"],
        ),
        (|p| p.unset("notion"), &["notion", "gone"]),
        (
            |p| p.set(&Connector::active("slack", &["chat:write", "admin"])),
            &["slack", "there"],
        ),
    ];
    for (change, names) in moves {
        let (platform, project) = planned();
        change(&platform);
        platform.forget();
        let refused = project.run(&["apply", "x.plan", "--receipt", "x.receipt"]);
        refused.expect(3).tells("stale");
        for name in names {
            refused.tells(name);
        }
        assert_eq!(platform.writes(), NOTHING, "{names:?}");
        assert!(!project.path("x.receipt").exists());
        if all_cases() {
            project.run(&["plan"]).expect(0);
        }
    }
}

/// What is planned and applied in one go is planned before it has the lock.
#[test]
fn what_moved_while_it_waited_for_its_turn_is_seen() {
    let (platform, project) = planned();
    let app = connplan::model::App {
        id: connplan::model::AppId::parse(APP).unwrap(),
        api_url: connplan::model::ApiUrl::parse(platform.url()).unwrap(),
        environment: None,
    };
    let state = connplan::state::StateFolder::at(&project.state_folder()).app(&app);
    let held = state.lock(Duration::ZERO, "somebody").unwrap();
    let apply = ["apply", "--auto-approve", "--lock-timeout", "1m"];
    let mut pty = Pty::start(&project, &apply);
    pty.wait_for("1 to remove");
    platform.set(&Connector::active("hubspot", &["tickets"]));
    platform.forget();
    drop(held);
    let (code, shown) = pty.end();
    assert_eq!((code, platform.writes().len()), (3, 0), "{shown}");
}

#[test]
fn what_providers_add_meanwhile_is_no_move() {
    let (platform, project) = planned();
    platform.set(&Connector::active(
        "gmail",
        &[
            "https://mail.google.com/",
            "openid",
            "https://www.googleapis.com/auth/userinfo.email",
        ],
    ));
    project.run(&["apply", "x.plan"]).expect(0);
}

#[test]
fn what_is_already_as_wanted_is_done_and_not_written() {
    let (platform, project) = planned();
    platform.unset("github");
    platform.set(&Connector::active("notion", &[]));
    platform.set(&Connector::active("slack", &["chat:write"]));
    platform.stripe(Some("sandbox"));
    platform.forget();
    let applied = project.run(&["apply", "x.plan", "--format", "json"]);
    applied
        .expect(0)
        .tells("it was already as the plan wants it");
    assert_eq!(
        platform.writes(),
        ["PUT external-auth/integrations/hubspot"]
    );
    for (connector, outcome) in [
        ("github", "removed"),
        ("hubspot", "pending"),
        ("notion", "synced"),
        ("slack", "added"),
        ("stripe", "provisioned"),
    ] {
        assert_eq!(result(&applied.json(), connector)["outcome"], outcome);
    }
}

#[test]
fn what_the_plan_leaves_alone_does_not_matter_and_is_told() {
    let platform = Platform::with(&[
        Connector::active("github", &["repo"]),
        Connector::active("linear", &["read"]),
    ]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &[])
        .connector("linear", &["read"]);
    for args in [&["--keep-unlisted"][..], &["--target", "slack"]] {
        let all = [&["plan", "--out", "x.plan"], args].concat();
        project.run(&all).expect(0);
        platform.set(&Connector::active("github", &["repo", "admin:org"]));
        platform.set(&Connector::active("asana", &[]));
        platform.forget();
        let applied = project.run(&["apply", "x.plan"]);
        applied.expect(0).tells("github").tells("asana");
        assert_eq!(platform.writes(), ["PUT external-auth/integrations/slack"]);
        platform.set(&Connector::active("github", &["repo"]));
        platform.unset("asana");
        platform.unset("slack");
        project.run(&["authorize", "--forget", "slack"]);
        std::fs::remove_dir_all(project.state_folder()).unwrap();
    }
}

#[test]
fn somebodys_consent_meanwhile_does_not_void_a_plan() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("gmail", &[]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    project.declare("slack", &[]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    platform.consent("gmail", "Ada@Example.com");
    platform.forget();
    project.run(&["apply", "x.plan"]).expect(0);
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/slack"]);
}

#[test]
fn the_case_of_an_address_is_no_move() {
    let (platform, project) = planned();
    platform.set(&Connector {
        account: Some("ADA@example.com"),
        ..Connector::active("github", &["repo"])
    });
    project.run(&["apply", "x.plan"]).expect(0);
}

#[test]
fn a_plan_is_finished_on_another_machine() {
    let (platform, project) = planned();
    // Not to be read beforehand: it shows with the write.
    platform
        .behave(&json!({ "forbidden": { "slack": "Ask an admin." }, "policies_readable": false }));
    project.run(&["apply", "x.plan", "--keep-going"]).expect(5);
    // The runner is gone, with all that it knew.
    platform.behave(&json!({ "forbidden": {} }));
    platform.forget();
    let elsewhere = [("CONNPLAN_STATE_DIR", project.state("elsewhere"))];
    let elsewhere = [(elsewhere[0].0, elsewhere[0].1.to_str().unwrap())];
    project.run_vars(&elsewhere, &["apply", "x.plan"]).expect(0);
    let writes = platform.writes();
    assert!(
        writes.contains(&"PUT external-auth/integrations/slack".to_owned()),
        "{writes:?}"
    );
    let done = ["DELETE external-auth/integrations/github/remove"];
    assert!(
        !writes.iter().any(|w| done.contains(&w.as_str())),
        "{writes:?}"
    );
    for connector in ["hubspot", "notion", "slack"] {
        platform.consent(connector, "ada@example.com");
    }
    // A third one finds nothing left to do.
    platform.forget();
    let third = project.state("third");
    let third = [("CONNPLAN_STATE_DIR", third.to_str().unwrap())];
    let again = project.run_vars(&third, &["apply", "x.plan", "--format", "json"]);
    again.expect(0).tells("already applied");
    assert_eq!(platform.writes(), NOTHING);
    assert_eq!(again.json()["summary"]["failed"], 0);
    // Nor does it the second time.
    reads!(project.run_vars(&third, &["apply", "x.plan"]), @"
    exit 0: connplan apply x.plan
    App app-1 at http://HOST

    Applied before, 6 connectors: 2 synced, 1 added, 1 removed, 1 provisioned, 1 unchanged.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This plan was already applied. Nothing was written.
    The app's owner can claim the Stripe sandbox: http://HOST/apps/app-1/editor/workspace/app-connections
    ");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn an_expired_plan_is_not_applied() {
    let (platform, project) = planned();
    let plain = project.run(&["plan", "--format", "json"]).json();
    project
        .run(&["plan", "--out", "y.plan", "--expires", "1s"])
        .expect(0);
    let shown = project.run(&["show", "y.plan", "--format", "json"]).json();
    assert_ne!(shown["digest"], plain["digest"]);
    assert!(shown["apps"][0]["app_id"].is_string() && shown["expires_at"].is_string());
    std::thread::sleep(Duration::from_millis(2100));
    platform.forget();
    reads!(project.run(&["apply", "y.plan"]), @"
    exit 3: connplan apply y.plan
    --- stderr
    error: the plan expired just now, at TIME
      help: nothing was written; run `connplan plan` again and ask for a review
      code: connplan::plan::expired
    ");
    assert_eq!(platform.requests(), NOTHING);
    for bad in ["", "0s", "-1h", "5y", "soon"] {
        project
            .run(&["plan", &format!("--expires={bad}")])
            .expect(1);
    }
    project.run(&["plan", "--expires", "7d"]).expect(0);
}

#[test]
fn what_waits_hides_nothing_that_somebody_else_did() {
    let platform = Platform::with(&[Connector::active("box", &["a"])]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .connector("box", &["a", "b"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    platform.set(&Connector::active("slack", &["admin.users:write"]));
    platform.unset("box");
    let plan = project.run(&["plan", "--detailed-exitcode", "--format", "json"]);
    plan.expect(2);
    assert_eq!(change(&plan.json(), "slack")["action"], "update");
    assert_eq!(change(&plan.json(), "box")["action"], "create");
}

#[test]
fn a_receipt_tells_a_fresh_clone_what_waits() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let args = ["apply", "--auto-approve", "--receipt", "x.receipt"];
    project.run(&args).expect(0);
    let clone = project.state("clone");
    let clone = [("CONNPLAN_STATE_DIR", clone.to_str().unwrap())];
    let plain = ["plan", "--detailed-exitcode"];
    project.run_vars(&clone, &plain).expect(2);
    let told = [
        "plan",
        "--detailed-exitcode",
        "--receipt",
        "x.receipt",
        "--format",
        "json",
    ];
    let plan = project.run_vars(&clone, &told);
    plan.expect(0);
    assert_eq!(change(&plan.json(), "slack")["authorization"], "pending");
    let status = ["status", "--receipt", "x.receipt", "--format", "json"];
    let status = project.run_vars(&clone, &status);
    status.expect(0).says("pending");
    let code = ["status", "--detailed-exitcode", "--receipt", "x.receipt"];
    project.run_vars(&clone, &code).expect(0);
    platform.set(&Connector::active("slack", &["admin"]));
    project.run_vars(&clone, &told).expect(2);
    // Another app's receipt says nothing here.
    let other = [clone[0], ("BASE44_APP_ID", "app-2")];
    project
        .run_vars(&other, &["plan", "--receipt", "x.receipt"])
        .expect(3);
}

#[test]
fn what_waited_and_was_consented_to_meanwhile_is_unchanged() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("gmail", &["https://mail.google.com/"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    project.declare("slack", &["chat:write"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    platform.consent("gmail", "ada@example.com");
    let output = project.run(&["apply", "x.plan", "--format", "json"]);
    output.expect(0).lacks("somebody else");
    let receipt = output.json();
    assert_eq!(result(&receipt, "gmail")["outcome"], "unchanged");
    assert_eq!(result(&receipt, "slack")["outcome"], "pending");
}

#[test]
fn of_many_scopes_that_moved_only_the_difference_is_told() {
    let many = |name: &str| -> Vec<String> { (0..400).map(|n| format!("{name}:{n:03}")).collect() };
    let platform = Platform::start();
    let set = |scopes: &[String]| {
        let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
        platform.set(&Connector::active("slack", &scopes));
    };
    set(&many("a"));
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    set(&many("b"));
    let refused = project.run(&["apply", "x.plan"]);
    reads!(refused, @"
    exit 3: connplan apply x.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: the plan is stale: the app changed since it was made
      slack: scopes was 400 with a:000 a:001 a:002 a:003 a:004 and 395 more, is 400 with b:000 b:001 b:002 b:003 b:004 and 395 more
      help: nothing was written; run `connplan plan` again and ask for a review
      code: connplan::plan::stale
    ");
    assert!(refused.stderr.len() < 1000, "{refused}");
    assert!(platform.writes().is_empty());
}

#[test]
fn what_was_forgotten_is_asked_for_again_by_another_plan() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("gmail", &[])
        .connector("slack", &[]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let apply = ["apply", "x.plan", "--format", "json"];
    project.run(&apply).expect(0);
    project.run(&["authorize", "--forget", "gmail"]).expect(0);
    platform.forget();
    // By the plan of before, it is not.
    made_at(&project, "x.plan", "2026-01-01T00:00:00Z");
    let given_up = "what it would do now was done, or given up, at";
    project.run(&apply).expect(3).tells(given_up);
    assert!(platform.writes().is_empty());
    project.run(&["plan", "--out", "y.plan"]).expect(0);
    let again = project.run(&["apply", "y.plan", "--format", "json"]);
    again.expect(0);
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/gmail"]);
    assert_eq!(result(&again.json(), "gmail")["outcome"], "pending");
    project.run(&apply).expect(0).tells("Nothing was written.");

    // Where the rest of the plan is out of date, the plan stays applied, and what is not true is not said.
    project.run(&["authorize", "--forget", "gmail"]).expect(0);
    platform.set(&Connector::active("gmail", &["openid.other"]));
    platform.forget();
    let gone = project.run(&apply);
    gone.expect(0).tells("Nothing was written.");
    assert!(platform.writes().is_empty());
    assert_eq!(result(&gone.json(), "gmail")["outcome"], "not_run");
}
