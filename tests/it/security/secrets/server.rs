//! A platform and two forges that answer well, badly, or with what they were sent.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::CANARY;
use crate::{
    support::APP,
    support::scripted::{Reply, Scripted, Seen},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mood {
    Good,
    Status(u16),
    Html,
    /// Links and tokens where none belong, in fields of another type.
    Shape,
    Cut,
    Reset,
    /// A refusal that repeats what it refuses, and has a link.
    Echo(u16),
    /// A page that does so in its title.
    EchoPage(u16),
    /// Success, and what was sent is in every text of it.
    EchoGood,
}

impl Mood {
    pub(super) fn echoes(self) -> bool {
        matches!(self, Self::Echo(_) | Self::EchoPage(_) | Self::EchoGood)
    }
}

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
        "GET external-auth/available-integrations" => json!({ "integrations": [
            {"integration_type": "box", "display_name": "Box", "description": "Files",
             "connection_config_fields": []}]}),
        "GET external-auth/status" => json!({ "status": "PENDING" }),
        "POST /oauth/device/code" => json!({"device_code": format!("d/{CANARY}Device"),
            "user_code": "ABCD", "verification_uri": "https://login.example", "expires_in": 1,
            "interval": 0}),
        "POST /oauth/token" => json!({"access_token": format!("{CANARY}Access2"),
            "token_type": "Bearer", "expires_in": 3600,
            "refresh_token": format!("{CANARY}Refresh2")}),
        "GET /oauth/userinfo" => json!({"email": "ada@example.com", "name": "Ada"}),
        put if put.starts_with("PUT ") => json!({"redirect_url": link("box"),
            "connection_id": "conn-1", "already_authorized": false, "error": null}),
        "GET /repos/octo/site/issues/5/comments" => json!([github_comment("ada")]),
        "PATCH /repos/octo/site/issues/comments/7" => github_comment("ada"),
        "GET /user" => json!({"login": "ada"}),
        "GET /api/v4/projects/12/merge_requests/3/notes" => json!([]),
        "POST /api/v4/projects/12/merge_requests/3/notes" => json!({"id": 7, "body": "",
            "author": {"username": "ada"}, "system": false}),
        _ => json!({"status": "removed", "integration_type": "wix", "success": true}),
    }
}

fn github_comment(of: &str) -> Value {
    json!({"id": 7, "body": "<!-- connplan app=app%2D1 -->\nold", "user": {"login": of},
        "html_url": format!("https://github.example/{of}")})
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

/// What a request proves who asks with.
fn proof(seen: &Seen) -> String {
    let form = url::form_urlencoded::parse(&seen.body);
    let form = form.filter(|(name, _)| ["refresh_token", "device_code"].contains(&name.as_ref()));
    let field = form.map(|(_, value)| value.into_owned()).next();
    let header = ["api_key", "private-token", "authorization"];
    let header = header.iter().find_map(|name| seen.header(name));
    let header = header.map(|value| value.trim_start_matches("Bearer ").to_owned());
    field.or(header).unwrap_or_default()
}

/// As some gateways show the request that they refuse.
fn echo(seen: &Seen) -> String {
    let header = |(name, value): &(String, String)| format!("{name}: {value}");
    let headers: Vec<_> = seen.headers.iter().map(header).collect();
    let (proof, link, headers) = (proof(seen), link("help"), headers.join("; "));
    // As people write a link, and somebody else's token.
    let bare = link.trim_start_matches("https://");
    let token = format!("b44u_{CANARY}Other");
    format!(
        "{proof} see {link} or {bare} {token} {headers} {}",
        seen.text()
    )
}

/// A refusal in one of the shapes that there are.
fn refusal(seen: &Seen, status: u16) -> Value {
    match status {
        401 => json!({"detail": [{"msg": echo(seen), "input": {"token": proof(seen)}}],
            "error": proof(seen)}),
        403 => json!({"error": echo(seen)}),
        _ => json!({"message": echo(seen), "extra_data": {"reason": proof(seen),
            "errors": [{"name": proof(seen), "message": echo(seen)}]}}),
    }
}

/// A success with what was sent in all of its texts.
fn repeated(seen: &Seen, value: Value) -> Value {
    let proof = proof(seen);
    match value {
        Value::Object(mut fields) => {
            for (name, value) in &mut fields {
                match (name.as_str(), value) {
                    ("scopes", value) => *value = json!([proof]),
                    (
                        "user_email" | "email" | "name" | "display_name" | "description" | "login"
                        | "username" | "html_url" | "user_code",
                        value,
                    ) => *value = json!(format!("{proof} of {proof}")),
                    ("error", value) => *value = json!(proof),
                    (_, value) => *value = repeated(seen, value.take()),
                }
            }
            if fields.contains_key("already_authorized") {
                fields.insert("error_message".to_owned(), json!(echo(seen)));
                fields.insert("other_user_email".to_owned(), json!(proof));
            }
            fields.into()
        }
        Value::Array(items) => items.into_iter().map(|item| repeated(seen, item)).collect(),
        other => other,
    }
}

/// As servers do that escape every slash.
fn escaped(status: u16, body: &Value) -> Reply {
    Reply::body(
        status,
        "application/json",
        body.to_string().replace('/', "\\/"),
    )
}

fn reply(mood: Mood, seen: &Seen) -> Reply {
    let route = seen.route();
    let good = good(&route);
    let id = proof(seen);
    let hands_out = route.starts_with("POST /oauth/device");
    let reply = match mood {
        // Nothing was sent yet that it could repeat.
        Mood::Echo(_) | Mood::EchoPage(_) | Mood::Good if hands_out => Reply::json(200, &good),
        Mood::Good => Reply::json(200, &good),
        // Forges mean a minute where they say nothing.
        Mood::Status(status) => Reply::status(status).header("retry-after", "0"),
        Mood::Html => Reply::html(200, "<title>Gateway</title>"),
        Mood::Shape => Reply::json(200, &misshapen(&good)),
        Mood::Cut => Reply::json(200, &good).cut(12),
        Mood::Reset => Reply::reset_read(),
        Mood::Echo(status) => escaped(status, &refusal(seen, status)),
        Mood::EchoPage(status) => Reply::html(status, &format!("<title>{}</title>", echo(seen))),
        Mood::EchoGood => escaped(200, &repeated(seen, good)),
    };
    if mood.echoes() {
        reply.header("x-request-id", &id)
    } else {
        reply
    }
}

pub(super) fn server(mood: &Arc<Mutex<Mood>>) -> Scripted {
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
    let others = [
        "POST /oauth/device/code",
        "POST /oauth/token",
        "GET /oauth/userinfo",
        "GET /repos/octo/site/issues/5/comments",
        "PATCH /repos/octo/site/issues/comments/7",
        "GET /user",
        "GET /api/v4/projects/12/merge_requests/3/notes",
        "POST /api/v4/projects/12/merge_requests/3/notes",
    ];
    let routes = calls.iter().map(|call| app(call));
    for route in routes.chain(others.map(str::to_owned)) {
        let mood = Arc::clone(mood);
        server.on_each(&route, move |seen| reply(*mood.lock().unwrap(), seen));
    }
    server
}
