//! `apply` after a crash: what it says of the run before, and what it leaves in the folder.

use serde_json::json;

use crate::support::{Connector, Platform, Project, reads};

const NOTHING: [&str; 0] = [];

/// A plan of two writes that crashed after so many steps that reached the disk.
fn crashed(steps: usize) -> (Platform, Project) {
    let platform = Platform::with(&[Connector::active("github", &["repo", "gist"])]);
    platform.behave(&json!({ "narrows_at_once": true }));
    let project = Project::new()
        .at(&platform)
        .connector("github", &["repo"])
        .connector("slack", &["chat:write"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    let steps = steps.to_string();
    let crash = project.run_vars(
        &[("__CONNPLAN_TEST_CRASH_AT_WRITE", &steps)],
        &["apply", "x.plan", "--parallelism", "1"],
    );
    assert_eq!(crash.code, None, "{crash}");
    platform.forget();
    (platform, project)
}

#[test]
fn a_plan_that_cannot_be_finished_says_what_it_did() {
    let (platform, project) = crashed(3);
    platform.set(&Connector::active("slack", &["theirs"]));
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 3: connplan apply x.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    An earlier run of this plan was interrupted. It did this:
      ~ github changed
    error: the plan is stale: the app changed since it was made
      slack: connector was not there, is there
      help: nothing was written; run `connplan plan` again and ask for a review
      code: connplan::plan::stale
    ");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn what_may_have_been_done_is_named_too() {
    let (platform, project) = crashed(2);
    platform.set(&Connector::active("slack", &["theirs"]));
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 3: connplan apply x.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    An earlier run of this plan was interrupted. Nothing is known to be done.
      ? github was sent; whether it took effect is not known
    error: the plan is stale: the app changed since it was made
      slack: connector was not there, is there
      help: nothing was written; run `connplan plan` again and ask for a review
      code: connplan::plan::stale
    ");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn a_plan_that_was_applied_says_what_has_moved_since() {
    let platform = Platform::with(&[Connector::active("github", &["repo", "gist"])]);
    platform.behave(&json!({ "narrows_at_once": true }));
    let project = Project::new().at(&platform).connector("github", &["repo"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    project.run(&["apply", "x.plan"]).expect(0);
    let again = project.run(&["apply", "x.plan"]);
    reads!(again, @"
    exit 0: connplan apply x.plan
    App app-1 at http://HOST

    Applied before, 1 connector: 1 synced.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This plan was already applied. Nothing was written.
    ");
    assert!(!again.stderr.contains("since"), "{again}");
    platform.set(&Connector::active("github", &["gist"]));
    platform.forget();
    let moved = project.run(&["apply", "x.plan", "--format", "json"]);
    moved
        .expect(0)
        .tells("since it was applied, github: the app lacks repo");
    let result = &moved.json()["apps"][0]["results"][0];
    assert_eq!(result["outcome"], "synced");
    assert_eq!(result["message"], "the app lacks repo");
    assert_eq!(platform.writes(), NOTHING);
}

#[test]
fn a_write_that_was_cut_short_leaves_nothing_for_long() {
    let platform = Platform::with(&[]);
    let project = Project::new().at(&platform).connector("slack", &[]);
    let crash = project.run_vars(
        &[("__CONNPLAN_TEST_CRASH_AT_WRITE", "1")],
        &["plan", "--out", "x.plan"],
    );
    assert_eq!(crash.code, None, "{crash}");
    let temporary = || {
        let names = project.all_files();
        names.keys().filter(|name| name.contains(".tmp")).count()
    };
    assert_eq!(temporary(), 1);
    assert!(!project.path("x.plan").exists());
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    assert_eq!(temporary(), 0);
}
