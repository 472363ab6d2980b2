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

use serde_json::json;

use crate::support::{Platform, Project, output, reads};

/// The official client in this project, with its environment.
fn official(project: &Project, args: &[&str]) -> Command {
    let client = std::env::var_os("CONNPLAN_OFFICIAL_CLIENT")
        .expect("CONNPLAN_OFFICIAL_CLIENT names the client's unpacked package");
    let mut command = Command::new("node");
    command
        .arg(PathBuf::from(client).join("bin/run.js"))
        .args(args)
        .current_dir(project.root())
        .env_clear()
        .envs(project.environment())
        .env("PATH", std::env::var_os("PATH").unwrap())
        // A test is nothing to report to the makers of the client.
        .env("BASE44_DISABLE_TELEMETRY", "1")
        .stdin(Stdio::null());
    command
}

/// What it says, standard output first.
pub(super) fn base44(project: &Project, args: &[&str]) -> String {
    let ended = output(args, &official(project, args).output().unwrap());
    ended.expect(0);
    [ended.stdout, ended.stderr].concat()
}

fn without_key(platform: &Platform) -> Project {
    let project = Project::new().at(platform);
    project.without_var("BASE44_API_KEY")
}

/// Runs a login of either client, and lets it in once it has said its code.
fn let_in(platform: &Platform, mut command: Command) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (sender, codes) = std::sync::mpsc::channel();
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
                    let _ = sender.send(plain);
                }
            }
        });
    }
    let code = codes.recv().expect("a code");
    platform.approve_device(&code, "ada@example.com");
    assert!(child.wait().unwrap().success());
}

#[test]
#[ignore = "needs Node and npm: run by .ci/run"]
fn a_login_of_either_serves_both() {
    let platform = Platform::start();
    let project = without_key(&platform);
    let_in(&platform, official(&project, &["login"]));
    reads!(project.run(&["whoami"]), @"
    exit 0: connplan whoami
    Ada Lovelace <ada@example.com> at http://HOST
    by the login in ~/.base44/auth/auth.json
    --- stderr
    warning: others could read the login in FOLDER/home/.base44/auth/auth.json; it is private now
    ");
    project.run(&["status"]).expect(0);
    // Renewed by connplan, it is still one that the other one reads.
    let file = project.home().join(".base44/auth/auth.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut login: serde_json::Value = serde_json::from_str(&text).unwrap();
    login["expiresAt"] = json!(1);
    project.write("aged.json", &login.to_string());
    std::fs::copy(project.path("aged.json"), &file).unwrap();
    project.run(&["status"]).expect(0);
    reads!(base44(&project, &["whoami"]), @"
    Logged in as: ada@example.com
    ");

    let project = without_key(&platform);
    let_in(&platform, project.command(&["login"]));
    reads!(base44(&project, &["whoami"]), @"
    Logged in as: ada@example.com
    ");
    base44(&project, &["connectors", "list-available"]);
    base44(&project, &["logout"]);
    project.run(&["whoami"]).expect(1);
}

fn consent_to_all(platform: &Platform) {
    for (connector, _) in platform.links() {
        platform.consent(&connector, "ada@example.com");
    }
}

#[test]
#[ignore = "needs Node and npm: run by .ci/run"]
fn what_one_pushes_the_other_one_finds_done() {
    let platform = Platform::start();
    let project = Project::new().at(&platform);
    project.write(
        "base44/connectors/mail.jsonc",
        "// why\n{ type: 'gmail', scopes: ['https://www.googleapis.com/auth/gmail.send',] }",
    );
    project.write(
        "base44/connectors/slackbot.json",
        "{\"type\": \"slackbot\", \"scopes\": [\"chat:write\"]}",
    );
    project.write("base44/connectors/stripe.jsonc", "{ \"type\": \"stripe\" }");
    base44(&project, &["connectors", "push", "--yes"]);
    consent_to_all(&platform);
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    plan.expect(0).says("No changes");

    project.write("base44/connectors/notion.jsonc", "{ type: 'notion' }");
    project.run(&["push", "--yes"]).expect(4);
    consent_to_all(&platform);
    project.run(&["authorize", "--list"]);
    let push = base44(&project, &["connectors", "push", "--yes"]);
    assert!(!push.contains("Failed"), "{push}");
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    plan.expect(0).says("No changes");
}

#[test]
#[ignore = "needs Node and npm: run by .ci/run"]
fn files_of_either_are_read_the_same() {
    let platform = Platform::seeded(json!({ "apps": { "app-1": {
        "connectors": {
            "slackbot": { "scopes": ["chat:write", "channels:read"] },
            "notion": {},
        },
        "stripe": "sandbox",
    }}}));
    // Written by the official client, read by connplan.
    let project = Project::new().at(&platform);
    base44(&project, &["connectors", "pull"]);
    let names = project.list("base44/connectors");
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    plan.expect(0).says("No changes");
    let pull = project.run(&["pull", "--format", "json"]);
    pull.expect(0);
    assert_eq!(pull.json()["written"], json!([]), "{}", pull.stdout);

    // Written by connplan, read by the official client: it has nothing to write.
    let project = Project::new().at(&platform);
    project.run(&["pull"]).expect(0);
    assert_eq!(project.list("base44/connectors"), names);
    let read = |name: &String| project.read(&format!("base44/connectors/{name}"));
    let before: Vec<_> = names.iter().map(read).collect();
    base44(&project, &["connectors", "pull"]);
    let after: Vec<_> = names.iter().map(read).collect();
    assert_eq!(
        before[0..2],
        after[0..2],
        "notion and slackbot are left as they are"
    );
    project
        .run(&["add", "linear", "--scope", "write"])
        .expect(0);
    let push = base44(&project, &["connectors", "push", "--yes"]);
    reads!(push, @"
    Skipped OAuth in non-interactive mode. Run 'base44 connectors push' locally or open the links above to authorize.
    Found 4 connectors to push: linear, notion, slackbot, stripe
    Pushing connectors to Base44
    Pushing connectors to Base44
    Warning: 1 connector(s) require authorization in your browser:
      linear: http://HOST/sandbox/consent/conn_ID?ticket=DIGEST
    Summary:
    Synced: notion, slackbot, stripe
    Error: Failed: linear - needs authorization
    ");
}
