//! The sandbox's connectors API, through HTTP.

use std::time::{Duration, Instant};

use connplan::{
    model::{Account, Link},
    sandbox::{Decision, Options},
};
use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::client::{Site, send};

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("no {field} in {value}"))
}

#[tokio::test]
async fn any_app_exists_and_is_empty() {
    let site = Site::new().await;
    let list = site.api("GET", "external-auth/list", None).await;
    assert_eq!(
        (list.status, list.json()),
        (200, json!({ "integrations": [] }))
    );
    let odd = site
        .call("GET", "/api/apps/a%2Fb/external-auth/list", None)
        .await;
    assert_eq!(odd.status, 404);
    let none = site.api("GET", "external-auth/nothing", None).await;
    assert_eq!(none.status, 404);
    assert!(none.json()["message"].is_string());
    assert_eq!(
        site.api("POST", "external-auth/list", None).await.status,
        405
    );
}

#[tokio::test]
async fn a_connector_lives_from_put_to_removal() {
    let site = Site::new().await;
    let put = site
        .put(
            "googlecalendar",
            &["email", "https://www.googleapis.com/auth/calendar"],
        )
        .await;
    assert_eq!(put["already_authorized"], false);
    assert_eq!(put["error"], Value::Null);
    let id = text(&put, "connection_id");
    assert!(
        site.listed("googlecalendar").await.is_none(),
        "absent until authorized"
    );
    assert_eq!(site.status("googlecalendar", id).await, "PENDING");

    let link = Link::parse(text(&put, "redirect_url")).unwrap();
    site.sandbox
        .consent(&link, Decision::approve("ada@example.com"))
        .await
        .unwrap();
    assert_eq!(site.status("googlecalendar", id).await, "ACTIVE");
    let listed = site.listed("googlecalendar").await.unwrap();
    assert_eq!(
        listed,
        json!({
            "integration_type": "googlecalendar",
            "status": "active",
            "scopes": [
                "https://www.googleapis.com/auth/calendar",
                "https://www.googleapis.com/auth/userinfo.email",
                "openid",
            ],
            "user_email": "ada@example.com",
        })
    );
    let again = site
        .put(
            "googlecalendar",
            &["email", "https://www.googleapis.com/auth/calendar"],
        )
        .await;
    assert_eq!(
        again["already_authorized"], true,
        "the provider's spelling is no difference"
    );
    assert_eq!(
        (&again["redirect_url"], &again["connection_id"]),
        (&Value::Null, &Value::Null)
    );

    let path = "external-auth/integrations/googlecalendar/remove";
    let removed = site.api("DELETE", path, None).await.json();
    assert_eq!(
        removed,
        json!({ "status": "removed", "integration_type": "googlecalendar" })
    );
    assert_eq!(site.api("DELETE", path, None).await.status, 200, "again");
    assert_eq!(site.status("googlecalendar", id).await, "FAILED");
}

#[tokio::test]
async fn a_partial_grant_shows_in_the_list() {
    let site = Site::new().await;
    let put = site.put("slackbot", &["channels:read", "chat:write"]).await;
    let (id, account) = (text(&put, "connection_id"), Account::new("ops@example.com"));
    let scopes = Some(["chat:write"].into_iter().collect());
    let decision = Decision::Approve { account, scopes };
    site.sandbox.consent_to(id, decision).await.unwrap();
    assert_eq!(site.status("slackbot", id).await, "ACTIVE");
    assert_eq!(
        site.listed("slackbot").await.unwrap()["scopes"],
        json!(["chat:write"])
    );
}

#[tokio::test]
async fn credentials_are_needed_and_only_its_own_key_is_good() {
    let site = Site::new().await;
    let path = "/api/apps/app-1/external-auth/list";
    let none = send(site.request(Method::GET, path)).await;
    assert_eq!(none.status, 401);
    for (name, value) in [
        ("api_key", "b44k_other"),
        ("authorization", "Bearer nobody"),
        ("authorization", site.sandbox.api_key().expose()),
    ] {
        let wrong = send(site.request(Method::GET, path).header(name, value)).await;
        assert_eq!(wrong.status, 401, "{name}");
    }
    let admin = send(site.request(Method::GET, "/sandbox/admin/requests")).await;
    assert_eq!(admin.status, 401);
}

#[tokio::test]
async fn foreign_hosts_are_refused() {
    let site = Site::new().await;
    for path in ["/", "/api/apps/a/external-auth/list", "/oauth/userinfo"] {
        let request = site
            .request(Method::GET, path)
            .header("host", "evil.example");
        assert_eq!(send(request).await.status, 421, "{path}");
    }
}

#[tokio::test]
async fn the_request_id_comes_back() {
    let site = Site::new().await;
    let request = site
        .request(Method::GET, "/")
        .header("x-request-id", "mine-1");
    assert_eq!(send(request).await.headers["x-request-id"], "mine-1");
    let own = site.api("GET", "external-auth/list", None).await;
    assert_eq!(own.headers["x-request-id"].len(), 36);
}

#[tokio::test]
async fn bad_input_is_rejected_by_name() {
    let site = Site::new().await;
    let put = "external-auth/integrations/slack";
    for (method, path, body) in [
        ("PUT", put, Some(json!({}))),
        ("PUT", put, Some(json!({ "scopes": "chat:write" }))),
        ("PUT", put, Some(json!({ "scopes": [" "] }))),
        (
            "PUT",
            "external-auth/integrations/a.b",
            Some(json!({ "scopes": [] })),
        ),
        (
            "PUT",
            "external-auth/integrations/stripe",
            Some(json!({ "scopes": [] })),
        ),
        ("GET", "external-auth/status?integration_type=slack", None),
    ] {
        let answer = site.api(method, path, body).await;
        assert_eq!(answer.status, 422, "{path}: {}", answer.text);
        let json = answer.json();
        assert!(json["message"].is_string());
        assert!(json["extra_data"]["errors"][0]["name"].is_string());
    }
    let path = "external-auth/status?integration_type=slack&connection_id=none";
    assert_eq!(site.api("GET", path, None).await.status, 404);
}

#[tokio::test]
async fn the_seed_makes_the_platform_difficult() {
    let site = Site::seeded(json!({
        "settings": {
            "forbidden": { "tiktok": "Ask an admin." },
            "list_unauthorized": true,
        },
        "apps": { "app-1": {
            "connectors": { "notion": { "status": "expired", "account": "ops@example.com" } },
            "different_user": { "gmail": "grace@example.com" },
        }},
    }))
    .await;
    let body = Some(json!({ "scopes": [] }));
    let forbidden = site
        .api("PUT", "external-auth/integrations/tiktok", body)
        .await;
    assert_eq!(forbidden.status, 403);
    assert_eq!(forbidden.json()["message"], "Ask an admin.");

    let other = site.put("gmail", &[]).await;
    assert_eq!(text(&other, "error"), "different_user");
    assert_eq!(text(&other, "other_user_email"), "grace@example.com");
    assert_eq!(other["redirect_url"], Value::Null);

    assert_eq!(site.listed("notion").await.unwrap()["status"], "expired");
    assert!(site.put("notion", &[]).await["redirect_url"].is_string());
    site.put("linear", &["write"]).await;
    let waiting = site.listed("linear").await.unwrap();
    assert_eq!(
        (&waiting["status"], &waiting["scopes"]),
        (&json!("disconnected"), &json!(["write"]))
    );
    assert!(waiting.get("user_email").is_none());
}

#[tokio::test]
async fn every_nth_request_can_be_too_many() {
    let limit = json!({ "every": 2, "retry_after_seconds": 3 });
    let site = Site::seeded(json!({ "settings": { "rate_limit": limit } })).await;
    let mut statuses = Vec::new();
    for _ in 0..4 {
        let answer = site.api("GET", "external-auth/list", None).await;
        if answer.status == 429 {
            assert_eq!(answer.headers["retry-after"], "3");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses, [200, 429, 200, 429]);
}

#[tokio::test]
async fn stripe_is_installed_claimed_and_removed() {
    let site = Site::new().await;
    let status = || site.api("GET", "payments/stripe/status", None);
    let none = json!({ "stripe_mode": null, "sandbox_claim_url": null });
    assert_eq!(status().await.json(), none);
    assert_eq!(
        site.api("DELETE", "payments/stripe", None).await.status,
        404
    );

    let first = site
        .api("POST", "payments/stripe/install", None)
        .await
        .json();
    assert_eq!(first["already_installed"], false);
    let claim = text(&first, "claim_url");
    assert_eq!(
        status().await.json(),
        json!({ "stripe_mode": "sandbox", "sandbox_claim_url": claim,
            "sandbox_status": "unclaimed",
            "sandbox_expires_at": status().await.json()["sandbox_expires_at"] })
    );
    let second = site
        .api("POST", "payments/stripe/install", None)
        .await
        .json();
    assert_eq!(
        (&second["already_installed"], text(&second, "claim_url")),
        (&json!(true), claim)
    );
    assert!(site.listed("stripe").await.is_none());

    assert_eq!(site.page(claim).await.status, 200);
    assert_eq!(site.form(claim, &[]).await.status, 200);
    assert_eq!(site.form(claim, &[]).await.status, 410);
    assert_eq!(status().await.json()["sandbox_claim_url"], Value::Null);
    assert_eq!(
        site.api("DELETE", "payments/stripe", None).await.json(),
        json!({ "success": true })
    );

    let live = Some(json!({ "mode": "live" }));
    site.call("PUT", "/sandbox/admin/apps/app-1/stripe", live)
        .await;
    assert_eq!(
        status().await.json(),
        json!({ "stripe_mode": "live", "sandbox_claim_url": null })
    );
}

#[tokio::test]
async fn integrations_are_on_offer() {
    let site = Site::new().await;
    let offer = site
        .api("GET", "external-auth/available-integrations", None)
        .await
        .json();
    let all = offer["integrations"].as_array().unwrap();
    let snowflake = all
        .iter()
        .find(|i| i["integration_type"] == "snowflake")
        .unwrap();
    let field = &snowflake["connection_config_fields"][0];
    assert_eq!(
        (&field["name"], &field["required"]),
        (&json!("account_identifier"), &json!(true))
    );
    let slack = all
        .iter()
        .find(|i| i["integration_type"] == "slack")
        .unwrap();
    assert_eq!(slack["connection_config_fields"], json!([]));
}

#[tokio::test]
async fn an_administrator_plays_drift() {
    let site = Site::new().await;
    let path = "/sandbox/admin/apps/app-1/connectors/slackbot";
    let new = json!({ "scopes": ["chat:write"], "account": "ada@example.com" });
    assert_eq!(site.call("PUT", path, Some(new)).await.status, 200);
    assert_eq!(site.listed("slackbot").await.unwrap()["status"], "active");
    for (how, status) in [("expire", "expired"), ("disconnect", "disconnected")] {
        site.call("POST", &format!("{path}/{how}"), None).await;
        assert_eq!(site.listed("slackbot").await.unwrap()["status"], status);
    }
    assert_eq!(
        site.call("POST", &format!("{path}/break"), None)
            .await
            .status,
        404
    );
    assert_eq!(
        site.call("DELETE", path, None).await.json(),
        json!({ "removed": true })
    );
    assert!(site.listed("slackbot").await.is_none());
}

#[tokio::test]
async fn an_administrator_gives_consent_and_turns_the_clock() {
    let site = Site::new().await;
    let put = site.put("slackbot", &["a", "b"]).await;
    let pending = site
        .call("GET", "/sandbox/admin/pending", None)
        .await
        .json();
    assert_eq!(pending["pending"][0]["connection_id"], put["connection_id"]);
    assert_eq!(pending["pending"][0]["link"], put["redirect_url"]);
    let id = text(&put, "connection_id");
    let body = json!({ "connection_id": id, "decision": "approve", "scopes": ["a"] });
    assert_eq!(
        site.call("POST", "/sandbox/admin/consent", Some(body.clone()))
            .await
            .status,
        200
    );
    assert_eq!(
        site.call("POST", "/sandbox/admin/consent", Some(body))
            .await
            .status,
        422
    );
    let listed = site.listed("slackbot").await.unwrap();
    assert_eq!(
        (&listed["scopes"], &listed["user_email"]),
        (&json!(["a"]), &json!("ada@example.com"))
    );

    let late = site.put("notion", &[]).await;
    let ahead = Some(json!({ "advance_seconds": 601 }));
    site.call("POST", "/sandbox/admin/clock", ahead).await;
    assert_eq!(
        site.status("notion", text(&late, "connection_id")).await,
        "PENDING",
        "what nobody completes stays so"
    );
    let link = text(&late, "redirect_url");
    assert_eq!(site.page(link).await.status, 410);
}

#[tokio::test]
async fn requests_are_counted_without_what_is_private() {
    let site = Site::new().await;
    let put = site.put("notion", &[]).await;
    site.status("notion", text(&put, "connection_id")).await;
    site.page("/").await;
    let log = site.call("GET", "/sandbox/admin/requests", None).await;
    assert!(
        !log.text.contains("conn_") && !log.text.contains("b44k_"),
        "{}",
        log.text
    );
    let entries = log.json()["requests"].clone();
    assert_eq!(
        entries,
        json!([
            { "number": 1, "method": "PUT", "status": 200, "in_flight": 1,
              "path": "/api/apps/app-1/external-auth/integrations/notion" },
            { "number": 2, "method": "GET", "status": 200, "in_flight": 1,
              "path": "/api/apps/app-1/external-auth/status" },
        ])
    );
    site.call("DELETE", "/sandbox/admin/requests", None).await;
    let log = site
        .call("GET", "/sandbox/admin/requests", None)
        .await
        .json();
    assert_eq!(log["requests"], json!([]));
}

#[tokio::test]
async fn answers_wait_side_by_side() {
    let latency = Some(Duration::from_millis(150));
    let site = Site::with(Options {
        latency,
        ..Options::default()
    })
    .await;
    let began = Instant::now();
    let list = || site.api("GET", "external-auth/list", None);
    futures_util::join!(list(), list(), list());
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(150), "{took:?}");
    let log = site
        .call("GET", "/sandbox/admin/requests", None)
        .await
        .json();
    let most = log["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["in_flight"].as_u64())
        .max();
    assert_eq!(most, Some(Some(3)));
}
