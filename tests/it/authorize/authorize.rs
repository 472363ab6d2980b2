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
use crate::support::{Connector, Output, Platform, Project, follow, result};

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
    let list = project.run(&["authorize", "--list"]);
    list.expect(4).says("linear").says("slack").says("sha256:");
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
    project
        .run(&["authorize", "--list"])
        .expect(0)
        .says("Nothing is waiting");
    project.run(&["authorize"]).expect(0);
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn where_nobody_is_there_it_says_what_is_pending_and_how_to_go_on() {
    let (platform, project) = applied();
    let output = project.run(&["authorize"]);
    output
        .expect(4)
        .says("linear")
        .says("slack")
        .tells("connplan authorize");
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
    output
        .expect(0)
        .says("slack")
        .says(ADA)
        .says("Added: linear, slack");
    assert_eq!(
        puts(&platform),
        BOTH,
        "each link is asked for when it is shown"
    );
    assert_eq!(project.opened(), NOTHING);
    project
        .run(&["plan"])
        .expect(0)
        .says("No changes. The app matches the connector files.")
        .lacks("left out");
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
    output.expect(4).says("Failed: slack");
    project
        .run(&["authorize", "--list"])
        .expect(4)
        .says("slack")
        .lacks("linear");
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
    output.expect(4).says("users:read").says("Failed: slack");
    let again = project.run(&["authorize", "--list", "--format", "json"]);
    again.expect(4);
    // It waits still, as `status` and `--list` say; a note tells what is left.
    let plan = project.run(&["plan", "--format", "json"]).json();
    let slack = plan["apps"][0]["changes"][1].clone();
    assert_eq!(slack["action"], "no-op", "{slack:#}");
    assert_eq!(slack["authorization"], "pending", "{slack:#}");
    assert_eq!(slack["dropped"], json!(["users:read"]), "{slack:#}");
    project
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .says("1 connector waits for authorization")
        .says("did not grant users:read");
    // Whoever looks sees that it is not whole, and what to do.
    project
        .run(&["status", "--detailed-exitcode"])
        .expect(0)
        .says("1 of 2")
        .says("connplan authorize slack");
    let status = project.run(&["status", "--format", "json"]).json();
    let slack = &status["apps"][0]["connectors"][1];
    assert_eq!(slack["next"], "connplan authorize", "{slack:#}");
    assert!(slack["pending_since"].is_string(), "{slack:#}");
    let done = meanwhile(&project, &WAIT, || platform.consent("slack", ADA));
    done.expect(0);
    project
        .run(&["plan"])
        .says("No changes. The app matches the connector files.");
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
    output.expect(0).says("grace@example.com").says(ADA);
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
    output
        .expect(4)
        .says("timed out")
        .tells("Waiting at most 1s; `--timeout` changes that.");
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
    project
        .run(&["authorize", "--list"])
        .expect(4)
        .says("slack")
        .says("notion")
        .lacks("asana")
        .lacks("github");
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
    let named = project.run(&["authorize", "slack", "--yes", "--no-browser"]);
    named.expect(1).tells("slack");
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
    project
        .run(&["authorize", "--list"])
        .expect(4)
        .says("linear");
    project.run(&["authorize", "--list", "slack"]).expect(0);
    project
        .run(&["authorize", "nosuch"])
        .expect(1)
        .tells("nosuch");
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
    elsewhere
        .run(&["authorize", "--list", "--receipt", "x.receipt"])
        .expect(4)
        .says("slack");
    elsewhere
        .run_with_input(&["authorize", "--list", "--receipt", "-"], &receipt)
        .expect(4)
        .says("slack");
    // Outside a project no file stands against a forged one.
    elsewhere
        .run(&["authorize", "--receipt", "x.receipt", "--yes"])
        .expect(1)
        .tells("--expect-digest")
        .tells(&digest);
    let other = format!("sha256:{}", "0".repeat(64));
    let wrong = [
        "authorize",
        "--receipt",
        "x.receipt",
        "--expect-digest",
        &other,
    ];
    elsewhere.run(&wrong).expect(3).tells("was expected");
    let json = elsewhere.run_all(&vouched(&["authorize", "--format", "json"]));
    json.expect(4);
    assert_eq!(
        result(&json.json(), "linear")["scopes"],
        json!(["read", "write"])
    );
    assert_eq!(platform.writes(), NOTHING);
    // Without the receipt, this machine knows of nothing: every advice names it.
    let list = elsewhere.run(&["authorize", "--list", "--receipt", "x.receipt"]);
    list.expect(4)
        .says("To go on: connplan authorize --receipt x.receipt --expect-digest DIGEST\n");
    let with = format!("--receipt x.receipt --expect-digest {digest}`");
    elsewhere
        .run_all(&vouched(&["authorize"]))
        .expect(4)
        .says(&format!(
            "`connplan authorize linear slack {with} resumes them"
        ))
        .tells(&format!("Run `connplan authorize {with} in a terminal"));
    let next = result(&json.json(), "linear")["next"].clone();
    assert_eq!(
        next,
        format!("`connplan authorize linear {with} resumes it")
    );
    elsewhere
        .run_with_input(&["authorize", "--list", "--receipt", "-"], &receipt)
        .says("To go on: connplan authorize --receipt FILE --expect-digest DIGEST\n");
    elsewhere
        .run(&["authorize", "--list", "--app-id", "app-1"])
        .expect(0)
        .says("Nothing is waiting for authorization in app app-1, as far as this machine knows.")
        .says("connplan --app-id app-1 authorize --receipt FILE");
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
    project
        .run(&["plan"])
        .says("No changes. The app matches the connector files.");
}

#[test]
fn a_receipt_is_bound_to_its_app_and_address() {
    let (platform, project) = applied();
    project
        .run(&["authorize", "--receipt", "x.receipt", "--app-id", "app-2"])
        .expect(3)
        .tells("is for app app-1, this is app app-2")
        .lacks("plan is for");
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
    output.expect(4).says("slack");
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
    let output = project.run(&waits);
    output
        .expect(4)
        .says("timed out: nobody consented in time")
        .lacks("declined");
    project
        .run(&["authorize", "--list"])
        .expect(4)
        .says("slack");
}

#[test]
fn what_was_created_is_added_whoever_finished_it() {
    let (platform, project) = applied();
    platform.consent("slack", ADA);
    platform.consent("linear", ADA);
    project
        .run(&["authorize", "--receipt", "x.receipt"])
        .expect(0)
        .says("Added: linear, slack");
}

#[test]
fn without_a_question_it_is_said_all_the_same_what_is_asked_for_and_where() {
    let (platform, project) = applied();
    let output = project.run(&[&WAIT[..], &["--timeout", "1s"]].concat());
    output
        .expect(4)
        .tells(&format!("of app app-1 at {}", platform.url()))
        .tells("users:read");
}

const OPEN: &str = "a link that was already opened still works for a few minutes";

#[test]
fn what_no_file_declares_any_more_is_told_everywhere_and_forgotten_without_failing() {
    let (platform, project) = applied();
    platform.consent("linear", ADA);
    project.undeclare("slack");
    let told = format!("slack: no file declares it any more; {OPEN}");
    let plan = project.run(&["plan"]);
    plan.expect(0)
        .says("No changes.")
        .tells(&format!("{told}; `connplan authorize` forgets it."));
    // A note is no part of a plan.
    let plan = project.run(&["plan", "--format", "json"]);
    plan.expect(0);
    assert!(!plan.stdout.contains("slack"), "{}", plan.stdout);
    project
        .run(&["apply", "--auto-approve"])
        .expect(0)
        .tells(&told);
    let list = project.run(&["authorize", "--list"]);
    list.expect(4)
        .says(OPEN)
        .says("`connplan authorize` forgets it")
        .lacks("To go on");
    project
        .run(&["status"])
        .expect(0)
        .says(&format!("{told}; `connplan authorize` forgets it."));
    let status = project.run(&["status", "--format", "json"]).json();
    let rows = status["connectors"].as_array().unwrap();
    let slack = rows.iter().find(|row| row["connector"] == "slack").unwrap();
    assert_eq!(
        (&slack["declared"], &slack["remote"], &slack["next"]),
        (
            &json!(false),
            &json!("absent"),
            &json!("connplan authorize")
        )
    );
    assert!(slack["pending_since"].is_string(), "{slack}");
    let authorized = project.run(&["authorize"]);
    authorized
        .expect(0)
        .says("left alone, forgotten")
        .says("Left alone: slack")
        .says(OPEN)
        .lacks("Failed")
        .lacks("Left to do");
    assert!(!project.read_state("pending.toml").contains("slack"));
    project.run(&["authorize", "--list"]).expect(0);
    assert!(!project.run(&["plan"]).stderr.contains("slack"));
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn one_that_is_forgotten_hides_none_that_waits() {
    let (platform, project) = applied();
    project.undeclare("slack");
    let json = project.run(&["authorize", "--format", "json"]);
    let report = json.expect(4).json();
    assert_eq!(result(&report, "slack")["state"], "untouched");
    assert_eq!(report["summary"], json!({ "granted": 0, "pending": 1 }));
    // The receipt tells of it still; nobody wants it.
    platform.consent("linear", ADA);
    project
        .run(&["authorize", "--receipt", "x.receipt"])
        .expect(0)
        .says("slack: left alone: no file declares it any more")
        .says("Added: linear");
    project.declare("asana", &[]);
    project.run(&["push", "--yes"]).lacks("slack");
}

#[test]
fn a_push_says_what_it_forgets() {
    let (_platform, project) = applied();
    project.undeclare("slack");
    project
        .run(&["push", "--yes"])
        .expect(4)
        .tells(&format!("slack: no file declares it any more; {OPEN}."));
    assert!(!project.read_state("pending.toml").contains("slack"));
}
