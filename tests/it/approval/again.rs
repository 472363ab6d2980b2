//! `approve` of what was applied already, and into a file that holds something.

use super::command::signed;
use crate::support::{Connector, Platform, Project, Pty, reads};

#[test]
fn what_another_signer_gave_is_not_written_over() {
    let (_platform, project, keys) = signed();
    let [ann, eve] = ["ann", "eve"].map(|name| keys.path(name).display().to_string());
    let by_eve = ["approve", "x.plan", "--key", &eve];
    project.run(&by_eve).expect(0);
    // Whose signature does not count may be replaced, and one's own.
    let by_ann = ["approve", "x.plan", "--key", &ann];
    project.run(&by_ann).expect(0);
    project.run(&by_ann).expect(0);
    let (of_ann, of_eve) = (keys.public("ann"), keys.public("eve"));
    let signers = format!("ann@example.com {of_ann}\neve@example.com {of_eve}\n");
    project.write("base44/allowed_signers", &signers);
    let before = project.read("x.plan.sig");
    reads!(project.run(&by_eve));
    assert_eq!(project.read("x.plan.sig"), before);
    reads!(project.run(&[&by_eve[..], &["--out", "base44/allowed_signers"]].concat()));
    assert_eq!(project.read("base44/allowed_signers"), signers);
    // Of another plan it says nothing.
    project.declare("slack", &["chat:write", "users:read"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    project.run(&by_eve).expect(0);
}

#[test]
fn a_plan_that_is_over_is_approved_on_purpose_only() {
    let keys = super::keygen::Keys::new();
    keys.key("ann", &["ed25519"]);
    let ann = keys.path("ann").display().to_string();
    let platform = Platform::with(&[
        Connector::active("notion", &[]),
        Connector::active("slack", &["chat:write"]),
    ]);
    let project = Project::new()
        .at(&platform)
        .var("TERM", "dumb")
        .connector("slack", &["chat:write"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    // The time that a plan is made at is told in seconds.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    project.run(&["apply", "x.plan"]).expect(0);
    let approve = ["approve", "x.plan", "--key", &ann];
    let mut terminal = Pty::start(&project, &approve);
    terminal.wait_for("all the same? [y/N]").line("");
    let (code, seen) = terminal.end();
    assert_eq!(code, 1);
    reads!(seen);
    assert!(!project.path("x.plan.sig").exists());
    reads!(project.run(&approve));
    assert!(project.path("x.plan.sig").exists());
}
