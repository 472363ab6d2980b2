//! `connplan add`: files that are not there yet.

use crate::support::reads;
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
    reads!(project.run(&["add", "bamboohr"]).await, @"
    exit 0: connplan add bamboohr
    Created base44/connectors/bamboohr.jsonc: bamboohr, without scopes.

    Fill in the `connection_config` of the file before you plan:
      company_domain (Company domain): What stands before .bamboohr.com in your address.

    Next: `connplan plan` shows what it changes.
    ");
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
    reads!(project.run(&["add", "stripe", "--scope", "x"]).await, @"
    exit 1: connplan add stripe --scope x
    --- stderr
    error: base44/connectors/stripe.jsonc already declares `stripe`; nothing was written
      help: edit base44/connectors/stripe.jsonc: an app has one connector of a type
      code: connplan::usage
    ");
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
        "teleport:write",
    ];
    reads!(project.run(&args).await, @"
    exit 0: connplan add slackbot --scope chat:write --scope teleport:write
    Created base44/connectors/slackbot.jsonc: slackbot, with 2 scopes.

    Next: `connplan plan` shows what it changes.
    --- stderr
    warning: whether the platform offers `slackbot` was not checked: no credentials were found
    warning: `teleport:write` is not a known scope of slackbot
    ");
    let text = project.read("base44/connectors/slackbot.jsonc");
    assert!(text.contains("\"chat:write\", // "), "{text}");
    let valid = project.run(&["validate"]).await.ended(0);
    assert!(valid.out.contains("1 connector"), "{}", valid.out);
    for scope in ["", "a b"] {
        let odd = project.run(&["add", "notion", "--scope", scope]).await;
        odd.ended(1).says(&["is not a scope"]);
    }
    reads!(project.run(&["add", "slack", "--scope", "chat:wrte"]).await, @"
    exit 1: connplan add slack --scope chat:wrte
    --- stderr
    warning: whether the platform offers `slack` was not checked: no credentials were found
    error: `chat:wrte` is not a known scope of slack; nothing was written
      help: did you mean `chat:write`? If it is right as it is, write it into the file yourself
      code: connplan::usage
    ");
    reads!(project.run(&["add", "notion", "--scope", "read"]).await, @"
    exit 0: connplan add notion --scope read
    Created base44/connectors/notion.jsonc: notion, with 1 scope.

    Next: `connplan plan` shows what it changes.
    --- stderr
    warning: whether the platform offers `notion` was not checked: no credentials were found
    warning: notion has no scopes: whoever consents chooses what it may do. `read` is written, and means nothing there
    ");
    // What every command after it would refuse is not written.
    let comma = ["add", "github", "--scope", "repo,user"];
    let comma = project.run(&comma).await.ended(1);
    reads!(comma, @"
    exit 1: connplan add github --scope repo,user
    --- stderr
    warning: whether the platform offers `github` was not checked: no credentials were found
    error: `--scope repo,user`: github's provider takes that for several scopes; nothing was written
      help: give `--scope` once for each
      code: connplan::usage
    ");
    for (said, meant) in [("SLACK", "slack"), ("Gmail", "gmail"), ("Stripe", "stripe")] {
        let capitals = project.run(&["add", said]).await.ended(1);
        capitals.says(&[
            "in lower case",
            &format!("did you mean `{meant}`?"),
            "nothing was written",
        ]);
    }
    reads!(project.run(&["add"]).await, @"
    exit 1: connplan add
    --- stderr
    error: which connector? No TYPE was given, and this run is not interactive
      help: name it: `connplan add TYPE`; `connplan list-available` shows the types
      code: connplan::usage
    ");
    reads!(project.run(&["add", "../x"]).await, @"
    exit 1: connplan add ../x
    --- stderr
    error: invalid value '../x' for '[TYPE]': a connector type holds only letters, digits, `_` and `-`

    For more information, try '--help'.
      code: connplan::usage
    ");
    assert_eq!(
        project.list("base44/connectors"),
        ["notion.jsonc", "slackbot.jsonc"]
    );
}

/// A scope without its address is written with it, and what a connection needs stands in the file.
#[tokio::test]
async fn what_is_written_can_be_planned() {
    let site = Site::new().await;
    let project = Project::at(&site);
    reads!(project.run(&["add", "gmail", "--scope", "gmail.send"]).await, @"
    exit 0: connplan add gmail --scope gmail.send
    Created base44/connectors/gmail.jsonc: gmail, with 1 scope.

    Next: `connplan plan` shows what it changes.
    --- stderr
    `gmail.send` is written as `https://www.googleapis.com/auth/gmail.send`.
    ");
    insta::assert_snapshot!(project.read("base44/connectors/gmail.jsonc"), @r#"
    // The app's gmail connector.
    {
      "type": "gmail",
      "scopes": [
        "https://www.googleapis.com/auth/gmail.send" // send mail as the user; cannot read the mailbox
      ]
    }
    "#);
    project.run(&["add", "bamboohr"]).await.ended(0);
    let text = project.read("base44/connectors/bamboohr.jsonc");
    insta::assert_snapshot!(text, @r#"
    // The app's bamboohr connector.
    {
      "type": "bamboohr",
      "scopes": [],
      "connection_config": {
        // What stands before .bamboohr.com in your address.
        "company_domain": ""
      }
    }
    "#);
    reads!(project.run(&["plan", "--target", "bamboohr"]).await, @r#"
    exit 1: connplan plan --target bamboohr
    --- stderr
    error: these connection values cannot be used:
      bamboohr (base44/connectors/bamboohr.jsonc): `company_domain` is needed, and is empty
      help: write them in the connector's file, for example "connection_config": {"subdomain": "acme"}
      code: connplan::usage
    "#);
    let text = text.replace(": \"\"", ": \"acme\"");
    project.write("base44/connectors/bamboohr.jsonc", &text);
    project.run(&["plan"]).await.ended(0);
}

#[tokio::test]
async fn nothing_is_written_over() {
    let project = Project::bare();
    project.write("base44/connectors/mine.jsonc", "{type: 'Acme'}");
    project.write("base44/connectors/linear.jsonc", "{type: 'asana'}");
    reads!(project.run(&["add", "acme"]).await, @"
    exit 1: connplan add acme
    --- stderr
    error: base44/connectors/mine.jsonc already declares `Acme`; nothing was written
      help: edit base44/connectors/mine.jsonc: an app has one connector of a type
      code: connplan::usage
    ");
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
