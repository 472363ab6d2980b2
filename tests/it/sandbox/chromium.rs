//! The sandbox's pages in a real browser.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use serde_json::json;

use crate::{sandbox::browser::Browser, sandbox::client::Site};

/// Runs what drives the browser beside the sandbox, which lives on this thread.
async fn browse(drive: impl FnOnce(&mut Browser) + Send + 'static) {
    let drive = move || drive(&mut Browser::start());
    tokio::task::spawn_blocking(drive).await.unwrap();
}

async fn link(site: &Site, connector: &str, scopes: &[&str]) -> String {
    let put = site.put(connector, scopes).await;
    put["redirect_url"].as_str().unwrap().to_owned()
}

#[tokio::test]
#[ignore = "needs Chromium: run by .ci/run"]
async fn consent_is_given_in_part_with_the_keyboard_alone() {
    let site = Site::seeded(json!({ "apps": { "app-1": { "name": "Corner Shop" } } })).await;
    let scopes = ["channels:read", "chat:write"];
    let link = link(&site, "slackbot", &scopes).await;
    browse(move |browser| {
        browser.look(900, 900, "light");
        browser.open(&link);
        let spoken = browser.spoken();
        for (role, name) in [
            ("heading", "Let Corner Shop use your Slack bot account?"),
            ("group", "Account"),
            ("radio", "Ada Lovelace ada@example.com"),
            ("textbox", "E-mail of another account"),
            ("group", "Permissions"),
            ("checkbox", "channels:read"),
            ("checkbox", "chat:write"),
            ("button", "Approve"),
            ("button", "Deny"),
        ] {
            let found = spoken.iter().any(|(r, n)| r == role && n == name);
            assert!(found, "no {role} {name:?} in {spoken:#?}");
        }
        // Past the accounts to the first permission: untick it, and on to the button.
        browser.press(&["Tab", "Tab", "Tab", "Space"]);
        browser.screenshot("consent-keyboard");
        browser.press(&["Tab", "Tab"]);
        browser.press_and_load("Enter");
        let text = browser.text();
        assert!(text.contains("Slack bot is connected"), "{text}");
        browser.screenshot("consent-done");
        browser.open(&link);
        let text = browser.text();
        assert!(text.contains("used already"), "{text}");
        browser.screenshot("consent-used");
    })
    .await;
    let listed = site.listed("slackbot").await.unwrap();
    assert_eq!(listed["scopes"], json!(["chat:write"]));
    assert_eq!(listed["user_email"], "ada@example.com");
}

#[tokio::test]
#[ignore = "needs Chromium: run by .ci/run"]
async fn consent_is_denied_on_a_phone_in_the_dark() {
    let site = Site::seeded(json!({ "apps": { "app-1": { "name": "Corner Shop" } } })).await;
    let scopes = [
        "email",
        "https://mail.google.com/",
        "https://www.googleapis.com/auth/gmail.settings.basic",
        "https://www.googleapis.com/auth/a.very.long.scope.that.nobody.would.expect.on.a.phone",
    ];
    let link = link(&site, "gmail", &scopes).await;
    browse(move |browser| {
        browser.look(360, 740, "dark");
        browser.open(&link);
        browser.screenshot("consent-phone");
        let wide = browser.evaluate("document.documentElement.scrollWidth > innerWidth");
        assert_eq!(wide, false, "nothing hangs over the edge");
        browser.click("button[value=deny]", true);
        let text = browser.text();
        assert!(text.contains("Not connected"), "{text}");
        browser.screenshot("consent-denied");
    })
    .await;
    assert!(site.listed("gmail").await.is_none());
}

#[tokio::test]
#[ignore = "needs Chromium: run by .ci/run"]
async fn a_device_is_let_in_and_the_index_is_read() {
    let site = Site::seeded(json!({ "apps": {
        "app-1": {
            "name": "Corner Shop",
            "connectors": {
                "slack": { "scopes": ["channels:read", "chat:write", "identify"], "account": "ops@example.com" },
                "googlecalendar": { "status": "expired", "account": "ada@example.com",
                    "scopes": ["https://www.googleapis.com/auth/calendar.readonly"] },
                "notion": { "status": "disconnected" },
            },
            "stripe": "sandbox",
        },
        "app-2": {},
    }}))
    .await;
    link(&site, "hubspot", &["crm.objects.contacts.read"]).await;
    let body = json!({ "client_id": "base44_cli" });
    let device = site
        .call("POST", "/oauth/device/code", Some(body))
        .await
        .json();
    let page = device["verification_uri"].as_str().unwrap().to_owned();
    let code = device["user_code"].as_str().unwrap().to_owned();
    let index = site.sandbox.api_url().to_owned();
    browse(move |browser| {
        browser.look(1100, 800, "light");
        browser.open(&index);
        let text = browser.text();
        assert!(
            text.contains("HubSpot") && text.contains("expired"),
            "{text}"
        );
        browser.screenshot("index");
        browser.open(&page);
        browser.screenshot("device-code");
        browser.evaluate(&format!(
            "document.querySelector('[name=user_code]').value = '{code}'"
        ));
        browser.click("button", true);
        assert!(browser.text().contains(&code));
        browser.screenshot("device");
        browser.click("button[value=approve]", true);
        assert!(browser.text().contains("Logged in"));
    })
    .await;
    let user_code = device["user_code"].as_str().unwrap();
    assert!(
        !site
            .sandbox
            .approve_device(user_code, "x@example.com")
            .await
            .unwrap()
    );
}
