//! How often a call is made, by what it does.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use connplan::{
    http::{ClientOptions, Gate, Unreachable},
    model::Scopes,
    remote::RemoteError,
};
use serde_json::json;

use crate::{
    remote::client::{
        LIST, PUT_SLACK, REMOVE_SLACK, STRIPE_INSTALL, STRIPE_REMOVE, STRIPE_STATUS, empty_list,
        quick, remote, remote_at, slack,
    },
    support::scripted::{Reply, Scripted},
};

#[tokio::test]
async fn what_passes_is_asked_again_and_what_does_not_is_not() {
    for status in [
        400, 401, 403, 404, 408, 409, 410, 422, 425, 428, 429, 500, 501, 502, 503, 504,
    ] {
        let expected = if matches!(status, 408 | 425 | 429 | 500..) {
            4
        } else {
            1
        };
        let server = Scripted::start();
        server.on(LIST, [Reply::status(status)]);
        server.on(PUT_SLACK, [Reply::status(status)]);
        let remote = remote(&server);
        let error = remote.list().await.unwrap_err();
        assert_eq!(error.at().unwrap().attempts, expected, "{status}");
        assert_eq!(
            error.to_string().contains("after 4 attempts"),
            expected == 4,
            "{error}"
        );
        remote
            .put_integration(&slack(), &Scopes::new())
            .await
            .unwrap_err();
        assert_eq!(server.hits(LIST), expected as usize, "{status}");
        assert_eq!(server.hits(PUT_SLACK), expected as usize, "{status}");
    }
}

#[tokio::test]
async fn a_call_succeeds_once_the_trouble_is_over() {
    let server = Scripted::start();
    let answer = Reply::json(200, &json!({"already_authorized": true}));
    server.on(
        PUT_SLACK,
        [
            Reply::status(503),
            Reply::reset_read(),
            Reply::status(429).header("retry-after", "0"),
            answer,
        ],
    );
    remote(&server)
        .put_integration(&slack(), &Scopes::new())
        .await
        .unwrap();
    assert_eq!(server.hits(PUT_SLACK), 4);
    let ids: std::collections::BTreeSet<_> = server
        .seen()
        .iter()
        .map(|s| s.header("x-request-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 4, "each attempt has an id of its own");
}

#[tokio::test]
async fn a_longer_pause_than_we_wait_ends_the_call() {
    let server = Scripted::start();
    server.on(LIST, [Reply::status(429).header("retry-after", "61")]);
    let error = remote(&server).list().await.unwrap_err();
    assert!(error.to_string().contains("for 61 s"), "{error}");
    assert_eq!(server.hits(LIST), 1);
}

#[tokio::test]
async fn an_error_says_whether_it_may_have_been_done() {
    for (replies, unclear) in [
        (vec![Reply::status(422)], false),
        (vec![Reply::status(429)], false),
        (vec![Reply::status(500)], true),
        (vec![Reply::reset_read()], true),
        (vec![Reply::status(502), Reply::status(422)], true),
        (vec![Reply::html(200, "<html>")], true),
    ] {
        let server = Scripted::start();
        server.on(PUT_SLACK, replies.clone());
        server.on(LIST, replies.clone());
        let remote = remote(&server);
        let error = remote
            .put_integration(&slack(), &Scopes::new())
            .await
            .unwrap_err();
        assert_eq!(error.is_unclear(), unclear, "{replies:?}");
        assert!(
            !remote.list().await.unwrap_err().is_unclear(),
            "a read changes nothing"
        );
    }
    let nowhere = remote_at(&Scripted::refused_url(), quick()).unwrap();
    let error = nowhere
        .put_integration(&slack(), &Scopes::new())
        .await
        .unwrap_err();
    assert!(matches!(
        &error,
        RemoteError::Unreachable {
            cause: Unreachable::Refused,
            ..
        }
    ));
    assert!(!error.is_unclear(), "it was never sent");
}

#[tokio::test]
async fn a_removal_whose_answer_was_lost_is_done_when_nothing_is_there_any_more() {
    for lost in [Reply::reset_read(), Reply::status(504)] {
        let server = Scripted::start();
        server.on(REMOVE_SLACK, [lost.clone(), Reply::status(404)]);
        server.on(STRIPE_REMOVE, [lost, Reply::status(404)]);
        let remote = remote(&server);
        remote.remove_integration(&slack()).await.unwrap();
        remote.remove_stripe().await.unwrap();
        assert_eq!(server.seen().len(), 4);
    }
    let server = Scripted::start();
    server.on(REMOVE_SLACK, [Reply::status(404)]);
    let error = remote(&server)
        .remove_integration(&slack())
        .await
        .unwrap_err();
    assert!(
        matches!(error, RemoteError::NotFound { .. }),
        "it never was there: {error}"
    );
    server.on(REMOVE_SLACK, [Reply::status(429), Reply::status(404)]);
    let error = remote(&server)
        .remove_integration(&slack())
        .await
        .unwrap_err();
    assert!(
        matches!(error, RemoteError::NotFound { .. }),
        "nothing was removed by us: {error}"
    );
}

fn stripe(mode: Option<&str>) -> Reply {
    Reply::json(
        200,
        &json!({"stripe_mode": mode, "sandbox_claim_url": "https://claim.example/x"}),
    )
}

#[tokio::test]
async fn stripe_is_installed_again_only_after_a_look() {
    let server = Scripted::start();
    server.on(STRIPE_INSTALL, [Reply::reset_read()]);
    server.on(STRIPE_STATUS, [stripe(Some("sandbox"))]);
    let installed = remote(&server).install_stripe().await.unwrap();
    assert!(!installed.already_installed && installed.claim.is_some());
    assert_eq!(server.log(), [STRIPE_INSTALL, STRIPE_STATUS]);

    let server = Scripted::start();
    let done = Reply::json(200, &json!({"already_installed": false, "claim_url": null}));
    server.on(STRIPE_INSTALL, [Reply::status(502), done]);
    server.on(STRIPE_STATUS, [stripe(None)]);
    remote(&server).install_stripe().await.unwrap();
    assert_eq!(
        server.log(),
        [STRIPE_INSTALL, STRIPE_STATUS, STRIPE_INSTALL]
    );
}

#[tokio::test]
async fn stripe_that_cannot_be_looked_at_is_not_installed_again() {
    let server = Scripted::start();
    server.on(STRIPE_INSTALL, [Reply::reset_read()]);
    server.on(STRIPE_STATUS, [Reply::status(403)]);
    let error = remote(&server).install_stripe().await.unwrap_err();
    assert!(
        error.is_unclear() && error.to_string().contains("installing Stripe"),
        "{error}"
    );
    assert_eq!(server.hits(STRIPE_INSTALL), 1);
}

#[tokio::test]
async fn stripe_gives_up_after_some_attempts() {
    let server = Scripted::start();
    server.on(STRIPE_INSTALL, [Reply::status(500)]);
    server.on(STRIPE_STATUS, [stripe(None)]);
    let error = remote(&server).install_stripe().await.unwrap_err();
    assert!(matches!(error, RemoteError::Server { .. }), "{error}");
    assert_eq!(server.hits(STRIPE_INSTALL), 4);
    // A refusal, or a request that was certainly not processed, needs no look.
    let server = Scripted::start();
    server.on(
        STRIPE_INSTALL,
        [
            Reply::status(429).header("retry-after", "0"),
            Reply::status(403),
        ],
    );
    remote(&server).install_stripe().await.unwrap_err();
    assert_eq!(server.log(), [STRIPE_INSTALL, STRIPE_INSTALL]);
}

#[tokio::test]
async fn one_of_two_reads_may_fail_once() {
    let server = Scripted::start();
    server.on(LIST, [Reply::status(503), Reply::json(200, &empty_list())]);
    server.on(STRIPE_STATUS, [stripe(None)]);
    assert!(
        remote(&server)
            .observe()
            .await
            .unwrap()
            .connectors
            .is_empty()
    );
    assert_eq!((server.hits(LIST), server.hits(STRIPE_STATUS)), (2, 1));
}

#[tokio::test]
async fn who_stood_still_since_the_gate_was_asked_sends_nothing() {
    let asked = Arc::new(AtomicUsize::new(0));
    let told = Arc::clone(&asked);
    let options = ClientOptions {
        // Open when the call begins, closed when the connection takes the request.
        gate: Gate::new(move |_| told.fetch_add(1, Ordering::Relaxed) == 0),
        ..quick()
    };
    let server = Scripted::start();
    let remote = remote_at(&server.url(), options).unwrap();
    let error = remote.put_integration(&slack(), &Scopes::new()).await;
    let error = error.unwrap_err();
    assert!(matches!(error, RemoteError::LeaseOver { .. }), "{error}");
    assert!(!error.at().unwrap().unclear, "it was not sent");
    assert_eq!(server.hits(PUT_SLACK), 0);
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}
