//! The sandbox's pages, as a browser without script uses them.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use reqwest::Method;
use serde_json::json;

use crate::sandbox::client::{Answer, Site, hidden, send};

struct Asked {
    id: String,
    link: String,
    page: Answer,
    form_token: String,
}

async fn ask(site: &Site, connector: &str, scopes: &[&str]) -> Asked {
    let put = site.put(connector, scopes).await;
    let link = put["redirect_url"].as_str().unwrap().to_owned();
    let page = site.page(&link).await;
    assert_eq!(page.status, 200);
    let form_token = hidden(&page.text, "form_token");
    let id = put["connection_id"].as_str().unwrap().to_owned();
    Asked {
        id,
        link,
        page,
        form_token,
    }
}

#[tokio::test]
async fn ticked_scopes_are_granted_to_the_picked_account() {
    let site = Site::new().await;
    let asked = ask(&site, "slackbot", &["channels:read", "chat:write"]).await;
    let form = [
        ("form_token", asked.form_token.as_str()),
        ("scope", "chat:write"),
        ("account", "ada@example.com"),
        ("other_account", " boss@example.com "),
        ("decision", "approve"),
    ];
    let done = site.form(&asked.link, &form).await;
    assert_eq!(done.status, 200);
    assert!(done.text.contains("close this page"), "{}", done.text);
    let listed = site.listed("slackbot").await.unwrap();
    assert_eq!(listed["scopes"], json!(["chat:write"]));
    assert_eq!(
        listed["user_email"], "boss@example.com",
        "what is typed wins"
    );
    assert_eq!(site.form(&asked.link, &form).await.status, 410, "used");
    assert_eq!(site.page(&asked.link).await.status, 410);
}

#[tokio::test]
async fn denial_leaves_nothing() {
    let site = Site::new().await;
    let asked = ask(&site, "notion", &[]).await;
    let form = [
        ("form_token", asked.form_token.as_str()),
        ("decision", "deny"),
    ];
    assert_eq!(site.form(&asked.link, &form).await.status, 200);
    assert_eq!(site.status("notion", &asked.id).await, "FAILED");
    assert!(site.listed("notion").await.is_none());
}

#[tokio::test]
async fn a_form_that_is_not_ours_does_nothing() {
    let site = Site::new().await;
    let asked = ask(&site, "slackbot", &["a"]).await;
    let approve = |token: &str, account: &str, scope: &str| {
        let form = [
            ("form_token", token.to_owned()),
            ("account", account.to_owned()),
            ("scope", scope.to_owned()),
            ("decision", "approve".to_owned()),
        ];
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let path = asked
            .link
            .strip_prefix(site.sandbox.api_url())
            .unwrap()
            .to_owned();
        site.request(Method::POST, &path).body(body)
    };
    let token = asked.form_token.as_str();
    let ada = "ada@example.com";
    assert_eq!(send(approve("forged", ada, "a")).await.status, 404);
    assert_eq!(send(approve(token, "nobody", "a")).await.status, 422);
    assert_eq!(send(approve(token, ada, "b")).await.status, 422);
    let foreign = approve(token, ada, "a").header("origin", "http://evil.example");
    assert_eq!(send(foreign).await.status, 403);
    assert_eq!(
        site.form(&asked.link, &[("form_token", token)])
            .await
            .status,
        400
    );
    assert_eq!(site.status("slackbot", &asked.id).await, "PENDING");
    assert_eq!(send(approve(token, ada, "a")).await.status, 200);
}

#[tokio::test]
async fn the_connection_id_alone_opens_nothing() {
    let site = Site::new().await;
    let asked = ask(&site, "slackbot", &["a"]).await;
    let path = format!("/sandbox/consent/{}", asked.id);
    assert_eq!(site.page(&path).await.status, 404);
    assert_eq!(site.page(&format!("{path}?ticket=guess")).await.status, 404);
}

#[tokio::test]
async fn a_newer_link_and_the_clock_end_a_link() {
    let site = Site::new().await;
    let first = ask(&site, "slackbot", &["a"]).await;
    let second = ask(&site, "slackbot", &["a"]).await;
    let page = site.page(&first.link).await;
    assert_eq!(page.status, 410);
    assert!(page.text.contains("newer link"), "{}", page.text);
    site.call(
        "POST",
        "/sandbox/admin/clock",
        Some(json!({ "advance_seconds": 600 })),
    )
    .await;
    let page = site.page(&second.link).await;
    assert!(page.text.contains("run out"), "{}", page.text);
}

#[tokio::test]
async fn pages_are_safe_to_look_at() {
    let site = Site::seeded(json!({
        "apps": { "app-1": { "name": "<script>alert(1)</script>" } },
    }))
    .await;
    let asked = ask(&site, "notion", &["\"><img src=x onerror=alert(1)>"]).await;
    for page in [asked.page, site.page("/").await] {
        assert!(
            !page.text.contains("<script") && !page.text.contains("<img"),
            "{}",
            page.text
        );
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert_eq!(page.headers["referrer-policy"], "same-origin");
        assert_eq!(page.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn the_index_shows_what_is_there() {
    let site = Site::new().await;
    let empty = site.page("/").await;
    assert!(empty.text.contains("Nothing was connected yet"));
    let asked = ask(&site, "slackbot", &["chat:write"]).await;
    site.api("POST", "payments/stripe/install", None).await;
    let page = site.page("/").await.text;
    assert!(
        page.contains(&asked.link) && page.contains("stripe"),
        "{page}"
    );
    let dashboard = "/apps/app-1/editor/workspace/app-connections";
    assert!(site.page(dashboard).await.text.contains("chat:write"));
    let none = site.page("/nothing").await;
    assert_eq!(none.status, 404);
    assert!(none.text.contains("<h1>"));
}
