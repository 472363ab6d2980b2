//! `plan`, through the binary.

use crate::cli::{Connector, Platform, Project};

#[test]
fn a_plan_writes_nothing_and_says_what_would_change() {
    let platform = Platform::with(&[Connector::active("gmail", &["a"])]);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    platform.forget();
    let plan = project.run(&["plan"]);
    plan.expect(0)
        .says("Plan: 1 to add, 0 to change, 1 to remove, 1 to authorize.");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    assert_eq!(platform.requests().len(), 2, "list and Stripe's status");
}
