//! Stores that a checkout names.

use crate::support::{Platform, Project};

#[test]
fn a_checkout_names_a_bucket_only_after_it_is_trusted() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .file(
            "connplan.toml",
            "[store]\nurl = \"s3://team-bucket/plans\"\n",
        );
    // Looking goes on, and nothing was sent there.
    project
        .run(&["plan"])
        .expect(0)
        .tells("nothing was sent there");
    project
        .run(&["apply", "--auto-approve"])
        .expect(1)
        .tells("connplan trust s3://team-bucket/plans");
    assert!(platform.writes().is_empty());

    project
        .run(&["trust", "s3://team-bucket/"])
        .expect(0)
        .tells("may name the store s3://team-bucket from now on");
    project
        .run(&["trust", "--list"])
        .expect(0)
        .says("s3://team-bucket  trusted");
    let listed = project.run(&["trust", "--list", "--format", "json"]).json();
    assert_eq!(listed["stores"][0]["url"], "s3://team-bucket");
    // Only the build, or the network, is in the way now.
    if !cfg!(feature = "object-store") {
        let refused = project.run(&["apply", "--auto-approve"]);
        refused.expect(1).tells("built without it");
    }
    project
        .run(&["trust", "--remove", "s3://team-bucket"])
        .expect(0)
        .tells("is not trusted any more");
    project
        .run(&["apply", "--auto-approve"])
        .expect(1)
        .tells("nothing was sent there");
    project
        .run(&["trust", "git:origin"])
        .expect(1)
        .tells("needs no trust");
    project.run(&["trust", "s3://"]).expect(1);
}
