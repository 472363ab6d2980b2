//! What the team decided, and somebody's clone is older than that.

use super::team::Team;
use crate::{
    git::repository::git,
    support::{Connector, Platform, Project, reads},
};

const QUICK: [&str; 5] = ["authorize", "--yes", "--print-links", "--timeout", "1s"];

fn broken(status: &'static str, scopes: &'static [&'static str]) -> Connector<'static> {
    Connector {
        status,
        ..Connector::active("slack", scopes)
    }
}

/// An apply's removal is no break, on whatever machine its memory is; what it asked for goes before a repair.
#[test]
fn what_was_removed_or_given_up_is_not_repaired() {
    let platform = Platform::with(&[Connector::active("slack", &["chat:write"])]);
    let project = Project::new()
        .at(&platform)
        .file("connplan.toml", "on_remove = \"disconnect\"\n")
        .connector("linear", &["read"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    project.run(&["authorize", "--forget", "linear"]).expect(0);
    platform.set(&Connector {
        status: "expired",
        ..Connector::active("linear", &["read"])
    });
    // The older clone declares it still.
    project.declare("slack", &["chat:write"]);
    platform.forget();
    reads!(project.run(&QUICK), @"
    exit 4: connplan authorize --yes --print-links --timeout 1s
    Summary:
      Left alone: linear - it was given up at TIME: plan and apply it to connect it again
      Left alone: slack - plan sha256:DIGEST removed it at TIME: plan and apply it to connect it again
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    ");
    assert!(platform.writes().is_empty());
    // The way on.
    project.run(&["apply", "--auto-approve"]).expect(0);
    let list = project.run(&["authorize", "--list"]);
    list.expect(4).says("slack").says("linear").lacks("removed");
}

/// What a plan found done, or disconnected already, it wanted gone all the same; what it wants as it is, counts again.
#[test]
fn what_the_last_apply_wanted_counts_whoever_did_it() {
    let active = || Connector::active("slack", &["chat:write"]);
    for (before, between, why) in [
        ("active", "disconnected", "removed it"),
        ("disconnected", "disconnected", "does without it"),
    ] {
        let platform = Platform::with(&[Connector {
            status: before,
            ..active()
        }]);
        let project = Project::new()
            .at(&platform)
            .file("connplan.toml", "on_remove = \"disconnect\"\n")
            .connector("linear", &["read"]);
        project.run(&["plan", "--out", "1.plan"]).expect(0);
        let slack = |status| {
            platform.set(&Connector { status, ..active() });
        };
        slack(between);
        project.run(&["apply", "1.plan"]).expect(0);
        project.declare("slack", &["chat:write"]);
        platform.forget();
        let run = project.run(&QUICK);
        run.says(why);
        assert!(
            !format!("{:?}", platform.writes()).contains("slack"),
            "{run}"
        );
        // Somebody connects it in the app, and a plan wants it so. More of it was asked for, and is given up.
        slack("active");
        platform.set(&Connector::active("linear", &["read"]));
        project.declare("slack", &["chat:write", "users:read"]);
        project.run(&["apply", "--auto-approve"]).expect(0);
        project.run(&["authorize", "--forget", "slack"]).expect(0);
        project.declare("slack", &["chat:write"]);
        project.declare("github", &["repo"]);
        project.run(&["apply", "--auto-approve"]).expect(0);
        slack("expired");
        platform.forget();
        let run = project.run(&QUICK);
        run.expect(4).lacks(why).lacks("given up");
        assert!(
            format!("{:?}", platform.writes()).contains("slack"),
            "{run}"
        );
    }
}

/// Some connectors have no scopes at all.
#[test]
fn a_connector_without_scopes_that_a_plan_does_without_is_not_repaired() {
    let platform = Platform::with(&[Connector {
        status: "disconnected",
        ..Connector::active("notion", &[])
    }]);
    let project = Project::new()
        .at(&platform)
        .file("connplan.toml", "on_remove = \"disconnect\"\n")
        .connector("linear", &["read"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    project.declare("notion", &[]);
    platform.forget();
    let run = project.run(&QUICK);
    run.says("does without it");
    assert!(
        !format!("{:?}", platform.writes()).contains("notion"),
        "{run}"
    );
    // One that a plan wants, and has as it wants it, is.
    platform.set(&Connector::active("notion", &[]));
    project.declare("github", &["repo"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.set(&Connector {
        status: "expired",
        ..Connector::active("notion", &[])
    });
    platform.forget();
    project.run(&QUICK);
    assert!(format!("{:?}", platform.writes()).contains("notion"));
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_a_later_plan_asks_for_goes_before_a_repair() {
    for later in [&["chat:write"][..], &["users:read"]] {
        let team = Team::new();
        team.platform
            .set(&broken("expired", &["channels:read", "chat:write"]));
        for project in team.all() {
            project.declare("slack", &["channels:read", "chat:write"]);
        }
        team.pipeline.declare("slack", later);
        team.pipeline.run(&["apply", "--auto-approve"]).expect(0);
        team.platform.forget();
        let run = team.person.run(&QUICK);
        run.expect(4).says("get the newest commits");
        assert!(team.platform.writes().is_empty(), "{run}");
        team.person.declare("slack", later);
        team.person.run(&QUICK).expect(4);
        assert!(!team.platform.writes().is_empty(), "it is asked for");
    }
}

/// Has the branch as the files here.
fn push(project: &Project) {
    let root = project.root();
    git(&root, &["add", "base44"]);
    git(&root, &["commit", "-q", "-m", "newer"]);
    git(&root, &["push", "-q", "origin", "HEAD:main"]);
}

/// What a plan of all does not want any more is over for all: for who has the files of then, their receipts and plans.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_was_withdrawn_waits_for_nobody() {
    for narrows in [false, true] {
        let team = Team::new();
        let wide: &[&str] = if narrows {
            &["channels:read", "chat:write"]
        } else {
            &["chat:write"]
        };
        if narrows {
            let slack = Connector::active("slack", &["channels:read"]);
            team.platform.set(&slack);
        }
        team.platform.set(&Connector::active("linear", &["read"]));
        for project in team.all() {
            project.declare("slack", wide);
            project.declare("linear", &["read"]);
        }
        team.pipeline.run(&["plan", "--out", "1.plan"]).expect(0);
        let apply = ["apply", "1.plan", "--receipt", "1.receipt"];
        team.pipeline.run(&apply).expect(0);
        if narrows {
            team.pipeline.declare("slack", &["channels:read"]);
        } else {
            team.pipeline.undeclare("slack");
        }
        push(&team.pipeline);
        // Of a part, or where more is kept, nobody decides about it.
        for part in [&["--target", "linear"][..], &["--keep-unlisted"]] {
            let plan = [&["plan", "--detailed-exitcode"], part].concat();
            team.pipeline.run(&plan).expect(0).lacks("withdrawn");
        }
        let plan = ["plan", "--out", "2.plan", "--detailed-exitcode"];
        let plan = team.pipeline.run(&plan);
        plan.expect(2);
        if !narrows {
            reads!(plan, @"
            exit 2: connplan plan --out 2.plan --detailed-exitcode
            App app-1 at http://HOST

            ! warning: withdrawn: slack, asked for by plan sha256:DIGEST: once this plan is applied, nobody is asked for it

            No changes to make in the app. An apply withdraws what is not asked for any more.

            Digest: sha256:DIGEST
            To carry out exactly this plan: connplan apply 2.plan
            --- stderr
            Kept the plan in git:origin; `connplan apply sha256:DIGEST` takes it from there.
            ");
        }
        let shown = team.pipeline.run(&["show", "2.plan"]);
        shown.says("withdrawn: slack, asked for by plan sha256:");
        let apply = team.pipeline.run(&["apply", "2.plan"]);
        apply
            .expect(0)
            .tells("nobody is asked for it any more: slack");
        team.platform.forget();
        let told = team.pipeline.read("1.receipt");
        team.person.write("1.receipt", &told);
        for args in [
            &QUICK[..],
            &[&QUICK[..], &["--receipt", "1.receipt"]].concat(),
        ] {
            let run = team.person.run(args);
            run.expect(0);
            assert!(team.platform.writes().is_empty(), "{run}");
        }
        // The machine that asked has forgotten it, too.
        team.pipeline.declare("slack", wide);
        team.pipeline.run(&["authorize", "--list"]).expect(0);
        team.pipeline.run(&["apply", "1.plan"]).expect(3);
        team.pipeline
            .run(&["history"])
            .expect(0)
            .says("slack withdrawn");
        // It is planned anew.
        team.pipeline.run(&["apply", "--auto-approve"]).expect(0);
        team.person.run(&["authorize", "--list"]).expect(4);
    }
}

/// A clone that is behind withdraws nothing, nor do files that nobody committed, nor does a plan what was asked for after
/// it.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn only_the_newest_withdraws_and_only_what_was_before() {
    let team = Team::new();
    team.pipeline.undeclare("slack");
    team.pipeline.run(&["plan", "--out", "2.plan"]).expect(0);
    team.second.run(&["apply", "--auto-approve"]).expect(0);
    let waits = || {
        let list = team.person.run(&["authorize", "--list"]);
        list.expect(4).says("slack");
    };
    let leaves_it = |plan| {
        let apply = team.pipeline.run(&["apply", plan]);
        apply
            .expect(0)
            .tells("slack: waits for a person, and is not part of this plan");
        waits();
    };
    leaves_it("2.plan");
    team.pipeline.write("base44/other/.keep", "");
    for dir in ["connectors", "other"] {
        let dir = format!("base44/{dir}");
        let plan = ["plan", "--detailed-exitcode", "--dir", &dir];
        team.pipeline.run(&plan).expect(0).lacks("withdrawn");
        let apply = ["apply", "--auto-approve", "--dir", &dir];
        team.pipeline.run(&apply).expect(0).lacks("nobody is asked");
        waits();
    }
    push(&team.pipeline);
    team.pipeline
        .run(&["plan", "--out", "3.plan"])
        .expect(0)
        .says("withdrawn: slack");
    git(
        &team.second.root(),
        &["commit", "-q", "--allow-empty", "-m", "newer"],
    );
    git(&team.second.root(), &["push", "-qf", "origin", "HEAD:main"]);
    let plan = team.pipeline.run(&["plan", "--detailed-exitcode"]);
    plan.expect(0).lacks("withdrawn");
    leaves_it("3.plan");
}

/// What a request does not know yet it does not withdraw: only what it takes away, or its base does not want either.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn an_older_request_withdraws_nothing_that_its_base_asks_for() {
    let team = Team::new();
    let head = |project: &Project| {
        let head = git(&project.root(), &["rev-parse", "HEAD"]);
        head.trim().to_owned()
    };
    team.pipeline.undeclare("slack");
    push(&team.pipeline);
    let old = head(&team.pipeline);
    team.pipeline.declare("slack", &["chat:write"]);
    push(&team.pipeline);
    team.pipeline.run(&["apply", "--auto-approve"]).expect(0);
    let new = head(&team.pipeline);
    let request = team.second.root();
    // A runner's clone has the newest commits of the request alone; the forge says where it left the branch.
    let begin = |at: &str| {
        git(&request, &["fetch", "-q", "--depth=1", "origin", at]);
        git(&request, &["reset", "-q", "--hard", at]);
    };
    let plans = |left: Option<&str>, code| {
        let id = head(&team.second);
        let mut vars = vec![
            ("CI", "true"),
            ("GITLAB_CI", "true"),
            ("CI_MERGE_REQUEST_IID", "1"),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
            ("CI_COMMIT_SHA", &id),
        ];
        vars.extend(left.map(|left| ("CI_MERGE_REQUEST_DIFF_BASE_SHA", left)));
        let run = team
            .second
            .run_vars(&vars, &["plan", "--detailed-exitcode"]);
        run.expect(code);
        run
    };
    begin(&old);
    git(&request, &["commit", "-q", "--allow-empty", "-m", "README"]);
    reads!(plans(Some(&old), 0), @"
    exit 0: connplan plan --detailed-exitcode
    App app-1 at http://HOST

    No changes. The app matches the connector files.
    --- stderr
    slack waits for a person; requested just now by pipeline.
    Waits for a person, asked for by the target branch: slack. This branch lacks that commit: merge the target branch into it.
    ");
    // Where nobody knows that, it may have taken it away.
    plans(None, 2).says("withdrawn: slack");
    begin(&new);
    team.second.undeclare("slack");
    git(&request, &["commit", "-qam", "less"]);
    for left in [Some(&*new), None] {
        plans(left, 2).says("withdrawn: slack");
    }
    team.pipeline.undeclare("slack");
    push(&team.pipeline);
    begin(&old);
    plans(Some(&old), 2).says("withdrawn: slack");
}
