//! A proposal that leaves the team's store.

use super::approvals::{SETTINGS, SigningTeam};
use crate::git::repository::git;
use crate::support::reads;

/// What was taken back in the base's store stays so where a proposal has none, or another.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn a_proposal_that_leaves_the_store_or_its_expiry_loosens_nothing() {
    let all = format!("{SETTINGS}\n[plan]\nexpires = \"1h\"\n");
    let team = SigningTeam::with(&all.replace("[approval]", "keep = \"90d\"\n[approval]"));
    let (one, ann) = (&team.one, team.key("ann"));
    let base = git(&one.root(), &["rev-parse", "HEAD"]);
    one.run(&["plan", "--out", "../x.plan"]).expect(0);
    let approve = ["approve", "../x.plan", "--key", &ann, "--out"];
    one.run(&[&approve[..], &["../x.sig"]].concat()).expect(0);
    one.run(&[&approve[..], &["../x.revoked", "--revoke"]].concat())
        .expect(0);
    let event = one.path("../event.json").display().to_string();
    let pipeline = [
        ("CI", "true"),
        ("GITHUB_EVENT_PATH", event.as_str()),
        ("XDG_STATE_HOME", "../runner"),
        ("CONNPLAN_STATE_DIR", ""),
    ];
    let other = format!("{}.x", one.root().display());
    git(&one.root(), &["init", "-q", "--bare", &other]);
    git(&one.root(), &["remote", "add", "other", &other]);
    let approval = SETTINGS.split_once("\n\n").unwrap().1;
    let apply = ["apply", "../x.plan", "--approved-by", "../x.sig"];
    for store in ["", "[store]\nurl = \"git:other\"\nkeep = \"1d\"\n"] {
        one.write("base44/connplan.toml", &format!("{store}{approval}"));
        git(&one.root(), &["commit", "-qam", "tidy"]);
        let request = format!(
            r#"{{"pull_request":{{"number":5,"base":{{"sha":"{}"}}}}}}"#,
            base.trim()
        );
        one.write("../event.json", &request);
        let plan = one.run_vars(&pipeline, &["plan", "--out", "../y.plan"]);
        plan.expect(0)
            .says("danger: this pull or merge request leaves the team's store")
            .says("danger: this pull or merge request lets plans live longer");
        assert!(one.read("../y.plan").contains("expires_at"), "{plan}");
        let forgets = plan.stdout.contains("`keep` is shorter");
        assert_eq!(forgets, !store.is_empty(), "{plan}");
        let push = format!(r#"{{"before":"{}"}}"#, base.trim());
        one.write("../event.json", &push);
        one.run_vars(&pipeline, &apply)
            .expect(3)
            .tells("revoked the approval of this plan");
    }
    assert!(team.platform.writes().is_empty());
    // A store that is away may know of it.
    git(&one.root(), &["remote", "set-url", "origin", "../none.git"]);
    reads!(one.run_vars(&pipeline, &apply), @"
    exit 1: connplan apply ../x.plan --approved-by ../x.sig
    --- stderr
    error: the git remote origin cannot be reached: there is no such folder
      help: check the network and the address (`git remote -v`), then try again
      code: connplan::git::away
    ");
}

/// Whoever asks for what waits in another store hears of that, too.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn what_was_taken_back_in_the_store_of_the_base_is_not_asked_for() {
    let team = SigningTeam::new();
    let (one, ann) = (&team.one, team.key("ann"));
    let other = format!("{}.x", one.root().display());
    git(&one.root(), &["init", "-q", "--bare", &other]);
    git(&one.root(), &["remote", "add", "other", &other]);
    let approval = SETTINGS.split_once("\n\n").unwrap().1;
    let store = "[store]\nurl = \"git:other\"\n";
    one.write("base44/connplan.toml", &format!("{store}{approval}"));
    git(&one.root(), &["commit", "-qam", "another store"]);
    one.run(&["plan", "--out", "../x.plan"]).expect(0);
    let approve = ["approve", "../x.plan", "--key", &ann, "--out", "../x.sig"];
    one.run(&approve).expect(0);
    one.run(&["apply", "../x.plan", "--approved-by", "../x.sig"])
        .expect(0);
    team.two.write("x.plan", &one.read("../x.plan"));
    let revoke = ["approve", "x.plan", "--key", &ann, "--revoke"];
    team.two.run(&revoke).expect(0);
    team.platform.forget();
    let elsewhere = [("XDG_STATE_HOME", "../runner"), ("CONNPLAN_STATE_DIR", "")];
    let authorize = ["authorize", "--yes", "--print-links", "--timeout", "20s"];
    reads!(one.run_vars(&elsewhere, &authorize), @"
    exit 0: connplan authorize --yes --print-links --timeout 20s
    Nothing is waiting for authorization in app app-1, as git:other knows it.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This machine takes FOLDER/project.x for the store of app app-1 from now on.
    slack waits for a person; requested just now by one.
    warning: the store says that slack waits, but the plan is not approved: 1 signature needed, 0 found; it is left alone
    ");
    assert!(team.platform.writes().is_empty());
}

/// What is signed or taken back is kept for the app that the plan is of, whatever the checkout is of.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn what_is_taken_back_is_so_for_the_app_of_its_plan() {
    let environment = "\n[environments.live]\napp_id = \"app-2\"\n";
    let team = SigningTeam::with(&format!("{SETTINGS}{environment}"));
    let (one, ann) = (&team.one, team.key("ann"));
    let live = |args: &[&str]| one.run(&[&["--env", "live"], args].concat());
    live(&["plan", "--out", "../x.plan"]).expect(0);
    let approve = ["approve", "../x.plan", "--key", &ann, "--out", "../x.sig"];
    live(&approve).expect(0);
    let revoke = ["approve", "../x.plan", "--revoke", "--key", &ann, "--out"];
    let revoke = |file| one.run(&[&revoke[..], &[file]].concat());
    let apply = ["apply", "../x.plan", "--approved-by", "../x.sig"];
    // The plan says in which environment.
    reads!(revoke("../1.revoked"));
    live(&apply)
        .expect(3)
        .tells("revoked the approval of this plan");
    // A branch that somebody looks at names another app, and other settings.
    live(&approve).expect(0);
    git(&one.root(), &["checkout", "-q", "-b", "eve"]);
    one.write("base44/connplan.toml", SETTINGS);
    one.write("base44/.app.jsonc", r#"{ "id": "other" }"#);
    git(&one.root(), &["commit", "-qam", "eve"]);
    reads!(revoke("../2.revoked"));
    git(&one.root(), &["checkout", "-q", "main"]);
    live(&apply)
        .expect(3)
        .tells("revoked the approval of this plan");
    assert!(team.platform.writes().is_empty());
    // Where the store cannot be told, that is no success.
    git(&one.root(), &["remote", "set-url", "origin", "../none.git"]);
    reads!(revoke("../3.revoked"));
}

/// What the team waits for is authorized for the team, on a branch that takes `[store]` away, too.
#[test]
fn a_branch_without_the_store_authorizes_what_waits_in_the_store_of_its_base() {
    let team = SigningTeam::new();
    let (one, two, ann) = (&team.one, &team.two, team.key("ann"));
    one.run(&["plan", "--out", "x.plan"]).expect(0);
    one.run(&["approve", "x.plan", "--key", &ann]).expect(0);
    one.run(&["apply", "x.plan"]).expect(0);
    git(&two.root(), &["remote", "set-head", "origin", "main"]);
    git(&two.root(), &["checkout", "-q", "-b", "eve"]);
    let (_, approval) = SETTINGS.split_once("\n\n").unwrap();
    two.write("base44/connplan.toml", approval);
    git(&two.root(), &["commit", "-qam", "no store"]);
    reads!(two.run(&["authorize", "--list"]));
}
