//! The cases that the platform's rules brought up: through the binary, with the sandbox's rules on.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    io::{BufRead, BufReader},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

use super::{ADA, NOTHING};
use crate::support::{Platform, Project, change, reads, result};

const GRACE: &str = "grace@example.com";

/// The token of a person of the sandbox.
fn token(platform: &Platform, user: &str) -> String {
    let told = platform.call("GET", "/sandbox/admin/tokens", None).json();
    let tokens = told["tokens"].as_array().unwrap();
    let fits = |t: &&Value| t["user"] == user && t["access"] == "full";
    let found = tokens.iter().find(fits);
    found.unwrap()["token"].as_str().unwrap().to_owned()
}

/// The same project at somebody's desk.
fn of(project: Project, platform: &Platform, user: &str) -> Project {
    project
        .at(platform)
        .without_var("BASE44_API_KEY")
        .var("BASE44_ACCESS_TOKEN", &token(platform, user))
}

fn statuses(platform: &Platform) -> Vec<(String, i64)> {
    let log = platform.call("GET", "/sandbox/admin/requests", None).json();
    let log = log["requests"].as_array().unwrap();
    let entry = |r: &Value| {
        let path = r["path"].as_str().unwrap().to_owned();
        (path, r["status"].as_i64().unwrap_or_default())
    };
    log.iter().map(entry).collect()
}

#[test]
fn twelve_wait_for_one_person_within_the_limits() {
    // A minute is three seconds, for the sandbox and for the client.
    let platform = Platform::fast(json!({ "settings": { "limits": {} } }), 20);
    let project = Project::new()
        .at(&platform)
        .var("__CONNPLAN_TEST_MINUTE_MS", "3000")
        .var("__CONNPLAN_TEST_POLL_MS", "100");
    let names: Vec<_> = (0..12).map(|n| format!("type-{n:02}")).collect();
    for name in &names {
        project.declare(name, &["a.read"]);
    }
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.forget();
    let began = Instant::now();
    let mut command = project.command(&["authorize", "--yes", "--no-browser", "--timeout", "60s"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("Waiting for ")));
    let rest = thread::spawn(move || said.for_each(drop));
    for name in &names {
        platform.consent(name, ADA);
        thread::sleep(Duration::from_millis(250));
    }
    let last = Instant::now();
    let ended = child.wait().unwrap();
    let (lag, all) = (last.elapsed(), began.elapsed());
    rest.join().unwrap();
    assert!(ended.success(), "{ended:?}");
    assert!(
        lag < Duration::from_secs(3),
        "{lag:?} after the last consent"
    );
    let requests = statuses(&platform);
    let refused: Vec<_> = requests
        .iter()
        .filter(|(_, status)| *status == 429)
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    let lists = requests.iter().filter(|(path, _)| path.ends_with("/list"));
    let minutes = all.as_secs_f64() / 3.0;
    let allowed = 30.0 * minutes.ceil() + 1.0;
    let lists = u32::try_from(lists.count()).unwrap();
    assert!(
        f64::from(lists) <= allowed,
        "{lists} in {minutes:.1} minutes"
    );
}

#[test]
fn what_a_pipeline_applied_as_one_person_another_consents_to_from_the_receipt() {
    let platform = Platform::seeded(json!({ "settings": { "strict_keys": true, "limits": {} } }));
    let night = of(Project::new(), &platform, ADA)
        .var("CI", "true")
        .connector("slackbot", &["chat:write"]);
    let apply = ["apply", "--auto-approve", "--receipt", "x.receipt"];
    night.run(&apply).expect(0);
    // Next morning, every link of the night is long dead.
    platform.advance(9 * 3600);
    let morning = of(Project::new(), &platform, GRACE)
        .connector("slackbot", &["chat:write"])
        .file("x.receipt", &night.read("x.receipt"));
    let mut command = morning.command(&[
        "authorize",
        "--receipt",
        "x.receipt",
        "--yes",
        "--no-browser",
        "--format",
        "json",
    ]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("Waiting for ")));
    let rest = thread::spawn(move || said.for_each(drop));
    platform.consent("slackbot", GRACE);
    let ended = child.wait_with_output().unwrap();
    rest.join().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let report: Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(result(&report, "slackbot")["state"], "granted");
    assert_eq!(result(&report, "slackbot")["account"], GRACE);
    // The pipeline sees it by the list: nothing stays pending for ever.
    night.run(&["authorize", "--list"]).expect(0);
    night.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn where_all_is_in_force_a_second_persons_apply_writes_nothing() {
    let owned = json!({ "scopes": ["chat:write"], "account": ADA, "owner": ADA });
    let apps = json!({ "app-1": { "connectors": { "slackbot": owned } } });
    let platform = Platform::seeded(json!({ "apps": apps }));
    let second = of(Project::new(), &platform, GRACE).connector("slackbot", &["chat:write"]);
    second.run(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(platform.writes(), NOTHING);
}

/// A project that wants what the platform drops.
fn wants_more(platform: &Platform) -> Project {
    Project::new()
        .at(platform)
        .connector("slackbot", &["chat:write", "users:read.email"])
}

/// One that applied, and was consented to.
fn dropped() -> (Platform, Project) {
    let dropped = json!({ "slackbot": ["users:read.email"] });
    let platform = Platform::seeded(json!({ "settings": { "dropped_scopes": dropped } }));
    let project = wants_more(&platform);
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.consent("slackbot", ADA);
    (platform, project)
}

#[test]
fn a_scope_that_the_platform_drops_is_reported_once_and_then_a_note() {
    let (platform, project) = dropped();
    reads!(project.run(&["authorize"]), @"
    exit 4: connplan authorize
    CONNECTOR  ACCOUNT          GRANTED        TOOK
    slackbot   ada@example.com  1 of 2 scopes  -

    Summary:
      Failed: slackbot - not granted: users:read.email

    Left to do for 1 connector:
      slackbot: 1 scope not granted
          - users:read.email
              see members' email addresses (needs users:read too) · read
        -> run `connplan authorize slackbot` again and grant every scope on the consent page
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Not interactive: no link was requested. Run `connplan authorize` in a terminal, on this machine or, with `--receipt FILE`, on another. Without a terminal, `--yes --print-links` prints the links here and waits.
    ");
    for _ in 0..2 {
        let plan = project.run(&["plan", "--detailed-exitcode"]);
        plan.expect(0).says("No changes");
        let all = format!("{}{}", plan.stdout, plan.stderr);
        assert!(all.contains("users:read.email"), "{plan}");
    }
    platform.forget();
    project.run(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(platform.writes(), NOTHING);
    // Asked once more, the platform says that all is in force: then it is the platform that drops it.
    let again = [
        "authorize",
        "slackbot",
        "--yes",
        "--no-browser",
        "--print-links",
    ];
    reads!(project.run(&again));
    project.run(&["authorize", "--list"]).expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    // That can be taken back.
    project
        .run(&["authorize", "--forget", "slackbot"])
        .expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
}

/// Nobody ran `authorize`: looking is enough.
#[test]
fn a_scope_that_the_platform_drops_is_learnt_by_plan_and_by_apply() {
    let (platform, project) = dropped();
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    reads!(plan, @"
    exit 0: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    Waiting for authorization (nothing is written again):
        slackbot              base44/connectors/slackbot.jsonc
            chat:write        post messages (as the bot or as the user) · write
            users:read.email
              see members' email addresses (needs users:read too) · read

    note: slackbot: the last consent did not grant users:read.email. If somebody unticked it, `connplan authorize slackbot` asks again. If the platform does not grant it, nothing can be done; after `connplan authorize --forget slackbot` the plan shows it as a change again

    No changes to make. 1 connector waits for authorization: run `connplan authorize`.
    ");
    // Another machine knows nothing of it: its apply asks, and hears that all is in force.
    let other = wants_more(&platform);
    other.run(&["plan", "--detailed-exitcode"]).expect(2);
    reads!(other.run(&["apply", "--auto-approve"]));
    for _ in 0..2 {
        let plan = other.run(&["plan", "--detailed-exitcode"]);
        plan.expect(0).says("users:read.email");
    }
    other.run(&["authorize", "--list"]).expect(0);
}

/// The same where a person consents on another machine, from the receipt of a pipeline; and where a
/// second person applies what that one holds.
#[test]
fn a_scope_that_the_platform_drops_is_learnt_from_a_receipt_and_by_a_second_person() {
    let dropped = json!({ "slackbot": ["users:read.email"] });
    let platform = Platform::seeded(json!({ "settings": { "dropped_scopes": dropped } }));
    let pipeline = of(wants_more(&platform), &platform, ADA);
    let receipt = pipeline.path("ci.receipt").display().to_string();
    pipeline
        .run(&["apply", "--auto-approve", "--receipt", &receipt])
        .expect(0);
    let grace = of(wants_more(&platform), &platform, GRACE);
    platform.consent("slackbot", GRACE);
    reads!(grace.run(&["authorize", "--receipt", &receipt]), @"
    exit 4: connplan authorize --receipt FOLDER/project/ci.receipt
    CONNECTOR  ACCOUNT            GRANTED        TOOK
    slackbot   grace@example.com  1 of 2 scopes  -

    Summary:
      Failed: slackbot - not granted: users:read.email

    Left to do for 1 connector:
      slackbot: 1 scope not granted
          - users:read.email
              see members' email addresses (needs users:read too) · read
        -> run `connplan authorize slackbot --receipt FOLDER/project/ci.receipt` again and grant every scope on the consent page
    --- stderr
    Acting as grace@example.com, by BASE44_ACCESS_TOKEN.
    Not interactive: no link was requested. Run `connplan authorize --receipt FOLDER/project/ci.receipt` in a terminal. Without a terminal, `--yes --print-links` prints the links here and waits.
    ");
    for _ in 0..2 {
        let plan = grace.run(&["plan", "--detailed-exitcode"]);
        plan.expect(0).says("No changes").says("users:read.email");
    }
    // To the second person the platform says that the first one has just these scopes.
    let second = of(wants_more(&platform), &platform, ADA);
    reads!(second.run(&["apply", "--auto-approve"]));
    let plan = second.run(&["plan", "--detailed-exitcode"]);
    reads!(plan, @"
    exit 0: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    Without what the last consent left out (nothing is written again):
        slackbot              base44/connectors/slackbot.jsonc
            chat:write        post messages (as the bot or as the user) · write
            users:read.email
              see members' email addresses (needs users:read too) · read

    note: slackbot: the last consent did not grant users:read.email. If somebody unticked it, `connplan authorize slackbot` asks again. If the platform does not grant it, nothing can be done; after `connplan authorize --forget slackbot` the plan shows it as a change again

    No changes to make. The app lacks what the last consent left out.
    ");
}

#[test]
fn an_address_with_a_path_is_not_supported_and_said_to_be_so() {
    let output = Project::new()
        .connector("slack", &[])
        .at_url("https://127.0.0.1:1/prefix", "b44k_x")
        .run(&["plan"]);
    reads!(output.lacks("no such app"), @"
    exit 1: connplan plan
    --- stderr
    error: BASE44_API_URL is not usable: it has a path, `/prefix`, and a path is not supported; give scheme, host and port alone
      help: leave it out for https://app.base44.com, or set an address such as http://localhost:4400
      code: connplan::config::bad_api_url
    ");
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn three_thousand_additions_take_one_round_trip() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    for n in 0..3000 {
        project.declare(&format!("type-{n:04}"), &["a"]);
    }
    platform.forget();
    let plan = project.run(&["plan", "--format", "json"]).json();
    assert_eq!(plan["summary"]["create"], 3000);
    let requests = platform.requests();
    // Side by side, whatever their number of connectors: list, Stripe, policies, the offers.
    assert!(requests.len() <= 4, "{requests:#?}");
}

#[test]
fn a_takeover_that_is_authorized_anew_takes_over_again() {
    let owned = json!({ "scopes": ["chat:write"], "account": ADA, "owner": ADA });
    let apps = json!({ "app-1": { "connectors": { "slackbot": owned } } });
    let platform = Platform::seeded(json!({ "apps": apps }));
    let text = json!({ "type": "slackbot", "scopes": ["chat:write"], "account": GRACE });
    let second = of(Project::new(), &platform, GRACE)
        .file("base44/connectors/slackbot.jsonc", &text.to_string());
    second.run(&["apply", "--auto-approve"]).expect(0);
    // The link of the apply is dead by now.
    platform.advance(3600);
    platform.forget();
    let mut command = second.command(&["authorize", "--yes", "--no-browser"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(said.any(|line| line.unwrap().starts_with("Waiting for ")));
    let rest = thread::spawn(move || said.for_each(drop));
    assert_eq!(platform.writes(), ["POST external-auth/initiate"]);
    platform.consent("slackbot", GRACE);
    let ended = child.wait_with_output().unwrap();
    rest.join().unwrap();
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    assert_eq!(platform.listed("slackbot").unwrap()["user_email"], GRACE);
}

#[test]
fn an_unclaimed_stripe_sandbox_says_how_long_it_is_left() {
    let stripe = json!({ "mode": "sandbox", "age_days": 50 });
    let mut app = Map::new();
    app.insert("stripe".to_owned(), stripe);
    let platform = Platform::seeded(json!({ "apps": { "app-1": app } }));
    let project = Project::new()
        .at(&platform)
        .file("base44/connectors/stripe.jsonc", "{ \"type\": \"stripe\" }");
    for command in ["plan", "status"] {
        project
            .run(&[command])
            .expect(0)
            .tells("Nobody has claimed the Stripe sandbox: it expires in ")
            .tells(" days.");
    }
    // Somebody's own does not end.
    let path = "/sandbox/admin/apps/app-1/stripe";
    platform.call(
        "PUT",
        path,
        Some(json!({ "mode": "sandbox", "claimed": true })),
    );
    platform.advance(100 * 86_400);
    for command in ["plan", "status"] {
        project.run(&[command]).expect(0).lacks("expire");
    }
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn an_expired_stripe_sandbox_is_a_change_that_makes_a_new_one() {
    let stripe = json!({ "mode": "sandbox", "age_days": 61 });
    let platform = Platform::seeded(json!({ "apps": { "app-1": { "stripe": stripe } } }));
    let project = Project::new()
        .at(&platform)
        .file("base44/connectors/stripe.jsonc", "{ \"type\": \"stripe\" }");
    let plan = project.run(&["plan", "--detailed-exitcode", "--out", "x.plan"]);
    reads!(plan.lacks("expires in"), @"
    exit 2: connplan plan --detailed-exitcode --out x.plan
    App app-1 at http://HOST

    Symbols:  ~ change

      ~ stripe                base44/connectors/stripe.jsonc
          mode: sandbox
          nobody claimed the sandbox in time: it has expired, and a new one is provisioned
          authorization: none

    Plan: 0 to add, 1 to change, 0 to remove, 0 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply x.plan
    ");
    let json = project.run(&["plan", "--format", "json"]).json();
    let told = change(&json, "stripe");
    assert_eq!(told["action"], "update");
    assert_eq!(told["before"]["status"], "expired");
    let status = project.run(&["status", "--format", "json"]).json();
    assert_eq!(status["connectors"][0]["remote"], "expired");
    assert_eq!(platform.writes(), NOTHING);
    platform.forget();
    let applied = project.run(&[
        "apply",
        "x.plan",
        "--receipt",
        "x.receipt",
        "--format",
        "json",
    ]);
    let result = &applied.expect(0).json()["apps"][0]["results"][0];
    assert_eq!(
        (&result["action"], &result["outcome"], &result["mode"]),
        (&json!("update"), &json!("provisioned"), &json!("sandbox")),
    );
    assert_eq!(platform.writes(), ["POST payments/stripe/install"]);
    reads!(project.run(&["show", "x.receipt"]), @"
    exit 0: connplan show x.receipt
    App app-1 at http://HOST

    Provisioned: stripe (sandbox)

    Applied, 1 connector: 1 provisioned.

    Receipt: sha256:DIGEST
    Plan:    sha256:DIGEST
    ");
    reads!(project.run(&["plan", "--detailed-exitcode"]), @"
    exit 0: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    --- stderr
    Nobody has claimed the Stripe sandbox: it expires in SOME days.
    ");
    // Applied again, nothing is made twice.
    platform.forget();
    project.run(&["apply", "x.plan"]).expect(0);
    assert_eq!(platform.writes(), NOTHING);
}
