//! The rules of the platform, as the sandbox keeps them: who may call, how often, what is whose.

use connplan::sandbox::{Decision, Options, SeedToken};
use reqwest::Method;
use serde_json::{Value, json};

use crate::sandbox::client::{Answer, Site, hidden, send};

const LIST: &str = "/api/apps/app-1/external-auth/list";
const SLACK: &str = "/api/apps/app-1/external-auth/integrations/slackbot";

/// The token of a person.
fn token(site: &Site, user: &str, access: &str) -> String {
    let tokens = site.sandbox.tokens();
    let fits = |t: &&SeedToken| t.user.as_str() == user && t.access.as_str() == access;
    tokens.iter().find(fits).unwrap().token.clone()
}

async fn with(site: &Site, token: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let mut request = site
        .request(method, path)
        .header("authorization", format!("Bearer {token}"));
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    send(request).await
}

#[tokio::test]
async fn tokens_do_what_their_kind_and_person_may() {
    let site = Site::seeded(json!({ "settings": { "viewers": ["ops@example.com"] } })).await;
    let put = || Some(json!({ "scopes": ["a"] }));
    let full = token(&site, "ada@example.com", "full");
    let reads = token(&site, "ada@example.com", "read_only");
    assert_eq!(with(&site, &full, "GET", LIST, None).await.status, 200);
    assert_eq!(with(&site, &full, "PUT", SLACK, put()).await.status, 200);
    assert_eq!(with(&site, &reads, "GET", LIST, None).await.status, 200);
    let refused = with(&site, &reads, "PUT", SLACK, put()).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["extra_data"]["reason"], "read_only_token");
    let viewer = token(&site, "ops@example.com", "full");
    let refused = with(&site, &viewer, "GET", LIST, None).await;
    assert_eq!(
        refused.json()["extra_data"]["reason"],
        "editor_access_required"
    );
    let as_key = site.request(Method::GET, LIST).header("api_key", &full);
    assert_eq!(send(as_key).await.status, 401, "a token is no key");
    let who = with(&site, &full, "GET", "/oauth/userinfo", None).await;
    assert_eq!(who.json()["email"], "ada@example.com");
}

#[tokio::test]
async fn a_strict_platform_refuses_keys_and_small_plans() {
    let site = Site::new().await;
    let set = |body: Value| site.call("PUT", "/sandbox/admin/settings", Some(body));
    assert_eq!(set(json!({ "strict_keys": true })).await.status, 200);
    let refused = site.api("GET", "external-auth/list", None).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (403, &json!("Forbidden"))
    );
    assert_eq!(
        set(json!({ "connectors_in_plan": false })).await.status,
        200
    );
    let refused = site.api("GET", "external-auth/list", None).await;
    assert_eq!(refused.status, 402);
    assert_eq!(set(json!({ "accounts": [] })).await.status, 422);
}

#[tokio::test]
async fn each_class_of_call_has_its_window() {
    let site = Site::seeded(json!({ "settings": { "limits": {} } })).await;
    for _ in 0..10 {
        let path = "external-auth/integrations/slackbot/remove";
        assert_eq!(site.api("DELETE", path, None).await.status, 200);
    }
    let path = "external-auth/integrations/notion/remove";
    let refused = site.api("DELETE", path, None).await;
    assert_eq!(refused.status, 429);
    let wait: u32 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((55..=60).contains(&wait), "{wait}");
    assert_eq!(
        site.api("GET", "external-auth/list", None).await.status,
        200
    );
    let ahead = Some(json!({ "advance_seconds": 60 }));
    site.call("POST", "/sandbox/admin/clock", ahead).await;
    assert_eq!(site.api("DELETE", path, None).await.status, 200);
}

#[tokio::test]
async fn what_one_person_connected_is_theirs() {
    let site = Site::new().await;
    let (ada, grace) = (
        token(&site, "ada@example.com", "full"),
        token(&site, "grace@example.com", "full"),
    );
    let body = || Some(json!({ "scopes": ["a"] }));
    let asked = with(&site, &ada, "PUT", SLACK, body()).await.json();
    let id = asked["connection_id"].as_str().unwrap();
    let consent = Decision::approve("team@example.com");
    site.sandbox.consent_to(id, consent).await.unwrap();
    let path = format!(
        "/api/apps/app-1/external-auth/status?integration_type=slackbot&connection_id={id}"
    );
    let status = async |token: &str| with(&site, token, "GET", &path, None).await.json();
    assert_eq!(status(&ada).await["status"], "ACTIVE");
    assert_eq!(status(&grace).await["status"], "PENDING");
    let mine = with(&site, &ada, "PUT", SLACK, body()).await.json();
    assert_eq!(mine["already_authorized"], true);
    let theirs = with(&site, &grace, "PUT", SLACK, body()).await.json();
    assert_eq!(
        (&theirs["error"], &theirs["other_user_email"]),
        (&json!("different_user"), &json!("ada@example.com"))
    );
    let take = json!({ "integration_type": "slackbot", "scopes": ["a"], "force_reconnect": true });
    let initiate = "/api/apps/app-1/external-auth/initiate";
    let taken = with(&site, &grace, "POST", initiate, Some(take))
        .await
        .json();
    assert!(taken["redirect_url"].is_string(), "{taken}");
}

#[tokio::test]
async fn values_are_needed_kept_and_compared() {
    let site = Site::new().await;
    let path = "external-auth/integrations/bamboohr";
    let put = |config: Value| {
        let body = json!({ "scopes": [], "connection_config": config });
        site.api("PUT", path, Some(body))
    };
    let refused = put(json!({})).await;
    assert_eq!(refused.status, 422);
    assert_eq!(
        refused.json()["extra_data"]["errors"][0]["name"],
        "company_domain"
    );
    let acme = json!({ "company_domain": "acme" });
    let asked = put(acme.clone()).await.json();
    let id = asked["connection_id"].as_str().unwrap();
    let consent = Decision::approve("ada@example.com");
    site.sandbox.consent_to(id, consent).await.unwrap();
    let values = "external-auth/connection-config/bamboohr";
    let told = site.api("GET", values, None).await.json();
    assert_eq!(told["connection_config"], acme);
    assert_eq!(told["connection_config_fields"][0]["required"], true);
    assert_eq!(put(acme).await.json()["already_authorized"], true);
    let other = put(json!({ "company_domain": "other" })).await.json();
    assert!(other["redirect_url"].is_string());
}

#[tokio::test]
async fn disconnecting_keeps_what_removing_deletes() {
    let site = Site::seeded(json!({ "apps": { "app-1": { "connectors": {
        "slackbot": { "scopes": ["a"], "shared": true },
        "notion": { "scopes": ["b"], "outside_list": true },
        "linear": { "scopes": ["c"], "withdrawn": true },
    }}}}))
    .await;
    assert!(site.listed("notion").await.is_none(), "outside the list");
    assert_eq!(site.listed("linear").await.unwrap()["status"], "expired");
    let page = site.page("/").await.text;
    assert!(page.contains("slackbot.jsonc"), "{page}");
    let path = "external-auth/integrations/slackbot";
    let ended = site.api("DELETE", path, None).await.json();
    assert_eq!(
        ended,
        json!({ "status": "disconnected", "integration_type": "slackbot", "detached": true })
    );
    let listed = site.listed("slackbot").await.unwrap();
    assert_eq!(
        (&listed["status"], &listed["scopes"]),
        (&json!("disconnected"), &json!(["a"]))
    );
    let remove = format!("{path}/remove");
    site.api("DELETE", &remove, None).await;
    assert!(site.listed("slackbot").await.is_none());
    assert!(!site.page("/").await.text.contains("slackbot.jsonc"));
}

#[tokio::test]
async fn policies_can_be_read() {
    let site = Site::seeded(json!({ "settings": { "forbidden": { "tiktok": "No." } } })).await;
    let path = "external-auth/connector-governance";
    let told = site.api("GET", path, None).await.json();
    let all = told["connectors"].as_array().unwrap();
    let enabled = |name: &str| {
        let found = all.iter().find(|c| c["integration_type"] == name);
        found.unwrap()["builder_connection_enabled"].clone()
    };
    assert_eq!(
        (enabled("tiktok"), enabled("slack")),
        (json!(false), json!(true))
    );
    let added = "/api/external-auth/auto-added-scopes";
    assert_eq!(send(site.request(Method::GET, added)).await.status, 404);
    let body = json!({ "policies_readable": false, "auto_added_readable": true });
    site.call("PUT", "/sandbox/admin/settings", Some(body))
        .await;
    assert_eq!(site.api("GET", path, None).await.status, 404);
    let added = send(site.request(Method::GET, added)).await.json();
    assert_eq!(added["slack"], json!(["identify"]));
}

#[tokio::test]
async fn an_unclaimed_stripe_sandbox_expires() {
    let stripe = json!({ "mode": "sandbox", "age_days": 59 });
    let site = Site::seeded(json!({ "apps": { "app-1": { "stripe": stripe } } })).await;
    let status = async || site.api("GET", "payments/stripe/status", None).await.json();
    let before = status().await;
    assert_eq!(before["sandbox_status"], "unclaimed");
    assert!(before["sandbox_claim_url"].is_string());
    let ahead = Some(json!({ "advance_seconds": 86_400 }));
    site.call("POST", "/sandbox/admin/clock", ahead).await;
    let after = status().await;
    assert_eq!(after["sandbox_status"], "expired");
    assert_eq!(after["sandbox_claim_url"], Value::Null);
    let again = site
        .api("POST", "payments/stripe/install", None)
        .await
        .json();
    assert_eq!(again["already_installed"], false);
    assert_eq!(status().await["sandbox_status"], "unclaimed");
}

#[tokio::test]
async fn its_page_sets_how_it_behaves() {
    let site =
        Site::seeded(json!({ "apps": { "app-1": { "connectors": { "slackbot": {} } } } })).await;
    let page = site.page("/sandbox/settings").await.text;
    let token = hidden(&page, "form_token");
    let new = json!({ "strict_keys": true }).to_string();
    let fields = [("form_token", token.as_str()), ("settings", new.as_str())];
    let forged = [("form_token", "x"), ("settings", new.as_str())];
    assert_eq!(site.form("/sandbox/settings", &forged).await.status, 403);
    assert_eq!(site.form("/sandbox/settings", &fields).await.status, 200);
    assert_eq!(
        site.api("GET", "external-auth/list", None).await.status,
        403
    );
    let bad = [("form_token", token.as_str()), ("settings", "{\"x\": 1}")];
    assert_eq!(site.form("/sandbox/settings", &bad).await.status, 422);
    let expire = [
        ("form_token", token.as_str()),
        ("app", "app-1"),
        ("connector", "slackbot"),
        ("do", "expire"),
    ];
    assert_eq!(site.form("/sandbox/connector", &expire).await.status, 200);
    assert!(site.page("/").await.text.contains("pill expired"));
}

#[tokio::test]
async fn a_fast_clock_runs_fast() {
    let site = Site::with(Options {
        speed: 3600,
        ..Options::default()
    })
    .await;
    let put = site.put("slackbot", &["a"]).await;
    let link = put["redirect_url"].as_str().unwrap();
    assert_eq!(site.page(link).await.status, 200);
    tokio::time::sleep(std::time::Duration::from_millis(250)).await;
    assert_eq!(site.page(link).await.status, 410, "fifteen minutes later");
}
