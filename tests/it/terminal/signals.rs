//! Ctrl-C, SIGTERM, a terminal that goes, a pipe that closes; and two connplans in one project.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    support::scripted::{Reply, Scripted},
    support::{APP, Project, reads},
};

const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn route(method: &str, rest: &str) -> String {
    format!("{method} /api/apps/{APP}/{rest}")
}

pub(super) fn put_of(connector: &str) -> String {
    route("PUT", &format!("external-auth/integrations/{connector}"))
}

/// A platform on which nothing is yet, and where each PUT takes so long.
fn slow(time: Duration) -> Scripted {
    let server = Scripted::start();
    let list = Reply::json(200, &json!({ "integrations": [] }));
    let stripe = Reply::json(
        200,
        &json!({"stripe_mode": null, "sandbox_claim_url": null}),
    );
    server.on(&route("GET", "external-auth/list"), [list]);
    server.on(&route("GET", "payments/stripe/status"), [stripe]);
    for connector in ["box", "notion"] {
        let answer = json!({"redirect_url": format!("https://{connector}.example/o"),
            "connection_id": format!("c-{connector}"), "already_authorized": false});
        server.on(&put_of(connector), [Reply::json(200, &answer).delay(time)]);
    }
    server
}

fn project(server: &Scripted) -> Project {
    let project = Project::new()
        .at_url(&server.url(), "b44k_key")
        .connector("box", &["a"])
        .connector("notion", &["b"]);
    project.run(&["plan", "--out", "saved.plan"]).expect(0);
    project
}

const APPLY: [&str; 6] = [
    "apply",
    "saved.plan",
    "--parallelism",
    "1",
    "--receipt",
    "saved.receipt",
];

pub(super) fn start(project: &Project, args: &[&str]) -> Child {
    let mut command = project.command(args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

pub(super) fn signal(child: &Child, name: &str) {
    let line = format!("kill -{name} {}", child.id());
    assert!(
        Command::new("sh")
            .args(["-c", &line])
            .status()
            .unwrap()
            .success()
    );
}

pub(super) fn until(what: &str, mut happens: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happens() {
        assert!(begun.elapsed() < PATIENCE, "it never happens: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Exit code, standard output, standard error.
pub(super) fn end(child: Child) -> (Option<i32>, String, String) {
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, err) = (text(output.stdout), text(output.stderr));
    assert!(!err.contains("panicked"), "{err}");
    let code = output.status.code();
    if matches!(code, Some(129 | 130 | 143)) {
        is_told_once(&err);
    }
    (code, out, err)
}

/// Of what was and was not done.
fn is_told_once(err: &str) {
    let told = err.lines().filter(|line| {
        line.starts_with("Stopped at once: ")
            || (line.starts_with("Interrupted: ") && !line.contains("nothing new is started"))
    });
    assert_eq!(told.count(), 1, "said once what was done: {err}");
}

pub(super) fn outcomes(project: &Project) -> Vec<(String, String)> {
    let shown = project.run(&["show", "saved.receipt", "--format", "json"]);
    shown.expect(0);
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let json = shown.json();
    let results = json["apps"][0]["results"].as_array().unwrap().iter();
    results
        .map(|r| (word(&r["connector"]), word(&r["outcome"])))
        .collect()
}

pub(super) fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
    expected.iter().map(owned).collect()
}

#[test]
fn the_first_signal_lets_what_is_under_way_finish() {
    for (name, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let server = slow(Duration::from_millis(400));
        let project = project(&server);
        let child = start(&project, &APPLY);
        until("the first PUT", || server.hits(&put_of("box")) == 1);
        signal(&child, name);
        let (ended, _, err) = end(child);
        assert_eq!(ended, Some(code), "{name}: {err}");
        assert!(err.contains("nothing new is started"), "{err}");
        assert_eq!(server.hits(&put_of("notion")), 0, "nothing new starts");
        let expected = pairs(&[("box", "pending"), ("notion", "not_run")]);
        assert_eq!(outcomes(&project), expected, "{name}");
        // The same command goes on, and does nothing twice.
        project
            .run(&APPLY)
            .expect(0)
            .tells("Continuing where an earlier run");
        assert_eq!(server.hits(&put_of("box")), 1);
        let expected = pairs(&[("box", "pending"), ("notion", "pending")]);
        assert_eq!(outcomes(&project), expected, "{name}");
        project.run(&APPLY).expect(0).tells("already applied");
        assert_eq!(server.hits(&put_of("notion")), 1);
    }
}

#[test]
fn the_second_signal_ends_at_once() {
    let server = slow(Duration::from_secs(30));
    let project = project(&server);
    let child = start(&project, &APPLY);
    until("the first PUT", || server.hits(&put_of("box")) == 1);
    signal(&child, "INT");
    // Two at the same time would be one.
    thread::sleep(Duration::from_millis(100));
    let begun = Instant::now();
    signal(&child, "TERM");
    let (ended, _, err) = end(child);
    assert_eq!(ended, Some(143), "{err}");
    assert!(begun.elapsed() < Duration::from_secs(10), "it waited");
    assert!(err.contains("may have been done"), "{err}");
}

/// What is under way is waited for as long as for any answer, and not tried again.
#[test]
fn what_never_finishes_does_not_keep_an_interrupted_run() {
    let server = slow(Duration::ZERO);
    let project = project(&server).var("__CONNPLAN_TEST_READ_TIMEOUT_MS", "1000");
    server.on(&put_of("box"), [Reply::hang()]);
    let child = start(&project, &APPLY);
    until("the first PUT", || server.hits(&put_of("box")) == 1);
    signal(&child, "INT");
    let (ended, _, err) = end(child);
    assert_eq!(ended, Some(130), "{err}");
    assert_eq!(
        server.hits(&put_of("box")),
        1,
        "it is not tried again: {err}"
    );
    assert_eq!(server.hits(&put_of("notion")), 0, "nothing new starts");
    let expected = pairs(&[("box", "failed"), ("notion", "not_run")]);
    assert_eq!(outcomes(&project), expected);
    // The same command looks, and goes on.
    server.on(&put_of("box"), [Reply::json(200, &json!({
        "redirect_url": "https://box.example/o", "connection_id": "c", "already_authorized": false
    }))]);
    reads!(project.run(&APPLY), @"
    exit 0: connplan apply saved.plan --parallelism 1 --receipt saved.receipt
    App app-1 at http://HOST

    Waiting for authorization: box, notion

    Applied, 2 connectors: 2 waiting for authorization.
    Next: connplan authorize --receipt saved.receipt --expect-digest sha256:DIGEST

    Plan: sha256:DIGEST
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Continuing where an earlier run of this plan stopped.
      ! box waiting for authorization
      ! notion waiting for authorization
    ");
    let expected = pairs(&[("box", "pending"), ("notion", "pending")]);
    assert_eq!(outcomes(&project), expected);
}

#[test]
fn a_reader_that_goes_is_no_panic() {
    let server = slow(Duration::ZERO);
    let project = project(&server);
    for args in [
        &["plan"][..],
        &["validate"],
        &["show", "saved.plan"],
        &["apply", "saved.plan"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let mut child = start(&project, args);
        // Closed before anything is written.
        drop(child.stdout.take());
        let (_, _, err) = end(child);
        assert!(!err.contains("Broken pipe"), "{args:?}: {err}");
    }
    // Nobody at either end.
    let mut child = start(&project, &["plan"]);
    drop((child.stdout.take(), child.stderr.take()));
    assert!(child.wait().unwrap().code().is_some(), "no signal ended it");
}

#[test]
fn the_second_of_two_is_told_who_is_at_work_and_since_when() {
    let server = slow(Duration::from_secs(2));
    let project = project(&server).var("USER", "ada");
    let first = start(&project, &APPLY);
    until("the first PUT", || server.hits(&put_of("box")) == 1);
    let second = project.run(&["apply", "saved.plan"]);
    reads!(second, @"
    exit 1: connplan apply saved.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: another connplan is running for this app: connplan apply, ada, process ID, started just now
      help: wait for it to end, or give `--lock-timeout 2m`; the lock (FOLDER/state/apps/APP/lock) frees itself when its process ends
      code: connplan::fs::locked
    ");
    second.tells(&format!("apply, ada, process {}, started ", first.id()));
    reads!(project.run(&["authorize"]), @"
    exit 1: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: another connplan is running for this app: connplan apply, ada, process ID, started just now
      help: wait for it to end, or give `--lock-timeout 2m`; the lock (FOLDER/state/apps/APP/lock) frees itself when its process ends
      code: connplan::fs::locked
    ");
    // One that waits gets its turn, and finds the work done.
    reads!(project.run(&["apply", "saved.plan", "--lock-timeout", "30s"]), @"
    exit 0: connplan apply saved.plan --lock-timeout 30s
    App app-1 at http://HOST

    Waiting for authorization: box, notion

    Applied before, 2 connectors: 2 waiting for authorization.
    Next: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Waiting for another connplan: connplan apply, ada, process ID, started just now
    This plan was already applied. Nothing was written.
    ");
    assert_eq!(end(first).0, Some(0));
    assert_eq!(server.hits(&put_of("box")), 1);
}

#[test]
fn who_waits_for_the_lock_hears_signals() {
    let server = slow(Duration::ZERO);
    let project = project(&server);
    let app = connplan::model::App {
        id: connplan::model::AppId::parse(APP).unwrap(),
        api_url: connplan::model::ApiUrl::parse(&server.url()).unwrap(),
        environment: None,
    };
    let state = connplan::state::StateFolder::at(&project.state_folder()).app(&app);
    let held = state.lock(Duration::ZERO, "somebody\u{1b}[2J").unwrap();
    let mut child = start(&project, &["apply", "saved.plan", "--lock-timeout", "1h"]);
    // Who has not begun to listen is ended by the system.
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut err = String::new();
    while !err.contains("Waiting for another connplan") {
        assert!(said.read_line(&mut err).unwrap() > 0, "it waits: {err}");
    }
    let begun = Instant::now();
    signal(&child, "INT");
    said.read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{err}");
    is_told_once(&err);
    assert!(begun.elapsed() < Duration::from_secs(10), "it waited");
    assert!(
        err.contains("somebody") && !err.contains('\u{1b}'),
        "{err:?}"
    );
    drop(held);
    assert_eq!(server.hits(&put_of("box")), 0);
}

/// What computes or waits for the system looks at no signal; here for a reader of the plan that does not read.
#[test]
fn an_apply_that_is_stuck_before_it_writes_is_ended() {
    let server = slow(Duration::ZERO);
    let scopes: Vec<_> = (0..9000).map(|n| format!("scope-of-box-{n}")).collect();
    let scopes: Vec<_> = scopes.iter().map(String::as_str).collect();
    let project = Project::new()
        .at_url(&server.url(), "b44k_key")
        .connector("box", &scopes);
    let stuck = |args: &[&str]| {
        let mut child = start(&project, args);
        let mut shown = child.stdout.take().unwrap();
        // That much goes into a pipe: it is stuck then.
        let _ = shown.read_exact(&mut [0; 1]);
        (child, shown)
    };
    thread::scope(|both| {
        both.spawn(|| {
            let (child, _shown) = stuck(&["apply", "--yes"]);
            signal(&child, "TERM");
            let (ended, _, err) = end(child);
            assert_eq!(ended, Some(143), "{err}");
        });
        let (child, _shown) = stuck(&["apply", "--yes", "--max-time", "1s"]);
        let (ended, _, err) = end(child);
        assert_eq!(ended, Some(1), "{err}");
    });
    assert_eq!(server.hits(&put_of("box")), 0);
}

/// The last moment in which an apply looks for a signal lies before it reads the app again.
#[test]
fn a_signal_while_the_app_is_read_back_is_told_too() {
    for args in [&APPLY[..], &["push", "--yes"]] {
        let server = slow(Duration::ZERO);
        let project = project(&server);
        let list = Reply::json(200, &json!({ "integrations": [] }));
        let quick = server.hits(&route("GET", "external-auth/list"));
        server.on(
            &route("GET", "external-auth/list"),
            [list.delay(Duration::from_millis(300))],
        );
        let child = start(&project, args);
        // One to look, one after the writes.
        let looks = quick + if args[0] == "push" { 3 } else { 2 };
        until("the look after the writes", || {
            server.hits(&put_of("notion")) == 1
                && server.hits(&route("GET", "external-auth/list")) >= looks
        });
        signal(&child, "TERM");
        let (ended, _, err) = end(child);
        assert_eq!(ended, Some(143), "{args:?}: {err}");
        assert!(
            err.contains("2 of 2 changes carried out"),
            "{args:?}: {err}"
        );
    }
}

#[test]
fn an_interrupted_apply_without_changes_says_so() {
    let server = slow(Duration::ZERO);
    let project = project(&server);
    project.run(&APPLY).expect(0);
    let list = Reply::json(200, &json!({ "integrations": [] }));
    server.on(
        &route("GET", "external-auth/list"),
        [list.delay(Duration::from_millis(300))],
    );
    let child = start(&project, &["push", "--yes", "--format", "json"]);
    let before = server.hits(&route("GET", "external-auth/list"));
    until("its second look", || {
        server.hits(&route("GET", "external-auth/list")) >= before + 2
    });
    signal(&child, "TERM");
    let (ended, out, err) = end(child);
    assert_eq!(ended, Some(143), "{err}");
    assert!(serde_json::from_str::<Value>(&out).is_ok(), "{out}");
}

/// A `pull` that is killed between writing and placing leaves files that the next one takes away. Who
/// only looks takes nothing away.
#[test]
fn what_a_killed_pull_leaves_goes_with_the_next() {
    for (command, stays) in [
        (&["validate"][..], true),
        (&["plan"], true),
        (&["status"], true),
        (&["pull", "--dry-run"], true),
        (&["pull", "--yes"], false),
    ] {
        let server = slow(Duration::ZERO);
        let project = Project::new()
            .at_url(&server.url(), "b44k_key")
            .connector("box", &["a"]);
        let name = "base44/connectors/.connplan-0123456789abcdef.tmp";
        project.write(name, "{");
        project.run(command).expect(0);
        assert_eq!(project.path(name).exists(), stays, "{command:?}");
    }
}
