//! `connplan login`, `logout`, `whoami` through the binary, against the sandbox.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Stdio},
};

use serde_json::json;

use crate::{
    files::project::{Project, Run},
    sandbox::client::Site,
};

/// At the sandbox, with its address and no key.
fn without_key(site: &Site) -> Project {
    let mut project = Project::at(site);
    project.env.retain(|(name, _)| name == "BASE44_API_URL");
    project
}

/// Starts a login and reads its code.
async fn start(project: &Project, args: &[&str]) -> (Child, String, String) {
    let mut command = project.command(&[&["login"], args].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let stderr = child.stderr.take().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        for line in BufReader::new(stderr).lines().map(Result::unwrap) {
            said.push_str(&line);
            said.push('\n');
            if let Some(code) = line.strip_prefix("    ") {
                return (code.trim().to_owned(), said);
            }
        }
        panic!("no code in {said}");
    });
    let (code, said) = read.await.unwrap();
    (child, code, said)
}

async fn end(child: Child) -> Run {
    let ended = tokio::task::spawn_blocking(move || child.wait_with_output());
    let output = ended.await.unwrap().unwrap();
    Run {
        command: "login".to_owned(),
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

async fn log_in(site: &Site, project: &Project) -> Run {
    let (child, code, _) = start(project, &[]).await;
    let known = site.sandbox.approve_device(&code, "ada@example.com").await;
    assert!(known.unwrap());
    end(child).await
}

#[tokio::test]
async fn a_login_works_is_private_and_is_forgotten() {
    let site = Site::new().await;
    let project = without_key(&site);
    let nobody = project.run(&["whoami"]).await.ended(1);
    nobody.says(&["connplan login", "BASE44_API_KEY", "BASE44_ACCESS_TOKEN"]);

    let (child, code, said) = start(&project, &["--format", "json"]).await;
    assert!(said.contains("/sandbox/device"), "{said}");
    let known = site.sandbox.approve_device(&code, "ada@example.com").await;
    assert!(known.unwrap());
    let identity = end(child).await.ended(0).json();
    assert_eq!(identity["email"], "ada@example.com");
    assert_eq!(identity["credential"], "login");

    let file = project.home.path().join(".base44/auth/auth.json");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    let who = project.run(&["whoami"]).await.ended(0);
    assert!(
        who.out
            .starts_with("Ada Lovelace <ada@example.com> at http"),
        "{}",
        who.out
    );
    project.run(&["status"]).await.ended(0);
    let out = project.run(&["logout"]).await.ended(0);
    assert_eq!(out.out, "Logged out.\n");
    assert!(!file.exists());
    let out = project.run(&["logout"]).await.ended(0);
    assert_eq!(out.out, "Nobody was logged in.\n");
}

#[tokio::test]
async fn a_denied_login_is_told() {
    let site = Site::new().await;
    let project = without_key(&site);
    let (child, code, _) = start(&project, &["--no-browser"]).await;
    let deny = json!({ "user_code": code, "decision": "deny" });
    let answer = site.call("POST", "/sandbox/admin/device", Some(deny)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(end(child).await.code, 1);
    assert!(!project.home.path().join(".base44/auth/auth.json").exists());
}

#[tokio::test]
async fn two_processes_renew_the_login_once() {
    let site = Site::new().await;
    let project = without_key(&site);
    log_in(&site, &project).await.ended(0);
    let file = project.home.path().join(".base44/auth/auth.json");
    // Due for a renewal by its own clock.
    let text = std::fs::read_to_string(&file).unwrap();
    let mut login: serde_json::Value = serde_json::from_str(&text).unwrap();
    login["expiresAt"] = json!(1);
    project.write("aged.json", &login.to_string());
    std::fs::copy(project.path("aged.json"), &file).unwrap();
    site.call("DELETE", "/sandbox/admin/requests", None).await;

    let (a, b, c) = tokio::join!(
        project.run(&["status"]),
        project.run(&["plan"]),
        project.run(&["remote-state"])
    );
    for run in [a, b, c] {
        run.ended(0);
    }
    let requests = site
        .call("GET", "/sandbox/admin/requests", None)
        .await
        .json();
    let renewals = requests["requests"].as_array().unwrap().iter();
    let renewals = renewals.filter(|r| r["path"] == "/oauth/token").count();
    assert_eq!(renewals, 1, "{requests}");
    project.run(&["whoami"]).await.ended(0);
}

#[tokio::test]
async fn a_network_that_fails_leaves_the_login_alone() {
    let site = Site::new().await;
    let project = without_key(&site);
    log_in(&site, &project).await.ended(0);
    let file = project.home.path().join(".base44/auth/auth.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut login: serde_json::Value = serde_json::from_str(&text).unwrap();
    login["expiresAt"] = json!(1);
    project.write("aged.json", &login.to_string());
    std::fs::copy(project.path("aged.json"), &file).unwrap();
    let before = std::fs::read_to_string(&file).unwrap();
    site.sandbox.stop().await.unwrap();
    project.run(&["status"]).await.ended(1);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
}
