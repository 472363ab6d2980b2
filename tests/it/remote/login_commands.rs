//! `connplan login`, `logout`, `whoami` through the binary, against the sandbox.

use std::{
    io::{BufRead, BufReader, Read},
    path::PathBuf,
    process::{Child, ChildStderr, Stdio},
    thread,
};

use serde_json::{Value, json};

use crate::support::{Output, Platform, Project, output, reads};

/// At the sandbox, with its address and no key.
fn without_key(platform: &Platform) -> Project {
    let project = Project::new().at(platform);
    project.without_var("BASE44_API_KEY")
}

/// A login that has said its code, and waits.
struct Login {
    args: Vec<String>,
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
    code: String,
}

impl Login {
    fn start(project: &Project, args: &[&str]) -> Self {
        let args = [&["login"], args].concat();
        let mut command = project.command(&args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        let code = loop {
            let begun = said.len();
            assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "no code in {said}");
            if let Some(code) = said[begun..].strip_prefix("    ") {
                break code.trim().to_owned();
            }
        };
        Self {
            args: args.into_iter().map(str::to_owned).collect(),
            child,
            stderr,
            said,
            code,
        }
    }

    fn end(mut self) -> Output {
        self.stderr.read_to_string(&mut self.said).unwrap();
        let mut ended = self.child.wait_with_output().unwrap();
        ended.stderr = self.said.replace(&self.code, "CODE").into_bytes();
        let args: Vec<_> = self.args.iter().map(String::as_str).collect();
        output(&args, &ended)
    }
}

fn log_in(platform: &Platform, project: &Project) {
    let login = Login::start(project, &[]);
    platform.approve_device(&login.code, "ada@example.com");
    login.end().expect(0);
}

fn file(project: &Project) -> PathBuf {
    project.home().join(".base44/auth/auth.json")
}

/// By its own clock, the login is due for a renewal.
fn age(project: &Project) {
    let text = std::fs::read_to_string(file(project)).unwrap();
    let mut login: Value = serde_json::from_str(&text).unwrap();
    login["expiresAt"] = json!(1);
    project.write("../home/.base44/auth/auth.json", &login.to_string());
}

#[test]
fn a_login_works_is_private_and_is_forgotten() {
    let platform = Platform::start();
    let project = without_key(&platform);
    reads!(project.run(&["whoami"]), @"
    exit 1: connplan whoami
    --- stderr
    error: no credentials were found
      help: log in with `connplan login`, or set BASE44_ACCESS_TOKEN (a personal access token, `b44u_…`); Base44 refuses a workspace's BASE44_API_KEY for connectors
      code: connplan::auth::none
    ");

    let login = Login::start(&project, &["--format", "json"]);
    platform.approve_device(&login.code, "ada@example.com");
    let login = login.end();
    reads!(login, @r#"
      exit 0: connplan login --format json
      {
        "format_version": "1.0",
        "kind": "identity",
        "api_url": "http://HOST",
        "credential": "login",
        "source": "the login in ~/.base44/auth/auth.json",
        "email": "ada@example.com",
        "name": "Ada Lovelace"
      }
      --- stderr
      Open http://HOST/sandbox/device and confirm the code:

          CODE
      "#);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(file(&project)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);
    }
    reads!(project.run(&["whoami"]), @"
    exit 0: connplan whoami
    Ada Lovelace <ada@example.com> at http://HOST
    by the login in ~/.base44/auth/auth.json
    ");
    project.run(&["status"]).expect(0);
    reads!(project.run(&["logout"]), @"
    exit 0: connplan logout
    Logged out.
    ");
    assert!(!file(&project).exists());
    reads!(project.run(&["logout"]), @"
    exit 0: connplan logout
    Nobody was logged in.
    ");
}

#[test]
fn a_denied_login_is_told() {
    let platform = Platform::start();
    let project = without_key(&platform);
    let login = Login::start(&project, &["--no-browser"]);
    let deny = json!({ "user_code": login.code, "decision": "deny" });
    platform.call("POST", "/sandbox/admin/device", Some(deny));
    reads!(login.end(), @"
    exit 1: connplan login --no-browser
    --- stderr
    Open http://HOST/sandbox/device and confirm the code:

        CODE
    error: the login was declined
      help: run `connplan login` again, and approve it in the browser
      code: connplan::login::denied
    ");
    assert!(!file(&project).exists());
}

#[test]
fn two_processes_renew_the_login_once() {
    let platform = Platform::start();
    let project = without_key(&platform);
    log_in(&platform, &project);
    age(&project);
    platform.forget();
    thread::scope(|scope| {
        for command in ["status", "plan", "remote-state"] {
            let project = &project;
            scope.spawn(move || project.run(&[command]).expect(0).code);
        }
    });
    let requests = platform.requests();
    let renewals = requests.iter().filter(|r| r.ends_with(" /oauth/token"));
    assert_eq!(renewals.count(), 1, "{requests:?}");
    project.run(&["whoami"]).expect(0);
}

#[test]
fn a_network_that_fails_leaves_the_login_alone() {
    let platform = Platform::start();
    let project = without_key(&platform);
    log_in(&platform, &project);
    age(&project);
    let before = std::fs::read_to_string(file(&project)).unwrap();
    drop(platform);
    project.run(&["status"]).expect(1);
    assert_eq!(std::fs::read_to_string(file(&project)).unwrap(), before);
}
