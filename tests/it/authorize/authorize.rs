//! `authorize`, through the binary: from anywhere, all at once, and nothing that was not approved.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use connplan::sandbox::Decision;
use serde_json::json;

use super::{ADA, NOTHING, applied};
use crate::support::{Connector, Output, Platform, Project, follow, reads, result};

/// Runs the binary, and does something while it waits.
fn meanwhile(project: &Project, args: &[&str], act: impl FnOnce()) -> Output {
    let mut command = project.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // It acts once everything has its link, however slow the machine is just now.
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let mut stderr = String::new();
    for line in said.by_ref() {
        let line = line.unwrap();
        let waits = line.starts_with("Waiting for ");
        stderr.push_str(&line);
        stderr.push('\n');
        if waits {
            act();
            break;
        }
    }
    let rest = thread::spawn(move || said.map(|line| line.unwrap() + "\n").collect::<String>());
    let ended = child.wait_with_output().unwrap();
    stderr.push_str(&rest.join().unwrap());
    Output {
        command: args.join(" "),
        code: ended.status.code(),
        stdout: String::from_utf8(ended.stdout).unwrap(),
        stderr,
    }
}

const WAIT: [&str; 3] = ["authorize", "--yes", "--no-browser"];

/// The digest that a saved receipt states.
fn digest(receipt: &str) -> String {
    let line = receipt
        .lines()
        .find_map(|line| line.strip_prefix("digest = "));
    line.unwrap().trim_matches('"').to_owned()
}

fn puts(platform: &Platform) -> Vec<String> {
    let mut writes = platform.writes();
    writes.sort();
    writes
}

const BOTH: [&str; 2] = [
    "PUT external-auth/integrations/linear",
    "PUT external-auth/integrations/slack",
];

#[test]
fn the_list_is_a_gate() {
    let (platform, project) = applied();
    reads!(project.run(&["authorize", "--list"]), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ linear waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
      ~ slack waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize
    ");
    let json = project.run(&["authorize", "--list", "--format", "json"]);
    json.expect(4);
    let report = json.json();
    assert_eq!(report["format_version"], "1.0");
    assert_eq!(result(&report, "slack")["state"], "pending");
    assert_eq!(
        result(&report, "slack")["scopes"],
        json!(["chat:write", "users:read"])
    );
    let since = result(&report, "slack")["since"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        since.len(),
        "2026-01-02T03:04:05Z".len(),
        "to the second: {since}"
    );
    assert_eq!(platform.writes(), NOTHING);
    platform.consent("slack", ADA);
    platform.consent("linear", ADA);
    project.run(&["authorize", "--list"]).expect(0);
    reads!(project.run(&["authorize", "--list"]), @"
    exit 0: connplan authorize --list
    Nothing is waiting for authorization in app app-1, as far as this machine knows.
    What another machine's apply left waiting is in its receipt: connplan authorize --receipt FILE
    ");
    project.run(&["authorize"]).expect(0);
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn where_nobody_is_there_it_says_what_is_pending_and_how_to_go_on() {
    let (platform, project) = applied();
    reads!(project.run(&["authorize"]), @"
    exit 4: connplan authorize
    Summary:
      Skipped: linear, slack

    Left to do for 2 connectors:
      linear, slack: waiting for consent, asked for just now
        -> `connplan authorize linear slack` resumes them
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Not interactive: no link was requested. Run `connplan authorize` in a terminal, on this machine or, with `--receipt FILE`, on another. Without a terminal, `--yes --print-links` prints the links here and waits.
    ");
    assert_eq!(project.opened(), NOTHING);
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn consent_that_comes_while_it_waits_is_seen() {
    let (platform, project) = applied();
    let output = meanwhile(&project, &WAIT, || {
        platform.consent("slack", ADA);
        platform.consent("linear", ADA);
    });
    // What is told on the way comes in any order.
    reads!(output.expect(0).stdout, @"
    CONNECTOR  ACCOUNT          GRANTED   TOOK
    linear     ada@example.com  2 scopes  SOME s
    slack      ada@example.com  2 scopes  SOME s

    Summary:
      Added: linear, slack
    ");
    assert_eq!(
        puts(&platform),
        BOTH,
        "each link is asked for when it is shown"
    );
    assert_eq!(project.opened(), NOTHING);
    reads!(project.run(&["plan"]).lacks("left out"), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    assert!(!project.read_state("pending.toml").contains("slack"));
}

#[test]
fn consent_that_came_before_is_seen_at_once() {
    let (platform, project) = applied();
    platform.consent("slack", ADA);
    platform.consent("linear", ADA);
    let output = project.run(&["authorize", "--format", "json"]);
    output.expect(0);
    assert_eq!(result(&output.json(), "slack")["state"], "granted");
    assert_eq!(result(&output.json(), "slack")["account"], ADA);
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn a_declined_one_gets_a_fresh_link_by_the_same_put() {
    let (platform, project) = applied();
    let output = meanwhile(&project, &WAIT, || {
        platform.decide("slack", Decision::Deny);
        platform.consent("linear", ADA);
    });
    reads!(output.expect(4).stdout, @"
    CONNECTOR  ACCOUNT          GRANTED   TOOK
    linear     ada@example.com  2 scopes  SOME s

    Summary:
      Added: linear
      Failed: slack - authorization failed

    Left to do for 1 connector:
      slack: declined, or the link expired, or somebody else is authorizing it too; still pending
        -> unless somebody else is authorizing it, look at what it asks for, run `connplan authorize slack` again and approve all of it
    ");
    reads!(project.run(&["authorize", "--list"]).lacks("linear"), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ slack waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize
    ");
    platform.forget();
    let output = meanwhile(&project, &WAIT, || platform.consent("slack", ADA));
    output.expect(0);
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/slack"]);
    let listed = platform.listed("slack").unwrap();
    assert_eq!(
        listed["scopes"],
        json!(["chat:write", "identify", "users:read"])
    );
}

#[test]
fn a_link_that_ran_out_is_renewed() {
    let (platform, project) = applied();
    platform.behave(&json!({ "late_links_fail": true }));
    platform.advance(3600);
    let output = meanwhile(&project, &WAIT, || {
        platform.consent("slack", ADA);
        platform.consent("linear", ADA);
    });
    output.expect(0);
    assert_eq!(platform.writes().len(), 2);
}

#[test]
fn a_partial_grant_is_not_done() {
    let (platform, project) = applied();
    platform.consent("linear", ADA);
    let output = meanwhile(&project, &WAIT, || {
        platform.consent_to_some("slack", ADA, &["chat:write"]);
    });
    reads!(output);
    let again = project.run(&["authorize", "--list", "--format", "json"]);
    again.expect(4);
    // It waits still, as `status` and `--list` say; a note tells what is left.
    let plan = project.run(&["plan", "--format", "json"]).json();
    let slack = plan["apps"][0]["changes"][1].clone();
    assert_eq!(slack["action"], "no-op", "{slack:#}");
    assert_eq!(slack["authorization"], "pending", "{slack:#}");
    assert_eq!(slack["dropped"], json!(["users:read"]), "{slack:#}");
    reads!(project.run(&["plan", "--detailed-exitcode"]), @"
    exit 0: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    Waiting for authorization (nothing is written again):
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write
            users:read  list workspace members (without email) · read

    1 connector unchanged.

    note: slack: the last consent did not grant users:read. If somebody unticked it, `connplan authorize slack` asks again. If the platform does not grant it, nothing can be done; after `connplan authorize --forget slack` the plan shows it as a change again

    No changes to make. 1 connector waits for authorization: run `connplan authorize`.
    ");
    // Whoever looks sees that it is not whole, and what to do.
    reads!(project.run(&["status", "--detailed-exitcode"]), @"
    exit 0: connplan status --detailed-exitcode
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE  SCOPES  PENDING   ACCOUNT
    linear     yes       active  2       -         ada@example.com
    slack      yes       active  1 of 2  just now  ada@example.com

    1 connector needs attention:
      connplan authorize slack
    ");
    let status = project.run(&["status", "--format", "json"]).json();
    let slack = &status["apps"][0]["connectors"][1];
    assert_eq!(slack["next"], "connplan authorize", "{slack:#}");
    assert!(slack["pending_since"].is_string(), "{slack:#}");
    let done = meanwhile(&project, &WAIT, || platform.consent("slack", ADA));
    done.expect(0);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
    project
        .run(&["status"])
        .expect(0)
        .lacks(" of 2")
        .lacks("attention");
}

#[test]
fn a_partial_grant_says_in_json_what_is_missing() {
    let (platform, project) = applied();
    platform.consent("linear", ADA);
    platform.consent_to_some("slack", ADA, &["chat:write"]);
    let output = project.run(&["authorize", "--format", "json"]);
    output.expect(4);
    let slack = result(&output.json(), "slack").clone();
    assert_eq!(slack["state"], "partial");
    assert_eq!(slack["missing"], json!(["users:read"]));
    assert_eq!(slack["account"], ADA);
    // The file takes it back, and it breaks: what works by a consent is repaired. Nobody wants more of it any more.
    let breaks = |scopes| {
        project.declare("slack", scopes);
        platform.set(&Connector {
            status: "expired",
            ..Connector::active("slack", &["chat:write"])
        });
        platform.forget();
        project.run(&["authorize", "--yes", "--print-links", "--timeout", "1s"])
    };
    breaks(&["chat:write", "channels:read"]).says("Left alone: slack");
    assert_eq!(platform.writes(), NOTHING);
    breaks(&["chat:write"]).expect(4).lacks("Left alone");
    assert!(!platform.writes().is_empty());
}

#[test]
fn another_account_than_before_is_reported() {
    let platform = Platform::with(&[Connector::active("slack", &["chat:write"])]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write", "users:read"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let output = meanwhile(&project, &WAIT, || {
        platform.consent("slack", "grace@example.com");
    });
    reads!(output);
}

#[test]
fn the_wrong_account_is_not_done() {
    // Whom it is to be says the file, or the policy.
    let policy = "[policy]\naccounts = { slack = \"ops@example.com\" }\n";
    for (file, settings) in [(", \"account\": \"ops@example.com\"", ""), ("", policy)] {
        let platform = Platform::start();
        let file = format!("{{ \"type\": \"slack\", \"scopes\": [\"chat:write\"]{file} }}");
        let project = Project::new()
            .at(&platform)
            .file("base44/connectors/slack.jsonc", &file)
            .file("base44/connplan.toml", settings);
        project.run(&["apply", "--auto-approve"]).expect(0);
        let output = meanwhile(&project, &WAIT, || platform.consent("slack", ADA));
        output.expect(4).says(ADA).says("ops@example.com");
        let list = project.run(&["authorize", "--list"]);
        list.expect(4).says("ops@example.com");
    }
}

#[test]
fn time_runs_out_and_nothing_is_lost() {
    let (platform, project) = applied();
    let began = Instant::now();
    let output = project.run(&[&WAIT[..], &["--timeout", "1s"]].concat());
    output.tells("Waiting at most 1s; `--timeout` changes that.");
    reads!(output.expect(4).stdout, @"
    Summary:
      Failed: linear - authorization timed out
      Failed: slack - authorization timed out

    Left to do for 2 connectors:
      linear, slack: timed out: nobody consented in time; still pending
        -> run `connplan authorize linear slack` again; with `--timeout 30m` there is more time to consent
    ");
    assert!(began.elapsed() < Duration::from_secs(8));
    assert_eq!(platform.links().len(), 2, "the links work still");
    project.run(&["authorize", "--list"]).expect(4);
    platform.consent("slack", ADA);
    platform.consent("linear", ADA);
    project.run(&["authorize"]).expect(0);
}

#[test]
fn what_expired_or_was_disconnected_is_repaired_without_a_plan() {
    let platform = Platform::with(&[
        Connector {
            status: "expired",
            ..Connector::active("slack", &["chat:write", "identify"])
        },
        Connector {
            status: "disconnected",
            ..Connector::active("notion", &[])
        },
        // No file declares it; other scopes are declared; nobody ever applied it.
        Connector {
            status: "expired",
            ..Connector::active("github", &["repo"])
        },
        Connector {
            status: "expired",
            ..Connector::active("linear", &["read"])
        },
    ]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .connector("notion", &[])
        .connector("linear", &["read", "write"])
        .connector("asana", &[]);
    reads!(project.run(&["authorize", "--list"]).lacks("asana").lacks("github"), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ notion needs a person's consent again
      ~ slack needs a person's consent again

    Next: connplan authorize
    ");
    assert_eq!(platform.writes(), NOTHING);
    let output = meanwhile(&project, &WAIT, || {
        platform.consent("slack", ADA);
        platform.consent("notion", ADA);
    });
    output.expect(0);
    let mut writes = platform.writes();
    writes.sort();
    assert_eq!(
        writes,
        [
            "PUT external-auth/integrations/notion",
            "PUT external-auth/integrations/slack"
        ]
    );
    project.run(&["status"]).expect(0);
    // That somebody consented is history, although no apply had asked; and it is told once.
    project.run(&WAIT).expect(0);
    let history = project.run(&["history", "--format", "json"]).json();
    let events = history["apps"][0]["events"].as_array().unwrap();
    let consents = events
        .iter()
        .filter_map(|event| event["connectors"].as_array());
    let consents: Vec<_> = consents.flatten().map(|of| &of["connector"]).collect();
    assert_eq!(consents, ["notion", "slack"], "{history}");
}

#[test]
fn what_no_apply_created_is_never_created() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    project.run(&["authorize"]).expect(0);
    project.run(&WAIT).expect(0);
    project.run(&["authorize", "--list"]).expect(0);
    reads!(project.run(&["authorize", "slack", "--yes", "--no-browser"]), @"
    exit 1: connplan authorize slack --yes --no-browser
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: slack does not wait for authorization
      help: `connplan authorize --list` shows what waits; `connplan plan` shows what is not applied yet
      code: connplan::usage
    ");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn only_those_that_are_named() {
    let (platform, project) = applied();
    platform.behave(&json!({ "late_links_fail": true }));
    platform.advance(3600);
    let output = meanwhile(
        &project,
        &["authorize", "slack", "--yes", "--no-browser"],
        || {
            platform.consent("slack", ADA);
        },
    );
    output.expect(0).lacks("linear");
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/slack"]);
    reads!(project.run(&["authorize", "--list"]), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ linear waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize
    ");
    project.run(&["authorize", "--list", "slack"]).expect(0);
    reads!(project.run(&["authorize", "nosuch"]), @"
    exit 1: connplan authorize nosuch
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: nosuch does not wait for authorization
      help: waiting: linear (`connplan authorize --list` tells more); `connplan plan` shows what is not applied yet
      code: connplan::usage
    ");
    project.run(&["authorize", "Sl@ck"]).expect(1);
}

#[test]
fn another_machine_resumes_by_the_receipt() {
    let (platform, project) = applied();
    let receipt = project.read("x.receipt");
    let digest = digest(&receipt);
    let vouched = |args: &[&str]| {
        let words = ["--receipt", "x.receipt", "--expect-digest", &digest];
        let words = args.iter().copied().chain(words);
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let elsewhere = Project::nowhere().at(&platform).file("x.receipt", &receipt);
    // Outside a project no file stands against a forged one.
    let ended = elsewhere.run(&["authorize", "--receipt", "x.receipt", "--yes"]);
    reads!(ended.tells(&digest), @"
    exit 1: connplan authorize --receipt x.receipt --yes
    --- stderr
    error: outside a project, no connector file confirms what a receipt asks for
      help: give `--expect-digest` with the digest that `connplan apply` printed; this receipt's is sha256:DIGEST
      code: connplan::usage
    ");
    let other = format!("sha256:{}", "0".repeat(64));
    let wrong = [
        "authorize",
        "--receipt",
        "x.receipt",
        "--expect-digest",
        &other,
    ];
    reads!(elsewhere.run(&wrong), @"
    exit 3: connplan authorize --receipt x.receipt --expect-digest sha256:DIGEST
    --- stderr
    error: this is not the expected receipt: sha256:DIGEST was expected, this is sha256:DIGEST
      help: nothing was asked for; get the receipt from the apply that you trust
      code: connplan::plan::other_receipt
    ");
    let json = elsewhere.run_all(&vouched(&["authorize", "--format", "json"]));
    json.expect(4);
    assert_eq!(
        result(&json.json(), "linear")["scopes"],
        json!(["read", "write"])
    );
    assert_eq!(platform.writes(), NOTHING);
    // Without the receipt, this machine knows of nothing: every advice names it.
    reads!(elsewhere.run(&["authorize", "--list", "--receipt", "x.receipt"]), @"
    exit 4: connplan authorize --list --receipt x.receipt
    App app-1 at http://HOST
      ~ linear waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
      ~ slack waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize --receipt x.receipt --expect-digest DIGEST
    ");
    let with = format!("--receipt x.receipt --expect-digest {digest}`");
    let ended = elsewhere.run_all(&vouched(&["authorize"]));
    ended
        .says(&format!(
            "`connplan authorize linear slack {with} resumes them"
        ))
        .tells(&format!("Run `connplan authorize {with} in a terminal"));
    reads!(ended, @"
    exit 4: connplan authorize --receipt x.receipt --expect-digest sha256:DIGEST
    Summary:
      Skipped: linear, slack

    Left to do for 2 connectors:
      linear, slack: waiting for consent, asked for just now
        -> `connplan authorize linear slack --receipt x.receipt --expect-digest sha256:DIGEST` resumes them
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Not interactive: no link was requested. Run `connplan authorize --receipt x.receipt --expect-digest sha256:DIGEST` in a terminal. Without a terminal, `--yes --print-links` prints the links here and waits.
    ");
    let next = result(&json.json(), "linear")["next"].clone();
    assert_eq!(
        next,
        format!("`connplan authorize linear {with} resumes it")
    );
    reads!(elsewhere.run_with_input(&["authorize", "--list", "--receipt", "-"], &receipt), @"
    exit 4: connplan authorize --list --receipt -
    App app-1 at http://HOST
      ~ linear waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
      ~ slack waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize --receipt FILE --expect-digest DIGEST
    ");
    reads!(elsewhere.run(&["authorize", "--list", "--app-id", "app-1"]), @"
    exit 0: connplan authorize --list --app-id app-1
    Nothing is waiting for authorization in app app-1, as far as this machine knows.
    What another machine's apply left waiting is in its receipt: connplan --app-id app-1 authorize --receipt FILE
    ");
    let vouched = vouched(&WAIT);
    let words: Vec<_> = vouched.iter().map(String::as_str).collect();
    let output = meanwhile(&elsewhere, &words, || {
        platform.consent("slack", ADA);
        platform.consent("linear", ADA);
    });
    output.expect(0);
    assert_eq!(puts(&platform), BOTH);
    // Here, it is known to be done; and from the receipt there is nothing left.
    project.run(&["authorize"]).expect(0);
    elsewhere.run_all(&vouched).expect(0);
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    ");
}

#[test]
fn a_receipt_is_bound_to_its_app_and_address() {
    let (platform, project) = applied();
    let output = project.run(&["authorize", "--receipt", "x.receipt", "--app-id", "app-2"]);
    reads!(output.lacks("plan is for"), @"
    exit 3: connplan authorize --receipt x.receipt --app-id app-2
    --- stderr
    error: the file is for app app-1, this is app app-2
      help: check `--app-id`, `--env`, BASE44_APP_ID and .app.jsonc
      code: connplan::plan::other_app
    ");
    let other = Platform::start();
    project
        .run_vars(
            &[
                ("BASE44_API_URL", other.url()),
                ("BASE44_API_KEY", other.key()),
            ],
            &["authorize", "--receipt", "x.receipt"],
        )
        .expect(3)
        .lacks("the plan");
    assert_eq!(other.requests(), NOTHING);
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn what_somebody_changed_since_is_not_touched() {
    let (platform, project) = applied();
    platform.set(&Connector::active(
        "slack",
        &["chat:write", "users:read", "admin"],
    ));
    let elsewhere = Project::nowhere()
        .at(&platform)
        .file("x.receipt", &project.read("x.receipt"));
    let digest = digest(&project.read("x.receipt"));
    let output = elsewhere.run(&[
        "authorize",
        "--receipt",
        "x.receipt",
        "--expect-digest",
        &digest,
        "--yes",
        "--no-browser",
        "--timeout",
        "0s",
        "slack",
    ]);
    reads!(output, @"
    exit 4: connplan authorize --receipt x.receipt --expect-digest sha256:DIGEST --yes --no-browser --timeout 0s slack
    Summary:
      Left alone: slack - somebody else changed it since it was asked for: it has scopes that were not approved (admin); plan again, or, if the provider adds them by itself, list them in connplan.toml: `[providers.slack] adds`
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
    assert_eq!(platform.writes(), NOTHING);
    // The files have moved on: other scopes than were approved are not asked for.
    project.declare("linear", &["read", "write", "admin"]);
    project
        .run(&[
            "authorize",
            "--yes",
            "--no-browser",
            "--timeout",
            "0s",
            "linear",
        ])
        .expect(4);
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn the_browser_is_given_every_link_at_once() {
    let (platform, project) = applied();
    let output = meanwhile(&project, &["authorize", "--yes"], || {
        // The command line holds an address that works once.
        let mut opened: Vec<_> = project.opens(2).iter().map(|at| follow(at)).collect();
        opened.sort();
        let mut links: Vec<_> = platform.links().into_iter().map(|(_, link)| link).collect();
        links.sort();
        assert_eq!(opened, links);
        platform.consent("slack", ADA);
        platform.consent("linear", ADA);
    });
    output.expect(0).lacks("ticket=");
}

#[cfg(unix)]
#[test]
fn signals_end_the_wait_and_keep_what_is_pending() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (platform, project) = applied();
        let mut command = project.command(&WAIT);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // Not before it waits: until then there is nothing to end.
        let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
        let waits = said.by_ref().map(Result::unwrap);
        assert!({ waits }.any(|line| line.starts_with("Waiting for ")));
        let rest = thread::spawn(move || said.for_each(drop));
        let kill = std::process::Command::new("kill")
            .args(["-s", signal, &child.id().to_string()])
            .status()
            .unwrap();
        assert!(kill.success());
        let ended = child.wait_with_output().unwrap();
        rest.join().unwrap();
        assert_eq!(ended.status.code(), Some(code), "{ended:?}");
        platform.consent("slack", ADA);
        platform.consent("linear", ADA);
        project.run(&WAIT).expect(0);
    }
}

#[test]
fn a_link_that_ran_out_with_the_time_was_not_declined() {
    let (_platform, project) = applied();
    let project = project.var("__CONNPLAN_TEST_LINK_MS", "100");
    let waits = [&WAIT[..], &["--timeout", "2s"]].concat();
    reads!(project.run(&waits).expect(4).lacks("declined").stdout, @"
    Summary:
      Failed: linear - authorization timed out
      Failed: slack - authorization timed out

    Left to do for 2 connectors:
      linear, slack: timed out: nobody consented in time; still pending
        -> run `connplan authorize linear slack` again; with `--timeout 30m` there is more time to consent
    ");
    reads!(project.run(&["authorize", "--list"]), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ linear waiting for consent, asked for just now
          asked for by plan sha256:DIGEST
      ~ slack waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize
    ");
}

#[test]
fn what_was_created_is_added_whoever_finished_it() {
    let (platform, project) = applied();
    platform.consent("slack", ADA);
    platform.consent("linear", ADA);
    reads!(project.run(&["authorize", "--receipt", "x.receipt"]), @"
    exit 0: connplan authorize --receipt x.receipt
    CONNECTOR  ACCOUNT          GRANTED   TOOK
    linear     ada@example.com  2 scopes  -
    slack      ada@example.com  2 scopes  -

    Summary:
      Added: linear, slack
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
}

#[test]
fn without_a_question_it_is_said_all_the_same_what_is_asked_for_and_where() {
    let (platform, project) = applied();
    let output = project.run(&[&WAIT[..], &["--timeout", "2s"]].concat());
    reads!(output.tells(&format!("of app app-1 at {}", platform.url())));
}

const OPEN: &str = "if its link was opened, that one works for a few minutes more";

#[test]
fn what_no_file_declares_is_told_everywhere_and_waits_until_somebody_gives_it_up() {
    let (platform, project) = applied();
    platform.consent("linear", ADA);
    project.undeclare("slack");
    let told = format!("slack: no file declares it any more; {OPEN}");
    let plan = project.run(&["plan"]);
    let gives_up = "`connplan authorize --forget slack` gives it up";
    reads!(plan.tells(&format!("{told}; {gives_up}.")), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    --- stderr
    slack: no file declares it any more; if its link was opened, that one works for a few minutes more; `connplan authorize --forget slack` gives it up.
    ");
    // A note is no part of a plan.
    let plan = project.run(&["plan", "--format", "json"]);
    plan.expect(0);
    assert!(!plan.stdout.contains("slack"), "{}", plan.stdout);
    reads!(project.run(&["apply", "--auto-approve"]).tells(&told), @"
    exit 0: connplan apply --auto-approve
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    App app-1 at http://HOST

    Nothing to apply, 1 connector: 1 unchanged.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    slack: no file declares it any more; if its link was opened, that one works for a few minutes more.
    ");
    reads!(project.run(&["authorize", "--list"]).lacks("Next:"), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ! slack: no file declares it any more; if its link was opened, that one works for a few minutes more
          asked for just now
          asked for by plan sha256:DIGEST
          `connplan authorize --forget slack` gives it up
    ");
    let output = project.run(&["status"]);
    reads!(output.says(&format!("{told}; {gives_up}.")), @"
    exit 0: connplan status
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE  SCOPES  PENDING   ACCOUNT
    linear     yes       active  2       -         ada@example.com
    slack      no        absent  0       just now  -

    slack: no file declares it any more; if its link was opened, that one works for a few minutes more; `connplan authorize --forget slack` gives it up.
    ");
    let status = project.run(&["status", "--format", "json"]).json();
    let rows = status["connectors"].as_array().unwrap();
    let slack = rows.iter().find(|row| row["connector"] == "slack").unwrap();
    assert_eq!(
        (&slack["declared"], &slack["remote"], &slack["next"]),
        (&json!(false), &json!("absent"), &json!(""))
    );
    assert!(slack["pending_since"].is_string(), "{slack}");
    reads!(project.run(&["authorize"]).lacks("Failed").lacks("Left to do"), @"
    exit 0: connplan authorize
    CONNECTOR  ACCOUNT  GRANTED     TOOK
    slack      -        left alone  -

    slack: no file declares it any more; if its link was opened, that one works for a few minutes more; `connplan authorize --forget slack` gives it up.

    Summary:
      Left alone: slack
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
    // Back on the branch that declares it, it waits as before.
    project.declare("slack", &["chat:write", "users:read"]);
    let list = project.run(&["authorize", "--list", "--format", "json"]);
    assert_eq!(result(&list.expect(4).json(), "slack")["state"], "pending");
    project.undeclare("slack");
    project.run(&["authorize", "--forget", "slack"]).expect(0);
    assert!(!project.read_state("pending.toml").contains("slack"));
    assert!(!project.run(&["plan"]).stderr.contains("slack"));
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn one_that_is_left_alone_hides_none_that_waits() {
    let (platform, project) = applied();
    project.undeclare("slack");
    let json = project.run(&["authorize", "--format", "json"]);
    let report = json.expect(4).json();
    assert_eq!(result(&report, "slack")["state"], "untouched");
    assert_eq!(report["summary"], json!({ "granted": 0, "pending": 1 }));
    // The receipt tells of it still; nobody wants it.
    project.run(&["authorize", "--forget", "slack"]).expect(0);
    platform.consent("linear", ADA);
    reads!(project.run(&["authorize", "--receipt", "x.receipt"]), @"
    exit 0: connplan authorize --receipt x.receipt
    CONNECTOR  ACCOUNT          GRANTED   TOOK
    linear     ada@example.com  2 scopes  -

    Summary:
      Added: linear
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    warning: the receipt says that slack waits, but it was given up at TIME: by this receipt it waits no more
    ");
    project.declare("asana", &[]);
    project.run(&["push", "--yes"]).lacks("slack");
}

#[test]
fn a_push_says_what_it_leaves_alone() {
    let (_platform, project) = applied();
    project.undeclare("slack");
    let output = project.run(&["push", "--yes"]);
    reads!(output.tells(&format!("slack: no file declares it any more; {OPEN}.")), @"
    exit 4: connplan push --yes
    Summary:
      Skipped: linear
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Found 1 connectors to push: linear
    App app-1 at http://HOST

    Waiting for authorization (nothing is written again):
        linear                base44/connectors/linear.jsonc
            read   read everything the user can see; always included · read
            write  change everything the user can change · write

    No changes to make. 1 connector waits for authorization.
    slack: no file declares it any more; if its link was opened, that one works for a few minutes more.
    Skipped OAuth in non-interactive mode. Run `connplan authorize` in a terminal to complete it.
    ");
    assert!(project.read_state("pending.toml").contains("slack"));
}
