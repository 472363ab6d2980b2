//! A removal says why, where that can be told.

use std::process::Command;

use crate::support::{Connector, Platform, Project, change, reads};

fn why(project: &Project) -> String {
    let plan = project.run(&["plan", "--format", "json"]);
    plan.expect(0);
    let change = change(&plan.json(), "slack").clone();
    assert_eq!(change["action"], "delete", "{plan}");
    change["why"].as_str().unwrap_or_default().to_owned()
}

fn with_slack() -> (Platform, Project) {
    let platform = Platform::with(&[Connector::active("slack", &["chat:write"])]);
    let project = Project::new().at(&platform).connector("linear", &[]);
    (platform, project)
}

#[test]
fn a_file_that_is_not_read_explains_a_removal() {
    let text = "{ \"type\": \"slack\", \"scopes\": [\"chat:write\"] }";
    for name in [
        "team/slack.jsonc",
        "slack.JSON",
        "slack.yaml",
        "a/b/Slack.toml",
    ] {
        let (_platform, project) = with_slack();
        project.write(&format!("base44/connectors/{name}"), text);
        assert!(why(&project).contains(name), "{name}");
        project.run(&["plan"]).expect(0).says(name);
        let markdown = project.run(&["plan", "--format", "markdown"]);
        markdown.expect(0).says("is not read");
        project.run(&["validate"]).expect(0).tells("is not read");
    }
    let (_platform, project) = with_slack();
    assert_eq!(why(&project), "");
    project.declare("slakc", &[]);
    assert!(why(&project).contains("slakc"));
}

#[test]
fn what_a_file_holds_explains_a_removal_too() {
    let json = "{ \"type\": \"slack\", \"scopes\": [\"chat:write\"] }";
    for (name, text) in [
        ("team/a/messages.jsonc", json),
        ("chat.json5", json),
        ("chat.yml", "type: slack\nscopes: [chat:write]\n"),
        ("chat.TOML", "type = \"slack\"\nscopes = []\n"),
        ("chat.jsonc.bak", json),
        ("chat.jsonc~", json),
        ("chat.txt", json),
        ("chat", json),
        (".chat.jsonc", json),
    ] {
        let (_platform, project) = with_slack();
        project.write(&format!("base44/connectors/{name}"), text);
        assert!(why(&project).contains(name), "{name}");
        project.run(&["validate"]).expect(0).tells("not read");
        project.run(&["validate", "--strict"]).expect(1);
    }
    let (_platform, project) = with_slack();
    // Such a file is no connector's, whatever its name is.
    project.write(
        "base44/connectors/README.md",
        json.replace('}', "} and more").as_str(),
    );
    project.write(
        "base44/connectors/slack.jsonc",
        "{ \"type\": \"slackbot\" }",
    );
    project.run(&["validate", "--strict"]).expect(0);
    let why = why(&project);
    assert_eq!(why, "base44/connectors/slack.jsonc declares slackbot");
}

#[test]
fn a_branch_that_is_behind_is_named() {
    let (_platform, project) = with_slack();
    let git = |args: &[&str]| {
        let ran = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com"])
            .args(args)
            .current_dir(project.root())
            .output()
            .unwrap();
        assert!(ran.status.success(), "{ran:?}");
    };
    git(&["init", "-q", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "one"]);
    git(&["branch", "topic"]);
    project.declare("slack", &["chat:write"]);
    git(&["add", "."]);
    git(&["commit", "-qm", "two"]);
    git(&["update-ref", "refs/remotes/origin/main", "main"]);
    git(&[
        "symbolic-ref",
        "refs/remotes/origin/HEAD",
        "refs/remotes/origin/main",
    ]);
    git(&["checkout", "-q", "topic"]);
    assert_eq!(
        why(&project),
        "slack.jsonc is on main, and this branch lacks that commit: merge main into it"
    );
    // By what a file declares, and without a remote.
    git(&["checkout", "-q", "main"]);
    let chat = "base44/connectors/chat.jsonc";
    git(&["mv", "base44/connectors/slack.jsonc", chat]);
    git(&["commit", "-qm", "three"]);
    for name in ["refs/remotes/origin/HEAD", "refs/remotes/origin/main"] {
        git(&["update-ref", "--no-deref", "-d", name]);
    }
    git(&["checkout", "-q", "topic"]);
    assert!(why(&project).starts_with("chat.jsonc is on main, and this branch lacks that commit"));
    git(&["merge", "-q", "main"]);
    git(&["rm", "-q", chat]);
    git(&["commit", "-qm", "four"]);
    assert_eq!(
        why(&project),
        "chat.jsonc is on main, and this branch removes it"
    );
}

#[test]
fn a_removal_can_keep_the_scopes() {
    let (platform, project) = with_slack();
    project.write("base44/connplan.toml", "on_remove = \"disconnect\"\n");
    let plan = project.run(&["plan", "--out", "x.plan", "--format", "json"]);
    plan.expect(0);
    assert_eq!(change(&plan.json(), "slack")["removal"], "disconnect");
    reads!(project.run(&["show", "x.plan"]), @"
    exit 0: connplan show x.plan
    App app-1 at http://HOST

    Symbols:  + add  - remove  ! look here

      + linear                base44/connectors/linear.jsonc
          authorization: required

      - slack                 no file declares it
          it is disconnected: its tokens are deleted, the connector keeps its scopes
          - chat:write  post messages (as the bot or as the user) · write
          ! the tokens of a***@example.com are lost for good

    Plan: 1 to add, 0 to change, 1 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply x.plan
    ");
    platform.forget();
    project.run(&["apply", "x.plan"]).expect(0);
    let writes = platform.writes();
    assert!(
        writes.contains(&"DELETE external-auth/integrations/slack".to_owned()),
        "{writes:?}"
    );
    let again = project.run(&["plan", "--format", "json"]);
    again.expect(0);
    assert_eq!(change(&again.json(), "slack")["action"], "no-op");
    reads!(project.run(&["apply", "x.plan"]), @"
    exit 0: connplan apply x.plan
    App app-1 at http://HOST

    Waiting for authorization: linear

    Applied before, 2 connectors: 1 removed, 1 waiting for authorization.
    Next: connplan authorize
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    This plan was already applied. Nothing was written.
    ");
}

#[test]
fn what_a_consent_left_out_is_told_once_and_is_no_change_for_ever() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write", "users:read"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    platform.consent_to_some("slack", "ada@example.com", &["chat:write"]);
    reads!(project.run(&["authorize", "--timeout", "0s"]), @"
    exit 4: connplan authorize --timeout 0s
    CONNECTOR  ACCOUNT          GRANTED        TOOK
    slack      ada@example.com  1 of 2 scopes  -

    Summary:
      Failed: slack - not granted: users:read

    Left to do for 1 connector:
      slack: 1 scope not granted
          - users:read  list workspace members (without email) · read
        -> run `connplan authorize slack` again and grant every scope on the consent page
    --- stderr
    Acting as a workspace, by BASE44_API_KEY.
    Not interactive: no link was requested. Run `connplan authorize` in a terminal, on this machine or, with `--receipt FILE`, on another. Without a terminal, `--yes --print-links` prints the links here and waits.
    ");
    reads!(project.run(&["plan", "--detailed-exitcode", "--out", "x.plan"]), @"
    exit 0: connplan plan --detailed-exitcode --out x.plan
    App app-1 at http://HOST

    Waiting for authorization (nothing is written again):
        slack                 base44/connectors/slack.jsonc
            chat:write  post messages (as the bot or as the user) · write
            users:read  list workspace members (without email) · read

    note: slack: the last consent did not grant users:read. If somebody unticked it, `connplan authorize slack` asks again. If the platform does not grant it, nothing can be done; after `connplan authorize --forget slack` the plan shows it as a change again

    No changes to make. 1 connector waits for authorization: run `connplan authorize`.

    Digest: sha256:DIGEST
    ");
    let json = project.run(&["show", "x.plan", "--format", "json"]).json();
    assert_eq!(change(&json, "slack")["dropped"][0], "users:read");
    // Nor does looking or applying forget it.
    project.run(&["apply", "--auto-approve"]).expect(0);
    project.run(&["plan", "--detailed-exitcode"]).expect(0);
    // Other scopes are a change.
    project.declare("slack", &["chat:write", "users:read", "files:read"]);
    project.run(&["plan", "--detailed-exitcode"]).expect(2);
    project.declare("slack", &["chat:write"]);
    project
        .run(&["plan", "--detailed-exitcode"])
        .expect(0)
        .lacks("left out");
}
