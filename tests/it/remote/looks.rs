//! How things look: in a terminal and in a pipe, narrow, dumb, without colour, with Windows' line
//! ends.
#![cfg(unix)]

use std::time::Duration;

use connplan::sandbox::Options;

use crate::{
    sandbox::client::Site,
    support::{Connector, Platform, Project, Pty, reads},
};

fn shop() -> (Platform, Project) {
    let platform = Platform::with(&[
        Connector::active("slackbot", &["chat:write"]),
        Connector::active("notion", &[]),
    ]);
    let project = Project::new()
        .at(&platform)
        .connector("slackbot", &["chat:write", "users:read"]);
    (platform, project)
}

/// Runs through a terminal of this size, which has it before the program starts.
fn in_terminal(project: &Project, columns: u16, args: &[&str]) -> (i32, String) {
    Pty::sized(project, 24, columns, args).end()
}

#[test]
fn a_narrow_terminal_gets_paragraphs_and_a_pipe_whole_lines() {
    let (_platform, project) = shop();
    let project = project.var("NO_COLOR", "1");
    let (code, shown) = in_terminal(&project, 44, &["status"]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("slackbot\r\n  declared: yes\r\n"), "{shown}");
    assert!(
        shown.contains("  connplan plan\r\n      notion, slackbot\r\n"),
        "{shown}"
    );
    let (_, wide) = in_terminal(&project, 120, &["status"]);
    assert!(wide.contains("CONNECTOR  DECLARED  REMOTE"), "{wide}");
    let (_, usual) = in_terminal(&project, 80, &["status"]);
    assert!(usual.contains("CONNECTOR  DECLARED  REMOTE"), "{usual}");
    let piped = project.run(&["status"]);
    reads!(piped, @"
    exit 0: connplan status
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE  SCOPES       PENDING  ACCOUNT
    notion     no        active  0            -        ada@example.com
    slackbot   yes       active  1 (file: 2)  -        ada@example.com

    2 connectors need attention:
      connplan plan
          notion, slackbot
    ");

    let (_, list) = in_terminal(&project, 60, &["list-available"]);
    assert!(list.contains("snowflake"), "{list}");
    assert!(
        list.lines().all(|line| line.chars().count() <= 60),
        "{list}"
    );
    for args in [&["plan"][..], &["doctor"], &["pull", "--dry-run"]] {
        let (code, shown) = in_terminal(&project, 40, args);
        assert!(code <= 1 && !shown.is_empty(), "{shown}");
    }
}

#[test]
fn a_dumb_terminal_gets_no_escapes() {
    let (_platform, project) = shop();
    let project = project.var("TERM", "dumb");
    for args in [
        &["status"][..],
        &["plan"],
        &["doctor"],
        &["pull", "--dry-run"],
        &["-h"],
    ] {
        let (_, shown) = in_terminal(&project, 80, args);
        assert!(!shown.contains('\u{1b}'), "{args:?}: {shown:?}");
    }
    // Nothing to choose from with arrows: no scopes, and a word on it.
    let (code, shown) = in_terminal(&project, 80, &["add", "linear"]);
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("linear, without scopes"), "{shown}");
}

#[test]
fn scopes_are_chosen_from_a_list() {
    let (_platform, project) = shop();
    let mut terminal = Pty::start(&project, &["add", "linear"]);
    terminal.wait_for("Scopes of linear: a part of the name");
    terminal
        .line("nothing is named so")
        .wait_for("Nothing matches.")
        // Where nothing matched, Enter alone ends.
        .wait_for("Scopes of linear: a part of the name");
    terminal.line("issue").wait_for("[ ]");
    terminal.wait_for_keys().press(" ");
    terminal.wait_for("[x]").wait_for_keys().press("\r");
    terminal
        .wait_for("Selected: issues:create")
        .wait_for("Scopes of linear: a part of the name")
        .line("");
    let (code, shown) = terminal.end();
    assert_eq!(code, 0, "{shown}");
    assert!(shown.contains("linear, with 1 scope."), "{shown}");
    assert!(shown.contains("\u{1b}[?25h"), "the cursor comes back");
    let text = project.read("base44/connectors/linear.jsonc");
    assert!(text.contains("\"scopes\": [\n"), "{text}");
    // Esc gives up where letters are typed, too.
    let mut terminal = Pty::start(&project, &["add", "gmail"]);
    terminal.wait_for("Scopes of gmail: a part of the name");
    terminal.wait_for_keys().press("\u{1b}");
    let (code, shown) = terminal.end();
    assert_eq!(code, 1, "{shown}");
    assert!(shown.contains("no scopes were chosen"), "{shown}");
}

#[test]
fn a_given_up_list_leaves_the_terminal_as_it_was() {
    let (_platform, project) = shop();
    let mut terminal = Pty::start(&project, &["add"]);
    terminal.wait_for("Connector").wait_for("airtable");
    terminal.wait_for_keys().control('c');
    let (code, shown) = terminal.end();
    assert_eq!(code, 130, "{shown}");
    assert!(
        shown.contains("\u{1b}[?25h"),
        "the cursor comes back: {shown}"
    );
}

#[test]
fn files_are_removed_after_a_question() {
    let (_platform, project) = shop();
    project.declare("linear", &[]);
    let pull = ["pull", "--prune"];
    // What is dangerous takes the whole word.
    for answer in ["", "y"] {
        let mut terminal = Pty::start(&project, &pull);
        terminal.wait_for("base44/connectors/linear.jsonc?");
        terminal.wait_for("Only 'yes' is accepted: ").line(answer);
        let (code, shown) = terminal.end();
        assert_eq!(code, 1, "{shown}");
        assert!(shown.contains("Nothing was written."), "{shown}");
    }
    let text = project.read("base44/connectors/linear.jsonc");
    let mut terminal = Pty::start(&project, &pull);
    terminal.wait_for("Only 'yes' is accepted: ").line("yes");
    assert_eq!(terminal.end().0, 0);
    assert!(text.contains("linear"));
    let left = project.run(&["validate"]);
    reads!(left, @"
    exit 0: connplan validate
    Valid. 2 connectors in base44/connectors: notion, slackbot
    ");
}

#[tokio::test]
async fn what_takes_long_shows_that_it_goes_on() {
    let site = Site::with(Options {
        latency: Some(Duration::from_millis(600)),
        ..Options::default()
    })
    .await;
    let (url, key) = (
        site.sandbox.api_url().to_owned(),
        site.sandbox.api_key().expose().to_owned(),
    );
    let shown = tokio::task::spawn_blocking(move || {
        let project = Project::new().at_url(&url, &key);
        let seen = Pty::start(&project, &["status"]).end();
        let logged = Pty::start(&project, &["-v", "status"]).end();
        (seen, logged, project.run(&["status"]))
    });
    let ((code, seen), (_, logged), piped) = shown.await.unwrap();
    assert_eq!(code, 0, "{seen}");
    let (before, after) = seen.rsplit_once("Reading the app").expect(&seen);
    assert!(!before.contains("No connectors"), "{seen}");
    assert!(after.contains("\u{1b}[2K"), "the line goes again: {seen:?}");
    assert!(!logged.contains("Reading the app"), "{logged}");
    assert!(piped.stderr.is_empty(), "{}", piped.stderr);
}

#[test]
fn windows_line_ends_stay_and_change_nothing() {
    let platform = Platform::with(&[Connector::active("slackbot", &["chat:write", "users:read"])]);
    let project = Project::new().at(&platform);
    let unix = "{\n  \"type\": \"slackbot\", // us\n  \"scopes\": [\n    \"chat:write\"\n  ]\n}\n";
    project.write("base44/connectors/s.jsonc", unix);
    let one = project.run(&["pull"]);
    one.expect(0);
    let unix_pulled = project.read("base44/connectors/s.jsonc");
    project.write("base44/connectors/s.jsonc", &unix.replace('\n', "\r\n"));
    let two = project.run(&["pull"]);
    two.expect(0);
    let windows_pulled = project.read("base44/connectors/s.jsonc");
    assert_eq!(windows_pulled, unix_pulled.replace('\n', "\r\n"));
    let lines = |out: &str| out.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&one.stdout), lines(&two.stdout));
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
}
