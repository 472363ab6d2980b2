//! A pipeline applies at night, a person consents next morning: on two machines, through the binary.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{fs, thread, time::Duration};

use connplan::sandbox::Decision;
use serde_json::json;

use crate::support::{Connector, Output, Platform, Project, result};

/// Runs `authorize` while somebody does something else.
fn while_running(project: &Project, args: &[&str], act: impl FnOnce() + Send) -> Output {
    thread::scope(|scope| {
        let run = scope.spawn(|| project.run(args));
        act();
        run.join().unwrap()
    })
}

/// Waits until so many writes have come.
fn wait_for_writes(platform: &Platform, count: usize) {
    for _ in 0..400 {
        if platform.writes().len() >= count {
            // What follows a write is its answer, which has to be read.
            thread::sleep(Duration::from_millis(150));
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    panic!("no writes: {:?}", platform.requests());
}

/// The repository as it is on either machine.
fn checkout(platform: &Platform) -> Project {
    let project = Project::new()
        .at(platform)
        .connector("notion", &[])
        .connector("slackbot", &["channels:read", "chat:write"]);
    let text = json!({ "type": "gmail", "account": "ops@example.com",
        "scopes": ["https://www.googleapis.com/auth/gmail.send"] });
    project.write("base44/connectors/gmail.jsonc", &text.to_string());
    project
}

/// Plans and applies; the receipt's text.
fn night(platform: &Platform) -> (Project, String) {
    let runner = checkout(platform).var("CI", "true");
    runner.run(&["plan", "--out", "night.plan"]).expect(0);
    let apply = [
        "apply",
        "night.plan",
        "--receipt",
        "night.receipt",
        "--detailed-exitcode",
    ];
    runner.run(&apply).expect(4).lacks("ticket=");
    let receipt = runner.read("night.receipt");
    for (_, link) in platform.links() {
        assert!(!receipt.contains(&link), "{receipt}");
    }
    (runner, receipt)
}

#[test]
fn applied_at_night_authorized_in_the_morning_elsewhere() {
    let platform = Platform::start();
    let (runner, receipt) = night(&platform);
    let list = runner.run(&["authorize", "--list", "--format", "json"]);
    let list = list.expect(4).json();
    let plan = runner
        .run(&["show", "night.plan", "--format", "json"])
        .json();
    for connector in ["gmail", "notion", "slackbot"] {
        let waits = result(&list, connector);
        assert_eq!(waits["state"], "pending");
        assert_eq!(waits["plan_digest"], plan["digest"]);
        assert!(waits["since"].as_str().unwrap().starts_with("20"));
    }
    assert_eq!(
        result(&list, "gmail")["expected_account"],
        "ops@example.com"
    );

    let desk = checkout(&platform);
    desk.write("night.receipt", &receipt);
    let open = desk.run(&["authorize", "--receipt", "night.receipt", "--list"]);
    open.expect(4)
        .says("slackbot")
        .says("asked for by plan sha256:");
    platform.forget();
    let args = [
        "authorize",
        "--receipt",
        "night.receipt",
        "--no-browser",
        "--yes",
    ];
    let ended = while_running(&desk, &args, || {
        wait_for_writes(&platform, 3);
        platform.consent("gmail", "ops@example.com");
        platform.consent("notion", "ada@example.com");
        platform.consent("slackbot", "ada@example.com");
    });
    // Standard error is a pipe here: no link is in it.
    ended.expect(0).lacks("ticket=");
    for words in ["CONNECTOR", "ops@example.com", "2 scopes"] {
        ended.says(words);
    }
    let mut writes = platform.writes();
    writes.sort();
    let put = |connector: &str| format!("PUT external-auth/integrations/{connector}");
    assert_eq!(writes, ["gmail", "notion", "slackbot"].map(put));
    desk.run(&["plan", "--detailed-exitcode"]).expect(0);
    // The night's machine learns of it by looking.
    runner.run(&["authorize", "--list"]).expect(0);
    runner.run(&["authorize"]).expect(0);
    runner
        .run(&["authorize", "--list"])
        .expect(0)
        .says("Nothing is waiting");
}

#[test]
fn a_receipt_comes_from_a_pipe_and_is_for_its_app() {
    let platform = Platform::start();
    let (_, receipt) = night(&platform);
    let desk = checkout(&platform);
    let args = ["authorize", "--receipt", "-", "--list", "--format", "json"];
    let list = desk.run_with_input(&args, &receipt);
    assert_eq!(list.expect(4).json()["summary"]["pending"], 3);
    let elsewhere = checkout(&platform);
    elsewhere.write("base44/.app.jsonc", "{ \"id\": \"app-2\" }");
    elsewhere.run_with_input(&args, &receipt).expect(3);
    let altered = receipt.replace("chat:write", "chat:write.public");
    desk.run_with_input(&args, &altered).expect(3);
    assert!(platform.writes().len() == 3, "{:?}", platform.writes());
}

#[test]
fn what_somebody_else_changed_is_left_alone() {
    let platform = Platform::start();
    let (runner, _) = night(&platform);
    platform.set(&Connector::active(
        "slackbot",
        &["channels:read", "files:write"],
    ));
    platform.forget();
    let list = runner
        .run(&["authorize", "--list", "--format", "json"])
        .json();
    let slackbot = result(&list, "slackbot");
    assert_eq!(slackbot["state"], "untouched", "{slackbot}");
    let told = runner.run(&["authorize", "slackbot", "--yes", "--timeout", "1s"]);
    told.expect(4).says("somebody else changed it");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    // And the next plan shows it again.
    let plan = runner.run(&["plan", "--format", "json"]).json();
    let changes = plan["apps"][0]["changes"].as_array().unwrap();
    let change = changes
        .iter()
        .find(|c| c["connector"] == "slackbot")
        .unwrap();
    assert_eq!(change["action"], "update", "{change}");
}

#[test]
fn each_end_has_its_own_next_step() {
    let platform = Platform::start();
    let (runner, _) = night(&platform);
    let args = ["authorize", "--no-browser", "--yes", "--timeout", "3s"];
    platform.consent("gmail", "eve@elsewhere.example");
    platform.consent_to_some("slackbot", "ada@example.com", &["chat:write"]);
    platform.decide("notion", Decision::Deny);
    // All of it happened while nobody looked.
    let runner = runner.without_var("CI");
    let list = runner.run(&["authorize", "--list", "--format", "json"]);
    let list = list.expect(4).json();
    assert_eq!(result(&list, "gmail")["state"], "wrong_account");
    let partial = result(&list, "slackbot");
    assert_eq!(partial["state"], "partial");
    assert_eq!(partial["missing"], json!(["channels:read"]));
    platform.forget();
    let ended = while_running(&runner, &args, || {
        wait_for_writes(&platform, 2);
        platform.decide("notion", Decision::Deny);
        platform.consent_to_some("slackbot", "ada@example.com", &["chat:write"]);
    });
    ended.expect(4);
    for words in [
        "to the wrong account",
        "1 of 2 scopes",
        "list public channels and their basic details",
        "if it is your own, the platform does not ask",
        "run `connplan authorize slackbot` again and grant every scope",
        "run `connplan authorize notion` again and approve all of it",
    ] {
        ended.says(words);
    }
    let timed_out = runner.run(&["authorize", "notion", "--yes", "--timeout", "1s"]);
    timed_out
        .expect(4)
        .says("nobody consented in time")
        .says("run `connplan authorize notion` again");
    // Nothing pretends that the wrong account is right.
    let plan = runner.run(&["plan", "--format", "json"]).json();
    let gmail = &plan["apps"][0]["changes"][0];
    assert_eq!(gmail["action"], "reauthorize", "{gmail}");
    assert_eq!(gmail["before"]["account"], "eve@elsewhere.example");
    assert_eq!(gmail["after"]["account"], "ops@example.com");
    let text = runner.run(&["plan"]).stdout;
    assert!(
        text.contains("eve@elsewhere.example") && text.contains("ops@example.com"),
        "{text}"
    );
    let markdown = runner
        .run(&["plan", "--format", "markdown", "--show-accounts"])
        .stdout;
    assert!(markdown.contains("eve@elsewhere.example"), "{markdown}");
    assert!(markdown.contains("ops@example.com"), "{markdown}");
    runner
        .run(&["authorize", "gmail"])
        .expect(4)
        .says("wrong account");
}

#[test]
fn broken_connectors_are_found_and_repaired_without_a_plan() {
    let platform = Platform::with(&[Connector::active("slackbot", &["chat:write"])]);
    let project = Project::new()
        .at(&platform)
        .connector("slackbot", &["chat:write"]);
    project.run(&["authorize", "--list"]).expect(0);
    platform.set(&Connector {
        status: "expired",
        ..Connector::active("slackbot", &["chat:write"])
    });
    project
        .run(&["status"])
        .expect(0)
        .says("connplan authorize");
    project.run(&["plan"]).expect(0).says("! slackbot");
    project
        .run(&["authorize", "--list"])
        .expect(4)
        .says("slackbot");
    let ended = while_running(&project, &["authorize", "--yes", "--no-browser"], || {
        wait_for_writes(&platform, 1);
        platform.consent("slackbot", "ada@example.com");
    });
    ended.expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn links_reach_no_pipe_unless_it_is_asked_for() {
    let platform = Platform::start();
    let (runner, _) = night(&platform);
    platform.forget();
    let quick = ["authorize", "--yes", "--timeout", "1s"];
    runner
        .run(&quick)
        .expect(4)
        .lacks("ticket=")
        .tells("no link was requested");
    assert_eq!(runner.opened(), [] as [&str; 0], "no browser in a pipeline");
    let print = ["authorize", "--print-links", "--timeout", "1s"];
    runner.run(&print).expect(1).lacks("ticket=");
    assert_eq!(
        platform.writes(),
        [] as [&str; 0],
        "no link without a person"
    );
    let desk = runner.without_var("CI");
    let no_input = [&quick[..], &["--no-input"]].concat();
    desk.run(&no_input).expect(4).lacks("ticket=");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    let printed = desk.run(&print);
    printed.expect(4).says("ticket=");
    assert!(!printed.stderr.contains("ticket="), "{printed}");
    // Nobody to ask, and nothing decided beforehand: it ends at once.
    desk.run(&["authorize"])
        .expect(4)
        .tells("Not interactive: no link was requested")
        .lacks("ticket=");
}

#[test]
fn the_server_is_asked_no_more_often_than_it_wants() {
    let platform = Platform::seeded(json!({
        "settings": { "rate_limit": { "every": 3, "retry_after_seconds": 1 } },
    }));
    let project = Project::new()
        .at(&platform)
        .connector("slackbot", &["chat:write"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.forget();
    let args = ["authorize", "--yes", "--no-browser", "--timeout", "2s"];
    project.run(&args).expect(4);
    let asked = platform
        .requests()
        .iter()
        .filter(|r| r.contains("/status"))
        .count();
    // Every 20 ms, there would be a hundred.
    assert!(
        (1..=10).contains(&asked),
        "{asked}: {:#?}",
        platform.requests()
    );
}

#[test]
fn a_link_that_ran_out_is_renewed() {
    let platform = Platform::start();
    let (runner, _) = night(&platform);
    platform.behave(&json!({ "late_links_fail": true }));
    let runner = runner.without_var("CI");
    platform.advance(3600);
    platform.forget();
    let args = ["authorize", "slackbot", "--yes", "--no-browser"];
    let ended = while_running(&runner, &args, || {
        wait_for_writes(&platform, 1);
        platform.consent("slackbot", "ada@example.com");
    });
    ended.expect(0);
}

#[cfg(unix)]
#[test]
fn the_store_is_private_and_whole() {
    use std::os::unix::fs::PermissionsExt;
    let platform = Platform::start();
    let (runner, _) = night(&platform);
    let store = runner.state("pending.toml");
    let mode = || fs::metadata(&store).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600);
    fs::set_permissions(&store, fs::Permissions::from_mode(0o644)).unwrap();
    let list = runner.run(&["authorize", "--list"]);
    list.expect(4).tells("could be read by others");
    assert_eq!(mode(), 0o600);
    // Looking writes nothing; a run keeps the rest whole.
    let before = runner.read_state("pending.toml");
    platform.consent("notion", "ada@example.com");
    runner
        .run(&["authorize", "--list", "--format", "json"])
        .expect(4);
    assert_eq!(runner.read_state("pending.toml"), before);
    runner.run(&["authorize"]).expect(4);
    let after = runner.read_state("pending.toml");
    assert!(!after.contains("notion") && after.contains("slackbot") && after.contains("gmail"));
    assert_eq!(mode(), 0o600);
}
