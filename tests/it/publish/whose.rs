//! Whose comment is edited: what passes between jobs does not choose it.

use serde_json::json;

use crate::{
    publish::forge::{Run, github},
    support::{Platform, Project, reads},
};

/// A repository with two projects, each of an app of its own, and a folder beside it for artifacts.
fn two() -> (Platform, Project) {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .file(
            "base44/connplan.toml",
            "[environments.live]\napp_id = \"app-1\"\n",
        )
        .file("apps/crm/base44/config.jsonc", "{ \"name\": \"Crm\" }")
        .file("apps/crm/base44/.app.jsonc", "{ \"id\": \"app-3\" }")
        .file(
            "apps/crm/base44/connectors/notion.jsonc",
            "{ \"type\": \"notion\" }",
        );
    std::fs::create_dir(project.path("../kept")).unwrap();
    (platform, project)
}

fn kept(project: &Project, name: &str) -> String {
    project.path("../kept").join(name).display().to_string()
}

#[test]
fn a_document_of_another_app_edits_no_comment() {
    let (_platform, project) = two();
    let (plan, receipt) = (kept(&project, "x.plan"), kept(&project, "x.receipt"));
    let crm = |args: &[&str]| project.run(&[&["-C", "apps/crm"], args].concat());
    crm(&["plan", "--out", &plan]).expect(0);
    crm(&["apply", &plan, "--receipt", &receipt]).expect(0);
    for file in [&plan, &receipt] {
        crm(&["comment", file, "--dry-run"])
            .expect(0)
            .says("app=app%2D3 -->");
        let refused = project.run(&["comment", file, "--dry-run"]);
        refused.expect(3).tells("app-3");
        assert_eq!(refused.stdout, "", "{refused}");
        // Where nothing else names an app, the document does.
        let nowhere = Project::nowhere();
        nowhere
            .run(&["comment", file, "--dry-run"])
            .expect(0)
            .says("app=app%2D3 -->");
    }
}

#[test]
fn a_failure_is_said_where_it_was_whatever_its_document_names() {
    let (_platform, project) = two();
    let failed = |project: &Project, args: &[&str], app: &str, environment: Option<&str>| {
        let file = kept(project, "error.json");
        let app = json!({"app_id": app, "environment": environment});
        let document = json!({"kind": "error", "exit_code": 3, "message": "canary",
            "plan": {"apps": [app]}});
        std::fs::write(&file, document.to_string()).unwrap();
        let comment = ["comment", "--failed", &file, "--dry-run"];
        project.run(&[args, &comment].concat())
    };
    let live = ["--env", "live"];
    let said = failed(&project, &live, "app-1", Some("live"));
    reads!(said, @"
    exit 0: connplan --env live comment --failed FOLDER/project/../kept/error.json --dry-run
    <!-- connplan app=app%2D1 env=live -->
    ## connplan: refused: app `app-1`, environment `live`

    🛑 **Refused. Nothing was changed.**

    ```text
      error: canary
    ```
    --- stderr
    Nothing was sent. Without --dry-run: no pull or merge request to comment on: not running in GitHub Actions or GitLab CI.
    ");
    let said = failed(&project, &[], "app-1", Some("live"));
    reads!(said, @"
    exit 0: connplan comment --failed FOLDER/project/../kept/error.json --dry-run
    <!-- connplan app=app%2D1 -->
    ## connplan: failed: app `app-1`

    🛑 **The error cannot be read; see the log of the run.**
    --- stderr
    warning: the comment only says that something failed, because the file is not of this app or environment: the file is for the environment live, this run is for no environment
    Nothing was sent. Without --dry-run: no pull or merge request to comment on: not running in GitHub Actions or GitLab CI.
    ");
    for (args, app, environment) in [
        (&[][..], "app-3", None),
        (&[], "app-1", Some("none")),
        (&["--app-id", "app-1"], "app-3", None),
    ] {
        let said = failed(&project, args, app, environment);
        said.expect(0)
            .says("app=app%2D1 -->")
            .tells("the comment only says that something failed");
        assert!(!said.stdout.contains("canary"), "{said}");
    }
    let said = failed(&project, &live, "app-1", None);
    reads!(said, @"
    exit 0: connplan --env live comment --failed FOLDER/project/../kept/error.json --dry-run
    <!-- connplan app=app%2D1 env=live -->
    ## connplan: failed: app `app-1`, environment `live`

    🛑 **The error cannot be read; see the log of the run.**
    --- stderr
    warning: the comment only says that something failed, because the file is not of this app or environment: the file is for no environment, this run is for the environment live
    Nothing was sent. Without --dry-run: no pull or merge request to comment on: not running in GitHub Actions or GitLab CI.
    ");
    let nowhere = Project::nowhere();
    std::fs::create_dir(nowhere.path("../kept")).unwrap();
    reads!(failed(&nowhere, &[], "app-1", None), @"
    exit 1: connplan comment --failed FOLDER/project/../kept/error.json --dry-run
    --- stderr
    error: no Base44 project here: neither FOLDER/project nor a folder above it holds base44/config.jsonc or config.jsonc (or .json)
      help: go to the project, or name its folder with `-C DIR`; `npx base44 create` makes a project, and `connplan demo` shows all of it without one. To do without a project, name the app with `--app-id ID` or BASE44_APP_ID: connector files then come from ./connectors, or from `--dir DIR`
      code: connplan::config::no_project
    ");
}

/// Without a Base44 config there are environments, too.
#[test]
fn an_environment_is_compared_where_a_variable_names_the_app() {
    let platform = Platform::start();
    let project = Project::nowhere()
        .at(&platform)
        .var("BASE44_APP_ID", "app-1")
        .file("connplan.toml", "[environments.live]\n")
        .file("connectors/slack.jsonc", r#"{"type": "slack"}"#);
    std::fs::create_dir(project.path("../kept")).unwrap();
    let plan = kept(&project, "x.plan");
    project
        .run(&["--env", "live", "plan", "--out", &plan])
        .expect(0);
    reads!(project.run(&["comment", &plan, "--dry-run"]), @"
    exit 1: connplan comment FOLDER/project/../kept/x.plan --dry-run
    --- stderr
    error: the file is for the environment live, this run is for no environment
      help: a comment belongs to the environment of its run: give `comment` the same as `plan`, `--env live`
      code: connplan::usage
    ");
    let bare = Project::nowhere().var("BASE44_APP_ID", "app-1");
    reads!(bare.run(&["comment", &plan, "--dry-run"]), @"
    exit 1: connplan comment FOLDER/project/../kept/x.plan --dry-run
    --- stderr
    error: the file is for the environment live, this run is for no environment
      help: no connplan.toml is here, so there are no environments: check the project out; or leave out `--app-id` and BASE44_APP_ID, and the file says whose comment it is
      code: connplan::usage
    ");
    project.run(&["plan", "--out", &plan]).expect(0);
    let live = ["--env", "live", "comment", &plan, "--dry-run"];
    reads!(project.run(&live), @"
    exit 1: connplan --env live comment FOLDER/project/../kept/x.plan --dry-run
    --- stderr
    error: the file is for no environment, this run is for the environment live
      help: a comment belongs to the environment of its run: leave out `--env`, as `plan` did
      code: connplan::usage
    ");
}

#[test]
fn an_environment_is_the_one_that_is_named() {
    let (_platform, project) = two();
    let plan = kept(&project, "x.plan");
    project.run(&["plan", "--out", &plan]).expect(0);
    let comment = ["--env", "live", "comment", &plan, "--dry-run"];
    reads!(project.run(&comment), @"
    exit 1: connplan --env live comment FOLDER/project/../kept/x.plan --dry-run
    --- stderr
    error: the file is for no environment, this run is for the environment live
      help: a comment belongs to the environment of its run: leave out `--env`, as `plan` did
      code: connplan::usage
    ");
    project
        .run(&["--env", "live", "plan", "--out", &plan])
        .expect(0);
    project
        .run(&["--env", "live", "comment", &plan, "--dry-run"])
        .expect(0)
        .says("env=live -->");
    reads!(project.run(&["comment", &plan, "--dry-run"]), @"
    exit 1: connplan comment FOLDER/project/../kept/x.plan --dry-run
    --- stderr
    error: the file is for the environment live, this run is for no environment
      help: a comment belongs to the environment of its run: give `comment` the same as `plan`, `--env live`
      code: connplan::usage
    ");
}

/// Whoever can write to the store says what waits, and a plan takes that for no change.
#[test]
fn what_waits_is_shown_to_reviewers_scope_by_scope() {
    let (server, comments) = github();
    let run = Run::github(&server);
    let waits = run.outcome("plans/pending/plan.toml", &[]);
    assert_eq!(
        (&waits["outcome"], &waits["has_changes"]),
        (&json!("created"), &json!(false))
    );
    let body = comments.bodies().concat();
    assert!(body.contains("gmail: waits for authorization, "), "{body}");
    let scope = "\n  https://www.googleapis.com/auth/gmail.send";
    assert!(body.contains(scope), "{body}");
}
