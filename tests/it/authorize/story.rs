//! A pipeline applies at night, a person consents next morning: on two machines, through the binary.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{fs, thread, time::Duration};

use connplan::sandbox::Decision;
use serde_json::json;

use crate::support::{Connector, Output, Platform, Project, reads, result};

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
    reads!(desk.run(&["authorize", "--receipt", "night.receipt", "--list"]), @"
    exit 4: connplan authorize --receipt night.receipt --list
    App app-1 at http://HOST
      ~ gmail waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
          expected: ops@example.com
      ~ notion waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
      ~ slackbot waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize --receipt night.receipt
    ");
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
    reads!(runner.run(&["authorize", "--list"]), @"
    exit 0: connplan authorize --list
    Nothing is waiting for authorization in app app-1, as far as this machine knows.
    What another machine's apply left waiting is in its receipt: connplan authorize --receipt FILE
    ");
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
    reads!(runner.run(&["authorize", "slackbot", "--yes", "--timeout", "1s"]), @"
    exit 4: connplan authorize slackbot --yes --timeout 1s
    Summary:
      Left alone: slackbot - somebody else changed it since it was asked for: it has scopes that were not approved (files:write); plan again, or, if the provider adds them by itself, list them in connplan.toml: `[providers.slackbot] adds`
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
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
    reads!(runner.run(&["authorize", "notion", "--yes", "--timeout", "1s"]), @"
    exit 4: connplan authorize notion --yes --timeout 1s
    Summary:
      Failed: notion - authorization timed out

    Left to do for 1 connector:
      notion: timed out: nobody consented in time; still pending
        -> run `connplan authorize notion` again; with `--timeout 30m` there is more time to consent
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    1 connector of app app-1 at http://HOST needs consent in a browser:
      notion
        (no scopes)
    Each connection is recorded as made by a workspace, whichever account approves at the provider.
    Waiting at most 1s; `--timeout` changes that.
      notion: waiting for consent (its link is private and is not shown in a log; `--print-links` prints it)
    Waiting for notion.
    ");
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
    reads!(runner.run(&["authorize", "gmail"]), @"
    exit 4: connplan authorize gmail
    CONNECTOR  ACCOUNT                GRANTED               TOOK
    gmail      eve@elsewhere.example  to the wrong account  -

    Summary:
      Failed: gmail - wrong account: eve@elsewhere.example, not ops@example.com

    Left to do for 1 connector:
      gmail: wrong account
        -> if somebody else made the connection, plan, apply and authorize it; if it is your own, the platform does not ask again: remove its file and apply, then restore it, apply and authorize gmail as ops@example.com
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
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
    reads!(project.run(&["status"]), @"
    exit 0: connplan status
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE   SCOPES  PENDING  ACCOUNT
    slackbot   yes       expired  1       -        ada@example.com

    1 connector needs attention:
      connplan authorize slackbot
    ");
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  ! look here

      ! slackbot              base44/connectors/slackbot.jsonc
          the remote says expired; ada@example.com authorized it
            chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 0 to add, 0 to change, 0 to remove, 1 to authorize.
    ");
    reads!(project.run(&["authorize", "--list"]), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ slackbot needs a person's consent again

    Next: connplan authorize
    ");
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
    reads!(runner.run(&quick).lacks("ticket="), @"
    exit 4: connplan authorize --yes --timeout 1s
    Summary:
      Skipped: gmail, notion, slackbot

    Left to do for 3 connectors:
      gmail, notion, slackbot: waiting for consent, asked for just now
        -> `connplan authorize gmail notion slackbot` resumes them
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Not interactive: no link was requested. Run `connplan authorize` in a terminal, on this machine or, with `--receipt FILE`, on another.
    ");
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
    reads!(printed);
    assert!(!printed.stderr.contains("ticket="), "{printed}");
    // Nobody to ask, and nothing decided beforehand: it ends at once.
    reads!(desk.run(&["authorize"]).lacks("ticket="), @"
    exit 4: connplan authorize
    Summary:
      Skipped: gmail, notion, slackbot

    Left to do for 3 connectors:
      gmail, notion, slackbot: waiting for consent, asked for just now
        -> `connplan authorize gmail notion slackbot` resumes them
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Not interactive: no link was requested. Run `connplan authorize` in a terminal, on this machine or, with `--receipt FILE`, on another. Without a terminal, `--yes --print-links` prints the links here and waits.
    ");
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
    reads!(runner.run(&["authorize", "--list"]), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ gmail waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
          expected: o***@example.com
      ~ notion waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
      ~ slackbot waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize
    --- stderr
    warning: FOLDER/state/apps/APP/pending.toml could be read by others; it is private now
    ");
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
