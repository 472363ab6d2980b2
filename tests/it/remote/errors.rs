//! Every way in which an answer can be wrong has an error of its own, which names the call and the
//! request and shows no secret.

use connplan::{http::ClientOptions, model::Scopes, remote::RemoteError};
use miette::Diagnostic;
use serde_json::{Value, json};

use crate::{
    remote::client::{
        LIST, PUT_SLACK, REMOVE_SLACK, STRIPE_INSTALL, STRIPE_STATUS, quick, remote, remote_at,
        shown, slack,
    },
    support::scripted::{Reply, Scripted},
};

/// No second attempt, so that the first answer is the error.
fn once() -> ClientOptions {
    ClientOptions {
        retries: 0,
        ..quick()
    }
}

async fn list_error(reply: Reply) -> RemoteError {
    let server = Scripted::start();
    server.on(LIST, [reply.header("x-request-id", "req-77")]);
    let error = remote_at(&server.url(), once())
        .unwrap()
        .list()
        .await
        .unwrap_err();
    let text = shown(&error);
    assert!(text.contains("listing the connectors failed"), "{text}");
    assert!(text.contains("req-77"), "{text}");
    assert!(error.code().is_some() && error.help().is_some(), "{text}");
    error
}

fn code(error: &RemoteError) -> String {
    error
        .code()
        .unwrap()
        .to_string()
        .replace("connplan::remote::", "")
}

#[tokio::test]
async fn each_status_has_its_error() {
    for (status, expected) in [
        (301, "redirected"),
        (302, "redirected"),
        (308, "redirected"),
        (400, "rejected"),
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (409, "rejected"),
        (418, "rejected"),
        (422, "rejected"),
        (428, "rejected"),
        (429, "rate_limited"),
        (500, "server"),
        (502, "server"),
        (503, "server"),
        (599, "server"),
    ] {
        let error = list_error(Reply::status(status)).await;
        assert_eq!(code(&error), expected, "{status}");
        assert!(
            status < 400 || error.to_string().contains(&format!("scripted {status}")),
            "{error}"
        );
    }
}

#[tokio::test]
async fn a_key_error_means_not_found_whatever_the_status() {
    for status in [200, 400, 500] {
        let body = json!({"error_type": "KeyError", "message": "'app1'", "integrations": []});
        assert_eq!(
            code(&list_error(Reply::json(status, &body)).await),
            "not_found"
        );
    }
    let mere_mention = json!({"integrations": [], "note": "KeyError"});
    let server = Scripted::start();
    server.on(LIST, [Reply::json(200, &mere_mention)]);
    assert!(remote(&server).list().await.is_ok());
}

#[tokio::test]
async fn the_servers_words_are_shown_and_made_safe() {
    let body = json!({"detail": "no \u{1b}]0;x\u{7}\u{202e}", "extra_data": {"reason": "r", "errors": [
        {"name": "scopes", "message": "too\nmany"}]}});
    let text = shown(&list_error(Reply::json(422, &body)).await);
    assert!(
        text.contains(r#""no \u{1b}]0;x\u{7}\u{202e}"; scopes: "too many""#),
        "{text}"
    );
    let long = list_error(Reply::json(422, &json!({"message": "x".repeat(100_000)}))).await;
    assert!(shown(&long).len() < 1000);
}

#[tokio::test]
async fn a_refused_key_says_what_to_do_about_the_key() {
    let text = shown(&list_error(Reply::status(401)).await);
    assert!(text.contains("BASE44_API_KEY was refused"), "{text}");
    assert!(text.contains("check that the key"), "{text}");
}

#[tokio::test]
async fn who_is_to_slow_down_is_told_for_how_long() {
    for (asked, told) in [
        (None, "wait a little, then"),
        (Some("7"), "wait 7 s, then"),
        (Some("600"), "wait 10 minutes, then"),
        (Some("86400"), "wait 24 hours, then"),
        (Some("864001"), "wait 11 days, then"),
        (Some("99999999999999999999"), "wait more than a year, then"),
    ] {
        let reply = Reply::status(429);
        let reply = match asked {
            Some(asked) => reply.header("retry-after", asked),
            None => reply,
        };
        let text = shown(&list_error(reply).await);
        assert!(text.contains(told), "{text}");
        // Reading is one call: there is nothing to do fewer of.
        assert!(!text.contains("parallelism"), "{text}");
    }
    let server = Scripted::start();
    server.on(PUT_SLACK, [Reply::status(429)]);
    let remote = remote_at(&server.url(), once()).unwrap();
    let error = remote.put_integration(&slack(), &Scopes::default()).await;
    let text = shown(&error.unwrap_err());
    assert!(text.contains("`apply --parallelism 1`"), "{text}");
}

#[tokio::test]
async fn only_what_the_server_names_is_to_be_corrected() {
    let named = shown(&list_error(Reply::status(418)).await);
    assert!(named.contains("correct what the server names"), "{named}");
    for reply in [
        Reply::body(418, "text/plain", "short and stout"),
        Reply::json(400, &json!({})),
    ] {
        let bare = shown(&list_error(reply).await);
        assert!(!bare.contains("correct what"), "{bare}");
        assert!(bare.contains("gave no reason"), "{bare}");
    }
}

#[tokio::test]
async fn a_web_page_is_told_by_its_title_alone() {
    let page = "<!doctype html><title>Sign in\u{1b} | Corp</title><p>canary";
    for (status, content_type) in [
        (200, "text/html"),
        (200, "application/json"),
        (403, "text/html"),
        (502, "text/html"),
    ] {
        let error = list_error(Reply::body(status, content_type, page)).await;
        assert_eq!(code(&error), "html");
        assert!(
            shown(&error).contains(&format!(
                "(HTTP {status}, titled \"Sign in\\u{{1b}} | Corp\")"
            )),
            "{error}"
        );
    }
}

#[tokio::test]
async fn no_redirect_takes_the_key_elsewhere() {
    let (server, other) = (Scripted::start(), Scripted::start());
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}/steal?token=canary", other.url());
        server.on(LIST, [Reply::status(status).header("location", &to)]);
        let error = remote(&server).list().await.unwrap_err();
        assert!(shown(&error).contains(&other.url()), "{error}");
    }
    assert_eq!(other.connections(), 0);
    assert_eq!(server.hits(LIST), 5);
}

/// A field that is missing or of another type: the answer, the field, what is said.
const MALFORMED: &[(&str, &str, &str)] = &[
    ("{}", "integrations", "`integrations` is missing"),
    (r#"{"integrations": null}"#, "integrations", "is not a list"),
    (
        r#"{"integrations": {"canary-1": 1}}"#,
        "integrations",
        "is not a list",
    ),
    (
        r#"{"integrations": [{"integration_type": "a", "status": "active"}]}"#,
        "integrations[0].scopes",
        "is missing",
    ),
    (
        r#"{"integrations": [{"integration_type": "a", "status": "active", "scopes": null}]}"#,
        "integrations[0].scopes",
        "is not a list",
    ),
    (
        r#"{"integrations": [{"integration_type": "a", "status": "active", "scopes": ["x", 1]}]}"#,
        "integrations[0].scopes[1]",
        "is not a string",
    ),
    (
        r#"{"integrations": [{"integration_type": "a", "status": "canary", "scopes": []}]}"#,
        "integrations[0].status",
        "is not one of `active`",
    ),
    (
        r#"{"integrations": [{"integration_type": "../canary", "status": "active", "scopes": []}]}"#,
        "integrations[0].integration_type",
        "letters, digits",
    ),
    (
        r#"{"integrations": [{"integration_type": "a", "status": "active", "scopes": [], "user_email": 1}]}"#,
        "integrations[0].user_email",
        "is not a string",
    ),
    (r#"["canary"]"#, "", "is not an object"),
    (r#""canary""#, "", "is not an object"),
    ("", "", "it is empty"),
    ("canary", "", "it is not JSON"),
    (r#"{"integrations": ["#, "", "it is not JSON"),
];

#[tokio::test]
async fn a_wrong_shape_names_the_field_and_shows_no_content() {
    for (body, at, said) in MALFORMED {
        let error = list_error(Reply::body(200, "application/json", *body)).await;
        let RemoteError::Malformed { field, .. } = &error else {
            panic!("{body}: {error}")
        };
        assert_eq!(field, at, "{body}");
        assert!(shown(&error).contains(said), "{body}: {error}");
    }
}

#[tokio::test]
async fn every_answer_is_checked_field_by_field() {
    let server = Scripted::start();
    let remote = remote_at(&server.url(), once()).unwrap();
    let field = |error: RemoteError| match error {
        RemoteError::Malformed { field, .. } => field,
        other => panic!("{other}"),
    };
    let reply = |body: &Value| [Reply::json(200, body)];
    for (body, expected) in [
        (json!({}), "already_authorized"),
        (json!({"already_authorized": null}), "already_authorized"),
        (
            json!({"already_authorized": false, "redirect_url": 1}),
            "redirect_url",
        ),
        (
            json!({"already_authorized": false, "connection_id": 1}),
            "connection_id",
        ),
        (
            json!({"already_authorized": false, "connection_id": "a\nb"}),
            "connection_id",
        ),
    ] {
        server.on(PUT_SLACK, reply(&body));
        let error = remote
            .put_integration(&slack(), &Scopes::new())
            .await
            .unwrap_err();
        assert!(error.is_unclear(), "the server has done it nevertheless");
        assert_eq!(field(error), expected);
    }
    server.on(
        REMOVE_SLACK,
        reply(&json!({"status": "canary", "integration_type": "slack"})),
    );
    assert_eq!(
        field(remote.remove_integration(&slack()).await.unwrap_err()),
        "status"
    );
    server.on(STRIPE_STATUS, reply(&json!({"stripe_mode": "canary"})));
    let error = remote.stripe_status().await.unwrap_err();
    assert!(!error.is_unclear(), "a read changes nothing");
    assert_eq!(field(error), "stripe_mode");
    server.on(STRIPE_STATUS, reply(&json!({"stripe_mode": null})));
    server.on(STRIPE_INSTALL, reply(&json!({"claim_url": null})));
    assert_eq!(
        field(remote.install_stripe().await.unwrap_err()),
        "already_installed"
    );
}
