//! Stores that a checkout names.

#[cfg(unix)]
use std::{fs, os::unix::fs::PermissionsExt};

use super::team::member;
use crate::{
    git::repository::git,
    support::{Platform, Project, reads},
};

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
    reads!(project.run(&["plan"]), @"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: the store cannot say what other machines have requested: connplan.toml names the store s3://team-bucket/plans, and this machine's credentials are not meant for it: nothing was sent there; if that is your team's store, run `connplan trust s3://team-bucket/plans` once; in a pipeline set CONNPLAN_STORE=s3://team-bucket/plans
    ");
    reads!(project.run(&["apply", "--auto-approve"]), @"
    exit 1: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: the store cannot say what other machines have requested: connplan.toml names the store s3://team-bucket/plans, and this machine's credentials are not meant for it: nothing was sent there; if that is your team's store, run `connplan trust s3://team-bucket/plans` once; in a pipeline set CONNPLAN_STORE=s3://team-bucket/plans
    Acting as a workspace, by BASE44_API_KEY.
    Nothing was changed: the team's store cannot be used, and connplan changes nothing without it.
    error: connplan.toml names the store s3://team-bucket/plans, and this machine's credentials are not meant for it: nothing was sent there
      help: if that is your team's store, run `connplan trust s3://team-bucket/plans` once; in a pipeline set CONNPLAN_STORE=s3://team-bucket/plans
      code: connplan::usage
    ");
    assert!(platform.writes().is_empty());

    reads!(project.run(&["trust", "s3://team-bucket/"]), @"
    exit 0: connplan trust s3://team-bucket/
    --- stderr
    Project files may name the store s3://team-bucket from now on. This machine takes s3://team-bucket/plans for the store of app app-1, and no other.
    ");
    reads!(project.run(&["trust", "--list"]), @"
    exit 0: connplan trust --list
    s3://team-bucket  trusted just now
    s3://team-bucket/plans  used for app app-1 at http://HOST
    ");
    let listed = project.run(&["trust", "--list", "--format", "json"]).json();
    assert_eq!(listed["stores"][0]["url"], "s3://team-bucket");
    // Only the build, or the network, is in the way now.
    if !cfg!(feature = "object-store") {
        let refused = project.run(&["apply", "--auto-approve"]);
        refused.expect(1).tells("built without it");
    }
    reads!(project.run(&["trust", "--remove", "s3://team-bucket"]), @"
    exit 0: connplan trust --remove s3://team-bucket
    --- stderr
    The store s3://team-bucket is not trusted any more.
    ");
    reads!(project.run(&["apply", "--auto-approve"]), @"
    exit 1: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    warning: the store cannot say what other machines have requested: connplan.toml names the store s3://team-bucket/plans, and this machine's credentials are not meant for it: nothing was sent there; if that is your team's store, run `connplan trust s3://team-bucket/plans` once; in a pipeline set CONNPLAN_STORE=s3://team-bucket/plans
    Acting as a workspace, by BASE44_API_KEY.
    Nothing was changed: the team's store cannot be used, and connplan changes nothing without it.
    error: connplan.toml names the store s3://team-bucket/plans, and this machine's credentials are not meant for it: nothing was sent there
      help: if that is your team's store, run `connplan trust s3://team-bucket/plans` once; in a pipeline set CONNPLAN_STORE=s3://team-bucket/plans
      code: connplan::usage
    ");
    project.run(&["trust", "s3://"]).expect(1);
}

/// A stranger's clone names an app of the user's: its remote is not told of the app, nor believed.
#[cfg(unix)]
#[test]
fn a_clone_leads_to_no_other_store_than_the_one_of_before() {
    let platform = Platform::start();
    let project = member(&platform, "ada", Project::new())
        .connector("slack", &["chat:write"])
        .file("connplan.toml", "[store]\nurl = \"git:origin\"\n");
    let root = project.root();
    git(&root, &["init", "-q"]);
    for name in ["ours", "theirs"] {
        let place = project
            .path(&format!("../{name}.git"))
            .display()
            .to_string();
        git(&root, &["init", "-q", "--bare", &place]);
    }
    let told = |name: &str| {
        let place = project.path(&format!("../{name}.git"));
        !git(&place, &["for-each-ref"]).is_empty()
    };
    git(&root, &["remote", "add", "origin", "../ours.git"]);
    let keeps = ["plan", "--out", "x.plan"];
    // Who only looks uses no store.
    project.run(&["plan"]).expect(0).lacks("from now on");
    let first = project.run(&keeps);
    first.expect(0).tells("Kept the plan in git:origin");
    first.tells("for the store of app app-1 from now on");
    project.run(&keeps).expect(0).lacks("from now on");
    assert!(told("ours"));
    git(&root, &["remote", "set-url", "origin", "../theirs.git"]);
    let kept = project.run(&keeps);
    kept.expect(0)
        .tells("the plan is in its file, not in the store: this machine has used the store");
    project
        .run(&["status"])
        .expect(0)
        .tells("connplan does not use it");
    let refused = project.run(&["apply", "x.plan"]);
    refused
        .expect(1)
        .tells("connplan::store::other")
        .tells("connplan trust git:origin");
    project.run(&["history"]).expect(1);
    assert!(!told("theirs"));
    // A pipeline has one clone, whose state may be kept between runs.
    let in_ci = [&["--no-input"], &keeps[..]].concat();
    project
        .run_vars(&[("CI", "1")], &in_ci)
        .expect(0)
        .tells("Kept the plan");
    let kept = |name: &str| {
        let place = format!("../{name}.git");
        git(&root, &["remote", "set-url", "origin", &place]);
        let run = project.run(&keeps);
        run.expect(0);
        run.stderr.contains("Kept the plan in git:origin")
    };
    // One that is trusted takes the place of the other.
    reads!(project.run(&["trust", "git:origin"]), @"
    exit 0: connplan trust git:origin
    --- stderr
    Project files may name the store FOLDER/theirs.git from now on. This machine takes FOLDER/theirs.git for the store of app app-1, and no other.
    ");
    project.run(&["apply", "x.plan"]).expect(0);
    assert!(kept("theirs") && !kept("ours"));
    reads!(project.run(&["trust", "--list"]), @"
    exit 0: connplan trust --list
    FOLDER/theirs.git  trusted just now
    FOLDER/theirs.git  used for app app-1 at http://HOST
    ");
    let listed = project.run(&["trust", "--list", "--format", "json"]).json();
    assert_eq!(listed["used_stores"][0]["app_id"], "app-1");
    // It is ended by its name, wherever the remote leads by now.
    let url = listed["used_stores"][0]["url"].as_str().unwrap();
    reads!(project.run(&["trust", "--remove", url]), @"
    exit 0: connplan trust --remove FOLDER/theirs.git
    --- stderr
    The store FOLDER/theirs.git is not trusted any more. This machine does not take FOLDER/theirs.git for the store of app app-1 any more.
    ");
    reads!(project.run(&["trust", "--remove", url]), @"
    exit 1: connplan trust --remove FOLDER/theirs.git
    --- stderr
    error: `FOLDER/theirs.git` is not a store: after `git:` comes the name of a remote of the repository, such as `git:origin`; an address stands in CONNPLAN_STORE alone
      help: a store in object storage is `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`
      code: connplan::usage
    ");
    assert!(kept("ours") && !kept("theirs"));
}

/// An older commit, or another branch, knows nothing of the store, where the team's removals stand.
#[cfg(unix)]
#[test]
fn nothing_is_written_past_the_store_of_before() {
    let platform = Platform::start();
    let project = member(&platform, "ada", Project::new())
        .connector("slack", &["chat:write"])
        .file("connplan.toml", "[store]\nurl = \"git:origin\"\n");
    let root = project.root();
    let team = project.path("../team.git").display().to_string();
    git(&root, &["init", "-q"]);
    git(&root, &["init", "-q", "--bare", &team]);
    git(&root, &["remote", "add", "origin", &team]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    project.write("connplan.toml", "");
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 1: connplan apply x.plan
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: this machine has used the store FOLDER/team.git for app app-1, and this checkout names none: what the team decided since is known there alone
      help: get the newest commits, whose connplan.toml may name it, or set CONNPLAN_STORE to that store; if the team gave it up, run `connplan trust --remove STORE` here
      code: connplan::store::unnamed
    ");
    for args in [
        &["apply", "--auto-approve"][..],
        &["push", "--yes"],
        &["authorize", "--yes"],
        &["authorize", "--forget", "slack"],
    ] {
        let refused = project.run(args);
        refused.expect(1).tells("code: connplan::store::unnamed");
    }
    assert!(platform.writes().is_empty());
    // Who only looks is told once.
    reads!(project.run(&["plan", "--out", "y.plan"]), @"
    exit 0: connplan plan --out y.plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply y.plan
    --- stderr
    warning: this machine has used the store FOLDER/team.git for app app-1, and this checkout names none: what the team decided since is known there alone; get the newest commits, whose connplan.toml may name it, or set CONNPLAN_STORE to that store; if the team gave it up, run `connplan trust --remove STORE` here
    ");
    project.run(&["status"]).expect(0).tells("names none");
    // It can be named from outside, and given up on purpose.
    let team = fs::canonicalize(&team).unwrap();
    let store = format!("git:{}", team.display());
    let own = [("CONNPLAN_STORE", store.as_str())];
    project.run_vars(&own, &["apply", "x.plan"]).expect(0);
    project.run(&["trust", "--remove", &store]).expect(0);
    let given_up = project.run(&["apply", "--auto-approve"]);
    given_up.expect(0).lacks("names none");
}

/// What an empty repository calls its objects, it says when something is written; one that was made anew may say
/// otherwise than before.
#[cfg(unix)]
#[test]
fn a_store_of_its_own_may_call_objects_otherwise_than_the_checkout() {
    let platform = Platform::start();
    let project = member(&platform, "ada", Project::new()).connector("slack", &["chat:write"]);
    let root = project.root();
    git(&root, &["init", "-q", "--object-format=sha1"]);
    let team = project.path("../team.git").display().to_string();
    let store = format!("git:{team}");
    let own = [("CONNPLAN_STORE", store.as_str())];
    let keeps = ["plan", "--out", "x.plan"];
    let made = |kind: &str| {
        let _ = fs::remove_dir_all(&team);
        let kind = format!("--object-format={kind}");
        git(&root, &["init", "-q", "--bare", &kind, &team]);
    };
    for kind in ["sha256", "sha1", "sha256"] {
        made(kind);
        let kept = project.run_vars(&own, &keeps);
        kept.expect(0).tells("Kept the plan in git:CONNPLAN_STORE");
        project.run_vars(&own, &["apply", "x.plan"]).expect(0);
        project
            .run_vars(&own, &["history"])
            .expect(0)
            .says("applied");
    }
    // One that is made anew and is not empty.
    made("sha1");
    let elsewhere = [own[0], ("CONNPLAN_STATE_DIR", "../elsewhere")];
    project.run_vars(&elsewhere, &keeps).expect(0);
    let known = project.run_vars(&own, &["history"]);
    known.expect(0).says("planned");
}

/// An archive brings a remote along, beside the checkout: what that names does not run as the user.
#[cfg(unix)]
#[test]
fn a_remote_on_this_machine_runs_nothing_of_its_own() {
    let platform = Platform::start();
    let project = member(&platform, "ada", Project::new())
        .connector("slack", &["chat:write"])
        .file("connplan.toml", "[store]\nurl = \"git:origin\"\n");
    let evil = project.path("../evil.git");
    let canary = project.path("../canary");
    git(&project.root(), &["init", "-q"]);
    git(
        &project.root(),
        &["init", "-q", "--bare", &evil.display().to_string()],
    );
    git(&project.root(), &["remote", "add", "origin", "../evil.git"]);
    let program = format!("#!/bin/sh\necho \"$0\" >> '{}'\n", canary.display());
    let runs = |path: &std::path::Path| {
        project.write(&path.display().to_string(), &program);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    for hook in [
        "pre-receive",
        "update",
        "post-receive",
        "post-update",
        "reference-transaction",
        "pre-auto-gc",
    ] {
        runs(&evil.join("hooks").join(hook));
    }
    let tool = project.path("../tool");
    runs(&tool);
    let config = evil.join("config");
    let more = format!(
        "{}[core]\n\thooksPath = {hooks}\n\talternateRefsCommand = {tool}\n\tfsmonitor = {tool}\n\
         [gc]\n\tauto = 1\n\trecentObjectsHook = {tool}\n\
         [receive]\n\tautogc = true\n\
         [uploadpack]\n\tpackObjectsHook = {tool}\n",
        fs::read_to_string(&config).unwrap(),
        hooks = evil.join("hooks").display(),
        tool = tool.display(),
    );
    project.write(&config.display().to_string(), &more);
    for _ in 0..2 {
        project.run(&["plan", "--out", "x.plan"]).expect(0);
    }
    let ran = fs::read_to_string(&canary).unwrap_or_default();
    assert_eq!(ran, "");
    // And it is a store as any other.
    let plan = project.run(&["history"]);
    plan.expect(0);
    let refs = git(&evil, &["for-each-ref", "--format=%(refname)"]);
    assert!(refs.contains("refs/connplan/"), "{refs}");
}

/// A clone of somebody's repository that names an app of the user's, and a store.
#[cfg(unix)]
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn a_store_is_told_only_what_was_asked_for_under_it() {
    let platform = Platform::start();
    let project = member(&platform, "ada", Project::new()).connector("slack", &["chat:write"]);
    let root = project.root();
    git(&root, &["init", "-q"]);
    let place = |name: &str| {
        let place = project.path(&format!("../{name}.git"));
        let place = place.display().to_string();
        git(&root, &["init", "-q", "--bare", &place]);
        place
    };
    let (ours, theirs) = (place("ours"), place("theirs"));
    let told = |place: &str| {
        let all = git(&root, &["--git-dir", place, "log", "--all", "-p"]);
        all.contains("chat:write")
    };
    let look = || {
        project
            .run(&["plan"])
            .expect(0)
            .says("waits for authorization");
        project.run(&["status"]).expect(0);
        project.run(&["authorize", "--list"]).expect(4);
    };
    project.run(&["apply", "--auto-approve"]).expect(0);
    project.write("connplan.toml", "[store]\nurl = \"git:origin\"\n");
    git(&root, &["remote", "add", "origin", &theirs]);
    look();
    project.run(&["authorize", "--no-input"]).expect(4);
    assert!(!told(&theirs));
    // The team's own knows what it was asked for under, whoever runs a command there.
    git(&root, &["remote", "set-url", "origin", &ours]);
    project.run(&["authorize", "--forget", "slack"]).expect(1);
    project.run(&["trust", "git:origin"]).expect(0);
    project.run(&["authorize", "--forget", "slack"]).expect(0);
    project.run(&["apply", "--auto-approve"]).expect(0);
    assert!(told(&ours));
    git(&root, &["remote", "set-url", "origin", &theirs]);
    look();
    assert!(!told(&theirs));
    project.run(&["trust", "git:origin"]).expect(0);
    look();
    assert!(told(&theirs));
    for place in [&theirs, &ours] {
        git(&root, &["remote", "set-url", "origin", place]);
        project.run(&["trust", "--remove", "git:origin"]).expect(0);
    }
    assert_eq!(
        project.run(&["trust", "--list"]).stdout,
        "No address is trusted.\n"
    );
}
