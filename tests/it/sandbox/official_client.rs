//! The official client against the sandbox, with the sandbox's two variables alone.
//!
//! `CONNPLAN_OFFICIAL_CLIENT` names the unpacked npm package (`npm pack base44@0.1.18`).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends at the first surprise"
)]

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

use connplan::sandbox::{Decision, Sandbox};
use serde_json::json;

use crate::sandbox::client::Site;

/// A project of its own, a home of its own, and the client.
struct Project {
    folder: tempfile::TempDir,
    home: tempfile::TempDir,
    client: PathBuf,
}

struct Run {
    success: bool,
    /// What it said, stdout and stderr.
    said: String,
}

impl Project {
    fn new() -> Self {
        let client = std::env::var_os("CONNPLAN_OFFICIAL_CLIENT")
            .expect("CONNPLAN_OFFICIAL_CLIENT names the client's unpacked package");
        let project = Self {
            folder: tempfile::tempdir().unwrap(),
            home: tempfile::tempdir().unwrap(),
            client: PathBuf::from(client),
        };
        project.write("config.jsonc", r#"{ "name": "Corner Shop" }"#);
        project.write(".app.jsonc", r#"{ "id": "app-1" }"#);
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("base44").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path)
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    }

    /// The connector files, by name.
    fn files(&self) -> BTreeMap<String, String> {
        let entries = fs::read_dir(self.path("connectors")).unwrap();
        let read = entries.map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            (name, fs::read_to_string(entry.path()).unwrap())
        });
        read.collect()
    }

    /// Runs the client beside the sandbox, which lives on this thread.
    async fn run(&self, sandbox: &Sandbox, args: &[&str]) -> Run {
        let mut command = Command::new("node");
        command
            .arg(self.client.join("bin/run.js"))
            .args(args)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home.path())
            // A test is nothing to report to the makers of the client.
            .env("BASE44_DISABLE_TELEMETRY", "1")
            .envs(sandbox.environment())
            .stdin(Stdio::null());
        let run = tokio::task::spawn_blocking(move || command.output());
        let output = run.await.unwrap().unwrap();
        let said = [output.stdout, output.stderr].concat();
        Run {
            success: output.status.success(),
            said: String::from_utf8(said).unwrap(),
        }
    }
}

impl Run {
    #[track_caller]
    fn expect(&self, words: &[&str]) {
        assert!(self.success, "{}", self.said);
        for word in words {
            assert!(self.said.contains(word), "no {word:?} in:\n{}", self.said);
        }
    }
}

#[tokio::test]
#[ignore = "needs Node and npm: run by .ci/run"]
async fn it_pushes_authorizes_and_pushes_again() {
    let (site, project) = (Site::new().await, Project::new());
    let scopes = r#"["chat:write", "channels:read"]"#;
    let slack = format!("{{ \"type\": \"slackbot\", \"scopes\": {scopes} }}");
    project.write("connectors/slackbot.jsonc", &slack);
    project.write(
        "connectors/notes.jsonc",
        r#"{ "type": "notion" } // no scopes"#,
    );
    project.write("connectors/stripe.jsonc", r#"{ "type": "stripe" }"#);
    let old = json!({ "scopes": ["crm.objects.contacts.read"], "account": "ops@example.com" });
    let path = "/sandbox/admin/apps/app-1/connectors/hubspot";
    site.call("PUT", path, Some(old)).await;

    let first = project
        .run(&site.sandbox, &["connectors", "push", "--yes"])
        .await;
    first.expect(&[
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

    let second = project
        .run(&site.sandbox, &["connectors", "push", "--yes"])
        .await;
    second.expect(&["Synced: ", "slackbot", "notion", "stripe"]);
    assert!(!second.said.contains("Failed"), "{}", second.said);
    let granted = &site.listed("slackbot").await.unwrap()["scopes"];
    assert_eq!(*granted, json!(["channels:read", "chat:write"]));
    let stripe = site.api("GET", "payments/stripe/status", None).await.json();
    assert_eq!(stripe["stripe_mode"], "sandbox");

    fs::remove_file(project.path("connectors/stripe.jsonc")).unwrap();
    fs::remove_file(project.path("connectors/notes.jsonc")).unwrap();
    let third = project
        .run(&site.sandbox, &["connectors", "push", "--yes"])
        .await;
    third.expect(&["Synced: slackbot", "Removed: notion, stripe"]);
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
    let project = Project::new();
    project.write("connectors/tiktok.jsonc", r#"{ "type": "tiktok" }"#);
    project.write("connectors/gmail.jsonc", r#"{ "type": "gmail" }"#);
    let push = project
        .run(&site.sandbox, &["connectors", "push", "--yes"])
        .await;
    push.expect(&[
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
    let project = Project::new();
    project.write("connectors/gone.jsonc", r#"{ "type": "linear" }"#);
    let pull = project.run(&site.sandbox, &["connectors", "pull"]).await;
    pull.expect(&["Pulled 3 connectors", "Deleted: linear"]);
    let files = project.files();
    let names: Vec<_> = files.keys().map(String::as_str).collect();
    assert_eq!(names, ["notion.jsonc", "slackbot.jsonc", "stripe.jsonc"]);
    assert!(
        files["slackbot.jsonc"].contains("\"chat:write\""),
        "{files:?}"
    );
}

#[tokio::test]
#[ignore = "needs Node and npm: run by .ci/run"]
async fn it_lists_what_is_available() {
    let (site, project) = (Site::new().await, Project::new());
    let list = project
        .run(&site.sandbox, &["connectors", "list-available"])
        .await;
    list.expect(&[
        "Google Calendar",
        "Snowflake",
        "account_identifier",
        "available integrations",
    ]);
}
