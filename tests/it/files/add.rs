//! `connplan add`: files that are not there yet.

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
    refused.ended(1).says(&["already declares `stripe`"]);
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
    // What every command after it would refuse is not written.
    let comma = ["add", "github", "--scope", "repo,user"];
    let comma = project.run(&comma).await.ended(1);
    comma.says(&[
        "`--scope repo,user`",
        "several scopes",
        "nothing was written",
    ]);
    for (said, meant) in [("SLACK", "slack"), ("Gmail", "gmail"), ("Stripe", "stripe")] {
        let capitals = project.run(&["add", said]).await.ended(1);
        capitals.says(&[
            "in lower case",
            &format!("did you mean `{meant}`?"),
            "nothing was written",
        ]);
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
    project.write("base44/connectors/mine.jsonc", "{type: 'Acme'}");
    project.write("base44/connectors/linear.jsonc", "{type: 'asana'}");
    let there = project.run(&["add", "acme"]).await.ended(1);
    there.says(&["mine.jsonc already declares `Acme`"]);
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
async fn of_other_files_add_says_how_many_warnings_there_are() {
    let project = Project::bare();
    project.write("base44/connectors/a.jsonc", "{type: 'asana', nonsense: 1}");
    project.write("base44/connectors/b.YAML", "");
    let run = project.run(&["add", "linear"]).await.ended(0);
    let run = run.says(&["2 warnings in other files; `connplan validate` shows them."]);
    assert!(!run.err.contains("nonsense"), "{}", run.err);
    assert!(!run.err.contains("b.YAML"), "{}", run.err);
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
