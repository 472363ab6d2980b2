//! A consent that comes between two answers of one look.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    support::scripted::{Reply, Scripted},
    support::{APP, Project, result},
};

fn route(method: &str, rest: &str) -> String {
    format!("{method} /api/apps/{APP}/{rest}")
}

/// The list was answered before the consent and the status after it: the list is read again before
/// anything is said of what was granted.
#[test]
fn the_list_of_before_the_consent_says_nothing_of_it() {
    let server = Scripted::start();
    let (lists, at_put, consented) = (
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
        Arc::new(AtomicUsize::new(0)),
    );
    let (answered, given) = (Arc::clone(&lists), Arc::clone(&consented));
    server.on_each(&route("GET", "external-auth/list"), move |_| {
        let scopes = match given.load(SeqCst) {
            0 => json!(["chat:write"]),
            _ => json!(["chat:write", "users:read"]),
        };
        answered.fetch_add(1, SeqCst);
        let slack = json!({ "integration_type": "slack", "status": "active", "scopes": scopes,
            "user_email": "ada@example.com" });
        Reply::json(200, &json!({ "integrations": [slack] }))
    });
    let stripe = json!({ "stripe_mode": null });
    server.on(
        &route("GET", "payments/stripe/status"),
        [Reply::json(200, &stripe)],
    );
    let (answered, put) = (Arc::clone(&lists), Arc::clone(&at_put));
    server.on_each(
        &route("PUT", "external-auth/integrations/slack"),
        move |_| {
            put.store(answered.load(SeqCst), SeqCst);
            let answer = json!({ "redirect_url": "https://provider.example/c?s=1",
                "connection_id": "c-1", "already_authorized": false });
            Reply::json(200, &answer)
        },
    );
    let (answered, given) = (Arc::clone(&lists), Arc::clone(&consented));
    server.on_each(&route("GET", "external-auth/status"), move |_| {
        let begun = Instant::now();
        while answered.load(SeqCst) == at_put.load(SeqCst)
            && begun.elapsed() < Duration::from_secs(20)
        {
            thread::sleep(Duration::from_millis(2));
        }
        given.fetch_add(1, SeqCst);
        Reply::json(200, &json!({ "status": "ACTIVE" }))
    });
    let project = Project::new()
        .at_url(&server.url(), "b44k_key")
        .connector("slack", &["chat:write", "users:read"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let output = project.run(&[
        "authorize",
        "--yes",
        "--no-browser",
        "--print-links",
        "--timeout",
        "20s",
        "--format",
        "json",
    ]);
    output.expect(0).lacks("partly");
    assert_eq!(result(&output.json(), "slack")["state"], "granted");
    assert_eq!(consented.load(SeqCst), 1, "one look was enough");
}
