//! What approvals in the store are good for: for what an apply takes, and once.

use std::{path::Path, time::Duration};

use super::approvals::Team;
use crate::{
    git::repository::git,
    support::{APP, Connector, Output, reads},
};

/// The log as somebody forges it who may push: `forge` is given the folder.
fn forged(team: &Team, forge: impl FnOnce(&Path)) {
    forged_of(team, "log", forge);
}

/// The same of another branch of the store's.
fn forged_of(team: &Team, branch: &str, forge: impl FnOnce(&Path)) {
    let url = team.origin.path().join("origin.git").display().to_string();
    let refs = git(
        &team.one.root(),
        &["ls-remote", "origin", &format!("refs/connplan/*/{branch}")],
    );
    let log = refs.split_whitespace().nth(1).unwrap();
    let forger = tempfile::tempdir().unwrap();
    git(forger.path(), &["init", "-q"]);
    git(forger.path(), &["fetch", "-q", &url, log]);
    git(forger.path(), &["checkout", "-q", "FETCH_HEAD"]);
    forge(forger.path());
    git(forger.path(), &["add", "."]);
    git(forger.path(), &["commit", "-qm", "forged"]);
    git(forger.path(), &["push", "-q", &url, &format!("HEAD:{log}")]);
}

/// A signed plan that no apply takes is not asked for either, whatever the store says waits.
#[test]
fn what_no_apply_takes_is_not_asked_for() {
    let team = Team::new();
    let ann = team.key("ann");
    let digest = |run: &Output| run.expect(0).json()["digest"].as_str().unwrap().to_owned();
    let state = team.one.run(&["remote-state"]);
    team.one.write("state.json", &state.expect(0).stdout);
    let snapshot = [
        "plan",
        "--remote-state",
        "state.json",
        "--out",
        "s.plan",
        "--format",
        "json",
    ];
    let speculative = digest(&team.one.run(&snapshot));
    let live = digest(
        &team
            .one
            .run(&["plan", "--out", "x.plan", "--format", "json"]),
    );
    for plan in ["s.plan", "x.plan"] {
        team.one.run(&["approve", plan, "--key", &ann]).expect(0);
    }
    let authorize = ["authorize", "--yes", "--print-links", "--timeout", "20s"];
    let entry = |digest: &str, more: &str| {
        let api_url = team.one.run(&["plan", "--format", "json"]).json();
        let app = &api_url["apps"][0];
        format!(
            "format_version = \"1.0\"\nkind = \"waits\"\napp_id = {}\napi_url = {}\nwriter = \"{digest}\"\n\
             [[waits]]\nconnector = \"slack\"\naction = \"create\"\nsince = \"2026-01-01T00:00:00Z\"\n\
             scopes = [\"chat:write\"]\nplan_digest = \"{digest}\"\n{more}",
            app["app_id"], app["api_url"]
        )
    };
    forged(&team, |folder| {
        let name = format!("plans/{}.plan", speculative.trim_start_matches("sha256:"));
        std::fs::write(folder.join(name), team.one.read("s.plan")).unwrap();
        std::fs::write(folder.join("waits.toml"), entry(&speculative, "")).unwrap();
    });
    team.platform.forget();
    let run = team.two.run(&authorize);
    reads!(run, @"
    exit 0: connplan authorize --yes --print-links --timeout 20s
    Nothing is waiting for authorization in app app-1, as git:origin knows it.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    slack waits for a person; requested 330 days ago by an unknown user.
    warning: the store says that slack waits, but no apply takes its plan any more (the plan is speculative: it was made from a snapshot, not from the live app): `connplan authorize --forget slack`, then plan it anew; it is left alone
    ");
    // Another one holds it by now; who forges the entry says that it was so before.
    team.platform.set(&Connector {
        name: "slack",
        status: "active",
        scopes: &["channels:read"],
        account: Some("boss@example.com"),
    });
    let before = "before = [\"channels:read\"]\nstatus_before = \"active\"\n";
    forged(&team, |folder| {
        std::fs::write(folder.join("waits.toml"), entry(&live, before)).unwrap();
    });
    let run = team.two.run(&authorize);
    reads!(run, @"
    exit 0: connplan authorize --yes --print-links --timeout 20s
    Nothing is waiting for authorization in app app-1, as git:origin knows it.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    slack waits for a person; requested 330 days ago by an unknown user.
    warning: the store says that slack waits, but the connector has changed since its plan was made; it is left alone
    ");
    assert!(team.platform.writes().is_empty(), "{run}");
}

/// What was approved once and carried out is not undone and done again by the same approval.
#[test]
fn an_approval_is_for_one_apply() {
    let team = Team::new();
    let ann = team.key("ann");
    let approve = ["approve", "x.plan", "--key", &ann];
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    team.one.run(&approve).expect(0);
    team.one.run(&apply).expect(0);
    for name in ["x.plan", "x.plan.sig"] {
        team.two.write(name, &team.one.read(name));
    }
    // Until somebody has consented it is not over.
    team.two.run(&apply).expect(0);
    team.platform.consent("slack", "ada@example.com");
    team.one.run(&["authorize", "--yes"]).expect(0);
    reads!(team.two.run(&apply), @"
    exit 0: connplan apply x.plan --approved-by x.plan.sig
    App app-1 at http://HOST

    Applied before, 1 connector: 1 added.
    --- stderr
    Approved by ann@example.com (signature, SHA256:KEY).
    Acting as a workspace, by BASE44_API_KEY.
    This plan was already applied. Nothing was written.
    ");
    team.platform.unset("slack");
    team.platform.forget();
    for who in [&team.one, &team.two] {
        who.run(&apply)
            .expect(3)
            .tells("an approval is for once: 1 signature needed, 0 found");
    }
    assert!(team.platform.writes().is_empty());
    team.one.run(&approve).expect(0);
    team.two.run(&apply).expect(0);
    assert_eq!(team.platform.writes().len(), 1);
}

/// What of a plan was done is not done again by the approval under which the rest of it still waits.
#[test]
fn what_was_done_of_a_plan_that_still_waits_is_done_once() {
    let team = Team::new();
    let ann = team.key("ann");
    let notion = Connector {
        name: "notion",
        status: "active",
        scopes: &[],
        account: Some("boss@example.com"),
    };
    team.platform.set(&notion);
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    team.one
        .run(&["approve", "x.plan", "--key", &ann])
        .expect(0);
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    team.one.run(&apply).expect(0);
    for name in ["x.plan", "x.plan.sig"] {
        team.two.write(name, &team.one.read(name));
    }
    team.platform.set(&notion);
    team.platform.forget();
    reads!(team.two.run(&apply), @"
    exit 3: connplan apply x.plan --approved-by x.plan.sig
    --- stderr
    Approved by ann@example.com (signature, SHA256:KEY).
    Acting as a workspace, by BASE44_API_KEY.
    error: the plan was carried out at TIME, and an approval is for once: 1 signature needed, 0 found
      help: nothing was written. If it is wanted again: `connplan plan` shows what is different now, and `connplan approve PLAN` approves this plan anew
      code: connplan::approval::used
    ");
    assert!(team.platform.writes().is_empty());
}

/// Whoever takes an approval back while an apply waits for its turn is heard, and so is who does it
/// before anybody consented.
#[test]
fn an_approval_that_is_taken_back_meanwhile_counts_no_more() {
    let team = Team::new();
    let ann = team.key("ann");
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    let approve = ["approve", "x.plan", "--key", &ann];
    let revoke = ["approve", "x.plan", "--key", &ann, "--revoke"];
    let apply = [
        "apply",
        "x.plan",
        "--approved-by",
        "x.plan.sig",
        "--lock-timeout",
        "1m",
    ];
    team.one.run(&approve).expect(0);
    let app = connplan::model::App {
        id: connplan::model::AppId::parse(APP).unwrap(),
        api_url: connplan::model::ApiUrl::parse(team.platform.url()).unwrap(),
        environment: None,
    };
    let state = connplan::state::StateFolder::at(&team.one.state_folder()).app(&app);
    let held = state.lock(Duration::ZERO, "somebody").unwrap();
    team.platform.forget();
    let waited = std::thread::scope(|scope| {
        let waits = scope.spawn(|| team.one.run(&apply));
        while team.platform.requests().is_empty() {
            std::thread::sleep(Duration::from_millis(20));
        }
        team.two.write("x.plan", &team.one.read("x.plan"));
        team.two.run(&revoke).expect(0);
        drop(held);
        waits.join().unwrap()
    });
    // Whether it had to wait for the lock depends on who was quicker.
    waited
        .expect(3)
        .tells("warning: ann@example.com revoked the approval of this plan");
    assert!(team.platform.writes().is_empty());
}

#[test]
fn what_was_asked_for_by_an_approval_that_was_taken_back_is_asked_for_no_more() {
    let team = Team::new();
    let ann = team.key("ann");
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    let approve = ["approve", "x.plan", "--key", &ann];
    team.one.run(&approve).expect(0);
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    team.one.run(&apply).expect(0);
    team.one
        .run(&["approve", "x.plan", "--key", &ann, "--revoke"])
        .expect(0);
    team.platform.forget();
    let authorize = ["authorize", "--yes", "--print-links", "--timeout", "20s"];
    reads!(team.one.run(&authorize), @"
    exit 4: connplan authorize --yes --print-links --timeout 20s
    CONNECTOR  ACCOUNT  GRANTED     TOOK
    slack      -        left alone  -

    Summary:
      Failed: slack - ann@example.com revoked the approval of its plan at TIME; have a plan of it approved, and apply that

    Left to do for 1 connector:
      slack: left alone; the summary says why
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    warning: the store says that slack waits, but the plan is not approved: 1 signature needed, 0 found; it is left alone
    ");
    assert!(team.platform.writes().is_empty());
}

/// A number that cannot grow delays an apply, and breaks nothing.
#[test]
fn a_lease_of_the_greatest_epoch_is_refused() {
    let team = Team::new();
    let ann = team.key("ann");
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    team.one
        .run(&["approve", "x.plan", "--key", &ann])
        .expect(0);
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    team.one.run(&apply).expect(0);
    forged_of(&team, "lease", |folder| {
        let path = folder.join("lease");
        let text = std::fs::read_to_string(&path).unwrap();
        let at = text.find("epoch = ").unwrap();
        let rest = text[at..].split_once('\n').unwrap().1;
        let text = format!("{}epoch = {}\n{rest}", &text[..at], i64::MAX);
        std::fs::write(path, text).unwrap();
    });
    for args in [&apply[..], &["unlock", "--yes"]] {
        team.one
            .run(args)
            .expect(1)
            .tells("its epoch cannot grow any more");
    }
}
