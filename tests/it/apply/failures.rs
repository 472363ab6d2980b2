//! `apply` where a change fails, or nothing can be saved.

use serde_json::json;

use crate::support::{Platform, Project, planned, reads, result};

const NOTHING: [&str; 0] = [];

#[test]
fn removals_wait_for_the_puts_to_succeed() {
    let seed = json!({
        "settings": { "forbidden": { "tiktok": "Ask an admin." }, "policies_readable": false },
        "apps": { "app-1": {
            "connectors": { "github": { "scopes": ["repo"], "account": "ada@example.com" } },
            "different_user": { "linear": "grace@example.com" },
        } },
    });
    let platform = Platform::seeded(seed);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .connector("tiktok", &["video.list"])
        .connector("linear", &["read"]);
    let output = project.run(&[
        "apply",
        "--auto-approve",
        "--format",
        "json",
        "--receipt",
        "x.receipt",
    ]);
    output.expect(5);
    let receipt = output.json();
    assert_eq!(result(&receipt, "slack")["outcome"], "pending");
    assert_eq!(result(&receipt, "tiktok")["outcome"], "failed");
    let message = result(&receipt, "tiktok")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("Ask an admin."), "{message}");
    let message = result(&receipt, "linear")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(message.contains("grace@example.com"), "{message}");
    assert_eq!(result(&receipt, "github")["outcome"], "not_run");
    assert!(platform.listed("github").is_some());
    reads!(project.run(&["show", "x.receipt"]), @r#"
    exit 0: connplan show x.receipt
    App app-1 at http://HOST

    Waiting for authorization: slack
    Not run: github
      ! github: not removed, because another change failed (`--keep-going` removes it all the same)
    Failed: linear - g***@example.com has authorized it with these scopes already; the app accepted it, but does not list it
    Failed: tiktok - setting the connector tiktok failed (request ID): the workspace's policy does not allow this: the server says "Ask an admin."

    Applied in part, 4 connectors: 1 waiting for authorization, 2 failed, 1 not run.
    Next: connplan authorize --receipt x.receipt --expect-digest sha256:DIGEST
    To finish: fix what failed, then apply again; what is done is not done twice.

    Plan: sha256:DIGEST
    "#);

    reads!(project.run(&["apply", "--auto-approve"]));
    assert!(platform.listed("github").is_some());

    let output = project.run(&[
        "apply",
        "--auto-approve",
        "--keep-going",
        "--format",
        "json",
    ]);
    output.expect(5);
    assert_eq!(result(&output.json(), "github")["outcome"], "removed");
    assert!(platform.listed("github").is_none());
}

#[test]
fn if_everything_failed_nothing_was_changed() {
    let seed = json!({ "settings": { "forbidden": { "tiktok": "Ask an admin." }, "policies_readable": false } });
    let platform = Platform::seeded(seed);
    let project = Project::new().at(&platform).connector("tiktok", &[]);
    reads!(project.run(&["apply", "--auto-approve"]));
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
}

#[test]
fn a_saved_plan_that_failed_in_part_goes_on() {
    let seed = json!({ "settings": { "forbidden": { "tiktok": "Ask an admin." }, "policies_readable": false } });
    let platform = Platform::seeded(seed);
    let project = Project::new()
        .at(&platform)
        .connector("slack", &[])
        .connector("tiktok", &[]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    project.run(&["apply", "x.plan"]).expect(5);
    platform.forget();
    project.run(&["apply", "x.plan"]).expect(5);
    assert_eq!(platform.writes(), ["PUT external-auth/integrations/tiktok"]);
}

#[test]
fn where_nothing_can_be_saved_nothing_is_written() {
    let (platform, project) = planned();
    project.write("folder/x", "");
    for receipt in ["no/such/folder/x.receipt", "folder", "x.plan/x"] {
        project
            .run(&["apply", "x.plan", "--receipt", receipt])
            .expect(1);
    }
    std::fs::remove_dir_all(project.state("")).unwrap();
    project.write_state("", "a file where the folder should be");
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 1: connplan apply x.plan
    --- stderr
    warning: FOLDER/state/apps/APP could be read by others; it is private now
    Acting as a workspace, by BASE44_API_KEY.
    error: could not create FOLDER/state/apps/APP: File exists (os error 17)
      code: connplan::fs::io
    ");
    assert_eq!(platform.writes(), NOTHING);
}
