//! After the merge: which commits have a say, however the branch came to be what it is.

use super::loosening::{git, push, serves_any_commit};
use crate::support::{
    Output, Platform, Project, reads,
    scripted::{Reply, Scripted},
};

pub(super) const SIGNED: &str = "[approval]\nrequire = \"signature\"\nsigners = \"signers\"\n";

/// A repository whose main branch asks for nothing and has slack, with a remote.
pub(super) fn shop() -> (Platform, Project) {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    project.declare("slack", &["chat:write"]);
    project.write("base44/signers", "");
    git(&project, &["init", "-q", "-b", "main"]);
    let remote = project.path("../remote.git").display().to_string();
    git(&project, &["init", "-q", "--bare", &remote]);
    git(&project, &["remote", "add", "origin", &remote]);
    commit(&project, "base");
    (platform, project)
}

pub(super) fn commit(project: &Project, message: &str) -> String {
    git(project, &["add", "-A"]);
    git(project, &["commit", "-q", "--allow-empty", "-m", message]);
    git(project, &["push", "-qf", "origin", "HEAD:main"]);
    git(project, &["rev-parse", "HEAD"])
}

/// An empty repository that is a remote of this name.
fn another_remote(project: &Project, name: &str) -> String {
    let other = project.path("../other.git").display().to_string();
    git(project, &["init", "-q", "--bare", &other]);
    git(project, &["remote", "add", name, &other]);
    other
}

pub(super) fn applied(project: &Project, before: &str, vars: &[(&str, &str)]) -> Output {
    pushed(project, before, vars, &["apply", "--auto-approve"])
}

pub(super) fn pushed(
    project: &Project,
    before: &str,
    vars: &[(&str, &str)],
    args: &[&str],
) -> Output {
    let head = git(project, &["rev-parse", "HEAD"]);
    let event = format!(r#"{{"before":"{before}","ref":"refs/heads/main"}}"#);
    project.write("../event.json", &event);
    let event = project.path("../event.json").display().to_string();
    let push = push(&event, &head);
    project.run_vars(&[&push[..], vars].concat(), args)
}

/// It needs a signature, and says nothing else beside the plan.
#[track_caller]
fn unsigned(run: &Output) {
    run.expect(3);
    insta::allow_duplicates!(reads!(run.stderr, @"
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve PLAN --out PLAN.sig`; then `connplan apply PLAN --approved-by PLAN.sig`
      code: connplan::approval::missing
    "));
}

#[test]
fn an_old_run_is_held_against_the_branch_as_it_is_now() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    project.declare("gmail", &["https://mail.google.com/"]);
    let once = commit(&project, "the whole mailbox");
    project.undeclare("gmail");
    project.write(
        "base44/connplan.toml",
        "[policy]\ndenied_types = [\"gmail\"]\n",
    );
    let forbidden = commit(&project, "forbidden");
    git(&project, &["checkout", "-qf", &once]);
    reads!(applied(&project, &base, &[]), @"
    exit 6: connplan apply --auto-approve
    --- stderr
    error: the policy in connplan.toml forbids this plan; nothing was written:
      denied_types: gmail: the type is denied (by the settings of the branch as it is now)
      help: change the connector files, or ask whoever is responsible for the policy to change it
      code: connplan::plan::policy
    ");
    git(&project, &["checkout", "-qf", &forbidden]);
    project.write("base44/connplan.toml", SIGNED);
    let signed = commit(&project, "signed");
    git(&project, &["checkout", "-qf", &once]);
    unsigned(&applied(&project, &base, &[]));
    // The remote is not to be had, and the forge says that there is a newer commit.
    std::fs::rename(project.path("../remote.git"), project.path("../gone.git")).unwrap();
    git(&project, &["branch", "-D", "main"]);
    let server = Scripted::start();
    let newest = serde_json::json!({"commit": {"sha": "b".repeat(40)}});
    server.on(
        "GET /repos/octo/site/branches/main",
        [Reply::json(200, &newest)],
    );
    let url = server.url();
    let forge = [
        ("GITHUB_API_URL", url.as_str()),
        ("GITHUB_TOKEN", "ghs_canary"),
    ];
    reads!(applied(&project, &base, &forge), @"
    exit 1: connplan apply --auto-approve
    --- stderr
    error: this run is of an older commit of main: connplan also needs the settings of the newest one, bbbbbbb, and cannot get them: the git remote origin cannot be reached: there is no such folder
      help: the run of the newest commit plans and applies all that this one would; to start old runs again, let the checkout keep its credentials (on GitHub `persist-credentials: true`)
      code: connplan::approval::base
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
    // It says that there is none, or cannot say.
    let head = serde_json::json!({"commit": {"sha": once}});
    for reply in [Reply::json(200, &head), Reply::status(404)] {
        server.on("GET /repos/octo/site/branches/main", [reply]);
        applied(&project, &base, &forge).expect(0);
    }
    // Who starts it again has to be told.
    let again = [("GITHUB_RUN_ATTEMPT", "2")];
    reads!(applied(&project, &base, &[&forge[..], &again].concat()), @"
    exit 1: connplan apply --auto-approve
    --- stderr
    error: connplan cannot tell whether main has newer commits, and needs its newest settings: the git remote origin cannot be reached: there is no such folder
      help: give this step `GITHUB_TOKEN: ${{ github.token }}`, and the job `permissions: { contents: read }`, or let the checkout keep its credentials; or let a new run plan and apply
      code: connplan::approval::base
    ");
    // A first run may have waited for a person for weeks.
    reads!(applied(&project, &base, &[]), @"
    exit 1: connplan apply --auto-approve
    --- stderr
    error: connplan cannot tell whether main has newer commits, and needs its newest settings: the git remote origin cannot be reached: there is no such folder
      help: give this step `GITHUB_TOKEN: ${{ github.token }}`, and the job `permissions: { contents: read }`, or let the checkout keep its credentials; or let a new run plan and apply
      code: connplan::approval::base
    ");
    assert_ne!(signed, once);
}

/// What a run says, with names for two commits.
fn named(mut run: Output, commits: [(&String, &str); 2]) -> Output {
    for (commit, name) in commits {
        for text in [&mut run.stdout, &mut run.stderr] {
            *text = text.replace(&commit[..7], name);
        }
    }
    run
}

/// Nobody decided to go back: the plan made anew is of the same old commit.
#[test]
fn an_old_run_that_is_started_again_undoes_nothing_that_came_after() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    let asks_for = |scopes: &[&str], message: &str| {
        project.declare("linear", scopes);
        commit(&project, message)
    };
    let first = asks_for(&["read", "write"], "first");
    applied(&project, &base, &[]).expect(0);
    let old = asks_for(&["read"], "less");
    let new = asks_for(&["read", "write"], "more");
    // A newer push that nobody applied yet is no reason to wait.
    let again = [("GITHUB_RUN_ATTEMPT", "2")];
    git(&project, &["checkout", "-qf", &old]);
    let run = pushed(&project, &first, &again, &["plan"]);
    assert!(
        run.lacks("danger").stdout.contains("1 to add"),
        "{}",
        run.stdout
    );
    applied(&project, &first, &again).expect(0);
    git(&project, &["checkout", "-qf", &new]);
    applied(&project, &old, &[]).expect(0);
    let written = platform.writes().len();
    git(&project, &["checkout", "-qf", &old]);
    let named = |run| named(run, [(&old, "OLD"), (&new, "NEW")]);
    reads!(named(pushed(&project, &first, &again, &["plan"])), @"
    exit 0: connplan plan
    ! danger: this run is of commit OLD, and its branch has NEW by now; the app was applied last from NEW: the plan undoes what came after

    App app-1 at http://HOST

    Symbols:  + add

      + linear                base44/connectors/linear.jsonc
          + read  read everything the user can see; always included · read
          authorization: required

    Waiting for authorization (nothing is written again):
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    1 connector waits for authorization: run `connplan authorize`.
    ");
    reads!(named(applied(&project, &first, &again)), @"
    exit 3: connplan apply --auto-approve
    ! danger: this run is of commit OLD, and its branch has NEW by now; the app was applied last from NEW: the plan undoes what came after

    App app-1 at http://HOST

    Symbols:  + add

      + linear                base44/connectors/linear.jsonc
          + read  read everything the user can see; always included · read
          authorization: required

    Waiting for authorization (nothing is written again):
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    1 connector waits for authorization.
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    error: this run is of commit OLD, and its branch has NEW by now; the app was applied last from NEW: the plan undoes what came after
      help: start a run of the branch's newest commit; to go back on purpose, revert on the branch
      code: connplan::plan::behind
    ");
    assert_eq!(platform.writes().len(), written);
    // Going back on purpose is a commit.
    git(&project, &["checkout", "-qf", &new]);
    asks_for(&["read"], "less, again");
    applied(&project, &new, &again).expect(0);
}

#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn what_was_forbidden_before_the_merge_needs_an_approval_after_it() {
    let (platform, project) = shop();
    let settings = format!("{SIGNED}from_risk = \"danger\"\n");
    let denied = format!("{settings}[policy]\ndenied_types = [\"notion\"]\n");
    project.write("base44/connplan.toml", &denied);
    let before = commit(&project, "notion is denied");
    project.declare("linear", &["read"]);
    let allowed = commit(&project, "what nobody forbade");
    applied(&project, &before, &[]).expect(0);
    let written = platform.writes().len();
    project.write("base44/connplan.toml", &settings);
    project.declare("linear", &["read", "write"]);
    project.declare("notion", &[]);
    let head = commit(&project, "no rule any more, and notion");
    let planned = |args: &[&str]| {
        let shown = pushed(&project, &allowed, &[], args);
        named(shown, [(&allowed, "BEFORE"), (&head, "HEAD")])
    };
    reads!(planned(&["plan"]), @"
    exit 0: connplan plan
    ! danger: before this change, at BEFORE, the policy forbade this: notion: the type is denied

    App app-1 at http://HOST

    Symbols:  + add

      + linear                base44/connectors/linear.jsonc
          + read   read everything the user can see; always included · read
          + write  change everything the user can change · write
          authorization: required

      + notion                base44/connectors/notion.jsonc
          authorization: required

    Waiting for authorization (nothing is written again):
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write

    Plan: 2 to add, 0 to change, 0 to remove, 2 to authorize.
    1 connector waits for authorization: run `connplan authorize`.

    Approval: 1 signature needed, 0 found
    To have it approved, save it: connplan plan --out FILE
    ");
    reads!(planned(&["push", "--yes"]));
    reads!(planned(&["plan", "--format", "markdown"]), @"
    exit 0: connplan plan --format markdown
    ## connplan plan: app `app-1`
    **Plan: 2 to add, 0 to change, 0 to remove, 2 to authorize.** 1 connector waits for authorization: run `connplan authorize`.

    - 🛑 **Danger:** `before this change, at BEFORE, the policy forbade this: notion: the type is denied`
    - 🔶 **Warning:** gains write access: `linear` (`write` – change everything the user can change), `slack` (`chat:write` – post messages (as the bot or as the user)), which waits for authorization

    * **Add (2):** `linear`, `notion`
    * **Waiting for authorization (1):** `slack`

    <details>
    <summary>Details, scope by scope</summary>

    ```diff
    @@ + linear: create, base44/connectors/linear.jsonc @@
    + read  (read everything the user can see; always included · read)
    + write  (change everything the user can change · write)
      authorization: required
    @@ ! slack: waits for authorization, base44/connectors/slack.jsonc @@
      chat:write  (post messages (as the bot or as the user) · write)
    @@ + notion: create, base44/connectors/notion.jsonc @@
      authorization: required
    ```

    </details>

    Digest `sha256:DIGEST`, at `http://HOST`, by connplan VERSION.

    Of commit `HEAD`.

    Approval: 1 signature needed.

    To have it approved and applied: a signer runs `connplan approve FILE`, then `connplan apply FILE --expect-digest sha256:DIGEST --approved-by FILE.sig`
    ");
    unsigned(&applied(&project, &allowed, &[]));
    assert_eq!(platform.writes().len(), written);
}

/// A slip, or a key that a newer connplan has.
#[test]
fn what_the_commit_before_asked_for_and_nobody_knows_is_not_passed_over() {
    let (platform, project) = shop();
    let unknown = "[approval]\nrequires = \"signature\"\n";
    project.write("base44/connplan.toml", unknown);
    let before = commit(&project, "a gate");
    project.write("base44/connplan.toml", "");
    commit(&project, "none");
    reads!(applied(&project, &before, &[]), @"
    exit 1: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    --- stderr
    error: base44/connplan.toml of COMMIT, whose settings apply here, has errors: `requires` is not a setting, so what it forbids or who has to approve is not known; did you mean `require`?
      help: connplan does not know what the file asks for, so it applies nothing. If the file was written for a newer connplan, use that one. Else fix it in a separate pull or merge request. What is merged after that can be applied again
      code: connplan::approval::base
    ");
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

#[test]
fn a_push_with_force_leaves_out_nobody() {
    let (platform, project) = shop();
    project.write("base44/connplan.toml", SIGNED);
    commit(&project, "signed");
    project.write("base44/connplan.toml", "");
    let loose = commit(&project, "loose");
    git(
        &project,
        &["commit", "-q", "--amend", "--allow-empty", "-m", "again"],
    );
    git(&project, &["push", "-qf", "origin", "HEAD:main"]);
    unsigned(&applied(&project, &loose, &[]));
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// What the branch was is fetched then, and does not tell where that was left.
#[test]
fn a_push_with_force_leaves_out_nobody_in_a_clone_without_what_it_replaced() {
    let (platform, project) = shop();
    project.write("base44/connplan.toml", SIGNED);
    commit(&project, "signed");
    project.write("base44/connplan.toml", "");
    let loose = commit(&project, "loose");
    let amend = ["commit", "-q", "--amend", "-m", "again"];
    git(&project, &amend);
    git(&project, &["push", "-qf", "origin", "HEAD:main"]);
    let remote = serves_any_commit(&project);
    let forced = format!(r#"{{"before":"{loose}","forced":true,"ref":"refs/heads/main"}}"#);
    project.write("../forced.json", &forced);
    let forced = project.path("../forced.json").display().to_string();
    // A whole clone, whatever the event says; a shallow one, where the forge says that it was forced.
    for (depth, event) in [("9", None), ("1", Some(forced.as_str()))] {
        std::fs::remove_dir_all(project.path(".git")).unwrap();
        git(&project, &["init", "-q", "-b", "main"]);
        let url = format!("file://{remote}");
        git(&project, &["remote", "add", "origin", &url]);
        let fetch = ["fetch", "-q", "--depth", depth, "origin", "main"];
        git(&project, &fetch);
        git(&project, &["checkout", "-qf", "FETCH_HEAD"]);
        let event = event.map(|event| ("GITHUB_EVENT_PATH", event));
        unsigned(&applied(&project, &loose, &Vec::from_iter(event)));
    }
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

#[test]
fn the_next_push_does_not_free_what_was_refused() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    let settings = format!("{SIGNED}from_risk = \"danger\"\n");
    project.write("base44/connplan.toml", &settings);
    let signed = commit(&project, "signed");
    applied(&project, &base, &[]).expect(0);
    assert_eq!(platform.writes().len(), 1);
    project.write("base44/connplan.toml", "");
    project.declare("gmail", &["https://mail.google.com/"]);
    let loose = commit(&project, "loose, and the whole mailbox");
    unsigned(&applied(&project, &signed, &[]));
    commit(&project, "a word");
    unsigned(&applied(&project, &loose, &[]));
    // By hand too.
    let by_hand = [
        ("GITHUB_EVENT_PATH", ""),
        ("GITHUB_EVENT_NAME", "workflow_dispatch"),
    ];
    unsigned(&applied(&project, &loose, &by_hand));
    // Nor by a workflow that runs for a request that is merged, whatever starts it; nor for the next one, which
    // is open still: it is measured against what was merged.
    let head = git(&project, &["rev-parse", "HEAD"]);
    for (action, is_merged) in [("closed", true), ("labeled", true), ("labeled", false)] {
        let request = serde_json::json!({
            "action": action,
            "pull_request": {
                "number": 5, "merged": is_merged, "merge_commit_sha": is_merged.then_some(&head),
                "head": {"sha": head, "ref": "topic"}, "base": {"sha": loose, "ref": "main"},
            },
        });
        project.write("../request.json", &request.to_string());
        let request = project.path("../request.json").display().to_string();
        let request = [
            ("GITHUB_EVENT_PATH", request.as_str()),
            ("GITHUB_EVENT_NAME", "pull_request"),
        ];
        unsigned(&applied(&project, &loose, &request));
    }
    // What binds is not guessed where it cannot be had.
    let head = git(&project, &["rev-parse", "HEAD"]);
    let before = git(&project, &["rev-parse", "HEAD~1"]);
    let remote = project.path("../remote.git").display().to_string();
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    git(&project, &["init", "-q", "-b", "main"]);
    git(
        &project,
        &["remote", "add", "origin", &format!("file://{remote}")],
    );
    git(&project, &["fetch", "-q", "--depth=2", "origin", &head]);
    git(&project, &["checkout", "-qf", "FETCH_HEAD"]);
    git(&project, &["remote", "set-url", "origin", "../none.git"]);
    let _ = std::fs::remove_dir_all(project.state_folder().join("git"));
    // That the branch has not gone on since, the forge says.
    let server = Scripted::start();
    let newest = serde_json::json!({"commit": {"sha": head}});
    let route = "GET /repos/octo/site/branches/main";
    server.on(route, [Reply::json(200, &newest)]);
    let url = server.url();
    let forge = [
        ("GITHUB_API_URL", url.as_str()),
        ("GITHUB_TOKEN", "ghs_canary"),
    ];
    reads!(applied(&project, &before, &forge), @"
    exit 1: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + gmail                 base44/connectors/gmail.jsonc
          + https://mail.google.com/
              whole mailbox: read, write, send, delete for good; also IMAP/SMTP · write, RESTRICTED
          authorization: required

    Waiting for authorization (nothing is written again):
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    1 connector waits for authorization.
    --- stderr
    warning: connplan cannot tell whether the remote origin has a store from earlier settings, and needs what is in it: the git remote origin cannot be reached: there is no such folder
    error: connplan cannot tell whether the remote origin has a store from earlier settings, and needs what is in it: the git remote origin cannot be reached: there is no such folder
      help: let the checkout keep its credentials, or try again once the remote answers. If no store was ever named, a complete clone shows that: on GitHub `fetch-depth: 0`, on GitLab `GIT_DEPTH: 0`
      code: connplan::store::left
    ");
    assert_eq!(platform.writes().len(), 1);
}

/// Nor does an apply of nothing, or of what nobody merged.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn only_what_is_merged_and_changes_the_app_is_what_was_applied_last() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    let settings = format!("{SIGNED}from_risk = \"danger\"\n");
    project.write("base44/connplan.toml", &settings);
    let signed = commit(&project, "signed");
    applied(&project, &base, &[]).expect(0);
    // A request without rules, and with what needs no approval: it is applied before the merge, and closed.
    git(&project, &["checkout", "-qb", "topic"]);
    project.write("base44/connplan.toml", "");
    project.declare("linear", &["read"]);
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "loose"]);
    let head = git(&project, &["rev-parse", "HEAD"]);
    let request = serde_json::json!({
        "action": "labeled",
        "pull_request": {
            "number": 4, "merged": false, "head": {"sha": head, "ref": "topic"},
            "base": {"sha": signed, "ref": "main"},
        },
    });
    project.write("../request.json", &request.to_string());
    let request = project.path("../request.json").display().to_string();
    let request = [
        ("GITHUB_EVENT_PATH", request.as_str()),
        ("GITHUB_EVENT_NAME", "pull_request"),
    ];
    applied(&project, &signed, &request).expect(0);
    assert_eq!(platform.writes().len(), 2);
    // Merged, what it asks for is there already.
    let loose = commit(&project, "merged");
    applied(&project, &signed, &[]).expect(0);
    assert_eq!(platform.writes().len(), 2);
    project.declare("gmail", &["https://mail.google.com/"]);
    let mailbox = commit(&project, "the whole mailbox");
    unsigned(&applied(&project, &loose, &[]));
    // A part is not all of it.
    project.declare("notion", &[]);
    let part = ["apply", "--auto-approve", "--target", "notion"];
    pushed(&project, &loose, &[], &part).expect(0);
    assert_eq!(platform.writes().len(), 3);
    unsigned(&applied(&project, &mailbox, &[]));
    // Once something else is applied, the team's rules are those.
    project.undeclare("gmail");
    project.declare("wix", &["a"]);
    let none = commit(&project, "no mailbox");
    applied(&project, &mailbox, &[]).expect(0);
    assert_eq!(platform.writes().len(), 4);
    project.declare("gmail", &["https://mail.google.com/"]);
    commit(&project, "the whole mailbox");
    applied(&project, &none, &[]).expect(0);
}

/// A new key, which the signers file names from now on.
fn key(project: &Project, name: &str) -> String {
    let file = project.path("..").join(name).display().to_string();
    let made = ["-q", "-t", "ed25519", "-N", "", "-f", file.as_str()];
    let made = std::process::Command::new("ssh-keygen").args(made).status();
    assert!(made.unwrap().success());
    let public = std::fs::read_to_string(format!("{file}.pub")).unwrap();
    project.write("base44/signers", &format!("ann {public}"));
    file
}

/// What the commit before has dropped, and the one that was applied last still asks for.
#[test]
fn who_signs_for_what_was_applied_last_is_not_for_the_next_commit_to_say() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    let settings = format!("{SIGNED}from_risk = \"danger\"\n");
    project.write("base44/connplan.toml", &settings);
    key(&project, "ann");
    commit(&project, "signed");
    applied(&project, &base, &[]).expect(0);
    project.write("base44/connplan.toml", "");
    let loose = commit(&project, "loose");
    project.write("base44/connplan.toml", &settings);
    let mallory = key(&project, "mallory");
    project.declare("gmail", &["https://mail.google.com/"]);
    commit(&project, "the whole mailbox, and another signer");
    project.run(&["plan", "--out", "../x.plan"]).expect(0);
    let sign = [
        "approve",
        "../x.plan",
        "--key",
        &mallory,
        "--out",
        "../x.sig",
    ];
    project.run(&sign);
    let apply = ["apply", "../x.plan", "--approved-by", "../x.sig"];
    pushed(&project, &loose, &[], &apply)
        .expect(3)
        .tells("does not belong to a signer");
    assert_eq!(platform.writes().len(), 1);
}

/// Nor do those sign for what the commit before asks for whom the one applied last names, or the checkout.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn nobody_signs_where_the_commit_before_names_nobody() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    let either = "[approval]\nrequire = \"either\"\nfrom_risk = \"danger\"\n";
    let named = format!("{either}signers = \"signers\"\n");
    project.write("base44/connplan.toml", &named);
    let ann = key(&project, "ann");
    commit(&project, "ann signs");
    applied(&project, &base, &[]).expect(0);
    project.write("base44/connplan.toml", either);
    let nobody = commit(&project, "reviews only");
    project.declare("gmail", &["https://mail.google.com/"]);
    let signed = |settings: &str| {
        project.write("base44/connplan.toml", settings);
        commit(&project, "the whole mailbox");
        let plan = ["plan", "--out", "x.plan"];
        pushed(&project, &nobody, &[], &plan).expect(0);
        let sign = ["approve", "x.plan", "--key", &ann, "--out", "x.sig"];
        project.run(&sign);
        let apply = ["apply", "x.plan", "--approved-by", "x.sig"];
        let run = pushed(&project, &nobody, &[], &apply);
        for file in ["x.plan", "x.sig"] {
            let _ = std::fs::remove_file(project.path(file));
        }
        run
    };
    // By the signers of the commit that was applied last.
    reads!(signed(either), @"
    exit 3: connplan apply x.plan --approved-by x.sig
    --- stderr
    error: the plan is not approved: 1 approving review or signature needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply x.plan --approved-in-review=1`; or another signer runs `connplan approve x.plan --out x.plan.2.sig`; then `connplan apply x.plan --approved-by x.sig x.plan.2.sig`
      code: connplan::approval::missing
    ");
    // And by those of the checkout.
    reads!(signed(&named), @"
    exit 3: connplan apply x.plan --approved-by x.sig
    --- stderr
    error: the plan is not approved: 1 approving review or signature needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply x.plan --approved-in-review=1`; or another signer runs `connplan approve x.plan --out x.plan.2.sig`; then `connplan apply x.plan --approved-by x.sig x.plan.2.sig`
      code: connplan::approval::missing
    ");
    assert_eq!(platform.writes().len(), 1);
    // A team that goes from reviews to signatures can apply all the same.
    let _ = std::fs::remove_dir_all(project.state_folder());
    let rules = "[approval]\nrequire = \"review\"\nfrom_risk = \"danger\"\n";
    project.write("base44/connplan.toml", rules);
    project.undeclare("gmail");
    let reviews = commit(&project, "reviews");
    project.write("base44/connplan.toml", SIGNED);
    project.declare("wix", &["a"]);
    commit(&project, "signatures");
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    project.run(&["approve", "x.plan", "--key", &ann, "--out", "x.sig"]);
    let apply = ["apply", "x.plan", "--approved-by", "x.sig"];
    pushed(&project, &reviews, &[], &apply).expect(0);
}

/// Each run is on a new machine: what was applied last, the store alone knows.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn the_store_stays_where_the_change_that_drops_the_rules_drops_it_too() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    let run = |before: &str| {
        let _ = std::fs::remove_dir_all(project.state_folder());
        applied(&project, before, &[])
    };
    let settings = format!("{SIGNED}from_risk = \"danger\"\n[store]\nurl = \"git:origin\"\n");
    project.write("base44/connplan.toml", &settings);
    let signed = commit(&project, "signed, with a store");
    run(&base).expect(0);
    project.write("base44/connplan.toml", "");
    project.declare("gmail", &["https://mail.google.com/"]);
    let loose = commit(&project, "loose, and the whole mailbox");
    reads!(run(&signed).expect(3).stderr, @"
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve PLAN`, which keeps the signature in the store; then `connplan apply PLAN`
      code: connplan::approval::missing
    ");
    commit(&project, "a word");
    reads!(run(&loose), @"
    exit 3: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + gmail                 base44/connectors/gmail.jsonc
          + https://mail.google.com/
              whole mailbox: read, write, send, delete for good; also IMAP/SMTP · write, RESTRICTED
          authorization: required

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 2 to add, 0 to change, 0 to remove, 2 to authorize.
    --- stderr
    warning: nothing names the store any more that `origin` keeps of this app: it is used still, for what was refused and revoked is known there; to do without it, delete refs/connplan/APP/ at `origin`
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve PLAN`, which keeps the signature in the store; then `connplan apply PLAN`
      code: connplan::approval::missing
    ");
    assert_eq!(platform.writes().len(), 1);
    // What the team decides goes on from there.
    project.undeclare("gmail");
    let without = commit(&project, "no mailbox");
    reads!(run(&loose), @"
    exit 0: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    App app-1 at http://HOST

    Waiting for authorization: slack

    Applied, 1 connector: 1 waiting for authorization.
    Next: connplan authorize
    --- stderr
    warning: nothing names the store any more that `origin` keeps of this app: it is used still, for what was refused and revoked is known there; to do without it, delete refs/connplan/APP/ at `origin`
    Acting as a workspace, by BASE44_API_KEY.
      ! slack waiting for authorization
    ");
    project.declare("gmail", &["https://mail.google.com/"]);
    commit(&project, "the mailbox, and no rule");
    run(&without).expect(0);
}

/// Which commit of main is the newest, as the forge says it where the remote does not.
fn forge(project: &Project) -> Scripted {
    let server = Scripted::start();
    let newest = serde_json::json!({"commit": {"sha": git(project, &["rev-parse", "HEAD"])}});
    let route = "GET /repos/octo/site/branches/main";
    server.on(route, [Reply::json(200, &newest)]);
    server
}

/// No run is told then what was kept there.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_store_that_nothing_names_any_more_is_asked_at_each_remote_and_has_to_answer() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    let other = another_remote(&project, "memory");
    let run = |before: &str, vars: &[(&str, &str)]| {
        let _ = std::fs::remove_dir_all(project.state_folder());
        applied(&project, before, vars)
    };
    let settings = format!("{SIGNED}from_risk = \"danger\"\n[store]\nurl = \"git:memory\"\n");
    project.write("base44/connplan.toml", &settings);
    let signed = commit(&project, "signed, with a store at another remote");
    run(&base, &[]).expect(0);
    project.write("base44/connplan.toml", "");
    project.declare("gmail", &["https://mail.google.com/"]);
    let loose = commit(&project, "loose, and the whole mailbox");
    reads!(run(&signed, &[]).expect(3).stderr, @"
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve PLAN`, which keeps the signature in the store; then `connplan apply PLAN`
      code: connplan::approval::missing
    ");
    commit(&project, "a word");
    reads!(run(&loose, &[]), @"
    exit 3: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + gmail                 base44/connectors/gmail.jsonc
          + https://mail.google.com/
              whole mailbox: read, write, send, delete for good; also IMAP/SMTP · write, RESTRICTED
          authorization: required

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 2 to add, 0 to change, 0 to remove, 2 to authorize.
    --- stderr
    warning: nothing names the store any more that `memory` keeps of this app: it is used still, for what was refused and revoked is known there; to do without it, delete refs/connplan/APP/ at `memory`
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve PLAN`, which keeps the signature in the store; then `connplan apply PLAN`
      code: connplan::approval::missing
    ");
    std::fs::rename(&other, project.path("../gone.git")).unwrap();
    reads!(run(&loose, &[]), @"
    exit 1: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + gmail                 base44/connectors/gmail.jsonc
          + https://mail.google.com/
              whole mailbox: read, write, send, delete for good; also IMAP/SMTP · write, RESTRICTED
          authorization: required

      + slack                 base44/connectors/slack.jsonc
          + chat:write  post messages (as the bot or as the user) · write
          authorization: required

    Plan: 2 to add, 0 to change, 0 to remove, 2 to authorize.
    --- stderr
    warning: connplan cannot tell whether the remote memory has a store from earlier settings, and needs what is in it: the git remote memory cannot be reached: there is no such folder
    error: connplan cannot tell whether the remote memory has a store from earlier settings, and needs what is in it: the git remote memory cannot be reached: there is no such folder
      help: let the checkout keep its credentials, or try again once the remote answers. If no store was ever named, a complete clone shows that: on GitHub `fetch-depth: 0`, on GitLab `GIT_DEPTH: 0`
      code: connplan::store::left
    ");
    assert_eq!(platform.writes().len(), 1);
}

/// A branch that began before the store was named takes it away by merging. And who looks for it starts no program
/// that a checkout names.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn no_merge_hides_that_a_store_was_named() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    let other = another_remote(&project, "memory");
    let settings = format!("{SIGNED}from_risk = \"danger\"\n[store]\nurl = \"git:memory\"\n");
    project.write("base44/connplan.toml", &settings);
    let signed = commit(&project, "signed, with a store at another remote");
    applied(&project, &base, &[]).expect(0);
    git(&project, &["checkout", "-q", "-b", "other", &base]);
    project.declare("gmail", &["https://mail.google.com/"]);
    commit(&project, "the whole mailbox");
    git(
        &project,
        &["merge", "-q", "-s", "ours", "-m", "merge", "main"],
    );
    git(&project, &["checkout", "-q", "main"]);
    git(
        &project,
        &["merge", "-q", "--no-ff", "-m", "merge", "other"],
    );
    let loose = git(&project, &["rev-parse", "HEAD"]);
    reads!(applied(&project, &signed, &[]).expect(3).stderr, @"
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve PLAN`, which keeps the signature in the store; then `connplan apply PLAN`
      code: connplan::approval::missing
    ");
    project.write(".gitattributes", "connplan.toml diff=spy\n");
    commit(&project, "attributes");
    let spied = project.path("../spied");
    let spy = format!("touch '{}'; cat", spied.display());
    git(&project, &["config", "diff.spy.textconv", &spy]);
    std::fs::rename(&other, project.path("../gone.git")).unwrap();
    let _ = std::fs::remove_dir_all(project.state_folder());
    let asked = || {
        let run = applied(&project, &loose, &[]);
        insta::allow_duplicates!(reads!(run, @"
        exit 1: connplan apply --auto-approve
        App app-1 at http://HOST

        Symbols:  + add

          + gmail                 base44/connectors/gmail.jsonc
              + https://mail.google.com/
                  whole mailbox: read, write, send, delete for good; also IMAP/SMTP · write, RESTRICTED
              authorization: required

          + slack                 base44/connectors/slack.jsonc
              + chat:write  post messages (as the bot or as the user) · write
              authorization: required

        Plan: 2 to add, 0 to change, 0 to remove, 2 to authorize.
        --- stderr
        warning: connplan cannot tell whether the remote memory has a store from earlier settings, and needs what is in it: the git remote memory cannot be reached: there is no such folder
        error: connplan cannot tell whether the remote memory has a store from earlier settings, and needs what is in it: the git remote memory cannot be reached: there is no such folder
          help: let the checkout keep its credentials, or try again once the remote answers. If no store was ever named, a complete clone shows that: on GitHub `fetch-depth: 0`, on GitLab `GIT_DEPTH: 0`
          code: connplan::store::left
        "));
    };
    asked();
    project.write(".gitattributes", "connplan.toml -diff\n");
    commit(&project, "other attributes");
    asked();
    assert!(!spied.exists(), "the checkout had a program started");
    assert_eq!(platform.writes().len(), 1);
}

/// Nor is one asked that no settings ever named: what is kept there anybody may have put there, and where it does not
/// answer, nothing is lost.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn a_store_that_the_settings_never_named_is_none() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    another_remote(&project, "memory");
    let store = |name: &str| {
        let settings = format!("[store]\nurl = \"git:{name}\"\n");
        project.write("base44/connplan.toml", &settings);
    };
    // Somebody tries it, in a branch that is never merged.
    store("origin");
    project.run(&["plan", "--out", "../x.plan"]).expect(0);
    let kept = ["for-each-ref", "--format=%(refname)", "refs/connplan"];
    let remote = project.path("../remote.git").display().to_string();
    let kept = [&["-C", &remote], &kept[..]].concat();
    let kept = git(&project, &kept);
    assert!(kept.contains("/log"), "{kept}");
    git(&project, &["update-ref", "refs/heads/x", "HEAD"]);
    project.write("base44/connplan.toml", "");
    commit(&project, "no settings");
    let run = |before: &str| {
        let _ = std::fs::remove_dir_all(project.state_folder());
        applied(&project, before, &[])
    };
    run(&base).expect(0).lacks("store");
    // The one that is named answers, and has nothing yet; another one does not.
    store("memory");
    let named = commit(&project, "a store");
    project.declare("notion", &[]);
    commit(&project, "notion");
    git(&project, &["remote", "set-url", "origin", "../none.git"]);
    let server = forge(&project);
    let url = server.url();
    let forge = [
        ("GITHUB_API_URL", url.as_str()),
        ("GITHUB_TOKEN", "ghs_canary"),
    ];
    let _ = std::fs::remove_dir_all(project.state_folder());
    applied(&project, &named, &forge)
        .expect(0)
        .lacks("git:origin");
    let notion = "PUT external-auth/integrations/notion".to_owned();
    assert!(platform.writes().contains(&notion));
}

/// A commit that no branch has any more is asked for by its name.
#[test]
fn the_commit_applied_last_is_not_taken_for_lost_where_the_remote_does_not_answer() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    let settings = format!("{SIGNED}from_risk = \"danger\"\n");
    project.write("base44/connplan.toml", &settings);
    commit(&project, "signed");
    applied(&project, &base, &[]).expect(0);
    git(&project, &["reset", "-q", "--hard", &base]);
    project.declare("gmail", &["https://mail.google.com/"]);
    commit(&project, "squashed, and the whole mailbox");
    let remote = project.path("../remote.git").display().to_string();
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    git(
        &project,
        &["clone", "-q", "--bare", "--no-local", &remote, ".git"],
    );
    git(&project, &["config", "core.bare", "false"]);
    git(&project, &["reset", "-q", "--hard", "main"]);
    git(&project, &["remote", "set-url", "origin", "../none.git"]);
    let server = forge(&project);
    let url = server.url();
    let forge = [
        ("GITHUB_API_URL", url.as_str()),
        ("GITHUB_TOKEN", "ghs_canary"),
    ];
    reads!(applied(&project, &base, &forge), @"
    exit 1: connplan apply --auto-approve
    App app-1 at http://HOST

    Symbols:  + add

      + gmail                 base44/connectors/gmail.jsonc
          + https://mail.google.com/
              whole mailbox: read, write, send, delete for good; also IMAP/SMTP · write, RESTRICTED
          authorization: required

    Waiting for authorization (nothing is written again):
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    1 connector waits for authorization.
    --- stderr
    error: the app was last changed from commit COMMIT. Its settings still apply, and connplan cannot get that commit: the base commit COMMIT is not completely in this clone, and it could not be fetched: the git remote origin cannot be reached: there is no such folder
      help: fetch it: on GitHub give actions/checkout `with: { fetch-depth: 0 }` and no `filter`, on GitLab set `GIT_DEPTH: 0`; and let the checkout keep its credentials, because the commit may no longer be on a branch
      code: connplan::approval::base
    ");
    assert_eq!(platform.writes().len(), 1);
}

/// Where the repository has lost it, the one that was applied before it stands for it.
#[test]
fn of_a_commit_applied_last_that_is_lost_the_one_before_binds() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    let store = "[store]\nurl = \"git:origin\"\n";
    let settings = format!("{SIGNED}from_risk = \"danger\"\n{store}");
    project.write("base44/connplan.toml", &settings);
    let signed = commit(&project, "signed");
    applied(&project, &base, &[]).expect(0);
    project.declare("linear", &["read"]);
    commit(&project, "linear");
    applied(&project, &signed, &[]).expect(0);
    let writes = platform.writes().len();
    git(&project, &["reset", "-q", "--hard", &signed]);
    project.write("base44/connplan.toml", store);
    project.declare("gmail", &["https://mail.google.com/"]);
    let loose = commit(&project, "loose, and the whole mailbox");
    commit(&project, "a word");
    let remote = project.path("../remote.git").display().to_string();
    let prune = ["-C", &remote, "gc", "-q", "--prune=now"];
    git(&project, &prune);
    std::fs::remove_dir_all(project.path(".git")).unwrap();
    git(
        &project,
        &["clone", "-q", "--bare", "--no-local", &remote, ".git"],
    );
    git(&project, &["config", "core.bare", "false"]);
    git(&project, &["reset", "-q", "--hard", "main"]);
    git(&project, &["remote", "set-url", "origin", &remote]);
    std::fs::remove_dir_all(project.state_folder()).unwrap();
    reads!(applied(&project, &loose, &[]).expect(3).stderr, @"
    linear waits for a person; requested just now by an unknown user.
    slack waits for a person; requested just now by an unknown user.
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve PLAN`, which keeps the signature in the store; then `connplan apply PLAN`
      code: connplan::approval::missing
    ");
    assert_eq!(platform.writes().len(), writes);
}

/// Nor where it names another one, now or before.
#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn the_next_push_does_not_free_what_was_refused_by_naming_another_store() {
    let (platform, project) = shop();
    let base = git(&project, &["rev-parse", "HEAD"]);
    another_remote(&project, "other");
    let run = |before: &str| {
        let _ = std::fs::remove_dir_all(project.state_folder());
        applied(&project, before, &[])
    };
    let store = |name: &str| format!("[store]\nurl = \"git:{name}\"\n");
    let approval = format!("{SIGNED}from_risk = \"danger\"\n");
    project.write(
        "base44/connplan.toml",
        &format!("{approval}{}", store("origin")),
    );
    let signed = commit(&project, "signed, with a store");
    run(&base).expect(0);
    project.write("base44/connplan.toml", &store("origin"));
    project.declare("gmail", &["https://mail.google.com/"]);
    let loose = commit(&project, "loose, and the whole mailbox");
    reads!(run(&signed).expect(3).stderr, @"
    slack waits for a person; requested just now by an unknown user.
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve PLAN`, which keeps the signature in the store; then `connplan apply PLAN`
      code: connplan::approval::missing
    ");
    project.write("base44/connplan.toml", &store("other"));
    let elsewhere = commit(&project, "another store");
    reads!(run(&loose).expect(3).stderr, @"
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve PLAN`, which keeps the signature in the store; then `connplan apply PLAN`
      code: connplan::approval::missing
    ");
    commit(&project, "a word");
    reads!(run(&elsewhere).expect(3).stderr, @"
    warning: nothing names the store any more that `origin` keeps of this app: it is used still, for what was refused and revoked is known there; to do without it, delete refs/connplan/APP/ at `origin`
    error: the plan is not approved: 1 signature needed, 0 found
      help: a signer runs `connplan approve PLAN`, which keeps the signature in the store; then `connplan apply PLAN`
      code: connplan::approval::missing
    ");
    assert_eq!(platform.writes().len(), 1);
}

#[test]
#[ignore = "needs git remotes: run by .ci/run"]
fn keys_that_a_team_renews_between_two_applies_count() {
    let (platform, project) = shop();
    let key = |name: &str| key(&project, name);
    project.write("base44/connplan.toml", SIGNED);
    let old = key("old");
    let signed = commit(&project, "signed");
    let approved = |before: &str, key: &str, code: i32| {
        project.run(&["plan", "--out", "x.plan"]).expect(0);
        let sign = ["approve", "x.plan", "--key", key, "--out", "x.sig"];
        project.run(&sign);
        let apply = ["apply", "x.plan", "--approved-by", "x.sig"];
        pushed(&project, before, &[], &apply).expect(code);
        for file in ["x.plan", "x.sig"] {
            let _ = std::fs::remove_file(project.path(file));
        }
    };
    commit(&project, "a word");
    approved(&signed, &old, 0);
    let new = key("new");
    let renewed = commit(&project, "a new key");
    project.declare("wix", &["a"]);
    commit(&project, "wix");
    approved(&renewed, &old, 3);
    approved(&renewed, &new, 0);
    assert_eq!(platform.writes().len(), 2);
}
