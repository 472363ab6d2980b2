//! What people approve by is what the plan holds, whoever wrote the files, the store and the folders' names.

use std::fs;

use serde_json::json;

use crate::support::{
    Connector, Platform, Project, reads,
    scripted::{Reply, Scripted},
};

const FORGED: &str = r#"{
  "type": "zendesk", "scopes": ["read"], "account": "ada.lovelace@example.com",
  "connection_config": {
    "label": "support\", \"subdomain\" = \"acme-prod\", owner grace@example.com PADDED",
    "subdomain": "evil-tenant"
  }
}"#;

fn forged() -> String {
    FORGED.replace("PADDED", &"x".repeat(170))
}

#[test]
fn each_connection_value_is_shown_whole_on_a_line_of_its_own() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .file("base44/connectors/zoe@example.com.jsonc", &forged());
    let ci = [("CI", "true")];
    reads!(project.run_vars(&ci, &["plan", "--out", "x.plan"]), @r#"
    exit 0: connplan plan --out x.plan
    App app-1 at http://HOST

    Symbols:  + add

      + zendesk               b***@example.com.jsonc
          connection value set: "label" = "support\", \"subdomain\" = \"acme-prod\", owner g***@example.com xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
          connection value set: "subdomain" = "evil-tenant"
          account: a***@example.com is expected to consent
          + read  unknown, which does not mean safe
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.

    Digest: sha256:DIGEST
    To carry out exactly this plan: connplan apply x.plan
    "#);
    reads!(project.run_vars(&ci, &["comment", "x.plan", "--dry-run"]), @r#"
    exit 0: connplan comment x.plan --dry-run
    <!-- connplan app=app%2D1 -->
    ## connplan plan: app `app-1`
    **Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.**

    - Note: asks for unknown scopes, which does not mean safe ones: `zendesk` (`read`)

    * **Add (1):** `zendesk`

    <details>
    <summary>Details, scope by scope</summary>

    ```diff
    @@ + zendesk: create, b***@example.com.jsonc @@
      connection value set: "label" = "support\", \"subdomain\" = \"acme-prod\", owner g***@example.com xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      connection value set: "subdomain" = "evil-tenant"
      account: a***@example.com is expected to consent
    + read  (unknown, which does not mean safe)
      authorization: required
    ```

    </details>

    Digest `sha256:DIGEST`, at `http://HOST`, by connplan VERSION.

    To carry out exactly this plan: `connplan apply x.plan --expect-digest sha256:DIGEST`
    --- stderr
    Nothing was sent. Without --dry-run: no pull or merge request to comment on: not running in GitHub Actions or GitLab CI.
    "#);
}

/// Whoever writes a store can say that it waits, and so take it out of the changes.
#[test]
fn what_waits_is_shown_like_a_change() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .file("base44/connectors/zendesk.jsonc", &forged());
    project.run(&["apply", "--auto-approve"]).expect(0);
    reads!(project.run(&["plan", "--out", "x.plan"]), @r#"
    exit 0: connplan plan --out x.plan
    App app-1 at http://HOST

    Waiting for authorization (nothing is written again):
        zendesk               base44/connectors/zendesk.jsonc
          connection value set: "label" = "support\", \"subdomain\" = \"acme-prod\", owner grace@example.com xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
          connection value set: "subdomain" = "evil-tenant"
          account: ada.lovelace@example.com is expected to consent
            read  unknown, which does not mean safe

    No changes to make. 1 connector waits for authorization: run `connplan authorize`.

    Digest: sha256:DIGEST
    "#);
    reads!(project.run(&["comment", "x.plan", "--dry-run"]), @r#"
    exit 0: connplan comment x.plan --dry-run
    <!-- connplan app=app%2D1 -->
    ## connplan plan: app `app-1`
    **No changes to make. 1 connector waits for authorization: run `connplan authorize`.**

    - Note: asks for unknown scopes, which does not mean safe ones: `zendesk` (`read`), which waits for authorization

    * **Waiting for authorization (1):** `zendesk`

    <details>
    <summary>Details, scope by scope</summary>

    ```diff
    @@ ! zendesk: waits for authorization, base44/connectors/zendesk.jsonc @@
      connection value set: "label" = "support\", \"subdomain\" = \"acme-prod\", owner g***@example.com xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      connection value set: "subdomain" = "evil-tenant"
      account: a***@example.com is expected to consent
      read  (unknown, which does not mean safe)
    ```

    </details>

    Digest `sha256:DIGEST`, at `http://HOST`, by connplan VERSION.
    --- stderr
    Nothing was sent. Without --dry-run: no pull or merge request to comment on: not running in GitHub Actions or GitLab CI.
    "#);
}

#[test]
fn what_the_policy_warns_of_stands_before_other_findings() {
    let platform = Platform::start();
    let unknown: Vec<_> = (0..12).map(|n| format!(", \"x{n}\": 1")).collect();
    let project = Project::new()
        .at(&platform)
        .file(
            "base44/connplan.toml",
            "[policy]\ndenied_scopes = { \"*\" = [\"delete_repo\"] }\n\
             [policy.rules.denied_scopes]\nlevel = \"warn\"\nmessage = \"ask the team\"\n",
        )
        .file(
            "base44/connectors/airtable.jsonc",
            &format!(
                "{{\"type\": \"airtable\", \"scopes\": []{}}}",
                unknown.concat()
            ),
        )
        .connector("github", &["delete_repo"]);
    project.run(&["plan", "--out", "x.plan"]).expect(0);
    reads!(project.run(&["comment", "x.plan", "--dry-run"]), @"
    exit 0: connplan comment x.plan --dry-run
    <!-- connplan app=app%2D1 -->
    ## connplan plan: app `app-1`
    **Plan: 2 to add, 0 to change, 0 to remove, 2 to authorize.**

    - 🛑 **Danger:** gains admin access: `github` (`delete_repo` – delete repositories the user administers)

    * **Add (2):** `airtable`, `github` 🛑

    + Warning in `base44/connectors/github.jsonc:1:12`: ``the policy in connplan.toml warns (`denied_scopes`): github: the scope delete_repo is denied (ask the team)``
    + Warning in `base44/connectors/airtable.jsonc:1:36`: `` `x0` is not a key of a connector file ``
    + Warning in `base44/connectors/airtable.jsonc:1:45`: `` `x1` is not a key of a connector file ``
    + Warning in `base44/connectors/airtable.jsonc:1:54`: `` `x2` is not a key of a connector file ``
    + Warning in `base44/connectors/airtable.jsonc:1:63`: `` `x3` is not a key of a connector file ``
    + Warning in `base44/connectors/airtable.jsonc:1:72`: `` `x4` is not a key of a connector file ``
    + Warning in `base44/connectors/airtable.jsonc:1:81`: `` `x5` is not a key of a connector file ``
    + Warning in `base44/connectors/airtable.jsonc:1:90`: `` `x6` is not a key of a connector file ``
    + Warning in `base44/connectors/airtable.jsonc:1:99`: `` `x7` is not a key of a connector file ``
    + Warning in `base44/connectors/airtable.jsonc:1:108`: `` `x8` is not a key of a connector file ``
    + and 3 more; see `connplan validate`

    <details>
    <summary>Details, scope by scope</summary>

    ```diff
    @@ + github: create, base44/connectors/github.jsonc @@
    + delete_repo  (delete repositories the user administers · ADMIN)
      authorization: required
    @@ + airtable: create, base44/connectors/airtable.jsonc @@
      authorization: required
    ```

    </details>

    Digest `sha256:DIGEST`, at `http://HOST`, by connplan VERSION.

    To carry out exactly this plan: `connplan apply x.plan --expect-digest sha256:DIGEST`
    --- stderr
    Nothing was sent. Without --dry-run: no pull or merge request to comment on: not running in GitHub Actions or GitLab CI.
    ");
}

/// Which app a project is of, a file of the checkout says.
#[test]
fn two_projects_of_one_app_have_comments_of_their_own() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    fs::create_dir(project.path(".git")).unwrap();
    for name in ["apps/a", "apps/b"] {
        project.write(&format!("{name}/base44/config.jsonc"), "{}");
        project.write(&format!("{name}/base44/.app.jsonc"), r#"{"id": "app-1"}"#);
        project.run_in(name, &["plan", "--out", "x.plan"]).expect(0);
        let comment = project.run_in(name, &["comment", "x.plan", "--dry-run"]);
        let head: Vec<_> = comment.stdout.lines().take(2).collect();
        let folder = name.replace('/', "%2F");
        assert_eq!(
            head,
            [
                format!("<!-- connplan app=app%2D1 in={folder} -->"),
                format!("## connplan plan: app `app-1`, project `{name}`")
            ]
        );
    }
}

#[test]
fn a_folders_name_gives_no_command_to_terminal_or_runner() {
    let project = Project::nowhere();
    fs::create_dir(project.path(".git")).unwrap();
    project.write(
        "a\u{1b}]0;x\u{7}\n::error::y\n##vso[task.setvariable variable=x]z/base44/config.jsonc",
        "{}",
    );
    reads!(project.run(&["init", "--dry-run"]), @r"
    exit 1: connplan init --dry-run
    --- stderr
    error: no Base44 project here; below are a\u{1b}]0;x\u{7}\u{a}\u{3a}:error\u{3a}:y\u{a}\u{23}#vso[task.setvariable variable=x]z
      help: run `connplan -C 'a\u{1b}]0;x\u{7}\u{a}\u{3a}:error\u{3a}:y\u{a}\u{23}#vso[task.setvariable variable=x]z' init`: the workflows that it writes cover all projects of the repository
      code: connplan::usage
    ");
}

#[test]
fn init_shows_no_line_of_a_file_that_lies_elsewhere() {
    let project = Project::nowhere();
    fs::create_dir(project.path(".git")).unwrap();
    for name in ["one", "two"] {
        project.write(&format!("{name}/base44/config.jsonc"), "{}");
    }
    fs::create_dir(project.path(".github")).unwrap();
    let elsewhere = project.home().join("elsewhere");
    fs::create_dir_all(&elsewhere).unwrap();
    let text = "canary\n          PROJECTS: |\n            one\n";
    fs::write(elsewhere.join("connplan-plan.yml"), text).unwrap();
    std::os::unix::fs::symlink(&elsewhere, project.path(".github/workflows")).unwrap();
    reads!(project.run_in("one", &["init", "--dry-run"]), @"
    exit 0: connplan init --dry-run
    would create base44/connplan.toml
    would create base44/connector.schema.json
    would create ../.github/skills/connplan/SKILL.md
    would create ../.github/workflows/connplan-plan.yml
    would create ../.github/workflows/connplan-apply.yml
    would create ../.github/workflows/connplan-apply-project.yml

    Next:
      connplan login       # or set BASE44_ACCESS_TOKEN
      npx base44 link      # names the app, or set BASE44_APP_ID
      connplan pull        # the app's connectors become files
      connplan add         # a new connector
      connplan plan        # what would change
      in GitHub's settings, secret BASE44_READ_TOKEN: a personal access token of Base44; one that only reads is enough
      in GitHub's settings, environment `production`: whoever approves an apply is its required reviewer
      in GitHub's settings, secret BASE44_WRITE_TOKEN, of that environment: a token that may write
      in GitHub's settings, a variable for each project, as the workflows name it: its app, unless its .app.jsonc is checked in
    ");
}

/// A name on the command line says where to read, and not that a link of the checkout there is to be followed.
#[test]
fn a_named_file_that_is_a_link_out_of_the_checkout_is_not_read() {
    let project = Project::new();
    project.write("../secret", "\"CANARY\"\n");
    project.write("../version", "format_version = \"CANARY\"\n");
    fs::create_dir(project.path("published")).unwrap();
    for (to, link) in [
        ("../../secret", "published/state.json"),
        ("../version", "connplan.plan"),
        ("nowhere", "gone.plan"),
    ] {
        std::os::unix::fs::symlink(to, project.path(link)).unwrap();
    }
    super::loosening::git(&project, &["init", "-q", "-b", "main"]);
    let mut all = Vec::new();
    for command in [
        &["plan", "--remote-state", "published/state.json"][..],
        &["policy", "explain", "connplan.plan"],
        &["show", "connplan.plan"],
        &["show", "gone.plan"],
        &["apply", "connplan.plan"],
        &["plan", "--receipt", "connplan.plan"],
        &["comment", "connplan.plan", "--dry-run"],
        &["approve", "connplan.plan"],
    ] {
        let run = project.run(command);
        let error = run.stderr.lines().find(|line| line.starts_with("error"));
        let error = error.unwrap_or_default();
        let root = project.root().canonicalize().unwrap();
        let error = error.replace(&root.display().to_string(), "PROJECT");
        all.push(format!("{}: {error}", command.join(" ")));
        assert!(
            !run.stdout.contains("CANARY") && !run.stderr.contains("CANARY"),
            "{all:?}"
        );
    }
    insta::assert_snapshot!(all.join("\n"), @"
    plan --remote-state published/state.json: error: published/state.json leads out of PROJECT
    policy explain connplan.plan: error: connplan.plan leads out of PROJECT
    show connplan.plan: error: connplan.plan leads out of PROJECT
    show gone.plan: error: PROJECT/gone.plan is a symbolic link
    apply connplan.plan: error: connplan.plan leads out of PROJECT
    plan --receipt connplan.plan: error: no credentials were found
    comment connplan.plan --dry-run: error: connplan.plan leads out of PROJECT
    approve connplan.plan: error: connplan.plan leads out of PROJECT
    ");
    // One that stays within is followed.
    project.write("files/a.plan", "format_version = \"9.0\"\n");
    std::os::unix::fs::symlink("files/a.plan", project.path("b.plan")).unwrap();
    let run = project.run(&["show", "b.plan"]);
    insta::assert_snapshot!(run.stderr.lines().next().unwrap_or_default(), @"error: the plan b.plan has format 9.0; this connplan reads 2.0");
}

/// What is tried again is logged with the server's own words.
#[test]
fn the_log_of_a_pipeline_masks_addresses_too() {
    let server = Scripted::start();
    let busy = json!({"message": "the connection of ada.lovelace@example.com is busy"});
    server.on(
        "GET /api/apps/app-1/external-auth/list",
        [Reply::json(503, &busy)],
    );
    let project = Project::new()
        .var("BASE44_API_URL", &server.url())
        .var("BASE44_API_KEY", "b44k_canary")
        .var("BASE44_APP_ID", "app-1");
    let run = |args: &[&str]| project.run_vars(&[("CI", "true")], args);
    let logged = run(&["-v", "plan"]);
    logged
        .expect(1)
        .tells("trying again")
        .tells("of a***@example.com is busy")
        .lacks("ada.lovelace");
    run(&["-v", "plan", "--show-accounts"])
        .expect(1)
        .tells("of ada.lovelace@example.com is busy");
}

/// A letter with hundreds of them covers the lines around it, in a browser: a danger, say.
#[test]
fn marks_on_a_letter_are_told_from_a_few_on() {
    let platform = Platform::start();
    let scope = format!("a{}z", "\u{336}".repeat(7));
    let project = Project::new().at(&platform).connector("slack", &[&scope]);
    reads!(project.run(&["plan"]), @r"
    exit 0: connplan plan
    App app-1 at http://HOST

    Symbols:  + add

      + slack                 base44/connectors/slack.jsonc
          + a̶̶̶̶\u{336}\u{336}\u{336}z  unknown, which does not mean safe
          authorization: required

    Plan: 1 to add, 0 to change, 0 to remove, 1 to authorize.
    ");
}

/// A snapshot of the app is a document as every other is.
#[test]
fn what_an_app_holds_is_harmless_in_its_snapshot() {
    let scopes = ["a\u{9b}31m", "##vso[task.setvariable]x", "b\u{202e}c"];
    let platform = Platform::with(&[Connector::active("slack", &scopes)]);
    let shown = Project::new().at(&platform).run(&["remote-state"]);
    shown.expect(0).lacks("##");
    let plain = |c: char| c == '\n' || (' '..='~').contains(&c);
    assert!(shown.stdout.chars().all(plain), "{shown}");
    let document: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let mut kept: Vec<_> = scopes.iter().map(|scope| json!(scope)).collect();
    kept.sort_by_key(ToString::to_string);
    let mut read = document["connectors"][0]["scopes"]
        .as_array()
        .unwrap()
        .clone();
    read.sort_by_key(ToString::to_string);
    assert_eq!(read, kept);
}

/// Where addresses are masked, a quote in one scope and `"@` in another are no quoted name around what lies between.
#[test]
fn quotes_in_two_scopes_hide_no_connector_between() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("airtable", &["q\""])
        .connector("linear", &["admin-all"])
        .connector("wrike", &["ro\"@a.bc"])
        .var("CI", "true");
    let log = project.run(&["plan", "--out", "x.plan"]);
    log.expect(0);
    let summary = project.run(&["show", "x.plan", "--format", "markdown"]);
    let comment = project.run(&["comment", "x.plan", "--dry-run"]);
    let danger = |page: &str| {
        page.lines()
            .find(|line| line.contains("Danger:"))
            .unwrap()
            .to_owned()
    };
    for text in [
        &log.stdout,
        &summary.stdout,
        &danger(&summary.stdout),
        &danger(&comment.stdout),
    ] {
        assert!(
            text.contains("linear") && text.contains("admin-all"),
            "{text}"
        );
        assert!(
            text.contains("wrike") && text.contains("r***@a.bc"),
            "{text}"
        );
    }
}
