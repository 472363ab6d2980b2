//! The official client against the sandbox, with the sandbox's two variables alone.
//!
//! `CONNPLAN_OFFICIAL_CLIENT` names the unpacked npm package (`npm pack base44@0.1.18`).

use std::fs;

use serde_json::json;

use super::around_official::base44;
use crate::support::{Platform, Project, reads};

#[test]
#[ignore = "needs Node and npm: run by .ci/run"]
fn it_pushes_authorizes_and_pushes_again() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
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
    platform.call("PUT", path, Some(old));

    let first = base44(&project, &["connectors", "push", "--yes"]);
    reads!(first, @"
    Skipped OAuth in non-interactive mode. Run 'base44 connectors push' locally or open the links above to authorize.
    Found 3 connectors to push: notion, slackbot, stripe
    Pushing connectors to Base44
    Pushing connectors to Base44
    Warning: 2 connector(s) require authorization in your browser:
      notion: http://HOST/sandbox/consent/conn_ID?ticket=DIGEST
      slackbot: http://HOST/sandbox/consent/conn_ID?ticket=DIGEST
    Summary:
    Stripe sandbox provisioned
      Claim your Stripe sandbox: http://HOST/sandbox/stripe/claim/DIGEST
      Connectors dashboard: http://HOST/apps/app-1/editor/workspace/app-connections
    Removed: hubspot
    Error: Failed: notion - needs authorization
    Error: Failed: slackbot - needs authorization
    ");
    assert!(platform.listed("hubspot").is_none());
    let links = platform.links();
    assert_eq!(links.len(), 2);
    for (connector, _) in links {
        platform.consent(&connector, "ada@example.com");
    }

    let second = base44(&project, &["connectors", "push", "--yes"]);
    reads!(second, @"
    Connectors pushed to Base44
    Found 3 connectors to push: notion, slackbot, stripe
    Pushing connectors to Base44
    Pushing connectors to Base44
    Summary:
    Synced: notion, slackbot, stripe
    ");
    let granted = &platform.listed("slackbot").unwrap()["scopes"];
    assert_eq!(*granted, json!(["channels:read", "chat:write"]));
    assert_eq!(platform.stripe_status()["stripe_mode"], "sandbox");

    fs::remove_file(project.path("base44/connectors/stripe.jsonc")).unwrap();
    fs::remove_file(project.path("base44/connectors/notes.jsonc")).unwrap();
    let third = base44(&project, &["connectors", "push", "--yes"]);
    reads!(third, @"
    Connectors pushed to Base44
    Found 1 connectors to push: slackbot
    Pushing connectors to Base44
    Pushing connectors to Base44
    Summary:
    Synced: slackbot
    Removed: notion, stripe
    ");
    assert_eq!(platform.stripe_status()["stripe_mode"], json!(null));
}

#[test]
#[ignore = "needs Node and npm: run by .ci/run"]
fn it_reports_refusals() {
    let platform = Platform::seeded(json!({
        "settings": { "forbidden": { "tiktok": "Ask a workspace admin." } },
        "apps": { "app-1": { "different_user": { "gmail": "grace@example.com" } } },
    }));
    let project = Project::new().at(&platform);
    project.write("base44/connectors/tiktok.jsonc", r#"{ "type": "tiktok" }"#);
    project.write("base44/connectors/gmail.jsonc", r#"{ "type": "gmail" }"#);
    let push = base44(&project, &["connectors", "push", "--yes"]);
    reads!(push, @"
    Connectors pushed to Base44
    Found 2 connectors to push: gmail, tiktok
    Pushing connectors to Base44
    Pushing connectors to Base44
    Summary:
    Error: Failed: gmail - gmail is already connected by grace@example.com
    Error: Failed: tiktok - Error setting connector: Ask a workspace admin.
    ");
}

#[test]
#[ignore = "needs Node and npm: run by .ci/run"]
fn it_pulls_what_is_there() {
    let platform = Platform::seeded(json!({ "apps": { "app-1": {
        "connectors": {
            "slackbot": { "scopes": ["chat:write"], "account": "ada@example.com" },
            "notion": { "status": "expired" },
        },
        "stripe": "live",
    }}}));
    let project = Project::new().at(&platform);
    project.write("base44/connectors/gone.jsonc", r#"{ "type": "linear" }"#);
    let pull = base44(&project, &["connectors", "pull"]);
    reads!(pull, @"
    Pulled 3 connectors to FOLDER/project/base44/connectors
    Fetching connectors from Base44
    Connectors fetched successfully
    Syncing connector files
    Connector files synced successfully
    Written: notion, slackbot, stripe
    Warning: Deleted: linear
    ");
    let names = project.list("base44/connectors");
    assert_eq!(names, ["notion.jsonc", "slackbot.jsonc", "stripe.jsonc"]);
    let slack = project.read("base44/connectors/slackbot.jsonc");
    assert!(slack.contains("\"chat:write\""), "{slack}");
}

#[test]
#[ignore = "needs Node and npm: run by .ci/run"]
fn it_lists_what_is_available() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    let list = base44(&project, &["connectors", "list-available"]);
    // What it offers grows.
    for words in [
        "Google Calendar",
        "Snowflake",
        "account_identifier",
        "available integrations",
    ] {
        assert!(list.contains(words), "no {words:?} in {list}");
    }
}
