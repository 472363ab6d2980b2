//! Every call of the API: what is sent, and how the answer is read.

use connplan::{
    model::{Account, ConnectionId, ConnectorType, RemoteStatus, Scopes, StripeMode},
    remote::{AuthorizationStatus, PutAnswer, RemoteError},
};
use serde_json::{Value, json};

use crate::{
    remote::client::{
        CANARY, LIST, PUT_SLACK, REMOVE_SLACK, STRIPE_INSTALL, STRIPE_REMOVE, STRIPE_STATUS,
        empty_list, remote, slack,
    },
    support::scripted::{Reply, Scripted},
};

#[tokio::test]
async fn every_request_carries_the_headers_of_the_contract() {
    let server = Scripted::start();
    server.on(LIST, [Reply::json(200, &empty_list())]);
    let remote = remote(&server);
    remote.list().await.unwrap();
    remote.list().await.unwrap();
    let seen = server.seen();
    let ids: Vec<_> = seen
        .iter()
        .map(|s| s.header("x-request-id").unwrap().to_owned())
        .collect();
    assert_ne!(ids[0], ids[1]);
    assert!(
        ids.iter()
            .all(|id| uuid::Uuid::parse_str(id).unwrap().get_version_num() == 4)
    );
    let first = &seen[0];
    assert_eq!(first.header("api_key"), Some(CANARY));
    assert_eq!(first.header("authorization"), None);
    assert_eq!(first.header("host"), Some(server.host().as_str()));
    assert!(first.header("user-agent").unwrap().starts_with("connplan/"));
    assert_eq!(server.connections(), 1, "the connection is kept");
}

#[tokio::test]
async fn a_list_is_read_whole() {
    let server = Scripted::start();
    server.on(LIST, [Reply::json(200, &json!({"next": null, "integrations": [
        {"integration_type": "slack", "status": "active", "scopes": ["b", "a", "b"], "user_email": "ada@example.com", "new": {}},
        {"integration_type": "gmail", "status": "expired", "scopes": [], "user_email": null},
        {"integration_type": "notion", "status": "disconnected", "scopes": [], "user_email": ""},
        {"integration_type": "notion", "status": "disconnected", "scopes": []},
        {"integration_type": "stripe", "status": "active", "scopes": []},
    ]}))]);
    let list = remote(&server).list().await.unwrap();
    let names: Vec<_> = list.keys().map(ConnectorType::as_str).collect();
    assert_eq!(
        names,
        ["gmail", "notion", "slack"],
        "Stripe has a state of its own"
    );
    let slack = &list[&slack()];
    assert_eq!(slack.status, RemoteStatus::Active);
    assert_eq!(slack.scopes, Scopes::from_iter(["a", "b"]));
    assert_eq!(slack.account, Some(Account::new("ada@example.com")));
    assert!(list.values().all(|c| c.mode.is_none()));
    assert_eq!(list.values().filter(|c| c.account.is_some()).count(), 1);
}

#[tokio::test]
async fn a_list_that_contradicts_itself_is_an_error() {
    let server = Scripted::start();
    let entry = |status| json!({"integration_type": "slack", "status": status, "scopes": []});
    server.on(
        LIST,
        [Reply::json(
            200,
            &json!({"integrations": [entry("active"), entry("expired")]}),
        )],
    );
    let error = remote(&server).list().await.unwrap_err();
    assert!(
        matches!(&error, RemoteError::Malformed { field, .. } if field == "integrations[1].integration_type")
    );
}

#[tokio::test]
async fn the_whole_state_takes_one_round_trip() {
    let server = Scripted::start();
    server.latency(std::time::Duration::from_millis(40));
    server.on(LIST, [Reply::json(200, &empty_list())]);
    server.on(
        STRIPE_STATUS,
        [Reply::json(
            200,
            &json!({
        "stripe_mode": "live", "sandbox_claim_url": "https://claim.example/canary"}),
        )],
    );
    let state = remote(&server).observe().await.unwrap();
    assert_eq!(server.most_under_way(), 2);
    assert_eq!(
        state.connectors[&ConnectorType::stripe()].mode,
        Some(StripeMode::Live)
    );
    assert_eq!(state.stripe_claim.as_ref().unwrap().host(), "claim.example");
    assert!(!format!("{state:?}").contains("canary"));
}

#[tokio::test]
async fn half_a_state_is_no_state() {
    for (list, stripe) in [(200, 403), (403, 200)] {
        let server = Scripted::start();
        server.on(LIST, [Reply::json(list, &empty_list())]);
        server.on(
            STRIPE_STATUS,
            [Reply::json(stripe, &json!({"stripe_mode": null}))],
        );
        let error = remote(&server).observe().await.unwrap_err();
        assert!(matches!(error, RemoteError::Forbidden { .. }), "{error}");
    }
}

#[tokio::test]
async fn stripe_is_not_installed_only_if_the_server_says_so() {
    let server = Scripted::start();
    server.on(
        STRIPE_STATUS,
        [
            Reply::json(200, &json!({"stripe_mode": null})),
            Reply::json(
                200,
                &json!({"stripe_mode": "sandbox", "sandbox_claim_url": "javascript:alert(1)"}),
            ),
            Reply::json(200, &json!({})),
        ],
    );
    let remote = remote(&server);
    assert_eq!(remote.stripe_status().await.unwrap().mode, None);
    let odd = remote.stripe_status().await.unwrap();
    assert_eq!((odd.mode, odd.claim), (Some(StripeMode::Sandbox), None));
    let error = remote.stripe_status().await.unwrap_err();
    assert!(
        matches!(&error, RemoteError::Malformed { field, .. } if field == "stripe_mode"),
        "{error}"
    );
}

#[tokio::test]
async fn a_put_asks_for_exactly_these_scopes() {
    let server = Scripted::start();
    server.on(
        PUT_SLACK,
        [Reply::json(200, &json!({"already_authorized": true}))],
    );
    let scopes = Scopes::from_iter(["chat:write", "a\"b"]);
    remote(&server)
        .put_integration(&slack(), &scopes)
        .await
        .unwrap();
    let seen = server.last(PUT_SLACK);
    assert_eq!(seen.json(), json!({"scopes": ["a\"b", "chat:write"]}));
    assert_eq!(seen.header("content-type"), Some("application/json"));
}

async fn put(answer: Value) -> PutAnswer {
    let server = Scripted::start();
    server.on(PUT_SLACK, [Reply::json(200, &answer)]);
    remote(&server)
        .put_integration(&slack(), &Scopes::new())
        .await
        .unwrap()
}

#[tokio::test]
async fn a_put_is_read_in_the_order_of_the_contract() {
    let all = json!({"error": "different_user", "error_message": "taken\u{1b}[1m", "other_user_email": "bob@example.com",
        "already_authorized": true, "redirect_url": "https://x.example/", "connection_id": "c1"});
    assert_eq!(
        put(all.clone()).await,
        PutAnswer::Refused {
            error: "different_user".to_owned(),
            message: Some("taken\\u{1b}[1m".to_owned()),
            other_account: Some(Account::new("bob@example.com")),
        }
    );
    let mut next = all;
    next["error"] = Value::Null;
    assert_eq!(put(next.clone()).await, PutAnswer::AlreadyAuthorized);
    next["already_authorized"] = json!(false);
    let PutAnswer::NeedsAuthorization {
        link: Ok(link),
        connection_id,
    } = put(next.clone()).await
    else {
        panic!("a person has to consent");
    };
    assert_eq!(link.expose(), "https://x.example/");
    assert_eq!(connection_id, Some(ConnectionId::parse("c1").unwrap()));
    next["connection_id"] = Value::Null;
    next["redirect_url"] = json!("file:///etc/passwd");
    assert!(matches!(
        put(next.clone()).await,
        PutAnswer::NeedsAuthorization {
            link: Err(_),
            connection_id: None
        }
    ));
    next["redirect_url"] = Value::Null;
    assert_eq!(put(next).await, PutAnswer::InForce);
    assert_eq!(
        put(json!({"already_authorized": false, "redirect_url": null})).await,
        PutAnswer::InForce
    );
}

#[tokio::test]
async fn a_connection_id_cannot_change_the_question() {
    let server = Scripted::start();
    let route = "GET /api/apps/app1/external-auth/status";
    server.on(
        route,
        ["ACTIVE", "FAILED", "PENDING"].map(|word| Reply::json(200, &json!({"status": word}))),
    );
    let (remote, id) = (
        remote(&server),
        ConnectionId::parse("a/b?c&integration_type=gmail#%41+").unwrap(),
    );
    for expected in [
        AuthorizationStatus::Active,
        AuthorizationStatus::Failed,
        AuthorizationStatus::Pending,
    ] {
        assert_eq!(
            remote.integration_status(&slack(), &id).await.unwrap(),
            expected
        );
    }
    let query = server.last(route).query;
    let pairs: Vec<_> = url::form_urlencoded::parse(query.as_bytes()).collect();
    assert_eq!(
        pairs,
        [
            ("integration_type".into(), "slack".into()),
            ("connection_id".into(), id.as_str().into())
        ]
    );
}

#[tokio::test]
async fn removals() {
    let server = Scripted::start();
    server.on(
        REMOVE_SLACK,
        [Reply::json(
            200,
            &json!({"status": "removed", "integration_type": "slack"}),
        )],
    );
    server.on(
        STRIPE_REMOVE,
        [true, false].map(|done| Reply::json(200, &json!({"success": done}))),
    );
    let remote = remote(&server);
    remote.remove_integration(&slack()).await.unwrap();
    remote.remove_stripe().await.unwrap();
    let error = remote.remove_stripe().await.unwrap_err();
    assert!(matches!(error, RemoteError::NotDone { .. }), "{error}");
}

#[tokio::test]
async fn installing_stripe() {
    let server = Scripted::start();
    server.on(
        STRIPE_INSTALL,
        [
            Reply::json(
                200,
                &json!({"already_installed": false, "claim_url": "https://claim.example/x"}),
            ),
            Reply::json(200, &json!({"already_installed": true, "claim_url": null})),
        ],
    );
    let remote = remote(&server);
    let new = remote.install_stripe().await.unwrap();
    assert!(!new.already_installed && new.claim.is_some());
    let old = remote.install_stripe().await.unwrap();
    assert!(old.already_installed && old.claim.is_none());
    assert_eq!(
        server.last(STRIPE_INSTALL).header("content-length"),
        Some("0")
    );
}

#[tokio::test]
async fn what_the_platform_offers() {
    let server = Scripted::start();
    server.on("GET /api/apps/app1/external-auth/available-integrations", [Reply::json(200, &json!({"integrations": [
        {"integration_type": "zendesk", "display_name": "Zendesk", "description": "d", "connection_config_fields": [
            {"name": "subdomain", "display_name": "Subdomain", "description": "", "placeholder": "acme",
             "required": true, "validation_pattern": "^[a-z]+$", "validation_error": null}]},
        {"integration_type": "slack", "display_name": "Slack", "description": "", "connection_config_fields": []},
    ]}))]);
    let offers = remote(&server).available_integrations().await.unwrap();
    assert_eq!(offers[0].connector, slack());
    let field = &offers[1].config_fields[0];
    assert_eq!((field.name.as_str(), field.required), ("subdomain", true));
    assert_eq!(
        (
            field.validation_pattern.as_deref(),
            field.validation_error.as_deref()
        ),
        (Some("^[a-z]+$"), None)
    );
}
