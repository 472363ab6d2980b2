//! The official client and connplan in one project, one home, at one sandbox: what the one leaves
//! behind is what the other one finds.
//!
//! `CONNPLAN_OFFICIAL_CLIENT` names the unpacked npm package (`npm pack base44@0.1.18`).
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends at the first surprise"
)]

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Command, Stdio},
};

use connplan::sandbox::Decision;
use serde_json::json;

use crate::{
    files::project::{Project, Run, run},
    sandbox::client::Site,
};

/// The official client in this project, with its environment.
fn official(project: &Project, args: &[&str]) -> Command {
    let client = std::env::var_os("CONNPLAN_OFFICIAL_CLIENT")
        .expect("CONNPLAN_OFFICIAL_CLIENT names the client's unpacked package");
    let mut command = Command::new("node");
    command
        .arg(PathBuf::from(client).join("bin/run.js"))
        .args(args)
        .current_dir(&project.folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("HOME", project.home.path())
        // A test is nothing to report to the makers of the client.
        .env("BASE44_DISABLE_TELEMETRY", "1")
        .envs(project.env.iter().cloned())
        .stdin(Stdio::null());
    command
}

pub(super) async fn base44(project: &Project, args: &[&str]) -> Run {
    let ended = run(official(project, args)).await;
    assert_eq!(ended.code, 0, "{}\n{}", ended.out, ended.err);
    ended
}

fn without_key(site: &Site) -> Project {
    let mut project = Project::at(site);
    project.env.retain(|(name, _)| name == "BASE44_API_URL");
    project
}

/// Runs a login of either client, and lets it in once it has said its code.
async fn let_in(site: &Site, mut command: Command) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (sender, mut codes) = tokio::sync::mpsc::channel(4);
    let streams: [Box<dyn Read + Send>; 2] = [Box::new(out), Box::new(err)];
    for stream in streams {
        let sender = sender.clone();
        std::thread::spawn(move || {
            // To its end, so that the client never waits for a reader.
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let word = line.split_whitespace().last().unwrap_or_default();
                let plain: String = word.chars().filter(char::is_ascii_graphic).collect();
                let code = plain.len() == 9 && plain.as_bytes()[4] == b'-';
                if code {
                    let _ = sender.blocking_send(plain);
                }
            }
        });
    }
    let code = codes.recv().await.expect("a code");
    let known = site.sandbox.approve_device(&code, "ada@example.com").await;
    assert!(known.unwrap());
    let ended = tokio::task::spawn_blocking(move || child.wait());
    assert!(ended.await.unwrap().unwrap().success());
}

#[tokio::test]
#[ignore = "needs Node and npm: run by .ci/run"]
async fn a_login_of_either_serves_both() {
    let site = Site::new().await;
    let project = without_key(&site);
    let_in(&site, official(&project, &["login"])).await;
    let who = project.run(&["whoami"]).await.ended(0);
    assert!(who.out.contains("ada@example.com"), "{}", who.out);
    project.run(&["status"]).await.ended(0);
    // Renewed by connplan, it is still one that the other one reads.
    let file = project.home.path().join(".base44/auth/auth.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut login: serde_json::Value = serde_json::from_str(&text).unwrap();
    login["expiresAt"] = json!(1);
    project.write("aged.json", &login.to_string());
    std::fs::copy(project.path("aged.json"), &file).unwrap();
    project.run(&["status"]).await.ended(0);
    let who = base44(&project, &["whoami"]).await;
    who.says(&["ada@example.com"]);

    let project = without_key(&site);
    let_in(&site, project.command(&["login"])).await;
    let who = base44(&project, &["whoami"]).await;
    who.says(&["ada@example.com"]);
    base44(&project, &["connectors", "list-available"]).await;
    base44(&project, &["logout"]).await;
    project.run(&["whoami"]).await.ended(1);
}

async fn consent_to_all(site: &Site) {
    let pending = site.call("GET", "/sandbox/admin/pending", None).await;
    for connection in pending.json()["pending"].as_array().unwrap() {
        let id = connection["connection_id"].as_str().unwrap();
        let approve = Decision::approve("ada@example.com");
        site.sandbox.consent_to(id, approve).await.unwrap();
    }
}

#[tokio::test]
#[ignore = "needs Node and npm: run by .ci/run"]
async fn what_one_pushes_the_other_one_finds_done() {
    let site = Site::new().await;
    let project = Project::at(&site);
    project.write(
        "base44/connectors/mail.jsonc",
        "// why\n{ type: 'gmail', scopes: ['https://www.googleapis.com/auth/gmail.send',] }",
    );
    project.write(
        "base44/connectors/slackbot.json",
        "{\"type\": \"slackbot\", \"scopes\": [\"chat:write\"]}",
    );
    project.write("base44/connectors/stripe.jsonc", "{ \"type\": \"stripe\" }");
    base44(&project, &["connectors", "push", "--yes"]).await;
    consent_to_all(&site).await;
    let plan = project.run(&["plan", "--detailed-exitcode"]).await;
    plan.ended(0).says(&["No changes"]);

    project.write("base44/connectors/notion.jsonc", "{ type: 'notion' }");
    project.run(&["push", "--yes"]).await.ended(4);
    consent_to_all(&site).await;
    project.run(&["authorize", "--list"]).await;
    let push = base44(&project, &["connectors", "push", "--yes"]).await;
    assert!(
        !push.out.contains("Failed") && !push.err.contains("Failed"),
        "{}",
        push.out
    );
    let plan = project.run(&["plan", "--detailed-exitcode"]).await;
    plan.ended(0).says(&["No changes"]);
}

#[tokio::test]
#[ignore = "needs Node and npm: run by .ci/run"]
async fn files_of_either_are_read_the_same() {
    let site = Site::seeded(json!({ "apps": { "app-1": {
        "connectors": {
            "slackbot": { "scopes": ["chat:write", "channels:read"] },
            "notion": {},
        },
        "stripe": "sandbox",
    }}}))
    .await;
    // Written by the official client, read by connplan.
    let project = Project::at(&site);
    base44(&project, &["connectors", "pull"]).await;
    let names = project.list("base44/connectors");
    let plan = project.run(&["plan", "--detailed-exitcode"]).await;
    plan.ended(0).says(&["No changes"]);
    let pull = project.run(&["pull", "--format", "json"]).await.ended(0);
    assert_eq!(pull.json()["written"], json!([]), "{}", pull.out);

    // Written by connplan, read by the official client: it has nothing to write.
    let project = Project::at(&site);
    project.run(&["pull"]).await.ended(0);
    assert_eq!(project.list("base44/connectors"), names);
    let read = |name: &String| project.read(&format!("base44/connectors/{name}"));
    let before: Vec<_> = names.iter().map(read).collect();
    base44(&project, &["connectors", "pull"]).await;
    let after: Vec<_> = names.iter().map(read).collect();
    assert_eq!(
        before[0..2],
        after[0..2],
        "notion and slackbot are left as they are"
    );
    project
        .run(&["add", "linear", "--scope", "write"])
        .await
        .ended(0);
    let push = base44(&project, &["connectors", "push", "--yes"]).await;
    push.says(&["Failed: linear - needs authorization"]);
}
