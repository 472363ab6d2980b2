//! Keys, tokens and links are in nothing that is written, but for the private files that keep them.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::{
    cli::{APP, Output, Project},
    scripted::{Reply, Scripted},
};

/// Every secret has it; nothing else does.
const CANARY: &str = "CanaryBird";

/// Files that hold secrets by their purpose. They are private, which other tests show.
const PRIVATE: [&str; 2] = [
    "project/.connplan/pending.toml",
    "home/.base44/auth/auth.json",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Good,
    Status(u16),
    Html,
    /// Links and tokens where none belong, in fields of another type.
    Shape,
    Cut,
    Reset,
}

const MOODS: [Mood; 10] = [
    Mood::Good,
    Mood::Status(400),
    Mood::Status(401),
    Mood::Status(403),
    Mood::Status(404),
    Mood::Status(429),
    Mood::Status(503),
    Mood::Html,
    Mood::Shape,
    Mood::Cut,
];

fn link(of: &str) -> String {
    format!("https://{of}.example/consent?state={CANARY}Link")
}

fn good(route: &str) -> Value {
    let app = format!("/api/apps/{APP}/");
    match route.replace(&app, "").as_str() {
        "GET external-auth/list" => json!({"integrations": [
            {"integration_type": "wix", "status": "active", "scopes": ["a"],
             "user_email": "ada@example.com"}]}),
        "GET payments/stripe/status" => {
            json!({"stripe_mode": "sandbox", "sandbox_claim_url": link("claim")})
        }
        "POST payments/stripe/install" => {
            json!({"already_installed": false, "claim_url": link("claim")})
        }
        "GET external-auth/available-integrations" => json!({ "integrations": [] }),
        "GET external-auth/status" => json!({ "status": "PENDING" }),
        "POST /oauth/device/code" => json!({"device_code": format!("{CANARY}Device"),
            "user_code": "ABCD", "verification_uri": "https://login.example", "expires_in": 600,
            "interval": 0}),
        "POST /oauth/token" => json!({"access_token": format!("{CANARY}Access2"),
            "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": format!("{CANARY}Refresh2")}),
        "GET /oauth/userinfo" => json!({"email": "ada@example.com", "name": "Ada"}),
        put if put.starts_with("PUT ") => json!({"redirect_url": link("box"),
            "connection_id": "conn-1", "already_authorized": false, "error": null}),
        _ => json!({"status": "removed", "integration_type": "wix", "success": true}),
    }
}

/// The same fields, each of a type that it has not, and each a secret.
fn misshapen(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let wrong = |value: &Value| match value {
                Value::String(_) => json!([link("wrong"), { CANARY: 1 }]),
                _ => json!(format!("b44k_{CANARY} {}", link("wrong"))),
            };
            fields
                .iter()
                .map(|(name, value)| (name.clone(), wrong(value)))
                .collect()
        }
        other => other.clone(),
    }
}

fn reply(mood: Mood, route: &str) -> Reply {
    let good = good(route);
    match mood {
        Mood::Good => Reply::json(200, &good),
        Mood::Status(status) => Reply::status(status),
        Mood::Html => Reply::html(200, "<title>Gateway</title>"),
        Mood::Shape => Reply::json(200, &misshapen(&good)),
        Mood::Cut => Reply::json(200, &good).cut(12),
        Mood::Reset => Reply::reset_read(),
    }
}

fn server(mood: &Arc<Mutex<Mood>>) -> Scripted {
    let server = Scripted::start();
    let app = |rest: &str| {
        let (method, rest) = rest.split_once(' ').unwrap();
        format!("{method} /api/apps/{APP}/{rest}")
    };
    let calls = [
        "GET external-auth/list",
        "GET payments/stripe/status",
        "POST payments/stripe/install",
        "DELETE payments/stripe",
        "GET external-auth/available-integrations",
        "GET external-auth/status",
        "PUT external-auth/integrations/box",
        "DELETE external-auth/integrations/wix/remove",
    ];
    let login = [
        "POST /oauth/device/code",
        "POST /oauth/token",
        "GET /oauth/userinfo",
    ];
    let routes = calls.iter().map(|call| app(call));
    for route in routes.chain(login.map(str::to_owned)) {
        let of = route.clone();
        let mood = Arc::clone(mood);
        server.on_each(&route, move |_| reply(*mood.lock().unwrap(), &of));
    }
    server
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Key,
    Token,
    Login,
}

fn project(server: &Scripted, who: Who) -> Project {
    let url = server.url();
    let project = Project::new()
        .connector("box", &["b"])
        .connector("typeform", &[])
        .var("BASE44_API_URL", &url)
        .var("CONNPLAN_READ_TIMEOUT_MS", "500");
    project.undeclare("typeform");
    match who {
        Who::Key => project.var("BASE44_API_KEY", &format!("b44k_{CANARY}Key")),
        Who::Token => {
            let claims = format!(r#"{{"sub": "ada", "exp": 9999999999, "x": "{CANARY}"}}"#);
            let jwt = format!("e30.{}.{CANARY}", URL_SAFE_NO_PAD.encode(claims));
            project
                .var("BASE44_ACCESS_TOKEN", &jwt)
                .var("BASE44_REFRESH_TOKEN", &format!("{CANARY}Refresh"))
        }
        Who::Login => {
            let login = json!({"accessToken": format!("{CANARY}Access"),
                "refreshToken": format!("{CANARY}Refresh"), "expiresAt": 1000,
                "email": "ada@example.com", "name": "Ada"});
            project.write("../home/.base44/auth/auth.json", &login.to_string());
            project
        }
    }
}

const COMMANDS: [&[&str]; 17] = [
    &["validate"],
    &["plan", "--out", "again.plan"],
    &["plan", "--format", "markdown"],
    &["show", "saved.plan", "--format", "json"],
    &["status"],
    &["status", "--format", "json"],
    &["list-available"],
    &["remote-state"],
    &["whoami"],
    &["apply", "saved.plan", "--receipt", "saved.receipt"],
    &["authorize", "--list"],
    &["authorize", "--yes", "--no-browser", "--timeout", "1s"],
    &["apply", "--auto-approve", "--format", "json"],
    &["push", "--yes", "--no-browser"],
    &["pull", "--dry-run"],
    &["login"],
    &["logout"],
];

fn has_no_secret(output: &Output, project: &Project, what: &str) {
    for text in [&output.stdout, &output.stderr] {
        assert!(!text.contains(CANARY), "{what}: a secret is told: {output}");
        assert!(!text.contains("panicked"), "{what}: {output}");
        // As the header of a request it would be encoded.
        let encoded = URL_SAFE_NO_PAD.encode(CANARY);
        assert!(
            !text.contains(&encoded),
            "{what}: a secret is told: {output}"
        );
    }
    for (name, text) in project.all_files() {
        if !PRIVATE.contains(&name.as_str()) {
            assert!(
                !text.contains(CANARY),
                "{what}: {name} holds a secret: {text}"
            );
        }
    }
}

fn search(who: Who, moods: &[Mood]) {
    for mood in moods {
        let now = Arc::new(Mutex::new(Mood::Good));
        let server = server(&now);
        let project = project(&server, who);
        project.run(&["plan", "--out", "saved.plan"]).expect(0);
        *now.lock().unwrap() = *mood;
        for command in COMMANDS {
            let args = [command, &["-vv"]].concat();
            let output = project.run_vars(&[("CONNPLAN_LOG", "trace")], &args);
            has_no_secret(&output, &project, &format!("{who:?} {mood:?}"));
        }
        if *mood == Mood::Good {
            assert!(
                project.read(".connplan/pending.toml").contains(CANARY),
                "it saw a link"
            );
        }
        assert!(
            server
                .seen()
                .iter()
                .any(|seen| { seen.headers.iter().any(|(_, value)| value.contains(CANARY)) })
        );
    }
}

#[test]
fn a_key_is_told_nowhere() {
    search(Who::Key, &MOODS);
}

#[test]
fn tokens_and_logins_are_told_nowhere() {
    search(Who::Token, &[Mood::Good, Mood::Status(401)]);
    search(Who::Login, &[Mood::Good, Mood::Shape, Mood::Reset]);
}

#[test]
fn a_garbled_private_file_is_not_quoted() {
    let server = server(&Arc::new(Mutex::new(Mood::Good)));
    let project = project(&server, Who::Key);
    project.write(
        ".connplan/pending.toml",
        &format!("format_version = '1.0'\nlink = {CANARY}\n"),
    );
    project.write(
        "../home/.base44/auth/auth.json",
        &format!("{{\"accessToken\": {CANARY}"),
    );
    let project = project.without_var("BASE44_API_KEY");
    for command in COMMANDS {
        let output = project.run(command);
        for text in [&output.stdout, &output.stderr] {
            assert!(!text.contains(CANARY), "{output}");
        }
    }
}

#[test]
fn a_link_to_a_new_host_is_not_opened() {
    let server = Scripted::start();
    let app = |rest: &str| rest.replace("APP", &format!("/api/apps/{APP}"));
    let empty = json!({ "integrations": [] });
    server.on(
        &app("GET APP/external-auth/list"),
        [Reply::json(200, &empty)],
    );
    let stripe = json!({ "stripe_mode": null });
    server.on(
        &app("GET APP/payments/stripe/status"),
        [Reply::json(200, &stripe)],
    );
    let put = |host: &str| {
        let answer = json!({"redirect_url": format!("https://{host}/o?{CANARY}"),
            "connection_id": format!("c-{host}"), "already_authorized": false});
        Reply::json(200, &answer)
    };
    let answers = ["box.example", "box.example", "evil.example"].map(put);
    server.on(&app("PUT APP/external-auth/integrations/box"), answers);
    let failed = Reply::json(200, &json!({ "status": "FAILED" }));
    server.on(&app("GET APP/external-auth/status"), [failed]);
    let project = Project::new()
        .at_url(&server.url(), "b44k_key")
        .connector("box", &["a"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let authorize = ["authorize", "--yes", "--timeout", "1s"];
    // A browser is started apart, and takes its time.
    let opened = |count: usize| {
        for _ in 0..100 {
            if project.opened().len() > count {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        project.opened()
    };
    project.run(&authorize).expect(4);
    assert_eq!(opened(0).len(), 1, "the first host is as good as any");
    let output = project.run(&authorize);
    output
        .expect(4)
        .tells("leads to evil.example")
        .tells("earlier ones led to box.example");
    output.lacks(CANARY);
    std::thread::sleep(Duration::from_millis(200));
    assert_eq!(project.opened().len(), 1, "{output}");
}
