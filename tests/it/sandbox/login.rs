//! The sandbox's device flow, through HTTP.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::client::{Answer, Site, hidden, send};

const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";

async fn begin(site: &Site) -> Value {
    let body = json!({ "client_id": "base44_cli", "scope": "apps:read apps:write sandbox:write" });
    let request = site.request(Method::POST, "/oauth/device/code");
    let answer = send(request.body(body.to_string())).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn token(site: &Site, grant: &str, field: &str, value: &str) -> Answer {
    let fields = [
        ("grant_type", grant),
        (field, value),
        ("client_id", "base44_cli"),
    ];
    site.form("/oauth/token", &fields).await
}

async fn bearer(site: &Site, path: &str, token: &Value) -> Answer {
    let value = format!("Bearer {}", token.as_str().unwrap());
    send(
        site.request(Method::GET, path)
            .header("authorization", value),
    )
    .await
}

#[tokio::test]
async fn a_person_lets_a_device_in_on_the_page() {
    let site = Site::seeded(json!({ "settings": { "device_interval_seconds": 0 } })).await;
    let device = begin(&site).await;
    let code = device["device_code"].as_str().unwrap();
    let waiting = token(&site, DEVICE, "device_code", code).await;
    assert_eq!(
        (waiting.status, &waiting.json()["error"]),
        (400, &json!("authorization_pending"))
    );

    let empty = site
        .page(device["verification_uri"].as_str().unwrap())
        .await;
    assert!(empty.text.contains("name=\"user_code\""));
    let page = site
        .page(device["verification_uri_complete"].as_str().unwrap())
        .await;
    let form_token = hidden(&page.text, "form_token");
    let user_code = hidden(&page.text, "user_code");
    assert_eq!(json!(user_code), device["user_code"]);
    let form = |token| {
        [
            ("form_token", token),
            ("user_code", user_code.as_str()),
            ("account", "grace@example.com"),
            ("decision", "approve"),
        ]
    };
    assert_eq!(
        site.form("/sandbox/device", &form("forged")).await.status,
        404
    );
    assert_eq!(
        site.form("/sandbox/device", &form(&form_token))
            .await
            .status,
        200
    );
    assert_eq!(
        site.form("/sandbox/device", &form(&form_token))
            .await
            .status,
        404,
        "once"
    );

    let tokens = token(&site, DEVICE, "device_code", code).await.json();
    assert_eq!(
        (&tokens["token_type"], &tokens["expires_in"]),
        (&json!("Bearer"), &json!(3600))
    );
    let who = bearer(&site, "/oauth/userinfo", &tokens["access_token"])
        .await
        .json();
    assert_eq!(
        who,
        json!({ "email": "grace@example.com", "name": "Grace Hopper" })
    );
    let list = bearer(
        &site,
        "/api/apps/a/external-auth/list",
        &tokens["access_token"],
    )
    .await;
    assert_eq!(list.status, 200);
}

#[tokio::test]
async fn tokens_run_out_and_are_renewed_once() {
    let site = Site::new().await;
    let device = begin(&site).await;
    let user_code = device["user_code"].as_str().unwrap();
    assert!(
        site.sandbox
            .approve_device(user_code, "new@example.com")
            .await
            .unwrap()
    );
    assert!(
        !site
            .sandbox
            .approve_device(user_code, "new@example.com")
            .await
            .unwrap()
    );
    let code = device["device_code"].as_str().unwrap();
    let first = token(&site, DEVICE, "device_code", code).await.json();
    let who = bearer(&site, "/oauth/userinfo", &first["access_token"])
        .await
        .json();
    assert_eq!(who["name"], "new");

    site.call(
        "POST",
        "/sandbox/admin/clock",
        Some(json!({ "advance_seconds": 3601 })),
    )
    .await;
    let late = bearer(
        &site,
        "/api/apps/a/external-auth/list",
        &first["access_token"],
    )
    .await;
    assert_eq!(late.status, 401);
    let refresh = first["refresh_token"].as_str().unwrap();
    let second = token(&site, "refresh_token", "refresh_token", refresh)
        .await
        .json();
    let list = bearer(
        &site,
        "/api/apps/a/external-auth/list",
        &second["access_token"],
    )
    .await;
    assert_eq!(list.status, 200);
    let reused = token(&site, "refresh_token", "refresh_token", refresh).await;
    assert_eq!(
        (reused.status, &reused.json()["error"]),
        (400, &json!("invalid_grant"))
    );
}

#[tokio::test]
async fn refusals_have_their_words() {
    let site = Site::new().await;
    let device = begin(&site).await;
    let code = device["device_code"].as_str().unwrap();
    let deny = json!({ "user_code": device["user_code"], "decision": "deny" });
    assert_eq!(
        site.call("POST", "/sandbox/admin/device", Some(deny))
            .await
            .status,
        200
    );
    let denied = token(&site, DEVICE, "device_code", code).await.json();
    assert_eq!(denied["error"], "access_denied");
    let early = token(&site, DEVICE, "device_code", code).await.json();
    assert_eq!(early["error"], "slow_down");
    let unknown = token(&site, DEVICE, "device_code", "none").await.json();
    assert_eq!(unknown["error"], "invalid_grant");
    assert_eq!(
        token(&site, "password", "x", "y").await.json()["error"],
        "unsupported_grant_type"
    );
    let stranger = site.form("/oauth/token", &[("client_id", "other")]).await;
    assert_eq!(stranger.json()["error"], "invalid_client");
}
