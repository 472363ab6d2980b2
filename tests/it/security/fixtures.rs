//! What `policy test` reads.
#![cfg(unix)]

use std::os::unix::fs::symlink;

use crate::support::{Project, reads};

#[test]
fn no_fixture_shows_what_lies_outside() {
    let project = Project::new();
    project.write("base44/connplan.toml", "[policy]\nprotected = [\"x\"]\n");
    let home = crate::support::folder();
    let secret = home.path().join("pin");
    std::fs::write(&secret, "\"CANARY\"").unwrap();
    project.write("fixtures/expects.json", "{}");
    symlink(&secret, project.path("fixtures/expects.expected.json")).unwrap();
    // A fixture that is a link is not passed over either.
    symlink(&secret, project.path("fixtures/plan.json")).unwrap();
    project.write("fixtures/plan.expected.json", r#"{"verdict": "pass"}"#);
    reads!(project.run(&["policy", "test", "fixtures"]).lacks("CANARY"));
    symlink(home.path(), project.path("other")).unwrap();
    reads!(project.run(&["policy", "test", "other"]));
}
