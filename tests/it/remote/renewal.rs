//! A login that is renewed while something else goes wrong: whatever ends the command, what the
//! server answers is kept. The server gives out each refresh token once.

use std::{fs, path::PathBuf, process::Stdio, thread, time::Duration};

use serde_json::{Value, json};

use crate::support::{
    APP, Project,
    scripted::{Reply, Scripted},
};

const TOKEN: &str = "POST /oauth/token";

fn route(rest: &str) -> String {
    format!("GET /api/apps/{APP}/{rest}")
}

/// Lets in whoever has the new token, and answers a renewal after this time.
fn server(answers_after: Duration) -> Scripted {
    let server = Scripted::start();
    let tokens = json!({"access_token": "canary-new", "token_type": "bearer", "expires_in": 3600,
        "refresh_token": "canary-r2"});
    let spent = Reply::json(400, &json!({"error": "invalid_grant"}));
    server.on(
        TOKEN,
        [Reply::json(200, &tokens).delay(answers_after), spent],
    );
    let guard = |body: Value| {
        move |seen: &crate::support::scripted::Seen| {
            if seen.header("authorization") == Some("Bearer canary-new") {
                Reply::json(200, &body)
            } else {
                Reply::status(401)
            }
        }
    };
    server.on_each(
        &route("external-auth/list"),
        guard(json!({"integrations": []})),
    );
    server.on_each(
        &route("payments/stripe/status"),
        guard(json!({"stripe_mode": null})),
    );
    server
}

fn file(project: &Project) -> PathBuf {
    project.path("../home/.base44/auth/auth.json")
}

fn stored(project: &Project) -> Value {
    serde_json::from_slice(&fs::read(file(project)).unwrap()).unwrap()
}

/// A project with a login that ends at this time.
fn project(server: &Scripted, expires_at: u64) -> Project {
    let login = json!({"accessToken": "canary-old", "refreshToken": "canary-r1",
        "expiresAt": expires_at, "email": "ada@example.com", "name": "Ada"});
    Project::new()
        .var("BASE44_API_URL", &server.url())
        .connector("box", &["a"])
        .file("../home/.base44/auth/auth.json", &login.to_string())
}

/// The login is as the server wants it, and the next command works.
#[track_caller]
fn is_kept(server: &Scripted, project: &Project) {
    assert_eq!(stored(project)["refreshToken"], "canary-r2");
    project.run(&["plan"]).expect(0);
    assert_eq!(server.hits(TOKEN), 1, "no refresh token is spent twice");
}

#[test]
fn a_signal_does_not_lose_the_login() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let server = server(Duration::from_millis(700));
        let project = project(&server, 0);
        let mut command = project.command(&["plan"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        while server.hits(TOKEN) == 0 {
            thread::sleep(Duration::from_millis(5));
        }
        let kill = ["-s", signal, &child.id().to_string()];
        let sent = std::process::Command::new("kill").args(kill).status();
        assert!(sent.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(code));
        is_kept(&server, &project);
    }
}

#[test]
fn neither_does_the_end_of_the_time_nor_the_failure_of_another_request() {
    let server = server(Duration::from_millis(1600));
    let project = project(&server, 0);
    project.run(&["plan", "--max-time", "1s"]).expect(1);
    is_kept(&server, &project);

    let server = self::server(Duration::from_millis(900));
    server.on(
        &route("payments/stripe/status"),
        [Reply::status(403).delay(Duration::from_millis(250))],
    );
    let project = self::project(&server, 9_999_999_999_999);
    // The list's 401 starts a renewal; Stripe's 403 ends the command.
    project.run(&["plan"]).expect(1);
    assert_eq!(stored(&project)["refreshToken"], "canary-r2");
}

#[test]
fn a_full_home_is_told_before_anything_is_asked() {
    let server = server(Duration::ZERO);
    let project = project(&server, 0);
    let before = fs::read(file(&project)).unwrap();
    let (code, text) = project.on_full_disk(0, "plan");
    assert_eq!(code, Some(1), "{text}");
    let flat = text.split(|c: char| c.is_whitespace() || c == '│');
    let flat: Vec<_> = flat.filter(|word| !word.is_empty()).collect();
    assert!(
        flat.join(" ").contains("there is no disk space to save it"),
        "{text}"
    );
    assert_eq!(server.hits(TOKEN), 0);
    assert_eq!(fs::read(file(&project)).unwrap(), before);
    // With room again it works.
    project.run(&["plan"]).expect(0);
    is_kept(&server, &project);
}

#[test]
fn logging_out_leaves_no_token_and_needs_no_room() {
    for full in [false, true] {
        let server = server(Duration::ZERO);
        let project = project(&server, 0);
        let left = file(&project).with_file_name(".connplan-0123456789abcdef.tmp");
        fs::copy(file(&project), &left).unwrap();
        if full {
            let (code, text) = project.on_full_disk(0, "logout");
            assert_eq!(code, Some(0), "{text}");
        } else {
            project.run(&["logout"]).expect(0).says("Logged out.");
        }
        assert!(!left.exists() && !file(&project).exists());
    }
}

#[test]
fn what_another_program_renewed_meanwhile_is_taken() {
    let server = server(Duration::ZERO);
    let project = project(&server, 0);
    let (path, mut theirs) = (file(&project), stored(&project));
    theirs["accessToken"] = json!("canary-new");
    theirs["refreshToken"] = json!("canary-r2");
    theirs["expiresAt"] = json!(9_999_999_999_999_u64);
    server.on_each(TOKEN, move |_| {
        // It takes no lock, and was quicker.
        let file = fs::File::create(&path).unwrap();
        serde_json::to_writer(file, &theirs).unwrap();
        Reply::json(400, &json!({"error": "invalid_grant"}))
    });
    project.run(&["plan"]).expect(0);
    assert_eq!(stored(&project)["refreshToken"], "canary-r2");
}
