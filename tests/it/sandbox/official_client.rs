//! The official client against the sandbox, with the sandbox's two variables alone.
//!
//! `CONNPLAN_OFFICIAL_CLIENT` names the unpacked npm package (`npm pack base44@0.1.18`).

use std::fs;

use connplan::sandbox::Decision;
use serde_json::json;

use super::around_official::base44;
use crate::{files::project::Project, sandbox::client::Site};

#[tokio::test]
#[ignore = "needs Node and npm: run by .ci/run"]
async fn it_pushes_authorizes_and_pushes_again() {
    let site = Site::new().await;
    let project = Project::at(&site);
    let scopes = r#"["chat:write", "channels:read"]"#;
    let slack = format!("{{ \"type\": \"slackbot\", \"scopes\": {scopes} }}");
    project.write("base44/connectors/slackbot.jsonc", &slack);
    project.write(
        "base44/connectors/notes.jsonc",
        r#"{ "type": "notion" } // no scopes"#,
    );
    project.write("base44/connectors/stripe.jsonc", r#"{ "type": "stripe" }"#);
    let old = json!({ "scopes": ["crm.objects.contacts.read"], "account": "ops@example.com" });
    let path = "/sandbox/admin/apps/app-1/connectors/hubspot";
    site.call("PUT", path, Some(old)).await;

    let first = base44(&project, &["connectors", "push", "--yes"]).await;
    first.says(&[
        "Removed: hubspot",
        "Failed: slackbot - needs authorization",
        "Failed: notion - needs authorization",
        "Stripe sandbox provisioned",
        "/sandbox/consent/conn_",
        "/sandbox/stripe/claim/",
        "Skipped OAuth in non-interactive mode",
    ]);
    assert!(site.listed("hubspot").await.is_none());
    let pending = site
        .call("GET", "/sandbox/admin/pending", None)
        .await
        .json();
    let pending = pending["pending"].as_array().unwrap().clone();
    assert_eq!(pending.len(), 2);
    for connection in &pending {
        let id = connection["connection_id"].as_str().unwrap();
        let approve = Decision::approve("ada@example.com");
        site.sandbox.consent_to(id, approve).await.unwrap();
    }

    let second = base44(&project, &["connectors", "push", "--yes"]).await;
    let second = second.says(&["Synced: ", "slackbot", "notion", "stripe"]);
    let said = [&*second.out, &*second.err].concat();
    assert!(!said.contains("Failed"), "{said}");
    let granted = &site.listed("slackbot").await.unwrap()["scopes"];
    assert_eq!(*granted, json!(["channels:read", "chat:write"]));
    let stripe = site.api("GET", "payments/stripe/status", None).await.json();
    assert_eq!(stripe["stripe_mode"], "sandbox");

    fs::remove_file(project.path("base44/connectors/stripe.jsonc")).unwrap();
    fs::remove_file(project.path("base44/connectors/notes.jsonc")).unwrap();
    let third = base44(&project, &["connectors", "push", "--yes"]).await;
    third.says(&["Synced: slackbot", "Removed: notion, stripe"]);
    let stripe = site.api("GET", "payments/stripe/status", None).await.json();
    assert_eq!(stripe["stripe_mode"], json!(null));
}

#[tokio::test]
#[ignore = "needs Node and npm: run by .ci/run"]
async fn it_reports_refusals() {
    let site = Site::seeded(json!({
        "settings": { "forbidden": { "tiktok": "Ask a workspace admin." } },
        "apps": { "app-1": { "different_user": { "gmail": "grace@example.com" } } },
    }))
    .await;
    let project = Project::at(&site);
    project.write("base44/connectors/tiktok.jsonc", r#"{ "type": "tiktok" }"#);
    project.write("base44/connectors/gmail.jsonc", r#"{ "type": "gmail" }"#);
    let push = base44(&project, &["connectors", "push", "--yes"]).await;
    push.says(&[
        "Ask a workspace admin.",
        "already connected by grace@example.com",
    ]);
}

#[tokio::test]
#[ignore = "needs Node and npm: run by .ci/run"]
async fn it_pulls_what_is_there() {
    let site = Site::seeded(json!({ "apps": { "app-1": {
        "connectors": {
            "slackbot": { "scopes": ["chat:write"], "account": "ada@example.com" },
            "notion": { "status": "expired" },
        },
        "stripe": "live",
    }}}))
    .await;
    let project = Project::at(&site);
    project.write("base44/connectors/gone.jsonc", r#"{ "type": "linear" }"#);
    let pull = base44(&project, &["connectors", "pull"]).await;
    pull.says(&["Pulled 3 connectors", "Deleted: linear"]);
    let names = project.list("base44/connectors");
    assert_eq!(names, ["notion.jsonc", "slackbot.jsonc", "stripe.jsonc"]);
    let slack = project.read("base44/connectors/slackbot.jsonc");
    assert!(slack.contains("\"chat:write\""), "{slack}");
}

#[tokio::test]
#[ignore = "needs Node and npm: run by .ci/run"]
async fn it_lists_what_is_available() {
    let site = Site::new().await;
    let project = Project::at(&site);
    let list = base44(&project, &["connectors", "list-available"]).await;
    list.says(&[
        "Google Calendar",
        "Snowflake",
        "account_identifier",
        "available integrations",
    ]);
}
