//! Approvals that the team's store keeps, and what `authorize` takes from it.

use std::path::Path;

use super::{once::forged, team::member};
use crate::{
    approval::keygen::Keys,
    git::repository::git,
    support::{Connector, Output, Platform, Project, reads, result},
};

pub(super) const SETTINGS: &str = "[store]\nurl = \"git:origin\"\n\n[approval]\nrequire = \"signature\"\n\
                        signers = \"allowed_signers\"\n";

/// Two clones of a project whose base demands a signature, and who may sign.
pub(super) struct SigningTeam {
    pub(super) platform: Platform,
    keys: Keys,
    pub(super) origin: tempfile::TempDir,
    pub(super) one: Project,
    pub(super) two: Project,
}

impl SigningTeam {
    pub(super) fn new() -> Self {
        Self::with(SETTINGS)
    }

    pub(super) fn with(settings: &str) -> Self {
        let platform = Platform::start();
        let keys = Keys::new();
        keys.key("ann", &["ed25519"]).key("eve", &["ed25519"]);
        let origin = crate::support::folder();
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
            origin,
            one,
            two,
        }
    }

    /// Somebody consents to what this command asks for, and it ends well.
    fn consented(&self, who: &Project, command: &[&str], connector: &str) {
        self.platform.forget();
        std::thread::scope(|scope| {
            let run = scope.spawn(|| who.run(command));
            while self.platform.pending().is_empty() && !run.is_finished() {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
            if !run.is_finished() {
                self.platform.consent(connector, "ada@example.com");
            }
            run.join().unwrap().expect(0);
        });
        let asked = format!("PUT external-auth/integrations/{connector}");
        assert_eq!(self.platform.writes(), [asked]);
    }

    pub(super) fn key(&self, name: &str) -> String {
        self.keys.path(name).display().to_string()
    }
}

/// Who is the first of two is told that, and the second one finds the plan in the store.
#[test]
fn one_of_two_signatures_is_not_enough_yet() {
    let team = SigningTeam::with(&format!("{SETTINGS}count = 2\n"));
    reads!(team.one.run(&["plan", "--out", "x.plan"]), @"
    exit 0: connplan plan --out x.plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    Approval: 2 signatures needed, 0 found
    To have it approved: a signer runs `connplan approve sha256:DIGEST`, which keeps the signature in the store; then `connplan apply sha256:DIGEST`
    --- stderr
    Kept the plan in git:origin; `connplan apply sha256:DIGEST` takes it from there.
    This machine takes FOLDER/origin.git for the store of app app-1 from now on.
    ");
    let ann = team.key("ann");
    let approve = ["approve", "x.plan", "--key", &ann];
    team.one.run(&approve).expect(0);
    reads!(team.one.run(&approve), @"
    exit 0: connplan approve x.plan --key FOLDER/ann
    --- stderr
    warning: connplan cannot tell here all that earlier settings forbade of this plan: no store says what was applied last
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    Approved as ann@example.com, with the key SHA256:KEY.
    Plan:      sha256:DIGEST
    Signature: x.plan.sig
    Signature: git:origin
    Approval:  2 signatures needed, 1 found
    To have it approved: another signer runs `connplan approve sha256:DIGEST`, which keeps the signature in the store; then `connplan apply sha256:DIGEST`
    ");
    reads!(team.one.run(&["apply", "x.plan"]), @"
    exit 3: connplan apply x.plan
    --- stderr
    error: the plan is not approved: 2 signatures needed, 1 found
      help: another signer runs `connplan approve x.plan`, which keeps the signature in the store; then `connplan apply x.plan`
      code: connplan::approval::missing
    ");
    reads!(team.one.run(&["show", "sha256:9f86"]), @"
    exit 1: connplan show sha256:9f86
    --- stderr
    error: `sha256:9f86`: a digest is `sha256:` followed by 64 hexadecimal digits
      help: give the whole digest; `connplan history` lists those that the store knows
      code: connplan::usage
    ");
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn a_signature_in_the_store_approves_and_can_be_taken_back() {
    let team = SigningTeam::new();
    let plan = team
        .one
        .run(&["plan", "--out", "x.plan", "--format", "json"]);
    let digest = plan.expect(0).json()["digest"].as_str().unwrap().to_owned();
    // Everybody is told what is missing.
    let shown = team.two.run(&["show", &digest]);
    reads!(shown, @"
    exit 0: connplan show sha256:DIGEST
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    Approval: 1 signature needed, 0 found
    To have it approved: a signer runs `connplan approve sha256:DIGEST`, which keeps the signature in the store; then `connplan apply sha256:DIGEST`
    --- stderr
    warning: connplan cannot tell here all that earlier settings forbade of this plan: no store says what was applied last
    ");
    let shown = team.two.run(&["show", &digest, "--format", "json"]);
    assert_eq!(shown.json()["approval_missing"]["count"], 1);
    reads!(team.one.run(&["comment", "x.plan", "--dry-run"]));
    reads!(team.two.run(&["apply", &digest]).tells(&format!("connplan approve {digest}")), @"
    exit 3: connplan apply sha256:DIGEST
    --- stderr
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve sha256:DIGEST`, which keeps the signature in the store; then `connplan apply sha256:DIGEST`
      code: connplan::approval::missing
    ");

    // One that does not belong to a signer does not count, and holds nobody up.
    let eve = team.key("eve");
    team.one
        .run(&["approve", "x.plan", "--key", &eve, "--out", "eve.sig"])
        .expect(0);
    reads!(team.two.run(&["apply", &digest]), @"
    exit 3: connplan apply sha256:DIGEST
    --- stderr
    warning: an approval in the store does not count: the signature in entry 1 of git:origin does not approve this plan: the ssh-ed25519 key SHA256:KEY does not belong to a signer
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve sha256:DIGEST`, which keeps the signature in the store; then `connplan apply sha256:DIGEST`
      code: connplan::approval::missing
    ");
    assert!(team.platform.writes().is_empty());

    let ann = team.key("ann");
    let made = team
        .two
        .run(&["approve", &digest, "--key", &ann, "--format", "json"]);
    let report = made.expect(0).json();
    assert_eq!(report["store"], "git:origin");
    assert_eq!(report["file"], serde_json::Value::Null);
    all_private(&team.two.state_folder());
    assert_eq!(report["signer"], "ann@example.com");
    let shown = team.one.run(&["show", &digest, "--format", "json"]);
    assert_eq!(shown.json()["approval_missing"], serde_json::Value::Null);

    // Taken back by whoever gave it, for all; also where the signature is in a file.
    let revoke = ["approve", &digest, "--key", &ann, "--revoke"];
    reads!(team.one.run(&revoke), @"
    exit 0: connplan approve sha256:DIGEST --key FOLDER/ann --revoke
    --- stderr
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    Revoked the approval as ann@example.com, with the key SHA256:KEY.
    Plan:      sha256:DIGEST
    Signature: git:origin
    `connplan apply` with this store no longer counts the approval.
    ");
    reads!(team.one.run(&["apply", &digest]), @"
    exit 3: connplan apply sha256:DIGEST
    --- stderr
    warning: an approval in the store does not count: the signature in entry 1 of git:origin does not approve this plan: the ssh-ed25519 key SHA256:KEY does not belong to a signer
    warning: ann@example.com revoked the approval of this plan
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve sha256:DIGEST`, which keeps the signature in the store; then `connplan apply sha256:DIGEST`
      code: connplan::approval::missing
    ");
    assert!(team.platform.writes().is_empty());

    // Another plan is approved apart.
    team.one.declare("slack", &["chat:write", "channels:read"]);
    team.one.run(&["plan", "--out", "y.plan"]).expect(0);
    reads!(team.one.run(&["approve", "y.plan", "--key", &ann]), @"
    exit 0: connplan approve y.plan --key FOLDER/ann
    --- stderr
    warning: connplan cannot tell here all that earlier settings forbade of this plan: no store says what was applied last
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + channels:read  list public channels and their basic details · read
          + chat:write     post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    Approved as ann@example.com, with the key SHA256:KEY.
    Plan:      sha256:DIGEST
    Signature: y.plan.sig
    Signature: git:origin
    To apply it:
      connplan apply y.plan
    ");
    reads!(team.one.run(&["apply", "y.plan", "--receipt", "y.receipt"]), @"
    exit 0: connplan apply y.plan --receipt y.receipt
    App app-1 at http://HOST

    Waiting for authorization: slack

    Applied, 1 connector: 1 waiting for authorization.
    Next: connplan authorize --receipt y.receipt --expect-digest sha256:DIGEST

    Approved by ann@example.com (signature, SHA256:KEY).
    Plan: sha256:DIGEST
    --- stderr
    Approved by ann@example.com (signature, SHA256:KEY).
    Acting as a workspace, by BASE44_API_KEY.
      ! slack waiting for authorization
    ");
    assert!(team.one.read("y.receipt").contains("ann@example.com"));
    let history = team.two.run(&["history"]);
    let history = history.expect(0).says("with the key SHA256:");
    reads!(history, @"
    exit 0: connplan history
    App app-1 at http://HOST, as git:origin remembers it:

      just now  planned sha256:DIGEST  (one)
      just now  approved sha256:DIGEST with the key SHA256:KEY  (one)
      just now  approved sha256:DIGEST as ann@example.com, with the key SHA256:KEY  (two)
      just now  revoked the approval of sha256:DIGEST as ann@example.com, with the key SHA256:KEY  (one)
      just now  planned sha256:DIGEST  (one)
      just now  approved sha256:DIGEST as ann@example.com, with the key SHA256:KEY  (one)
      just now  began to apply sha256:DIGEST  (one)
      just now  applied sha256:DIGEST  (1 pending, approved by a***@example.com; by one)
    ");
    // Where nobody says who they are, the key does.
    let nobody = [("USER", ""), ("LOGNAME", ""), ("USERNAME", "")];
    let revoke = ["approve", "y.plan", "--key", &ann, "--revoke"];
    team.one.run_vars(&nobody, &revoke).expect(0);
    let history = team.two.run(&["history"]);
    reads!(history.lacks("someone"), @"
    exit 0: connplan history
    App app-1 at http://HOST, as git:origin remembers it:

      just now  planned sha256:DIGEST  (one)
      just now  approved sha256:DIGEST with the key SHA256:KEY  (one)
      just now  approved sha256:DIGEST as ann@example.com, with the key SHA256:KEY  (two)
      just now  revoked the approval of sha256:DIGEST as ann@example.com, with the key SHA256:KEY  (one)
      just now  planned sha256:DIGEST  (one)
      just now  approved sha256:DIGEST as ann@example.com, with the key SHA256:KEY  (one)
      just now  began to apply sha256:DIGEST  (one)
      just now  applied sha256:DIGEST  (1 pending, approved by a***@example.com; by one)
      just now  revoked the approval of sha256:DIGEST  (ann@example.com)
    ");
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

    // Taken back with a key that is in no line of the signers file, any more or at all: nobody can tell
    // whose approval that was.
    team.one.declare("slack", &["chat:write", "users:read"]);
    team.one.run(&["plan", "--out", "z.plan"]).expect(0);
    for key in [[&ann, "--no-input"], [&eve, "--revoke"]] {
        let approve = ["approve", "z.plan", "--key", key[0], key[1]];
        team.one.run(&approve).expect(0);
    }
    team.one
        .run(&["apply", "z.plan"])
        .expect(3)
        .tells("somebody took an approval back");
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn authorize_takes_only_what_an_approved_plan_asked_for() {
    let team = SigningTeam::new();
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
    reads!(team.two.run(&authorize), @"
    exit 0: connplan authorize --yes --no-browser --timeout 20s
    Nothing is waiting for authorization in app app-1, as git:origin knows it.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This machine takes FOLDER/origin.git for the store of app app-1 from now on.
    slack waits for a person; requested just now by one.
    warning: the store says that slack waits, but the plan is not approved: 1 signature needed, 0 found; it is left alone
    ");
    assert!(team.platform.writes().is_empty());
}

/// Revoked while a person thinks, nothing more is asked for.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_is_revoked_meanwhile_is_not_asked_for() {
    revoked_meanwhile(|_, _| Vec::new());
}

/// The same where a receipt alone says what waits, and for which plan.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_is_revoked_meanwhile_is_not_asked_for_by_a_receipt() {
    revoked_meanwhile(|team, receipt| {
        forged(team, |log| {
            std::fs::remove_file(log.join("waits.toml")).unwrap();
        });
        team.two.write("x.receipt", receipt);
        vec!["--receipt", "x.receipt"]
    });
}

fn revoked_meanwhile(begin: impl FnOnce(&SigningTeam, &str) -> Vec<&'static str>) {
    let team = SigningTeam::new();
    for clone in [&team.one, &team.two] {
        clone.declare("linear", &["read"]);
    }
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    let ann = team.key("ann");
    let approve = ["approve", "x.plan", "--key", &ann];
    team.one.run(&approve).expect(0);
    team.one
        .run(&["apply", "x.plan", "--receipt", "x.receipt"])
        .expect(0);
    team.platform.forget();
    let mut args = vec![
        "authorize",
        "--yes",
        "--no-browser",
        "--one-by-one",
        "--timeout",
        "60s",
    ];
    args.extend(begin(&team, &team.one.read("x.receipt")));
    let mut person = team.two.command(&args);
    person
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut person = person.spawn().unwrap();
    while team.platform.writes().is_empty() && person.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let revoke = [&approve[..], &["--revoke"]].concat();
    team.one.run(&revoke).expect(0);
    let writes = team.platform.writes().len();
    team.platform.consent("linear", "olga@example.com");
    let ended = person.wait_with_output().unwrap();
    let text = String::from_utf8([ended.stdout, ended.stderr].concat()).unwrap();
    assert_eq!(ended.status.code(), Some(4), "{text}");
    let revoked = "an approval of the plan that asked for slack was revoked in the meantime";
    assert!(text.contains(revoked), "{text}");
    assert_eq!(team.platform.writes().len(), writes, "{text}");
}

#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn whoever_writes_into_the_store_adds_nothing_to_what_was_approved() {
    let team = SigningTeam::new();
    let digest = |name: &str| {
        let plan = team.one.run(&["plan", "--out", name, "--format", "json"]);
        plan.expect(0).json()["digest"].as_str().unwrap().to_owned()
    };
    let good = digest("x.plan");
    let ann = team.key("ann");
    team.one
        .run(&["approve", "x.plan", "--key", &ann])
        .expect(0);
    team.one.run(&["apply", "x.plan"]).expect(0);
    team.one.declare("slack", &["channels:history"]);
    let other = digest("y.plan");

    // The log as somebody has it who may push.
    let url = git(&team.one.root(), &["remote", "get-url", "origin"]);
    let refs = git(
        &team.one.root(),
        &["ls-remote", "origin", "refs/connplan/*/log"],
    );
    let log = refs.split_whitespace().nth(1).unwrap();
    let forger = tempfile::tempdir().unwrap();
    git(forger.path(), &["init", "-q"]);
    git(forger.path(), &["fetch", "-q", &url, log]);
    git(forger.path(), &["checkout", "-q", "FETCH_HEAD"]);
    let all = git(forger.path(), &["ls-files"]);
    let file = |digest: &str| {
        let hex = digest.trim_start_matches("sha256:");
        let mut names = all.lines().filter(|name| name.contains(hex));
        let name = names.find(|name| name.starts_with("plans/")).unwrap();
        forger.path().join(name)
    };
    let waits = forger.path().join("waits.toml");
    let was = std::fs::read_to_string(&waits).unwrap();
    let (plan, of_other) = (file(&good), std::fs::read_to_string(file(&other)).unwrap());
    let more = was.replace("chat:write", "channels:history");
    let named = format!("plan_digest = \"{good}\"\n");

    team.platform.forget();
    let authorize = ["authorize", "--yes", "--no-browser", "--timeout", "20s"];
    let refused = |files: &[(&Path, &str)], (name, scope), why: &str| {
        git(forger.path(), &["fetch", "-q", &url, log]);
        git(forger.path(), &["checkout", "-qf", "FETCH_HEAD"]);
        for (file, text) in files {
            connplan::fs::write(file, text.as_bytes(), connplan::fs::Visibility::Shared).unwrap();
        }
        git(forger.path(), &["commit", "-qam", why]);
        git(forger.path(), &["push", "-q", &url, &format!("HEAD:{log}")]);
        // The files ask for it as well, or it would end there.
        team.two.declare(name, &[scope]);
        let asked = team.two.run(&authorize);
        asked.tells(why).tells("left alone");
        assert!(team.platform.writes().is_empty(), "{why}");
    };
    let (slack, history) = (("slack", "chat:write"), ("slack", "channels:history"));
    refused(
        &[(&waits, &more)],
        history,
        "its plan does not ask for that",
    );
    let elsewhere = was.replace("\"slack\"", "\"notion\"");
    let notion = ("notion", "chat:write");
    refused(
        &[(&waits, &elsewhere)],
        notion,
        "its plan does not ask for that",
    );
    let unnamed = was.replace(&named, "");
    refused(&[(&waits, &unnamed)], slack, "it names no plan");
    let unapproved = more.replace(&good, &other);
    refused(
        &[(&waits, &unapproved)],
        history,
        "the plan is not approved",
    );
    // Nor does an apply of something else, or of nothing, write into its receipt that it waits.
    team.two.undeclare("notion");
    let push = ["push", "--yes", "--no-browser", "--timeout", "20s"];
    team.two.run(&push).tells("the plan is not approved");
    let apply = ["apply", "--auto-approve", "--format", "json"];
    let receipt = team.two.run(&apply).expect(0).json();
    assert_eq!(result(&receipt, "slack")["outcome"], "unchanged");
    assert!(team.platform.writes().is_empty());
    let both: [(&Path, &str); 2] = [(&waits, &more), (&plan, &of_other)];
    refused(&both, history, "its plan is another one");
}

/// An approval is of whom the plan has consent, too.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn an_approval_of_one_account_is_none_of_another() {
    let team = SigningTeam::new();
    let by = |who: &Project, account: &str| {
        let text = format!(
            r#"{{"type": "slack", "scopes": ["chat:write"], "account": "{account}@example.com"}}"#
        );
        who.write("base44/connectors/slack.jsonc", &text);
    };
    by(&team.one, "olga");
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    let ann = team.key("ann");
    let approve = ["approve", "x.plan", "--key", ann.as_str()];
    team.one.run(&approve).expect(0);
    let apply = ["apply", "x.plan", "--receipt", "x.receipt"];
    team.one.run(&apply).expect(0);
    // What waits and the receipt, as somebody forges both: for whoever the files name.
    let url = git(&team.one.root(), &["remote", "get-url", "origin"]);
    let refs = ["ls-remote", "origin", "refs/connplan/*/log"];
    let refs = git(&team.one.root(), &refs);
    let log = refs.split_whitespace().nth(1).unwrap();
    let forger = tempfile::tempdir().unwrap();
    git(forger.path(), &["init", "-q"]);
    git(forger.path(), &["fetch", "-q", &url, log]);
    git(forger.path(), &["checkout", "-q", "FETCH_HEAD"]);
    let waits = forger.path().join("waits.toml");
    let text = std::fs::read_to_string(&waits).unwrap();
    let own = |line: &&str| !line.starts_with("account");
    let text: Vec<_> = text.lines().filter(own).collect();
    let (text, tables) = (text.join("\n"), "[waits.account]");
    assert!(!text.contains("olga") || text.contains(tables), "{text}");
    let text = without_table(&text, tables);
    std::fs::write(&waits, text).unwrap();
    git(forger.path(), &["commit", "-qam", "forged"]);
    git(forger.path(), &["push", "-q", &url, &format!("HEAD:{log}")]);
    by(&team.two, "eve");
    team.platform.forget();
    let authorize = ["authorize", "--yes", "--print-links", "--timeout", "20s"];
    let run = team.two.run(&authorize);
    reads!(run, @"
    exit 0: connplan authorize --yes --print-links --timeout 20s
    Nothing is waiting for authorization in app app-1, as git:origin knows it.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This machine takes FOLDER/origin.git for the store of app app-1 from now on.
    slack waits for a person; requested just now by one.
    warning: the store says that slack waits, but its plan does not ask for that; it is left alone
    ");
    assert!(team.platform.writes().is_empty(), "{run}");
}

/// A text of TOML without one of its tables.
fn without_table(text: &str, table: &str) -> String {
    let Some((before, after)) = text.split_once(table) else {
        return text.to_owned();
    };
    let rest = after.find("\n[").map_or("", |at| &after[at..]);
    format!("{before}{rest}")
}

#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn what_the_policy_denies_is_not_asked_for_whatever_the_store_says() {
    let store = "[store]\nurl = \"git:origin\"\n";
    let team = SigningTeam::with(store);
    // Whoever asked did so where the rule was not known.
    team.one.run(&["apply", "--auto-approve"]).expect(0);
    team.two.run(&["authorize", "--list"]).expect(4);
    let policy = format!("{store}\n[policy]\ndenied_types = [\"slack\"]\n");
    team.two.write("base44/connplan.toml", &policy);
    team.platform.consent("slack", "olga@example.com");
    team.platform.forget();
    reads!(team.two.run(&["authorize", "--yes", "--no-browser", "--timeout", "20s"]), @"
    exit 4: connplan authorize --yes --no-browser --timeout 20s
    Summary:
      Left alone: slack - the policy in connplan.toml forbids it: slack: the type is denied
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This machine takes FOLDER/origin.git for the store of app app-1 from now on.
    slack waits for a person; requested just now by one.
    ");
    assert!(team.platform.writes().is_empty());
}

/// Whoever can write to the store can write a plan there that needs nobody's approval, since it says
/// itself what there was before.
#[test]
#[ignore = "a second of CPU time, or more: run by .ci/run"]
fn what_a_plan_of_the_store_says_of_the_past_is_not_believed() {
    let store = "[store]\nurl = \"git:origin\"\n";
    let team = SigningTeam::with(store);
    let scopes = ["https://mail.google.com/"];
    let expired = Connector {
        name: "gmail",
        status: "expired",
        scopes: &scopes,
        account: Some("ada@example.com"),
    };
    team.platform.set(&expired);
    for clone in [&team.one, &team.two] {
        clone.undeclare("slack");
        clone.declare("gmail", &scopes);
    }
    // Here nothing needs an approval.
    team.one.run(&["apply", "--auto-approve"]).expect(0);
    team.platform.unset("gmail");
    let origin = team.origin.path().join("origin.git");
    let refs = git(&origin, &["for-each-ref", "--format=%(refname)"]);
    let log = refs.lines().find(|name| name.ends_with("/log")).unwrap();
    let forger = tempfile::tempdir().unwrap();
    let forge = |args: &[&str]| git(forger.path(), args);
    forge(&["init", "-q"]);
    let url = origin.display().to_string();
    forge(&["fetch", "-q", &url, log]);
    forge(&["checkout", "-q", "FETCH_HEAD"]);
    let file = forger.path().join("waits.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("action = \"reauthorize\""), "{text}");
    let (text, _) = text.split_once("[waits.account_before]").unwrap();
    let past = ["before", "status_before", "connection_id"];
    let kept = text
        .lines()
        .filter(|line| !past.iter().any(|name| line.starts_with(name)));
    let kept: Vec<_> = kept.collect();
    let text = kept.join("\n").replace("\"reauthorize\"", "\"create\"") + "\n[waits.by]\n";
    std::fs::write(&file, text).unwrap();
    forge(&["commit", "-qam", "forged"]);
    forge(&["push", "-q", &url, &format!("HEAD:{log}")]);

    let settings = format!(
        "{store}[approval]\nrequire = \"signature\"\nsigners = \"allowed_signers\"\n\
         from_risk = \"danger\"\n"
    );
    team.two.write("base44/connplan.toml", &settings);
    team.platform.forget();
    let authorize = ["authorize", "--yes", "--print-links", "--timeout", "60s"];
    let run = team.two.run(&authorize);
    reads!(run, @"
    exit 0: connplan authorize --yes --print-links --timeout 60s
    Nothing is waiting for authorization in app app-1, as git:origin knows it.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This machine takes FOLDER/origin.git for the store of app app-1 from now on.
    gmail waits for a person; requested just now by an unknown user.
    warning: the store says that gmail waits, but the plan is not approved: 1 signature needed, 0 found; it is left alone
    ");
    assert!(team.platform.writes().is_empty(), "{run}");
    // Where the app shows it expired, it gets all its scopes anew, and that needs the approval, too.
    team.platform.set(&expired);
    team.platform.forget();
    let run = team.two.run(&authorize);
    run.expect(4)
        .says("[approval] in connplan.toml demands an approval");
    assert!(team.platform.writes().is_empty(), "{run}");
}

/// A receipt is a file that anybody writes: where an approval is needed, it does not stand for one.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_receipt_does_not_stand_for_an_approval() {
    let team = SigningTeam::new();
    let digest = |run: &Output| run.expect(0).json()["digest"].as_str().unwrap().to_owned();
    // Somebody applied it who was asked for no approval.
    let elsewhere = [("CONNPLAN_STATE_DIR", "../elsewhere")];
    let forger = team.two.clone_with("forger");
    let forger = ["-C", forger.as_str()];
    team.two
        .write("../forger/base44/connplan.toml", "unlisted = \"keep\"\n");
    git(&team.two.path("../forger"), &["init", "-q"]);
    git(
        &team.two.path("../forger"),
        &["checkout", "-q", "--orphan", "own"],
    );
    git(&team.two.path("../forger"), &["commit", "-qam", "own"]);
    let apply = ["apply", "--auto-approve", "--receipt", "evil.receipt"];
    team.two
        .run_vars(&elsewhere, &[&forger[..], &apply].concat())
        .expect(0);
    let evil = team
        .two
        .path("../forger/evil.receipt")
        .display()
        .to_string();
    team.platform.unset("slack");
    team.platform.forget();
    let authorize = ["authorize", "--yes", "--print-links", "--timeout", "60s"];
    let with = [&authorize[..], &["--receipt", &evil]].concat();
    reads!(team.one.run(&with), @"
    exit 1: connplan authorize --yes --print-links --timeout 60s --receipt FOLDER/project/../forger/evil.receipt
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This machine takes FOLDER/origin.git for the store of app app-1 from now on.
    error: what this receipt requests for slack needs an approval in this project, and a receipt does not prove that there is one
      help: give `--expect-digest` with the digest that `connplan apply` printed; this receipt's is sha256:DIGEST
      code: connplan::usage
    ");
    assert!(team.platform.writes().is_empty());
    // Whoever was told its digest says so.
    let shown = digest(&team.one.run(&["show", &evil, "--format", "json"]));
    let with = [&with[..], &["--expect-digest", &shown]].concat();
    team.consented(&team.one, &with, "slack");
    team.platform.unset("slack");

    // What waits here of the same connector proves nothing of another receipt that goes beyond that.
    let mut receipts = Vec::new();
    for (name, text) in [
        (
            "wide",
            r#"{"type": "slack", "scopes": ["channels:history"]}"#,
        ),
        (
            "whose",
            r#"{"type": "slack", "scopes": ["chat:write"], "account": "eve@example.com"}"#,
        ),
    ] {
        team.two
            .write("../forger/base44/connectors/slack.jsonc", text);
        let (state, receipt) = (format!("../{name}"), format!("{name}.receipt"));
        let state = [("CONNPLAN_STATE_DIR", state.as_str())];
        let apply = ["apply", "--auto-approve", "--receipt", &receipt];
        team.two
            .run_vars(&state, &[&forger[..], &apply].concat())
            .expect(0);
        team.platform.unset("slack");
        let receipt = team.two.path("../forger").join(receipt);
        receipts.push(receipt.display().to_string());
    }
    let ann = team.key("ann");
    team.one.run(&["plan", "--out", "x.plan"]).expect(0);
    team.one
        .run(&["approve", "x.plan", "--key", &ann])
        .expect(0);
    team.one.run(&["apply", "x.plan"]).expect(0);
    team.platform.forget();
    for receipt in &receipts {
        let with = [&authorize[..], &["--receipt", receipt]].concat();
        team.one
            .run(&with)
            .expect(1)
            .tells("a receipt does not prove that there is one");
    }
    assert!(team.platform.writes().is_empty());
}

/// A reader of a plan sees the value; where it came from is not here to tell whether it is still that.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_value_that_cannot_be_held_against_its_file_is_not_approved() {
    let team = SigningTeam::new();
    let (one, ann) = (&team.one, team.key("ann"));
    one.undeclare("slack");
    let text = serde_json::json!({ "type": "snowflake", "scopes": ["session:role-any"],
        "connection_config": { "account_identifier": "${SNOW_PLACE}" } });
    one.write("base44/connectors/snowflake.jsonc", &text.to_string());
    let acme = [("CONNPLAN_VAR_SNOW_PLACE", "acme")];
    one.run_vars(&acme, &["plan", "--out", "x.plan"]).expect(0);
    one.run_vars(&acme, &["approve", "x.plan", "--key", &ann])
        .expect(0);
    let apply = ["apply", "x.plan"];
    reads!(one.run(&apply), @"
    exit 3: connplan apply x.plan
    --- stderr
    Approved by ann@example.com (signature, SHA256:KEY).
    error: the plan's connection values cannot be compared with the files, for a variable is not set here: snowflake account_identifier = acme, the file says ${SNOW_PLACE}
      help: nothing was written. The plan needs an approval, and whoever approved it trusts the files: set the variables here as they are set where it was planned
      code: connplan::plan::uncompared
    ");
    let other = [("CONNPLAN_VAR_SNOW_PLACE", "other")];
    one.run_vars(&other, &apply).expect(3);
    assert!(team.platform.writes().is_empty());
    one.run_vars(&acme, &apply).expect(0);
}

/// What git makes in the state folder is its user's alone as well.
fn all_private(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = path.symlink_metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{}", path.display());
        }
        if path.is_dir() {
            all_private(&path);
        }
    }
}

/// Who looks at a branch that takes `[store]` away signs and takes back for everybody all the same.
#[test]
fn what_is_taken_back_on_a_branch_is_taken_back_in_the_store_of_its_base() {
    let team = SigningTeam::new();
    let ann = team.keys.path("ann").display().to_string();
    let scopes = ["chat:write", "channels:read"];
    git(&team.two.root(), &["remote", "set-head", "origin", "main"]);
    git(&team.two.root(), &["checkout", "-q", "-b", "eve"]);
    let (_, approval) = SETTINGS.split_once("\n\n").unwrap();
    team.two.write("base44/connplan.toml", approval);
    team.two.declare("slack", &scopes);
    git(&team.two.root(), &["add", "."]);
    git(&team.two.root(), &["commit", "-q", "-m", "no store"]);
    team.two.run(&["plan", "--out", "x.plan"]).expect(0);
    let approve = ["approve", "x.plan", "--key", ann.as_str()];
    team.two.run(&approve).expect(0);
    let revoke = [&approve[..], &["--revoke"]].concat();
    reads!(team.two.run(&revoke));
    team.one.declare("slack", &scopes);
    let file = |name: &str| team.two.path(name).display().to_string();
    let (plan, signature) = (file("x.plan"), file("x.plan.sig"));
    let apply = ["apply", plan.as_str(), "--approved-by", signature.as_str()];
    reads!(team.one.run(&apply));
    assert!(team.platform.writes().is_empty());
    // It is read there, too.
    reads!(team.two.run(&["history"]), @"
    exit 0: connplan history
    App app-1 at http://HOST, as git:origin remembers it:

      just now  approved sha256:DIGEST as ann@example.com, with the key SHA256:KEY  (two)
      just now  revoked the approval of sha256:DIGEST as ann@example.com, with the key SHA256:KEY  (two)
    ");
}

/// Nor does it keep anybody from ending the team's lease.
#[test]
fn a_lease_in_the_store_of_the_base_is_ended_from_a_branch_that_takes_it_away() {
    let team = SigningTeam::with("[store]\nurl = \"git:origin\"\n");
    let crash = [("__CONNPLAN_TEST_CRASH_AT_WRITE", "6")];
    let killed = team.one.run_vars(&crash, &["apply", "--auto-approve"]);
    assert_eq!(killed.code, None, "{killed}");
    git(&team.two.root(), &["remote", "set-head", "origin", "main"]);
    git(&team.two.root(), &["checkout", "-q", "-b", "eve"]);
    team.two.write("base44/connplan.toml", "");
    git(&team.two.root(), &["commit", "-q", "-a", "-m", "no store"]);
    reads!(team.two.run(&["unlock", "--yes"]), @"
    exit 0: connplan unlock --yes
    --- stderr
    Ended the lease: one on MACHINE started `connplan apply` just now.
    ");
}

/// A branch that moves the store away from a server that is gone: what answers is asked all the same.
#[test]
fn a_store_of_the_base_that_is_away_hides_no_other() {
    let team = SigningTeam::with("[store]\nurl = \"git:origin\"\n");
    let root = team.two.root();
    git(&root, &["remote", "set-head", "origin", "main"]);
    git(&root, &["checkout", "-q", "-b", "move"]);
    git(&root, &["init", "-q", "--bare", "../new.git"]);
    let new = team.two.path("../new.git").display().to_string();
    git(&root, &["remote", "add", "new", &new]);
    let gone = "http://127.0.0.1:9/x";
    git(&root, &["remote", "set-url", "origin", gone]);
    team.two
        .write("base44/connplan.toml", "[store]\nurl = \"git:new\"\n");
    git(&root, &["commit", "-q", "-a", "-m", "another store"]);
    reads!(team.two.run(&["history"]), @"
    exit 0: connplan history
    App app-1 at http://HOST, as git:new remembers it:

      nothing yet
    --- stderr
    warning: what the store git:origin knows is not counted here: the git remote origin cannot be reached: unable to access 'http://HOST/x/': Failed to connect to 127.0.0.1 port 9 after SOME ms: Couldn't connect to server; check the network and the address (`git remote -v`), then try again
    ");
    reads!(team.two.run(&["unlock", "--yes"]), @"
    exit 0: connplan unlock --yes
    --- stderr
    warning: what the store git:origin knows is not counted here: the git remote origin cannot be reached: unable to access 'http://HOST/x/': Failed to connect to 127.0.0.1 port 9 after SOME ms: Couldn't connect to server; check the network and the address (`git remote -v`), then try again
    Nobody holds the lease on app app-1.
    ");
    // Where none answers, that is an error.
    git(&root, &["remote", "set-url", "new", gone]);
    reads!(team.two.run(&["history"]), @"
    exit 1: connplan history
    --- stderr
    error: the git remote new cannot be reached: unable to access 'http://HOST/x/': Failed to connect to 127.0.0.1 port 9 after SOME ms: Couldn't connect to server
      help: check the network and the address (`git remote -v`), then try again
      code: connplan::git::away
    ");
}

/// Whoever plans the app with its id in other letters has the same memory, and shuts nobody out of it.
#[test]
fn an_id_in_other_letters_is_the_same_app_in_the_store() {
    let team = SigningTeam::with("[store]\nurl = \"git:origin\"\n");
    let plan = ["--app-id", "APP-1", "plan", "--out", "../x.plan"];
    team.two.run(&plan).expect(0);
    team.one.run(&["apply", "--auto-approve"]).expect(0);
    reads!(team.two.run(&["--app-id", "App-1", "authorize", "--list"]));
}
