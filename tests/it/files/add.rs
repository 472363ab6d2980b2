//! `connplan add` and `connplan init`: files that are not there yet.

use serde_json::json;

use crate::{files::project::Project, sandbox::client::Site};

#[tokio::test]
async fn it_checks_with_the_platform_and_says_what_a_connection_asks_for() {
    let site = Site::new().await;
    let project = Project::at(&site);
    let added = project.run(&["add", "snowflake", "--format", "json"]).await;
    let added = added.ended(0).json();
    assert_eq!(added["offered"], true);
    assert_eq!(added["scopes"], json!([]));
    assert_eq!(
        added["connection_config_fields"][0]["name"], "account_identifier",
        "{added}"
    );
    let told = project.run(&["add", "bamboohr"]).await.ended(0);
    told.says(&["Company domain", "write them into the file"]);
    for (said, meant) in [
        ("hubspto", "hubspot"),
        ("gdrive", "googledrive"),
        ("google-drive", "googledrive"),
        ("googlecal", "googlecalendar"),
    ] {
        let slip = project.run(&["add", said]).await.ended(1);
        slip.says(&[
            &format!("does not offer `{said}`"),
            &format!("did you mean `{meant}`?"),
            "nothing was written",
        ]);
    }
    // Stripe is no integration, and not in that list.
    let stripe = project.run(&["add", "stripe"]).await.ended(0);
    assert!(!stripe.err.contains("stripe"), "{}", stripe.err);
    assert_eq!(
        project.read("base44/connectors/stripe.jsonc"),
        "// The app's stripe connector.\n// Stripe takes no scopes: a sandbox is provisioned, \
         which you claim.\n{\n  \"type\": \"stripe\"\n}\n"
    );
    let refused = project.run(&["add", "stripe", "--scope", "x"]).await;
    refused.ended(1).says(&["declares `stripe` already"]);
}

#[tokio::test]
async fn it_works_without_a_login_and_says_what_it_could_not_check() {
    let project = Project::bare();
    let args = [
        "add",
        "slackbot",
        "--scope",
        "chat:write",
        "--scope",
        "chat:wrte",
    ];
    let added = project.run(&args).await.ended(0);
    added.says(&[
        "was not checked: no credentials",
        "did you mean `chat:write`?",
        "Created base44/connectors/slackbot.jsonc: slackbot, with 2 scopes.",
    ]);
    let text = project.read("base44/connectors/slackbot.jsonc");
    assert!(text.contains("\"chat:write\", // "), "{text}");
    let valid = project.run(&["validate"]).await.ended(0);
    assert!(valid.out.contains("1 connector"), "{}", valid.out);
    for scope in ["", "a b"] {
        let odd = project.run(&["add", "notion", "--scope", scope]).await;
        odd.ended(1).says(&["is not a scope"]);
    }
    let none = project.run(&["add"]).await.ended(1);
    none.says(&["No TYPE was given"]);
    let slip = project.run(&["add", "../x"]).await.ended(1);
    slip.says(&["only letters, digits"]);
    assert_eq!(project.list("base44/connectors"), ["slackbot.jsonc"]);
}

#[tokio::test]
async fn nothing_is_written_over() {
    let project = Project::bare();
    project.write("base44/connectors/mine.jsonc", "{type: 'Notion'}");
    project.write("base44/connectors/linear.jsonc", "{type: 'asana'}");
    let there = project.run(&["add", "notion"]).await.ended(1);
    there.says(&["mine.jsonc declares `Notion` already"]);
    project.run(&["add", "linear"]).await.ended(0);
    assert_eq!(
        project.list("base44/connectors"),
        ["linear-2.jsonc", "linear.jsonc", "mine.jsonc"]
    );
    assert_eq!(
        project.read("base44/connectors/linear.jsonc"),
        "{type: 'asana'}"
    );
}

#[tokio::test]
async fn init_writes_what_was_wanted_and_nothing_twice() {
    let project = Project::bare();
    project.write("app/.keep", "");
    std::fs::create_dir(project.path(".git")).unwrap();
    let unasked = project.run(&["init"]).await.ended(1);
    unasked.says(&["--yes"]);
    let dry = project.run(&["init", "--dry-run"]).await.ended(0);
    dry.says(&["would create base44/connplan.toml", "connplan login"]);
    assert_eq!(project.list("."), [".git", "app", "base44"]);

    let done = project.run(&["init", "--yes"]).await.ended(0);
    done.says(&["created .github/workflows/connplan-plan.yml"]);
    assert!(!project.path(".gitignore").exists());
    let plan = project.read(".github/workflows/connplan-plan.yml");
    let version = format!("connplan@{}", env!("CARGO_PKG_VERSION"));
    assert!(plan.contains(&version) && !plan.contains("OWNER"), "{plan}");
    assert!(!plan.contains("working-directory"), "{plan}");
    project.run(&["validate"]).await.ended(0);

    let settings = project.read("base44/connplan.toml");
    let again = project.run(&["init", "--yes", "--format", "json"]).await;
    let again = again.ended(0).json();
    let left = |file: &serde_json::Value| file["action"] == "exists";
    assert!(
        again["files"].as_array().unwrap().iter().all(left),
        "{again}"
    );
    assert_eq!(project.read("base44/connplan.toml"), settings);
}

#[tokio::test]
async fn of_other_files_add_says_how_many_warnings_there_are() {
    let project = Project::bare();
    project.write("base44/connectors/a.jsonc", "{type: 'asana', nonsense: 1}");
    project.write("base44/connectors/b.YAML", "");
    let run = project.run(&["add", "linear"]).await.ended(0);
    let run = run.says(&["2 warnings about other files; `connplan validate` shows them."]);
    assert!(!run.err.contains("nonsense"), "{}", run.err);
    assert!(!run.err.contains("b.YAML"), "{}", run.err);
}

#[tokio::test]
async fn the_workflows_name_the_folder_of_a_project_within_a_repository() {
    let project = Project::bare();
    std::fs::create_dir(project.path(".git")).unwrap();
    std::fs::remove_dir_all(project.path("base44")).unwrap();
    project.write("apps/my shop/base44/config.jsonc", "{ name: 'Shop' }");
    let inner = project.run(&["-C", "apps/my shop", "init", "--yes"]).await;
    inner.ended(0);
    let apply = project.read(".github/workflows/connplan-apply.yml");
    assert!(
        apply.contains("      run:\n        working-directory: \"apps/my shop\"\n"),
        "{apply}"
    );
    assert_eq!(apply.matches("working-directory").count(), 2, "{apply}");
    assert!(project.path("apps/my shop/base44/connplan.toml").exists());
}

/// A repository with a commit on a branch, and perhaps a remote.
fn repository(project: &Project, branch: &str, remote: Option<&str>) {
    let git = |args: &[&str]| {
        let run = std::process::Command::new("git")
            .args(args)
            .current_dir(project.path("."))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(run.status.success(), "{run:?}");
    };
    git(&["init", "-q", "-b", branch]);
    if let Some(remote) = remote {
        git(&["remote", "add", "origin", remote]);
    }
}

#[tokio::test]
async fn init_finds_each_project_and_later_offers_what_was_added() {
    let project = Project::bare();
    repository(&project, "trunk", Some("git@github.com:octo/site.git"));
    project.write("apps/shop/base44/config.jsonc", "{ name: 'Shop' }");
    std::fs::remove_dir_all(project.path("base44")).unwrap();
    let init = ["-C", "apps/shop", "init", "--yes"];
    project.run(&init).await.ended(0);
    let first = project.read(".github/workflows/connplan-apply.yml");
    assert!(first.contains("    branches: [\"trunk\"]\n"), "{first}");

    project.write("apps/crm/base44/config.jsonc", "{ name: 'Crm' }");
    let dry = project.run(&["-C", "apps/crm", "init", "--dry-run"]).await;
    let dry = dry.ended(0).says(&[
        "connplan-plan-apps-crm.yml",
        "connplan-apply-apps-crm.yml",
        "connplan -C apps/crm plan",
    ]);
    assert!(!dry.out.contains("apps-shop"), "{}", dry.out);
    let init = ["-C", "apps/crm", "init", "--yes"];
    project.run(&init).await.ended(0);
    let plan = project.read(".github/workflows/connplan-plan-apps-crm.yml");
    for part in [
        "    paths: [\"apps/crm/**\"]\n",
        "working-directory: \"apps/crm\"",
        "group: connplan-apps-crm-",
    ] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    let apply = project.read(".github/workflows/connplan-apply-apps-crm.yml");
    assert_eq!(
        apply.matches("name: connplan-plan-apps-crm\n").count(),
        2,
        "{apply}"
    );
    assert!(
        apply.contains("    branches: [\"trunk\"]\n    paths: "),
        "{apply}"
    );
    // Nothing is left.
    let again = project.run(&["-C", "apps/crm", "init", "--dry-run"]).await;
    assert!(!again.ended(0).out.contains("would create"));
}

#[tokio::test]
async fn on_gitlab_init_writes_its_pipeline() {
    let project = Project::bare();
    repository(
        &project,
        "master",
        Some("https://gitlab.example.com/a/b.git"),
    );
    project.run(&["init", "--yes"]).await.ended(0);
    let example = include_str!("../../../.github/examples/gitlab-ci.yml");
    assert_eq!(project.read(".gitlab-ci.yml"), example);
    assert!(!project.path(".github/workflows").exists());

    std::fs::remove_file(project.path(".gitlab-ci.yml")).unwrap();
    std::fs::remove_dir_all(project.path("base44")).unwrap();
    project.write("apps/crm/base44/config.jsonc", "{ name: 'Crm' }");
    let init = ["-C", "apps/crm", "init", "--yes"];
    project.run(&init).await.ended(0);
    let text = project.read(".gitlab-ci.yml");
    assert_eq!(
        text.matches("- PROJECT: [\"apps/crm\"]\n").count(),
        3,
        "{text}"
    );
    assert!(text.contains("cd \"$CI_PROJECT_DIR/$PROJECT\""), "{text}");
    assert!(
        text.contains("paths: [\"$PROJECT/connplan.plan\"]"),
        "{text}"
    );
}

/// Every setting that the template shows is one that is read.
#[tokio::test]
async fn the_settings_template_is_valid_with_its_comments_taken_off() {
    let project = Project::bare();
    project.run(&["init", "--yes"]).await.ended(0);
    let text = project.read("base44/connplan.toml");
    let settings = text.lines().filter_map(|line| {
        let line = line.strip_prefix("# ")?;
        (line.contains(" = ") || line.starts_with('[')).then_some(line)
    });
    let settings = settings
        .collect::<Vec<_>>()
        .join("\n")
        .replace('…', "app-2");
    assert!(settings.lines().count() > 12, "{settings}");
    project.write("base44/connplan.toml", &settings);
    project.write("base44/connectors/notion.jsonc", "{ type: 'notion' }");
    let valid = project.run(&["validate"]).await.ended(0);
    assert!(valid.err.is_empty(), "{}", valid.err);
}

#[tokio::test]
async fn a_new_file_names_the_schema_that_init_wrote() {
    let project = Project::bare();
    project.run(&["init", "--yes"]).await.ended(0);
    project
        .run(&["add", "linear", "--scope", "read"])
        .await
        .ended(0);
    let text = project.read("base44/connectors/linear.jsonc");
    assert!(
        text.contains("  \"$schema\": \"../connector.schema.json\",\n"),
        "{text}"
    );
    assert!(
        project
            .path("base44/connectors/../connector.schema.json")
            .exists()
    );
    assert!(project.path(".github/skills/connplan/SKILL.md").exists());
    project.run(&["validate", "--strict"]).await.ended(0);
}
