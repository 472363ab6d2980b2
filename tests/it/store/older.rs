//! What the team decided, and somebody's clone is older than that.

use super::team::Team;
use crate::support::{Connector, Platform, Project, reads};

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
