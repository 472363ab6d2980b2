//! In a terminal: questions, keys, links.
#![cfg(unix)]

use crate::support::{Connector, Platform, Project, Pty, reads};

const NOTHING: [&str; 0] = [];
const ADA: &str = "ada@example.com";
const WAITS: &str = "Waiting for slack. Esc skips slack, Ctrl-C ends";

fn slack() -> (Platform, Project) {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    (platform, project)
}

fn applied() -> (Platform, Project) {
    let (platform, project) = slack();
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.forget();
    (platform, project)
}

#[test]
fn only_yes_is_yes() {
    let (platform, project) = slack();
    for answer in ["y", "Yes", "no", "", "yes please"] {
        let mut terminal = Pty::start(&project, &["apply"]);
        terminal.wait_for("Only 'yes' is accepted: ").line(answer);
        let (code, seen) = terminal.end();
        assert_eq!(code, 1, "{answer:?}: {seen}");
        assert!(seen.contains("cancelled"), "{seen}");
    }
    let mut terminal = Pty::start(&project, &["apply"]);
    terminal.wait_for("Only 'yes' is accepted: ").control('d');
    assert_eq!(terminal.end().0, 1, "the end of the input is no yes");
    let mut terminal = Pty::start(&project, &["apply"]);
    terminal.wait_for("Only 'yes' is accepted: ").control('c');
    assert_eq!(terminal.end().0, 130);
    assert_eq!(platform.writes(), NOTHING);
    let mut terminal = Pty::start(&project, &["apply"]);
    terminal.wait_for("+ chat:write");
    terminal.wait_for("Only 'yes' is accepted: ").line("yes");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/slack"]);
}

#[test]
fn while_somebody_thinks_the_app_may_change() {
    let (platform, project) = slack();
    let mut terminal = Pty::start(&project, &["apply"]);
    terminal.wait_for("Only 'yes' is accepted: ");
    platform.set(&Connector::active("slack", &["admin"]));
    platform.forget();
    terminal.line("yes");
    let (code, seen) = terminal.end();
    assert_eq!(code, 3, "{seen}");
    let moved = "slack: connector was not there, is there";
    assert!(seen.contains(moved), "{seen}");
    assert_eq!(platform.writes(), NOTHING);

    // What it does not touch does not matter to it, and is told.
    let (platform, project) = slack();
    let mut terminal = Pty::start(&project, &["apply"]);
    terminal.wait_for("Only 'yes' is accepted: ");
    platform.set(&Connector::active("github", &["repo"]));
    platform.forget();
    terminal.line("yes");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    let told = "github: it was added since the plan was made";
    assert!(seen.contains(told), "{seen}");
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/slack"]);
}

#[test]
fn nothing_to_do_is_not_asked_for() {
    let (_platform, project) = applied();
    let (code, seen) = Pty::start(&project, &["apply"]).end();
    assert_eq!(code, 0, "{seen}");
    let (code, seen) = Pty::start(&project, &["plan"]).end();
    assert_eq!(code, 0, "{seen}");
}

#[test]
fn a_saved_plan_is_not_asked_about() {
    let (_platform, project) = slack();
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let (code, seen) = Pty::start(&project, &["apply", "x.plan"]).end();
    assert_eq!(code, 0, "{seen}");
    assert!(!seen.contains("ticket="), "apply shows no link: {seen}");
}

#[test]
fn the_page_is_shown_and_opened_and_consent_ends_the_wait() {
    let (platform, project) = applied();
    let mut terminal = Pty::start(&project, &["authorize"]);
    terminal
        .wait_for("Open browser to authorize now? [Y/n] ")
        .line("");
    terminal.wait_for(WAITS).wait_for_keys();
    platform.consent("slack", ADA);
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen}");
    assert!(seen.contains("Added: slack"), "{seen}");
    let pages = project.opens(1);
    assert_eq!(pages.len(), 1, "{pages:?}");
    // What is shown can be opened by hand; what the browser was given works once.
    let (_, once) = pages[0].split_once("/once/").expect(&pages[0]);
    assert!(!seen.contains(once), "{seen}");
    let (_, shown) = seen.split_once("on one page, for you alone:").expect(&seen);
    assert!(
        shown.trim_start().starts_with("http://127.0.0.1:"),
        "{seen}"
    );
    assert!(!seen.contains("ticket="), "links are on the page: {seen}");
}

#[test]
fn no_is_no_and_loses_nothing() {
    let (platform, project) = applied();
    let mut terminal = Pty::start(&project, &["authorize"]);
    terminal
        .wait_for("Open browser to authorize now?")
        .line("n");
    let (code, seen) = terminal.end();
    assert_eq!(code, 4, "{seen}");
    assert_eq!(project.opened(), NOTHING);
    assert_eq!(platform.writes(), NOTHING);
    project.run(&["authorize", "--list"]).expect(4);
}

#[test]
fn no_browser_shows_the_link_alone() {
    let (platform, project) = applied();
    let mut terminal = Pty::start(&project, &["authorize", "--no-browser", "--yes"]);
    terminal.wait_for("ticket=").wait_for_keys();
    platform.consent("slack", ADA);
    assert_eq!(terminal.end().0, 0);
    assert_eq!(project.opened(), NOTHING);
}

#[test]
fn esc_skips_and_puts_the_terminal_back() {
    let (_platform, project) = applied();
    let mut terminal = Pty::start(&project, &["authorize", "--yes"]);
    terminal.wait_for(WAITS).wait_for_keys();
    // An arrow key begins with Esc, and is none.
    terminal.press("\u{1b}[A").press("q");
    std::thread::sleep(std::time::Duration::from_millis(250));
    assert!(!terminal.is_line_by_line(), "it waits still");
    terminal.press("\u{1b}");
    terminal.wait_for("Skipped: slack");
    let (code, seen) = terminal.end();
    assert_eq!(code, 4, "{seen}");
    reads!(project.run(&["authorize", "--list"]), @"
    exit 4: connplan authorize --list
    App app-1 at http://HOST
      ~ slack waiting for consent, asked for just now
          asked for by plan sha256:DIGEST

    Next: connplan authorize
    ");
}

#[test]
fn ctrl_c_ends_the_wait_and_puts_the_terminal_back() {
    let (platform, project) = applied();
    let mut terminal = Pty::start(&project, &["authorize", "--yes"]);
    terminal.wait_for(WAITS).wait_for_keys().control('c');
    // It says how things stand before it ends, with the terminal as it was.
    terminal.wait_for("still pending: slack");
    assert!(terminal.is_line_by_line());
    let (code, seen) = terminal.end();
    assert_eq!(code, 130, "{seen}");
    platform.consent("slack", ADA);
    project.run(&["authorize"]).expect(0);
}

#[test]
fn ctrl_c_at_a_question_ends_it() {
    let (platform, project) = applied();
    let mut terminal = Pty::start(&project, &["authorize"]);
    terminal
        .wait_for("Open browser to authorize now?")
        .control('c');
    let (code, seen) = terminal.end();
    assert_eq!(code, 130, "{seen}");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn the_claim_link_is_shown_to_a_person() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).connector("stripe", &[]);
    let (code, seen) = Pty::start(&project, &["apply", "--auto-approve"]).end();
    assert_eq!(code, 0, "{seen}");
    let claim = platform.stripe_status()["sandbox_claim_url"].clone();
    let claim = claim.as_str().unwrap_or_default();
    assert!(!claim.is_empty() && seen.contains(claim), "{claim}: {seen}");
    for args in [&["status"][..], &["authorize"]] {
        let (code, seen) = Pty::start(&project, args).end();
        assert_eq!(code, 0, "{seen}");
        assert!(seen.contains(claim), "{args:?}: {seen}");
        project.run(args).lacks(claim);
    }
}

#[test]
fn no_link_where_errors_go_to_a_file() {
    let (_platform, project) = applied();
    let mut command = project.command(&["authorize", "--yes", "--no-browser", "--timeout", "0s"]);
    let log = std::fs::File::create(project.path("log")).unwrap();
    command.stderr(log);
    let ended = command.output().unwrap();
    assert_eq!(ended.status.code(), Some(4), "{ended:?}");
    assert!(!project.read("log").contains("ticket="));
}

/// Everybody reads the browser's command line. The address in it is for this user alone, whichever
/// version of IP somebody else's socket is of.
#[cfg(target_os = "linux")]
#[test]
fn another_user_does_not_come_through_the_door() {
    use std::{os::unix::process::CommandExt, process::Command};
    let (_platform, project) = applied();
    let mut terminal = Pty::start(&project, &["authorize", "--yes"]);
    terminal.wait_for(WAITS).wait_for_keys();
    let page = project.opens(1).pop().unwrap();
    let (host, door) = page
        .trim_start_matches("http://")
        .split_once('/')
        .expect(&page);
    let (_, port) = host.split_once(':').expect(host);
    // Only root becomes somebody else; a test of anybody else sees that it is let in itself.
    let ask = |address: &str, user: Option<u32>| {
        let script = format!(
            "exec 3<>/dev/tcp/{address}/{port} && printf 'GET /{door} HTTP/1.1\\r\\nHost: {host}\\r\\n\
             Connection: close\\r\\n\\r\\n' >&3 && head -n 1 <&3"
        );
        let mut bash = Command::new("/bin/bash");
        bash.args(["-c", &script]).current_dir("/");
        if let Some(user) = user {
            bash.uid(user).gid(user);
        }
        let ended = bash.output();
        ended.map(|ended| String::from_utf8_lossy(&ended.stdout).into_owned())
    };
    for address in ["127.0.0.1", "::ffff:127.0.0.1"] {
        if let Ok(answer) = ask(address, Some(65_534)) {
            assert!(answer.starts_with("HTTP/1.1 403"), "{address}: {answer}");
        }
    }
    let answer = ask("::ffff:127.0.0.1", None).unwrap();
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    terminal.line("q");
}
