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
