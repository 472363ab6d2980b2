//! Approvals that the team's store keeps, and what `authorize` takes from it.

use super::team::member;
use crate::{
    approval::keygen::Keys,
    git::repository::git,
    support::{Platform, Project, result},
};

const SETTINGS: &str = "[store]\nurl = \"git:origin\"\n\n[approval]\nrequire = \"signature\"\n\
                        signers = \"allowed_signers\"\n";

/// A clone whose base demands a signature, and another one.
struct Team {
    platform: Platform,
    keys: Keys,
    _origin: tempfile::TempDir,
    one: Project,
    two: Project,
}

impl Team {
    fn new() -> Self {
        Self::with(SETTINGS)
    }

    fn with(settings: &str) -> Self {
        let platform = Platform::start();
        let keys = Keys::new();
        keys.key("ann", &["ed25519"]).key("eve", &["ed25519"]);
        let origin = tempfile::tempdir().unwrap();
        git(origin.path(), &["init", "-q", "--bare", "origin.git"]);
        let url = origin.path().join("origin.git").display().to_string();
        let one = member(&platform, "one", Project::new());
        one.write("base44/connplan.toml", settings);
        let signers = format!("ann@example.com {}\n", keys.public("ann"));
        one.write("base44/allowed_signers", &signers);
        git(&one.root(), &["init", "-q"]);
        git(&one.root(), &["add", "."]);
        git(&one.root(), &["commit", "-q", "-m", "first"]);
        one.declare("slack", &["chat:write"]);
        git(&one.root(), &["add", "."]);
        git(&one.root(), &["commit", "-q", "-m", "second"]);
        git(&one.root(), &["remote", "add", "origin", &url]);
        git(&one.root(), &["push", "-q", "origin", "main"]);
        let two = member(&platform, "two", Project::nowhere());
        git(&two.root(), &["clone", "-q", &url, "."]);
        Self {
            platform,
            keys,
            _origin: origin,
            one,
            two,
        }
    }

    fn key(&self, name: &str) -> String {
        self.keys.path(name).display().to_string()
    }
}

#[test]
fn a_signature_in_the_store_approves_and_can_be_taken_back() {
    let team = Team::new();
    let plan = team
        .one
        .run(&["plan", "--out", "x.plan", "--format", "json"]);
    let digest = plan.expect(0).json()["digest"].as_str().unwrap().to_owned();
    // Everybody is told what is missing.
    let shown = team.two.run(&["show", &digest]);
    shown.expect(0).says("1 signature needed, 0 given");
    let shown = team.two.run(&["show", &digest, "--format", "json"]);
    assert_eq!(shown.json()["approval_missing"]["count"], 1);
    team.one
        .run(&["comment", "x.plan", "--dry-run"])
        .expect(0)
        .says("Approval: 1 signature needed.");
    team.two
        .run(&["apply", &digest])
        .expect(3)
        .tells("1 signature needed, 0 given")
        .tells(&format!("connplan approve {digest}"));

    // One that does not belong to a signer does not count, and holds nobody up.
    let eve = team.key("eve");
    team.one
        .run(&["approve", "x.plan", "--key", &eve, "--out", "eve.sig"])
        .expect(0);
    team.two
        .run(&["apply", &digest])
        .expect(3)
        .tells("does not count");
    assert!(team.platform.writes().is_empty());

    let ann = team.key("ann");
    let made = team
        .two
        .run(&["approve", &digest, "--key", &ann, "--format", "json"]);
    let report = made.expect(0).json();
    assert_eq!(report["store"], "git:origin");
    assert_eq!(report["file"], serde_json::Value::Null);
    assert_eq!(report["signer"], "ann@example.com");
    let shown = team.one.run(&["show", &digest, "--format", "json"]);
    assert_eq!(shown.json()["approval_missing"], serde_json::Value::Null);

    // Taken back by whoever gave it, for all; also where the signature is in a file.
    let revoke = ["approve", &digest, "--key", &ann, "--revoke"];
    team.one
        .run(&revoke)
        .expect(0)
        .tells("Revoked the approval");
    team.one
        .run(&["apply", &digest])
        .expect(3)
        .tells("revoked the approval of this plan");
    assert!(team.platform.writes().is_empty());

    // Another plan is approved apart.
    team.one.declare("slack", &["chat:write", "channels:read"]);
    team.one.run(&["plan", "--out", "y.plan"]).expect(0);
    team.one
        .run(&["approve", "y.plan", "--key", &ann])
        .expect(0)
        .tells("git:origin");
    team.one
        .run(&["apply", "y.plan", "--receipt", "y.receipt"])
        .expect(0)
        .tells("Approved by ann@example.com");
    assert!(team.one.read("y.receipt").contains("ann@example.com"));
    let history = team.two.run(&["history"]);
    let history = history.expect(0).says("with the key SHA256:");
    history.says("(1 pending), approved by a***@example.com  (one)");
    // Where nobody says who they are, the key does.
    let nobody = [("USER", ""), ("LOGNAME", ""), ("USERNAME", "")];
    let revoke = ["approve", "y.plan", "--key", &ann, "--revoke"];
    team.one.run_vars(&nobody, &revoke).expect(0);
    let history = team.two.run(&["history"]);
    history
        .expect(0)
        .says("(the holder of the key SHA256:")
        .lacks("someone");
    let history = team.two.run(&["history", "--format", "json"]).json();
    let events = history["apps"][0]["events"].as_array().unwrap().clone();
    let last = events.last().unwrap();
    let key = last["key"].as_str().unwrap();
    assert!(key.starts_with("SHA256:"), "{last}");
    assert_eq!(last["revoked"], true);
    let applied = events
        .iter()
        .find(|event| event["event"] == "apply")
        .unwrap();
    assert_eq!(applied["approvals"][0]["by"], key);
}

#[test]
fn authorize_takes_only_what_an_approved_plan_asked_for() {
    let team = Team::new();
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    let ann = team.key("ann");
    team.one
        .run(&["approve", "x.plan", "--key", &ann])
        .expect(0);
    team.one.run(&["apply", "x.plan"]).expect(0);
    let list = team.two.run(&["authorize", "--list", "--format", "json"]);
    let listed = result(&list.expect(4).json(), "slack").clone();
    assert_eq!(listed["asked_by"], "one");
    let plan = team.two.run(&["plan", "--format", "json"]).expect(0).json();
    assert_eq!(plan["waiting"][0]["asked_by"], "one");
    assert_eq!(plan["waiting"][0]["since"], listed["since"]);
    let status = team.two.run(&["status", "--format", "json"]).json();
    assert!(status.to_string().contains("\"asked_by\":\"one\""));
    // Taken back meanwhile, nobody is asked.
    team.one
        .run(&["approve", "x.plan", "--key", &ann, "--revoke"])
        .expect(0);
    team.platform.consent("slack", "olga@example.com");
    team.platform.forget();
    let authorize = ["authorize", "--yes", "--no-browser", "--timeout", "20s"];
    team.two
        .run(&authorize)
        .tells("the plan is not approved")
        .tells("left alone");
    assert!(team.platform.writes().is_empty());
}

#[test]
fn what_the_policy_denies_is_not_asked_for_whatever_the_store_says() {
    let store = "[store]\nurl = \"git:origin\"\n";
    let team = Team::with(store);
    // Whoever asked did so where the rule was not known.
    team.one.run(&["apply", "--auto-approve"]).expect(0);
    team.two.run(&["authorize", "--list"]).expect(4);
    let policy = format!("{store}\n[policy]\ndenied_types = [\"slack\"]\n");
    team.two.write("base44/connplan.toml", &policy);
    team.platform.consent("slack", "olga@example.com");
    team.platform.forget();
    team.two
        .run(&["authorize", "--yes", "--no-browser", "--timeout", "20s"])
        .expect(4)
        .says("slack");
    assert!(team.platform.writes().is_empty());
}
