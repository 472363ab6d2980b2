//! What is said is so, and a command that is named does what it is named for.

use serde_json::json;

use crate::support::{
    Platform, Project, reads,
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
    reads!(project.run(&["authorize"]), @"
    exit 4: connplan authorize
    Summary:
      Skipped: slack

    Left to do for 1 connector:
      slack: waiting for consent, asked for just now
        -> `connplan authorize slack` resumes it
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Not interactive: no link was requested. Run `connplan authorize` in a terminal, on this machine or, with `--receipt FILE`, on another. Without a terminal, `--yes --print-links` prints the links here and waits.
    ");
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
    reads!(list, @"
    exit 4: connplan authorize --receipt x.receipt --list
    App app-1 at http://HOST
      ~ slack waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize --receipt x.receipt --expect-digest DIGEST
    ");
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
    reads!(page.lacks("opened"), @"
    exit 4: connplan authorize --yes --page-host desk.example --timeout 1s
    Summary:
      Failed: slack - authorization timed out

    Left to do for 1 connector:
      slack: timed out: nobody consented in time; still pending
        -> run `connplan authorize slack` again; with `--timeout 30m` there is more time to consent
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    1 connector of app app-1 at http://HOST needs consent in a browser:
      slack
        chat:write  post messages (as the bot or as the user) · write
    Each connection is recorded as made by a workspace, whichever account approves at the provider.
    Waiting at most 1s; `--timeout` changes that.
    warning: the page's address is private, so only a terminal shows it, and there is no browser here to open it: run this command in a terminal
    Waiting for slack.
    ");
}

#[test]
fn drift_takes_days_and_speaks_of_itself() {
    let (_platform, project) = waiting();
    for span in ["7d", "2w", "36h"] {
        let drift = ["drift", "--receipt", "x.receipt", "--pending-after", span];
        project.run(&drift).expect(0);
    }
    reads!(project.run(&["drift", "--issue"]).lacks("--pr"), @"
    exit 1: connplan drift --issue
    App app-1 at http://HOST

    Waiting for a person:
      slack: asked for just now

    No drift: 0 changed outside, 0 not applied yet, 1 waiting for a person.
    --- stderr
    error: no project to keep an issue in: not running in GitHub Actions or GitLab CI
      help: run it in the project's pipeline; without `--issue`, `drift` shows the same here
      code: connplan::publish::no_forge
    ");
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
    reads!(project.run(&["show", &other]).lacks("the store this machine"), @"
    exit 1: connplan show DIGEST
    --- stderr
    error: this machine has no plan sha256:DIGEST
      help: `connplan history` lists those that it has; `connplan plan --out FILE` puts one there
      code: connplan::store::no_plan
    ");
    project.run(&["apply", hex]).expect(0);
    assert_eq!(platform.writes().len(), 1);
}

#[test]
fn fixtures_that_say_nothing_are_told_from_those_that_fail() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("slack", CHAT);
    reads!(project.run(&["policy", "test", "gone"]).lacks("no fixture"), @"
    exit 1: connplan policy test gone
    --- stderr
    error: gone is not a folder
      help: name the folder that holds the fixtures
      code: connplan::usage
    ");
    let plan = project.run(&["plan", "--format", "json"]).stdout;
    project.write("fixtures/a.json", &plan);
    project.write("fixtures/a.expected.json", "{\"verdict\": \"passed\"}");
    project.write("fixtures/b.json", &plan);
    project.write("fixtures/c.json", &plan);
    let denied = "{\"verdict\": \"pass\", \"violations\": [\"max_removals\"]}";
    project.write("fixtures/c.expected.json", denied);
    reads!(project.run(&["policy", "test", "fixtures"]), @"
    exit 1: connplan policy test fixtures
    FAILED  a: fixtures/a.expected.json: unknown variant `passed`, expected one of `pass`, `warn`, `deny` at line 1 column 20
    FAILED  b: fixtures/b.expected.json does not exist
    FAILED  c: got pass (no rule), expected pass (max_removals)
    0 passed, 3 failed
    ");
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
    reads!(project.run(&plan), @"
    exit 0: connplan plan --out x.plan --expires 1s
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    Expires: in a moment, at TIME
    To carry out exactly this plan: connplan apply x.plan
    ");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    reads!(project.run(&["show", "x.plan"]).lacks("To carry out"), @"
    exit 0: connplan show x.plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    Expired: just now, at TIME
    ! EXPIRED: `connplan apply` refuses it; make a new plan.
    ");
    reads!(
        project
            .run(&["show", "x.plan", "--format", "markdown"])
            .lacks("To carry out")
    );
}

#[test]
fn an_address_without_a_login_is_told_as_such() {
    let server = Scripted::start();
    let gone = Reply::json(404, &json!({ "message": "Not Found" }));
    server.on("POST /oauth/device/code", [gone]);
    let project = Project::new().at_url(&server.url(), "b44k_x");
    reads!(project.run(&["login", "--no-browser"]).lacks("connector's type"), @r#"
    exit 1: connplan login --no-browser
    --- stderr
    error: starting the login failed (request ID): the server at this address has no login: the server says "Not Found"
      help: check BASE44_API_URL, and `api_url` of the environment in connplan.toml
      code: connplan::login::none_here
    "#);
}
