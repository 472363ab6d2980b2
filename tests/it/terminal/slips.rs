//! Where newcomers stumbled.

use crate::support::{Connector, Platform, Project, Pty, reads};

const SEND: &str = "https://www.googleapis.com/auth/gmail.send";

/// Two connectors wait, at an app that has a third.
fn waiting() -> (Platform, Project) {
    let platform = Platform::with(&[Connector::active("notion", &[])]);
    let project = Project::new()
        .at(&platform)
        .connector("gmail", &[SEND])
        .connector("notion", &[])
        .connector("slack", &["chat:write"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    (platform, project)
}

/// What somebody sees in so many columns, without the colours by which it was laid out.
fn seen(project: &Project, columns: u16, args: &[&str]) -> String {
    let (_, seen) = Pty::sized(project, 50, columns, args).end();
    console::strip_ansi_codes(&seen).into_owned()
}

#[test]
fn what_waits_is_laid_out_as_what_changes() {
    let (_platform, project) = waiting();
    let project = project.var("TERM", "dumb");
    reads!(seen(&project, 40, &["plan", "--color", "always"]));
    reads!(seen(
        &project,
        70,
        &["plan", "--color", "always", "--target", "notion"]
    ));
}

#[test]
fn targets_are_given_in_one_list_too() {
    let (_platform, project) = waiting();
    project.declare("slack", &["chat:write", "users:read"]);
    let apart = project.run(&["plan", "--target", "slack", "--target", "gmail"]);
    let listed = project.run(&["plan", "--target", "slack,gmail"]);
    assert_eq!(listed.expect(0).stdout, apart.expect(0).stdout);
}

#[test]
fn a_forbidden_plan_leads_nowhere() {
    let (_platform, project) = waiting();
    project.write(
        "base44/connplan.toml",
        "[policy]\ndenied_types = [\"slack\"]\n",
    );
    reads!(project.run(&["plan"]));
}

#[test]
fn an_ended_input_ends_its_line() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .var("TERM", "dumb")
        .connector("slack", &["chat:write"]);
    let mut terminal = Pty::start(&project, &["apply"]);
    terminal.wait_for("Only 'yes' is accepted: ").control('d');
    reads!(terminal.end().1);
}

#[test]
fn half_an_address_is_not_trusted() {
    reads!(Project::new().run(&["trust", "https:/foo.example"]));
}

/// A word may name a variable of the user's own, but only one that there is.
#[test]
fn a_word_that_names_nothing_is_not_trusted() {
    reads!(Project::new().run(&["trust", "foo"]));
}

#[test]
fn a_search_that_finds_nothing_says_where_to_look() {
    reads!(Project::new().run(&["scopes", "xyzzy"]));
}

#[test]
fn a_list_says_that_nothing_matches() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).var("TERM", "xterm");
    let mut terminal = Pty::sized(&project, 50, 40, &["add"]);
    terminal.wait_for("Connector: ").press("zx\n");
    terminal
        .wait_for("Nothing matches \"zx\"")
        .press("\n\u{7f}\u{7f}slackbt\n");
    terminal.wait_for("(Enter shows all, ").press("\u{1b}");
    reads!(console::strip_ansi_codes(&terminal.end().1).into_owned());
}

/// A Backspace that comes while the list is drawn is one of the list's keys, not an edit of a line.
#[test]
fn keys_pressed_while_a_list_is_drawn_are_kept() {
    let platform = Platform::start();
    let project = Project::new().at(&platform).var("TERM", "xterm");
    let mut terminal = Pty::sized(&project, 50, 40, &["add"]);
    terminal.wait_for("Connector: ").press("z");
    for _ in 0..12 {
        terminal.wait_for("Connector: z\r").press("x");
        terminal.wait_for("Nothing matches \"zx\"").press("\u{7f}");
    }
    terminal.wait_for("Connector: z\r").press("\u{1b}");
    assert_eq!(terminal.end().0, 1);
}

#[test]
fn what_never_was_a_plan_is_not_called_altered() {
    let (_platform, project) = waiting();
    std::fs::write(project.path("bytes.plan"), b"x\0\xff\xfe").unwrap();
    project.write("base44/connplan.toml", "# connplan's\n[plan\n");
    reads!(project.run(&["apply", "bytes.plan"]));
    reads!(project.run(&["show", "base44/connplan.toml"]));
    reads!(project.run(&["authorize", "--receipt", "bytes.plan"]));
}

#[test]
fn a_misspelt_word_gets_the_nearest() {
    let (_platform, project) = waiting();
    reads!(project.run(&["ad"]));
    reads!(project.run(&["plan", "--ouput", "x"]));
    reads!(project.run(&["plan", "--key"]));
    reads!(project.run(&["authorize", "slcak"]));
}

/// An address that was cut would not be found, so that nothing is cut where they are masked.
#[test]
fn a_line_is_cut_for_people_and_whole_where_addresses_are_masked() {
    let line = "{\"type\": \"slack\", \"scopes\": [], \"accont\": \"ops@example.com\", \"account\": \"operators\"}\n";
    let project = Project::new().file("base44/connectors/slack.jsonc", line);
    reads!(seen(&project, 40, &["validate"]));
    let project = project.var("CI", "true");
    reads!(seen(&project, 40, &["validate"]));
}

#[test]
fn an_approval_that_is_not_there_is_said_to_be() {
    let (_platform, project) = waiting();
    project.declare("slack", &["chat:write", "users:read"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    reads!(project.run(&["apply", "x.plan", "--approved-by", "x.plan.sig"]));
}
