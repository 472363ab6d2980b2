//! What is said is so, and a command that is named does what it is named for.

use serde_json::json;

use crate::support::{
    Platform, Project,
    scripted::{Reply, Scripted},
};

const CHAT: &[&str] = &["chat:write"];

/// One connector waits, and a receipt says so.
fn waiting() -> (Platform, Project) {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("slack", CHAT);
    let apply = ["apply", "--auto-approve", "--receipt", "x.receipt"];
    project.run(&apply).expect(0);
    (platform, project)
}

#[test]
fn what_authorize_says_in_a_pipe_can_be_done() {
    let (platform, project) = waiting();
    project
        .run(&["authorize"])
        .expect(4)
        .tells("`--yes` goes on without asking");
    // A pipeline asks for nothing, with `--yes` either.
    for args in [
        &["authorize", "--no-input"][..],
        &["authorize", "--yes", "--no-input"],
    ] {
        project.run(args).expect(4).lacks("without asking");
    }
    let elsewhere = Project::nowhere()
        .at(&platform)
        .file("x.receipt", &project.read("x.receipt"));
    let list = ["authorize", "--receipt", "x.receipt", "--list"];
    let list = elsewhere.run(&list);
    list.expect(4).says("--expect-digest DIGEST");
    let list = project.run(&["authorize", "--receipt", "x.receipt", "--list"]);
    list.expect(4).lacks("--expect-digest");
    // Nothing is opened where no browser can appear.
    let project = project.var("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22");
    let page = [
        "authorize",
        "--yes",
        "--page-host",
        "desk.example",
        "--timeout",
        "1s",
    ];
    let page = project.run(&page);
    page.expect(4)
        .tells("run this command in a terminal")
        .lacks("opened");
}

#[test]
fn drift_takes_days_and_speaks_of_itself() {
    let (_platform, project) = waiting();
    for span in ["7d", "2w", "36h"] {
        let drift = ["drift", "--receipt", "x.receipt", "--pending-after", span];
        project.run(&drift).expect(0);
    }
    let issue = project.run(&["drift", "--issue"]);
    issue.expect(1).tells("without `--issue`").lacks("--pr");
    let help = project.run(&["drift", "-h"]);
    assert!(
        help.expect(0).stdout.lines().all(|line| line != "drift"),
        "{help}"
    );
    project.run(&["status", "--max-time", "1d"]).expect(0);
}

#[test]
fn a_digest_is_taken_as_people_paste_it() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("slack", CHAT);
    let plan = ["plan", "--out", "x.plan", "--format", "json"];
    let plan = project.run(&plan);
    let digest = plan.expect(0).json()["digest"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    let hex = digest.trim_start_matches("sha256:");
    for given in [
        digest.as_str(),
        hex,
        &digest.to_uppercase(),
        &hex.to_uppercase(),
    ] {
        project.run(&["show", given]).expect(0).says("slack");
    }
    let other = "0".repeat(64);
    let none = project.run(&["show", &other]);
    none.expect(1)
        .tells("this machine has no plan")
        .lacks("the store this machine");
    project.run(&["apply", hex]).expect(0);
    assert_eq!(platform.writes().len(), 1);
}

#[test]
fn fixtures_that_say_nothing_are_told_from_those_that_fail() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("slack", CHAT);
    let gone = project.run(&["policy", "test", "gone"]);
    gone.expect(1)
        .tells("gone is not a folder")
        .lacks("no fixture");
    let plan = project.run(&["plan", "--format", "json"]).stdout;
    project.write("fixtures/a.json", &plan);
    project.write("fixtures/a.expected.json", "{\"verdict\": \"passed\"}");
    let odd = project.run(&["policy", "test", "fixtures"]);
    odd.expect(1)
        .tells("a.expected.json")
        .tells("`passed`")
        .lacks("FAILED");
}

#[test]
fn every_document_about_an_app_names_it() {
    let (_platform, project) = waiting();
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let json = |args: &[&str]| project.run(&[args, &["--format", "json"]].concat()).json();
    for args in [
        &["pull", "--dry-run"][..],
        &["remote-state"],
        &["doctor"],
        &["list-available"],
        &["validate"],
        &["policy", "explain", "x.plan"],
        &["add", "gmail"],
        &["unlock"],
        &["push", "--yes"],
    ] {
        let document = json(args);
        assert_eq!(
            document["apps"][0]["app_id"], "app-1",
            "{args:?}: {document}"
        );
    }
    for (args, kind) in [
        (&["completions", "bash"][..], "completions"),
        (&["help", "environment"], "help"),
    ] {
        let document = json(args);
        assert_eq!(document["kind"], kind);
        assert!(
            document["text"]
                .as_str()
                .is_some_and(|text| text.len() > 100)
        );
    }
}

#[test]
fn a_plan_that_no_apply_takes_is_not_said_to_be_applied() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("slack", CHAT);
    let plan = ["plan", "--out", "x.plan", "--expires", "1s"];
    project.run(&plan).expect(0).says("connplan apply");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    project
        .run(&["show", "x.plan"])
        .expect(0)
        .says("EXPIRED")
        .lacks("To carry out");
    let markdown = project.run(&["show", "x.plan", "--format", "markdown"]);
    markdown
        .expect(0)
        .says("It has expired")
        .lacks("To carry out");
}

#[test]
fn an_address_without_a_login_is_told_as_such() {
    let server = Scripted::start();
    let gone = Reply::json(404, &json!({ "message": "Not Found" }));
    server.on("POST /oauth/device/code", [gone]);
    let project = Project::new().at_url(&server.url(), "b44k_x");
    let login = project.run(&["login", "--no-browser"]);
    login
        .expect(1)
        .tells("this address has no login")
        .tells("check BASE44_API_URL")
        .lacks("connector's type");
}
