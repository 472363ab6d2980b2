//! Every way in which an answer can be wrong has an error of its own, which names the call and the
//! request and shows no secret.

use std::fmt::Write as _;

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
    let remote = remote_at(&server.url(), once()).unwrap();
    let error = remote.list().await.unwrap_err();
    assert!(error.code().is_some() && error.help().is_some());
    error
}

/// All that is said where the list is answered in this way.
async fn said(reply: Reply) -> String {
    shown(&list_error(reply).await)
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
    let mut texts = String::new();
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
        writeln!(texts, "{error}").unwrap();
    }
    insta::assert_snapshot!(texts, @r#"
    listing the connectors failed (request req-77): the server redirects to an address that it does not name (HTTP 301); credentials are not sent there
    listing the connectors failed (request req-77): the server redirects to an address that it does not name (HTTP 302); credentials are not sent there
    listing the connectors failed (request req-77): the server redirects to an address that it does not name (HTTP 308); credentials are not sent there
    listing the connectors failed (request req-77): the server rejected it (HTTP 400): the server says "scripted 400"
    listing the connectors failed (request req-77): the workspace key in BASE44_API_KEY was refused: the server says "scripted 401"
    listing the connectors failed (request req-77): a workspace API key may not do this: the server says "scripted 403"
    listing the connectors failed (request req-77): the server does not know this app or connector: the server says "scripted 404"
    listing the connectors failed (request req-77): the server rejected it (HTTP 409): the server says "scripted 409"
    listing the connectors failed (request req-77): the server rejected it (HTTP 418): the server says "scripted 418"
    listing the connectors failed (request req-77): the server rejected it (HTTP 422): the server says "scripted 422"
    listing the connectors failed (request req-77): the server rejected it (HTTP 428): the server says "scripted 428"
    listing the connectors failed (request req-77): the server asks to slow down: the server says "scripted 429"
    listing the connectors failed (request req-77): the server had an error (HTTP 500): the server says "scripted 500"
    listing the connectors failed (request req-77): the server had an error (HTTP 502): the server says "scripted 502"
    listing the connectors failed (request req-77): the server had an error (HTTP 503): the server says "scripted 503"
    listing the connectors failed (request req-77): the server had an error (HTTP 599): the server says "scripted 599"
    "#);
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
    insta::assert_snapshot!(said(Reply::json(422, &body)).await, @r#"
    listing the connectors failed (request req-77): the server rejected it (HTTP 422): the server says "no \u{1b}]0;x\u{7}\u{202e}"; scopes: "too many"
    correct what the server names, then try again
    "#);
    let long = list_error(Reply::json(422, &json!({"message": "x".repeat(100_000)}))).await;
    assert!(shown(&long).len() < 1000);
}

#[tokio::test]
async fn a_refused_key_says_what_to_do_about_the_key() {
    insta::assert_snapshot!(said(Reply::status(401)).await, @r#"
    listing the connectors failed (request req-77): the workspace key in BASE44_API_KEY was refused: the server says "scripted 401"
    check that the key is valid and may use this app; or unset BASE44_API_KEY and run `connplan login`
    "#);
}

#[tokio::test]
async fn who_is_to_slow_down_is_told_for_how_long() {
    insta::assert_snapshot!(said(Reply::status(429)).await, @r#"
    listing the connectors failed (request req-77): the server asks to slow down: the server says "scripted 429"
    wait a moment, then run the same command again
    "#);
    let mut ways = String::new();
    for asked in ["7", "600", "86400", "864001", "99999999999999999999"] {
        let reply = Reply::status(429).header("retry-after", asked);
        let help = list_error(reply).await.help().unwrap().to_string();
        writeln!(ways, "{asked}: {help}").unwrap();
    }
    // Reading is one call: there is nothing to do fewer of.
    insta::assert_snapshot!(ways, @"
    7: wait 7 s, then run the same command again
    600: wait 10 minutes, then run the same command again
    86400: wait 24 hours, then run the same command again
    864001: wait 11 days, then run the same command again
    99999999999999999999: wait more than a year, then run the same command again
    ");
    let server = Scripted::start();
    server.on(PUT_SLACK, [Reply::status(429)]);
    let remote = remote_at(&server.url(), once()).unwrap();
    let error = remote.put_integration(&slack(), &Scopes::default()).await;
    insta::assert_snapshot!(error.unwrap_err().help().unwrap(), @"wait a moment, then run the same command again; `apply --parallelism 1` makes one change at a time");
}

#[tokio::test]
async fn only_what_the_server_names_is_to_be_corrected() {
    insta::assert_snapshot!(said(Reply::status(418)).await, @r#"
    listing the connectors failed (request req-77): the server rejected it (HTTP 418): the server says "scripted 418"
    correct what the server names, then try again
    "#);
    let tea = Reply::body(418, "text/plain", "short and stout");
    insta::assert_snapshot!(said(tea).await, @"
    listing the connectors failed (request req-77): the server rejected it (HTTP 418)
    it gave no reason that can be read; check BASE44_API_URL and the proxy variables, and if it keeps happening, report the request id to Base44
    ");
    insta::assert_snapshot!(said(Reply::json(400, &json!({}))).await, @"
    listing the connectors failed (request req-77): the server rejected it (HTTP 400)
    it gave no reason that can be read; check BASE44_API_URL and the proxy variables, and if it keeps happening, report the request id to Base44
    ");
}

#[tokio::test]
async fn a_web_page_is_told_by_its_title_alone() {
    let page = "<!doctype html><title>Sign in\u{1b} | Corp</title><p>canary";
    let mut texts = String::new();
    for (status, content_type) in [
        (200, "text/html"),
        (200, "application/json"),
        (403, "text/html"),
        (502, "text/html"),
    ] {
        let error = list_error(Reply::body(status, content_type, page)).await;
        assert_eq!(code(&error), "html");
        writeln!(texts, "{}", shown(&error)).unwrap();
    }
    insta::assert_snapshot!(texts, @r#"
    listing the connectors failed (request req-77): a web page came instead of an answer (HTTP 200, titled "Sign in\u{1b} | Corp")
    a proxy, a login page or another server answers there; check BASE44_API_URL and the proxy variables
    listing the connectors failed (request req-77): a web page came instead of an answer (HTTP 200, titled "Sign in\u{1b} | Corp")
    a proxy, a login page or another server answers there; check BASE44_API_URL and the proxy variables
    listing the connectors failed (request req-77): a web page came instead of an answer (HTTP 403, titled "Sign in\u{1b} | Corp")
    a proxy, a login page or another server answers there; check BASE44_API_URL and the proxy variables
    listing the connectors failed (request req-77): a web page came instead of an answer (HTTP 502, titled "Sign in\u{1b} | Corp")
    a proxy, a login page or another server answers there; check BASE44_API_URL and the proxy variables
    "#);
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

/// A field that is missing or of another type: the answer, the field.
const MALFORMED: &[(&str, &str)] = &[
    ("{}", "integrations"),
    (r#"{"integrations": null}"#, "integrations"),
    (r#"{"integrations": {"canary-1": 1}}"#, "integrations"),
    (
        r#"{"integrations": [{"integration_type": "a", "status": "active"}]}"#,
        "integrations[0].scopes",
    ),
    (
        r#"{"integrations": [{"integration_type": "a", "status": "active", "scopes": null}]}"#,
        "integrations[0].scopes",
    ),
    (
        r#"{"integrations": [{"integration_type": "a", "status": "active", "scopes": ["x", 1]}]}"#,
        "integrations[0].scopes[1]",
    ),
    (
        r#"{"integrations": [{"integration_type": "a", "status": "canary", "scopes": []}]}"#,
        "integrations[0].status",
    ),
    (
        r#"{"integrations": [{"integration_type": "../canary", "status": "active", "scopes": []}]}"#,
        "integrations[0].integration_type",
    ),
    (
        r#"{"integrations": [{"integration_type": "a", "status": "active", "scopes": [], "user_email": 1}]}"#,
        "integrations[0].user_email",
    ),
    (r#"["canary"]"#, ""),
    (r#""canary""#, ""),
    ("", ""),
    ("canary", ""),
    (r#"{"integrations": ["#, ""),
];

#[tokio::test]
async fn a_wrong_shape_names_the_field_and_shows_no_content() {
    let mut texts = String::new();
    for (body, at) in MALFORMED {
        let error = list_error(Reply::body(200, "application/json", *body)).await;
        let RemoteError::Malformed { field, .. } = &error else {
            panic!("{body}: {error}")
        };
        assert_eq!(field, at, "{body}");
        texts += shown(&error).lines().next().unwrap();
        texts += "\n";
    }
    insta::assert_snapshot!(texts, @"
    listing the connectors failed (request req-77): the answer cannot be used: `integrations` is missing
    listing the connectors failed (request req-77): the answer cannot be used: `integrations` is not a list
    listing the connectors failed (request req-77): the answer cannot be used: `integrations` is not a list
    listing the connectors failed (request req-77): the answer cannot be used: `integrations[0].scopes` is missing
    listing the connectors failed (request req-77): the answer cannot be used: `integrations[0].scopes` is not a list
    listing the connectors failed (request req-77): the answer cannot be used: `integrations[0].scopes[1]` is not a string
    listing the connectors failed (request req-77): the answer cannot be used: `integrations[0].status` is not one of `active`, `disconnected`, `expired`
    listing the connectors failed (request req-77): the answer cannot be used: `integrations[0].integration_type` is not valid: a connector type holds only letters, digits, `_` and `-`
    listing the connectors failed (request req-77): the answer cannot be used: `integrations[0].user_email` is not a string
    listing the connectors failed (request req-77): the answer cannot be used: it is not an object
    listing the connectors failed (request req-77): the answer cannot be used: it is not an object
    listing the connectors failed (request req-77): the answer cannot be used: it is empty
    listing the connectors failed (request req-77): the answer cannot be used: it is not JSON (line 1, column 1)
    listing the connectors failed (request req-77): the answer cannot be used: it is not JSON (line 1, column 18)
    ");
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
