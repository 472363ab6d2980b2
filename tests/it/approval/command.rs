//! `approve`, and `apply` of plans that need approval, the binary.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use super::keygen::Keys;
use crate::support::{Platform, Project, reads};

/// A project that demands a signature, its plan, and keys: ann's is a signer's, eve's is not.
pub(super) fn signed() -> (Platform, Project, Keys) {
    let keys = Keys::new();
    keys.key("ann", &["ed25519"]).key("eve", &["ed25519"]);
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let signers = format!("ann@example.com {}\n", keys.public("ann"));
    project.write("base44/allowed_signers", &signers);
    settings(
        &project,
        "require = \"signature\"\nsigners = \"allowed_signers\"",
    );
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    platform.forget();
    (platform, project, keys)
}

fn settings(project: &Project, approval: &str) {
    project.write("base44/connplan.toml", &format!("[approval]\n{approval}\n"));
}

fn path(keys: &Keys, name: &str) -> String {
    keys.path(name).display().to_string()
}

/// Where the variable of a file is not set, nobody can tell whether the plan says what the file says.
/// It is said at once, not after the whole plan and by another program.
#[test]
fn a_key_that_is_not_there_is_named() {
    let (_platform, project, _keys) = signed();
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    reads!(project.run(&["approve", "x.plan", "--key", "id_lost"]));
}

#[test]
fn a_value_that_cannot_be_compared_is_shown_and_not_applied() {
    let (platform, project, keys) = signed();
    project.write(
        "base44/connectors/slack.jsonc",
        r#"{"type": "slack", "connection_config": {"workspace": "${T}"}}"#,
    );
    let told = "the file says ${T}";
    let evil = [("CONNPLAN_VAR_T", "evil-host")];
    project
        .run_vars(&evil, &["plan", "--out", "x.plan"])
        .expect(0);
    let ann = path(&keys, "ann");
    let made = project.run(&["approve", "x.plan", "--key", &ann]);
    made.expect(0)
        .tells("slack workspace = evil-host")
        .tells(told);
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    project.run(&apply).expect(3).tells(told);
    let acme = [("CONNPLAN_VAR_T", "acme")];
    let other = project.run_vars(&acme, &apply);
    other.expect(3).tells("other connection values");
    assert!(platform.writes().is_empty());
    project.run_vars(&evil, &apply).expect(0);
}

#[test]
fn a_plan_waits_for_the_signature_and_is_applied_with_it() {
    let (platform, project, keys) = signed();
    let out = project.run(&["apply", "x.plan"]);
    reads!(out, @"
    exit 3: connplan apply x.plan
    --- stderr
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve x.plan --out x.plan.sig`; then `connplan apply x.plan --approved-by x.plan.sig`
      code: connplan::approval::missing
    ");
    // Nobody gets around it.
    project.run(&["apply", "--auto-approve"]).expect(3);
    project.run(&["push", "--yes"]).expect(3);
    assert!(platform.writes().is_empty());
    assert!(project.path("x.plan").exists());

    let eve = path(&keys, "eve");
    let made = project.run(&["approve", "x.plan", "--key", &eve, "--out", "eve.sig"]);
    reads!(made, @"
    exit 0: connplan approve x.plan --key FOLDER/eve --out eve.sig
    --- stderr
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    warning: the signature in it does not approve this plan: the ssh-ed25519 key SHA256:KEY does not belong to a signer; `connplan apply` in this project would not accept the signature
    Approved, with the key SHA256:KEY.
    Plan:      sha256:DIGEST
    Signature: eve.sig
    To apply it:
      connplan apply x.plan --approved-by eve.sig
    ");
    let out = project.run(&["apply", "x.plan", "--approved-by", "eve.sig"]);
    reads!(out, @"
    exit 3: connplan apply x.plan --approved-by eve.sig
    --- stderr
    warning: there is no base commit to take the signers file from; the one of this checkout is used
    error: the signature in eve.sig does not approve this plan: the ssh-ed25519 key SHA256:KEY does not belong to a signer
      code: connplan::approval::signature
    ");

    let ann = path(&keys, "ann");
    let made = project.run(&["approve", "x.plan", "--key", &ann, "--format", "json"]);
    let report = made.expect(0).json();
    assert_eq!(report["signer"], "ann@example.com");
    assert_eq!(report["kind"], "approval");
    made.tells("chat:write");
    // OpenSSH accepts it.
    keys.write("signers", &project.read("base44/allowed_signers"));
    keys.write("check.sig", &project.read("x.plan.sig"));
    keys.write("check", report["digest"].as_str().unwrap());
    assert!(keys.verify("ann@example.com", "check"));

    assert!(platform.writes().is_empty());
    let out = project.run(&["apply", "x.plan", "--approved-by", "x.plan.sig"]);
    reads!(out, @"
    exit 0: connplan apply x.plan --approved-by x.plan.sig
    App app-1 at http://HOST

    Waiting for authorization: slack

    Applied, 1 connector: 1 waiting for authorization.
    Next: connplan authorize
    --- stderr
    warning: there is no base commit to take the signers file from; the one of this checkout is used
    Approved by ann@example.com (signature, SHA256:KEY).
    Acting as a workspace, by BASE44_API_KEY.
      ! slack waiting for authorization
    ");
    assert_eq!(platform.writes().len(), 1);
}

/// Also where no store is shared, the machine that applied remembers it.
#[test]
fn an_approval_is_for_one_apply_on_one_machine_too() {
    let (platform, project, keys) = signed();
    let ann = path(&keys, "ann");
    let approve = ["approve", "x.plan", "--key", &ann];
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    project.run(&approve).expect(0);
    project.run(&apply).expect(0);
    // Nobody has consented yet.
    project.run(&apply).expect(0);
    platform.consent("slack", "ada@example.com");
    project.run(&["authorize", "--yes"]).expect(0);
    platform.unset("slack");
    platform.forget();
    reads!(project.run(&apply), @"
    exit 3: connplan apply x.plan --approved-by x.plan.sig
    --- stderr
    warning: there is no base commit to take the signers file from; the one of this checkout is used
    Approved by ann@example.com (signature, SHA256:KEY).
    Acting as a workspace, by BASE44_API_KEY.
    error: the plan was carried out, or given up, at TIME, and an approval counts only once: 1 signature needed, 0 found
      help: nothing was written. If it is wanted again: `connplan plan` shows what is different now, and `connplan approve PLAN` approves this plan anew
      code: connplan::approval::used
    ");
    assert!(platform.writes().is_empty());
    project.run(&approve).expect(0);
    project.run(&apply).expect(0);
    assert_eq!(platform.writes().len(), 1);
}

#[test]
fn a_signature_over_another_plan_approves_nothing() {
    let (platform, project, keys) = signed();
    let ann = path(&keys, "ann");
    project.run(&["approve", "x.plan", "--key", &ann]).expect(0);
    project.declare("slack", &["chat:write", "channels:read"]);
    project.run(&["plan", "--out", "y.plan"]).expect(0);
    let out = project.run(&["apply", "y.plan", "--approved-by", "x.plan.sig"]);
    reads!(out, @"
    exit 3: connplan apply y.plan --approved-by x.plan.sig
    --- stderr
    warning: there is no base commit to take the signers file from; the one of this checkout is used
    error: the signature in x.plan.sig does not approve this plan: its key did not sign sha256:DIGEST
      help: it signs another plan, or the digest with a line break after it
      code: connplan::approval::signature
    ");
    // Even where nobody demands one, a signature that is given has to be right.
    settings(&project, "signers = \"allowed_signers\"");
    let out = project.run(&["apply", "y.plan", "--approved-by", "x.plan.sig"]);
    out.expect(3);
    assert!(platform.writes().is_empty());
    project.run(&["apply", "y.plan"]).expect(0);
}

#[test]
fn two_persons_are_not_one_with_two_signatures() {
    let (platform, project, keys) = signed();
    settings(
        &project,
        "require = \"either\"\ncount = 2\nsigners = \"allowed_signers\"",
    );
    let both = format!(
        "ann@example.com {}\nann@example.com {}\n",
        keys.public("ann"),
        keys.public("eve")
    );
    project.write("base44/allowed_signers", &both);
    for name in ["ann", "eve"] {
        let (key, out) = (path(&keys, name), format!("{name}.sig"));
        project
            .run(&["approve", "x.plan", "--key", &key, "--out", &out])
            .expect(0);
    }
    let apply = ["apply", "x.plan", "--approved-by", "ann.sig", "eve.sig"];
    reads!(project.run(&apply), @"
    exit 3: connplan apply x.plan --approved-by ann.sig eve.sig
    --- stderr
    warning: there is no base commit to take the signers file from; the one of this checkout is used
    error: the plan is not approved: 2 approving reviews or signatures needed, 1 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply x.plan --approved-in-review=2`; or another signer runs `connplan approve x.plan --out x.plan.2.sig`; then `connplan apply x.plan --approved-by ann.sig eve.sig x.plan.2.sig`
      code: connplan::approval::missing
    ");
    let two = both.replacen("ann@example.com", "eve@example.com", 1);
    project.write("base44/allowed_signers", &two);
    // Taken back, it counts for nothing.
    let eve = path(&keys, "eve");
    let revoke = ["approve", "x.plan", "--key", &eve, "--revoke"];
    reads!(project.run(&revoke), @"
    exit 0: connplan approve x.plan --key FOLDER/eve --revoke
    --- stderr
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    Revoked the approval as ann@example.com, with the key SHA256:KEY.
    Plan:      sha256:DIGEST
    Signature: x.plan.revoked
    Give it to every apply that is given the approval, with `--approved-by x.plan.revoked`: that one does not count any more.
    ");
    let with = [&apply[..], &["x.plan.revoked"]].concat();
    reads!(project.run(&with), @"
    exit 3: connplan apply x.plan --approved-by ann.sig eve.sig x.plan.revoked
    --- stderr
    warning: there is no base commit to take the signers file from; the one of this checkout is used
    warning: ann@example.com revoked the approval of this plan
    error: the plan is not approved: 2 approving reviews or signatures needed, 1 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply x.plan --approved-in-review=2`; or another signer runs `connplan approve x.plan --out x.plan.2.sig`; then `connplan apply x.plan --approved-by ann.sig eve.sig x.plan.revoked x.plan.2.sig`
      code: connplan::approval::missing
    ");
    // This machine remembers; another one has to be told.
    reads!(project.run(&apply), @"
    exit 3: connplan apply x.plan --approved-by ann.sig eve.sig
    --- stderr
    warning: there is no base commit to take the signers file from; the one of this checkout is used
    warning: ann@example.com revoked the approval of this plan
    error: the plan is not approved: 2 approving reviews or signatures needed, 1 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply x.plan --approved-in-review=2`; or another signer runs `connplan approve x.plan --out x.plan.2.sig`; then `connplan apply x.plan --approved-by ann.sig eve.sig x.plan.2.sig`
      code: connplan::approval::missing
    ");
    assert!(platform.writes().is_empty());
    reads!(project.run(&["history"]), @"
    exit 0: connplan history
    App app-1 at http://HOST, as this machine remembers it:

      just now  planned sha256:DIGEST  (an unknown user)
      just now  approved sha256:DIGEST  (eve@example.com)
      just now  approved sha256:DIGEST  (ann@example.com)
      just now  revoked the approval of sha256:DIGEST  (ann@example.com)
    ");
    let shared = project.run(&["history", "--format", "markdown"]);
    let shared = shared
        .lacks("ann@")
        .stdout
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    assert!(shared.ends_with("| `a***@example.com` |"), "{shared}");
    let elsewhere = project.path("../elsewhere").display().to_string();
    project
        .run_vars(&[("CONNPLAN_STATE_DIR", &elsewhere)], &apply)
        .expect(0);
}

#[test]
fn only_plans_of_the_named_risk_need_it() {
    let (_platform, project, _keys) = signed();
    settings(
        &project,
        "require = \"signature\"\nfrom_risk = \"danger\"\nsigners = \"allowed_signers\"",
    );
    project.run(&["apply", "x.plan"]).expect(0);
    // `admin` gives too much.
    project.declare("slack", &["admin"]);
    project.run(&["plan", "--out", "y.plan"]).expect(0);
    project.run(&["apply", "y.plan"]).expect(3);
    // Nothing to do needs nobody.
    settings(&project, "require = \"signature\"");
    project.declare("slack", &["chat:write"]);
    project.run(&["plan", "--out", "z.plan"]).expect(0);
    project.run(&["apply", "z.plan"]).expect(0);
}

#[test]
fn settings_that_cannot_be_used_let_nobody_through() {
    let (platform, project, keys) = signed();
    let ann = path(&keys, "ann");
    project.run(&["approve", "x.plan", "--key", &ann]).expect(0);
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    settings(&project, "require = \"signature\"");
    reads!(project.run(&apply), @r#"
    exit 3: connplan apply x.plan --approved-by x.plan.sig
    --- stderr
    error: no signers file is set, so no signature counts
      help: name it in connplan.toml: `[approval]`, `signers = "allowed_signers"`, in the format of `ssh-keygen -Y verify`
      code: connplan::approval::no_signers
    "#);
    settings(
        &project,
        "require = \"signature\"\nsigners = \"../../elsewhere\"",
    );
    project.run(&apply).expect(1);
    settings(
        &project,
        "require = \"signature\"\nsigners = \"allowed_signers\"",
    );
    project.write("base44/allowed_signers", "ann@example.com nonsense\n");
    reads!(project.run(&apply), @"
    exit 3: connplan apply x.plan --approved-by x.plan.sig
    --- stderr
    error: base44/allowed_signers:1: it names no key
      help: each line is `PRINCIPALS [OPTIONS] KEYTYPE KEY`, as ssh-keygen(1) describes it under ALLOWED SIGNERS
      code: connplan::approval::signers
    ");
    settings(&project, "require = \"majority\"");
    reads!(project.run(&apply), @r#"
    exit 1: connplan apply x.plan --approved-by x.plan.sig
    --- stderr
    error: the project's settings cannot be used
    error: `approval.require` is "majority"; it has to be "review" or "signature" or "either"
       ╭─[base44/connplan.toml:2:11]
     1 │ [approval]
     2 │ require = "majority"
       ·           ─────┬────
       ·                ╰── here
       ╰────
      code: connplan::config::setting
      code: connplan::config::invalid
    "#);
    assert!(platform.writes().is_empty());
}

/// An agent that is stopped with the test.
struct Agent {
    process: std::process::Child,
    socket: String,
}

impl Agent {
    fn start(keys: &Keys) -> Self {
        let socket = path(keys, "agent");
        let process = std::process::Command::new("ssh-agent")
            .args(["-D", "-a", &socket])
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        for _ in 0..200 {
            if keys.path("agent").exists() {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Self { process, socket }
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_key_with_a_passphrase_signs_through_an_agent() {
    let (_platform, project, keys) = signed();
    let made = [
        "-q",
        "-N",
        "secret words",
        "-C",
        "x",
        "-t",
        "ed25519",
        "-f",
        "locked",
    ];
    assert!(keys.keygen(&made));
    let signers = format!("ann@example.com {}\n", keys.public("locked"));
    project.write("base44/allowed_signers", &signers);
    // Nobody there to ask: it ends, and says so.
    let locked = path(&keys, "locked");
    project
        .run(&["approve", "x.plan", "--key", &locked])
        .expect(1)
        .tells("ssh-keygen did not sign");

    let agent = Agent::start(&keys);
    keys.write("askpass", "#!/bin/sh\necho 'secret words'\n");
    let askpass = path(&keys, "askpass");
    std::process::Command::new("chmod")
        .args(["700", &askpass])
        .status()
        .unwrap();
    let added = std::process::Command::new("ssh-add")
        .arg(&locked)
        .env("SSH_AUTH_SOCK", &agent.socket)
        .env("SSH_ASKPASS", &askpass)
        .env("SSH_ASKPASS_REQUIRE", "force")
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    assert!(added.status.success(), "{added:?}");
    let public = path(&keys, "locked.pub");
    let with = [("SSH_AUTH_SOCK", agent.socket.as_str())];
    project
        .run_vars(&with, &["approve", "x.plan", "--key", &public])
        .expect(0);
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    project.run(&apply).expect(0);
}

fn git(project: &Project, args: &[&str]) {
    let out = std::process::Command::new("git")
        .args(["-c", "user.name=x", "-c", "user.email=x@example.com"])
        .args([
            "-c",
            "init.defaultBranch=main",
            "-c",
            "commit.gpgsign=false",
        ])
        .args(args)
        .current_dir(project.root())
        .output()
        .unwrap();
    assert!(out.status.success(), "{args:?}: {out:?}");
}

#[test]
fn a_proposal_does_not_loosen_what_has_to_approve_it() {
    let (platform, project, keys) = signed();
    git(&project, &["init", "-q"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "-qm", "first"]);
    let eve = path(&keys, "eve");
    // It names its own author a signer, and then asks for nobody at all.
    let own = format!("eve {}\n", keys.public("eve"));
    project.write("base44/allowed_signers", &own);
    git(&project, &["commit", "-qam", "signers"]);
    reads!(project.run(&["approve", "x.plan", "--key", &eve]), @"
    exit 0: connplan approve x.plan --key FOLDER/eve
    --- stderr
    warning: connplan cannot tell here all that earlier settings forbade of this plan: no store says what was applied last
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    warning: the signature in it does not approve this plan: the ssh-ed25519 key SHA256:KEY does not belong to a signer; `connplan apply` in this project would not accept the signature
    Approved, with the key SHA256:KEY.
    Plan:      sha256:DIGEST
    Signature: x.plan.sig
    To apply it:
      connplan apply x.plan --approved-by x.plan.sig
    ");
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    reads!(project.run(&apply), @"
    exit 3: connplan apply x.plan --approved-by x.plan.sig
    --- stderr
    error: the signature in x.plan.sig does not approve this plan: the ssh-ed25519 key SHA256:KEY does not belong to a signer
      code: connplan::approval::signature
    ");
    settings(&project, "");
    git(&project, &["commit", "-qam", "none"]);
    // Several commits at once: what counts is what the branch was before.
    let head = std::fs::read_to_string(project.path(".git/logs/HEAD")).unwrap();
    let first = head.split_whitespace().nth(1).unwrap().to_owned();
    project.write("event.json", &format!("{{\"before\": \"{first}\"}}"));
    let event = project.path("event.json").display().to_string();
    let pushed = [("GITHUB_EVENT_PATH", event.as_str())];
    project.run_vars(&pushed, &["apply", "x.plan"]).expect(3);
    let missing = "c".repeat(40);
    project.write("event.json", &format!("{{\"before\": \"{missing}\"}}"));
    reads!(project.run_vars(&pushed, &["apply", "x.plan"]), @"
    exit 1: connplan apply x.plan
    --- stderr
    error: the base commit COMMIT is not completely in this clone, and it could not be fetched: this repository has no git remote `origin`
      help: connplan needs the settings in that commit. Fetch it: on GitHub give actions/checkout `with: { fetch-depth: 0 }` and no `filter`, on GitLab set `GIT_DEPTH: 0`
      code: connplan::approval::base
    ");
    assert!(platform.writes().is_empty());
    // Whom the commit before named approves.
    project.write("event.json", &format!("{{\"before\": \"{first}\"}}"));
    let ann = path(&keys, "ann");
    // What eve gave is not written over: this checkout names her.
    std::fs::remove_file(project.path("x.plan.sig")).unwrap();
    project.run(&["approve", "x.plan", "--key", &ann]).expect(0);
    project.run_vars(&pushed, &apply).expect(0);
}

#[test]
fn where_the_base_asks_for_a_signature_of_nobody_a_proposal_names_nobody() {
    let (platform, project, keys) = signed();
    let eve = path(&keys, "eve");
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    let own = format!("eve {}\n", keys.public("eve"));
    settings(&project, "require = \"signature\"");
    git(&project, &["init", "-q"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "-qm", "first"]);
    project.write("base44/allowed_signers", &own);
    settings(
        &project,
        "require = \"signature\"\nsigners = \"allowed_signers\"",
    );
    git(&project, &["commit", "-qam", "signers"]);
    project.run(&["approve", "x.plan", "--key", &eve]).expect(0);
    reads!(project.run(&apply), @r#"
    exit 3: connplan apply x.plan --approved-by x.plan.sig
    --- stderr
    error: no signers file is set, so no signature counts
      help: name it in connplan.toml: `[approval]`, `signers = "allowed_signers"`, in the format of `ssh-keygen -Y verify`
      code: connplan::approval::no_signers
    "#);
    assert!(platform.writes().is_empty());
    // Nor does another project of the base, of the same app: both bind.
    settings(
        &project,
        "require = \"signature\"\nsigners = \"allowed_signers\"",
    );
    for file in ["config.jsonc", ".app.jsonc"] {
        let text = project.read(&format!("base44/{file}"));
        project.write(&format!("other/base44/{file}"), &text);
    }
    let nobodys = "[approval]\nrequire = \"signature\"\n";
    project.write("other/base44/connplan.toml", nobodys);
    for message in ["two", "more"] {
        git(&project, &["add", "."]);
        git(&project, &["commit", "-qm", message, "--allow-empty"]);
    }
    project
        .run(&apply)
        .expect(3)
        .tells("no signers file is set, so no signature counts");
    assert!(platform.writes().is_empty());
    // On top of a base that asks for nothing, they are its own to name.
    git(&project, &["rm", "-qr", "other"]);
    settings(&project, "");
    git(&project, &["commit", "-qam", "none"]);
    settings(
        &project,
        "require = \"signature\"\nsigners = \"allowed_signers\"",
    );
    git(&project, &["commit", "-qam", "again"]);
    project.run(&apply).expect(0);
}

/// Without a team's store the signature has to be somewhere that can be handed on.
#[test]
fn a_plan_that_is_named_by_its_digest_gets_a_signature_in_a_file() {
    let (platform, project, keys) = signed();
    let digest = project.run(&["show", "x.plan", "--format", "json"]).json()["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let ann = path(&keys, "ann");
    let name = format!("{}.sig", &digest["sha256:".len()..][..16]);
    let made = project.run(&["approve", &digest, "--key", &ann]);
    made.tells(&format!("Signature: {name}"))
        .tells(&format!("connplan apply {digest} --approved-by {name}"));
    reads!(made, @"
    exit 0: connplan approve sha256:DIGEST --key FOLDER/ann
    --- stderr
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    Approved as ann@example.com, with the key SHA256:KEY.
    Plan:      sha256:DIGEST
    Signature: DIGEST.sig
    To apply it:
      connplan apply sha256:DIGEST --approved-by DIGEST.sig
    ");
    reads!(project.run(&["apply", &digest, "--approved-by", &name]), @"
    exit 0: connplan apply sha256:DIGEST --approved-by DIGEST.sig
    App app-1 at http://HOST

    Waiting for authorization: slack

    Applied, 1 connector: 1 waiting for authorization.
    Next: connplan authorize
    --- stderr
    warning: there is no base commit to take the signers file from; the one of this checkout is used
    Approved by ann@example.com (signature, SHA256:KEY).
    Acting as a workspace, by BASE44_API_KEY.
      ! slack waiting for authorization
    ");
    assert_eq!(platform.writes().len(), 1);
    // Taken back, it is a file too.
    let back = project.run(&[
        "approve", &digest, "--key", &ann, "--revoke", "--format", "json",
    ]);
    let report = back.expect(0).json();
    let name = report["file"].as_str().unwrap();
    assert!(name.ends_with(".revoked") && project.path(name).exists());
}

/// What is shown of an account is its mask: the files say whether it is that one.
#[test]
fn a_plan_with_another_account_or_other_values_than_the_files_is_refused() {
    let (platform, project, keys) = signed();
    let ann = path(&keys, "ann");
    let declare = |more: &str| {
        let text = format!(r#"{{"type": "slack", "scopes": ["chat:write"]{more}}}"#);
        project.write("base44/connectors/slack.jsonc", &text);
    };
    let approve = ["approve", "x.plan", "--key", &ann];
    let apply = ["apply", "x.plan", "--approved-by", "x.plan.sig"];
    for (planned, there, why) in [
        (
            r#", "account": "eve@example.org""#,
            r#", "account": "ops@example.com""#,
            "another account",
        ),
        (
            r#", "connection_config": {"workspace": "eve"}"#,
            "",
            "other connection values",
        ),
        (
            r#", "connection_config": {"workspace": "eve"}"#,
            r#", "connection_config": {"workspace": "ops"}"#,
            "other connection values",
        ),
    ] {
        declare(planned);
        project.run(&["plan", "--out", "x.plan"]).expect(0);
        project.run(&approve).expect(0);
        declare(there);
        let why =
            format!("the plan has {why} for slack than base44/connectors/slack.jsonc declares");
        project.run(&apply).expect(3).tells(&why);
        project.run(&approve).expect(3).tells(&why);
        project.run(&["show", "x.plan"]).expect(0).tells(&why);
        // To take it back is possible always.
        let revoke = [&approve[..], &["--revoke"]].concat();
        project.run(&revoke).expect(0);
    }
    assert!(platform.writes().is_empty());
    // Elsewhere nothing can be compared.
    project.write("desk/x.plan", &project.read("x.plan"));
    std::fs::remove_dir_all(project.path("base44")).unwrap();
    let desk = [&["-C", "desk"], &approve[..]].concat();
    reads!(project.run(&desk), @r#"
    exit 0: connplan -C desk approve x.plan --key FOLDER/ann
    --- stderr
    warning: whom the plan has consent, and where it connects to, is as the plan says it: there are no connector files of its app here to compare it with
    warning: connplan cannot tell here all that earlier settings forbade of this plan: this is not a checkout of its app
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          connection value set: "workspace" = "eve"
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    Approved, with the key SHA256:KEY.
    Plan:      sha256:DIGEST
    Signature: desk/x.plan.sig
    To apply it:
      connplan -C desk apply x.plan --approved-by desk/x.plan.sig
    "#);
}

/// Who approves a plan after its apply, or another plan, did not approve it then.
#[test]
fn the_receipt_names_who_approved_it_then() {
    let (platform, project, keys) = signed();
    keys.key("bob", &["ed25519"]);
    let signer = |name: &str| format!("{name}@example.com {}\n", keys.public(name));
    project.write(
        "base44/allowed_signers",
        &["ann", "bob"].map(signer).concat(),
    );
    let approve = |by: &str, out: &str| {
        let key = path(&keys, by);
        let approve = ["approve", "x.plan", "--key", &key, "--out", out];
        project.run(&approve).expect(0);
    };
    let apply = |by: &str| {
        let apply = [
            "apply",
            "x.plan",
            "--approved-by",
            by,
            "--receipt",
            "x.receipt",
        ];
        project.run(&apply).expect(0);
        let _ = std::fs::remove_file(project.path(by));
    };
    approve("bob", "bob.sig");
    apply("bob.sig");
    platform.consent("slack", "ada@example.com");
    project.run(&["authorize", "--yes"]).expect(0);
    project.declare("notion", &[]);
    for file in ["x.plan", "x.receipt"] {
        std::fs::remove_file(project.path(file)).unwrap();
    }
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    approve("ann", "ann.sig");
    apply("ann.sig");
    std::fs::remove_file(project.path("x.receipt")).unwrap();
    approve("bob", "late.sig");
    apply("late.sig");
    let receipt = project.run(&["show", "x.receipt", "--format", "json"]);
    let receipt = receipt.expect(0).json();
    let approvals = receipt["approvals"].as_array().unwrap().iter();
    let by: Vec<_> = approvals.map(|approval| &approval["signer"]).collect();
    assert_eq!(by, ["a***@example.com"], "{receipt}");
}
