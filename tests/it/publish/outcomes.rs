//! What the actions do where a plan is forbidden, and where the app and its files went apart.

use std::fs;

use serde_json::json;

use crate::{
    publish::{
        actions::{github, on_github},
        forge::issues,
        runner::Runner,
    },
    support::{Connector, Platform, Project, alike},
};

#[test]
fn what_is_wrong_in_a_file_is_an_annotation_and_ends_the_job() {
    let platform = Platform::start();
    let (server, bodies) = github();
    let project = Project::new().file("base44/connectors/slack.jsonc", "{ \"scopes\": [] }\n");
    let mut runner = Runner::new(on_github(project, &platform, &server));
    let planned = runner.run("plan", &[("api-key", platform.key())]);
    assert!(planned.failed);
    insta::assert_snapshot!(alike(planned.log.lines().next().unwrap()), @r#"::error file=base44/connectors/slack.jsonc,line=1,col=1,title=connplan%3A%3Aconfig%3A%3Ano_type::the connector has no `type`%0Ahelp: add `"type": "slack"`"#);
    let [comment] = bodies.lock().unwrap().clone().try_into().unwrap();
    insta::assert_snapshot!(alike(&comment), @"
    <!-- connplan app=app%2D1 -->
    ## connplan: failed: app `app-1`

    🛑 **The files of this commit cannot be planned.**

    + `base44/connectors/slack.jsonc:1:1`: `` the connector has no `type` ``

    ```text
      error: base44/connectors/slack.jsonc has 1 error; nothing was planned
      help: fix them; `connplan validate` checks without network and login
    ```
    <!-- connplan-below -->
    ");
    assert!(runner.artifacts.is_empty());
    assert_eq!(planned.outputs["digest"], "");
}

#[test]
fn a_forbidden_plan_stands_whole_in_the_comment_with_its_rule() {
    let platform = Platform::with(&[Connector::active("notion", &["read"])]);
    let (server, bodies) = github();
    let project = Project::new()
        .connector("slack", &["chat:write"])
        .file("connplan.toml", "[policy]\nprotected = [\"notion\"]\n");
    let mut runner = Runner::new(on_github(project, &platform, &server));
    let planned = runner.run("plan", &[("api-key", platform.key())]);
    assert!(
        planned.failed && runner.artifacts.is_empty(),
        "{}",
        planned.log
    );
    let [comment] = bodies.lock().unwrap().clone().try_into().unwrap();
    insta::assert_snapshot!(alike(&comment), @"
    <!-- connplan app=app%2D1 -->
    ## connplan: forbidden: app `app-1`

    🛑 **The policy forbids this plan.**

    - 🛑 `protected`, `notion`: `the plan removes it, and the policy protects it`

    ```text
      help: change the connector files, or ask whoever is responsible for the policy to change it
    ```

    ## connplan plan that is forbidden: app `app-1`
    **Plan: 1 to add, 0 to change, 1 to remove, 1 to authorize.**

    - 🛑 **Danger:** removed, the tokens are lost for good: `notion` (`a***@example.com`)
    - 🔶 **Warning:** gains write access: `slack` (`chat:write` – post messages (as the bot or as the user))

    * **Add (1):** `slack`
    * **Remove (1):** `notion` 🛑

    <details>
    <summary>Details, scope by scope</summary>

    ```diff
    @@ - notion: delete, no file declares it @@
    - read  (unknown)
    ! danger: the tokens of a***@example.com are lost for good
    @@ + slack: create, base44/connectors/slack.jsonc @@
    + chat:write  (post messages (as the bot or as the user) · write)
      authorization: required
    ```

    </details>

    Digest `sha256:DIGEST`, at `http://HOST`, by connplan VERSION.

    A removal deletes the tokens and the connector's file in the app's own code too. What was granted at the provider stays until somebody revokes it there.
    <!-- connplan-below -->
    ");
    assert!(
        comment.contains(runner.summary.trim_end()),
        "the same stands in the run's summary"
    );

    // Allowed again: nothing of it stays.
    runner.project.write("connplan.toml", "");
    let planned = runner.run("plan", &[("api-key", platform.key())]);
    assert!(!planned.failed, "{}", planned.log);
    let [comment] = bodies.lock().unwrap().clone().try_into().unwrap();
    assert!(!comment.contains("forbidden"), "{comment}");
}

#[test]
fn one_issue_is_open_while_there_is_drift() {
    let platform = Platform::with(&[Connector::active("notion", &["read"])]);
    let (server, _) = github();
    let kept = issues(&server, true);
    let project = Project::new().connector("slack", &["chat:write"]);
    let project = on_github(project, &platform, &server)
        .var("BASE44_API_KEY", platform.key())
        .var("GITHUB_TOKEN", "ghs_canary");
    let mut runner = Runner::new(project);
    let look = |runner: &mut Runner, as_action: bool| {
        let job = if as_action {
            runner.run("drift", &[("api-key", platform.key())])
        } else {
            runner.job(".github/examples/github-drift.yml", "drift", &[])
        };
        assert!(!job.failed, "{}", job.log);
        job
    };
    for (at, as_action) in [true, false].into_iter().enumerate() {
        let job = look(&mut runner, as_action);
        assert!(job.log.contains("Opened the issue"), "{}", job.log);
        if as_action {
            assert_eq!(job.outputs["drift"], "true");
        }
        let issue = kept.all().remove(at);
        assert_eq!(
            issue["title"],
            "connplan: app app-1 and its connector files differ"
        );
        if as_action {
            insta::assert_snapshot!(alike(issue["body"].as_str().unwrap()), @"
            <!-- connplan-drift app=app%2D1 -->
            ## connplan drift: app `app-1`

            **Drift: 1 changed outside, 1 not applied yet, 0 waiting for a person.**

            ### Changed outside

            - `notion`: in the app, and no file declares it

            ### Not applied yet

            - `slack`: declared, and not in the app

            Whose doing some of these are cannot be told: no apply of them is known, or the app does not tell all. They may also be changes of the files that were never applied. The last apply's receipt shows which: `--receipt FILE`.

            `connplan plan` shows each difference in full; `connplan apply` changes the app to match the files, `connplan pull` changes the files to match the app.
            ");
        }
        assert!(runner.summary.contains("### Changed outside"));
        let job = look(&mut runner, as_action);
        assert!(job.log.contains("The issue says so already"), "{}", job.log);
        // Repaired: the files say what the app has.
        let slack = runner.project.path("base44/connectors/slack.jsonc");
        let text = fs::read_to_string(&slack).unwrap();
        fs::remove_file(&slack).unwrap();
        let notion = "{ \"type\": \"notion\", \"scopes\": [\"read\"] }";
        runner
            .project
            .write("base44/connectors/notion.jsonc", notion);
        let job = look(&mut runner, as_action);
        assert!(job.log.contains("Closed the issue"), "{}", job.log);
        let issue = kept.all().remove(at);
        assert_eq!(issue["state"], "closed");
        assert_eq!(
            issue["remark"],
            "No drift. The app matches the connector files."
        );
        let job = look(&mut runner, as_action);
        assert!(job.log.contains("none is needed"), "{}", job.log);
        assert_eq!(kept.all().len(), at + 1);
        fs::remove_file(runner.project.path("base44/connectors/notion.jsonc")).unwrap();
        runner.project.write("base44/connectors/slack.jsonc", &text);
    }
    // Whoever opened an issue may change it: somebody else's is not written to.
    kept.edit(|issue| {
        issue["state"] = json!("open");
        issue["user"] = json!({"login": "mallory"});
    });
    let job = look(&mut runner, true);
    assert!(job.log.contains("Opened the issue"), "{}", job.log);
    assert_eq!(kept.all().len(), 3);
}

#[test]
fn two_projects_and_two_environments_of_one_run_stay_apart() {
    let platform = Platform::start();
    let (server, _) = github();
    let settings = "[environments.staging]\napp_id = \"app-2\"\n";
    let project = Project::new()
        .connector("slack", &["chat:write"])
        .file("connplan.toml", settings)
        .file("apps/crm/base44/config.jsonc", "{ \"name\": \"Crm\" }")
        .file("apps/crm/base44/.app.jsonc", "{ \"id\": \"app-3\" }")
        .file(
            "apps/crm/base44/connectors/notion.jsonc",
            "{ \"type\": \"notion\" }",
        );
    let mut runner = Runner::new(on_github(project, &platform, &server));
    let key = ("api-key", platform.key());
    let crm = ("working-directory", "apps/crm");
    let mut digests = Vec::new();
    for with in [&[key][..], &[key, crm], &[key, ("args", "--env staging")]] {
        let job = runner.run("plan", with);
        assert!(!job.failed, "{}", job.log);
        digests.push(job.outputs["digest"].clone());
    }
    let kept: Vec<_> = runner.artifacts.keys().map(String::as_str).collect();
    assert_eq!(
        kept,
        [
            "connplan-plan",
            "connplan-plan-apps-crm",
            "connplan-plan-staging"
        ]
    );
    let digest = ("digest", digests[1].as_str());
    let applied = runner.run("apply", &[key, crm, digest]);
    assert!(!applied.failed, "{}", applied.log);
    assert!(runner.artifacts.contains_key("connplan-receipt-apps-crm"));
    let digest = ("digest", digests[2].as_str());
    let args = ("args", "--keep-going --env=staging");
    let applied = runner.run("apply", &[key, args, digest]);
    assert!(!applied.failed, "{}", applied.log);
    assert!(runner.artifacts.contains_key("connplan-receipt-staging"));
}

/// A forge refuses more than 65,536 characters.
#[test]
fn an_issue_has_as_much_of_each_list_as_a_forge_takes() {
    let platform = Platform::with(&[Connector::active("notion", &["read"])]);
    let (server, _) = github();
    let kept = issues(&server, true);
    let project = on_github(Project::new(), &platform, &server)
        .var("BASE44_API_KEY", platform.key())
        .var("GITHUB_TOKEN", "ghs_canary");
    for number in 0..1800 {
        project.declare(&format!("type{number:04}"), &[]);
    }
    project.run(&["drift", "--issue"]).expect(2);
    let issue = kept.all().remove(0);
    let body = issue["body"].as_str().unwrap();
    assert!((65_000..=65_536).contains(&body.len()), "{}", body.len());
    let is_told =
        |line: &&str| line.is_empty() || !line.starts_with("- `type") || line.contains("0000");
    let told: Vec<_> = body.lines().filter(is_told).collect();
    insta::assert_snapshot!(alike(&told.join("\n")), @"
    <!-- connplan-drift app=app%2D1 -->
    ## connplan drift: app `app-1`

    **Drift: 1 changed outside, 1800 not applied yet, 0 waiting for a person.**

    ### Changed outside

    - `notion`: in the app, and no file declares it

    ### Not applied yet

    - `type0000`: declared, and not in the app
    - … 292 more; `connplan drift` lists all of them

    Whose doing some of these are cannot be told: no apply of them is known, or the app does not tell all. They may also be changes of the files that were never applied. The last apply's receipt shows which: `--receipt FILE`.

    `connplan plan` shows each difference in full; `connplan apply` changes the app to match the files, `connplan pull` changes the files to match the app.
    ");
}
