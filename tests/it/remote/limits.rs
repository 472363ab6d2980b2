//! Networks and servers that do not behave: time and memory stay bounded, and the error says why.

use std::time::{Duration, Instant};

use connplan::{
    http::{ClientOptions, SetupError, Unreachable},
    remote::RemoteError,
};
use serde_json::json;

use crate::{
    remote::client::{LIST, empty_list, key, quick, remote, remote_at, shown},
    support::scripted::{Reply, Scripted},
};

fn once() -> ClientOptions {
    ClientOptions {
        retries: 0,
        ..quick()
    }
}

async fn error_at(url: &str, options: ClientOptions) -> RemoteError {
    let error = remote_at(url, options).unwrap().list().await.unwrap_err();
    let _ = shown(&error);
    error
}

fn cause(error: RemoteError) -> Unreachable {
    match error {
        RemoteError::Unreachable { cause, .. } => cause,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_closed_port_is_a_refused_connection() {
    let url = Scripted::refused_url();
    let error = error_at(&url, quick()).await;
    assert_eq!(error.at().unwrap().attempts, 4);
    let text = shown(&error);
    assert!(text.contains(url.trim_start_matches("http://")), "{text}");
    assert_eq!(cause(error), Unreachable::Refused);
}

#[tokio::test]
async fn an_unknown_name_is_told_from_a_refused_connection() {
    // A label over 63 characters: no name server needs to be asked.
    let options = ClientOptions {
        allow_http: true,
        ..once()
    };
    let error = error_at(&format!("http://{}.invalid", "a".repeat(64)), options).await;
    assert_eq!(cause(error), Unreachable::Dns);
}

#[tokio::test]
async fn what_does_not_speak_tls_is_told_as_such_and_not_asked_again() {
    let server = Scripted::start();
    let error = error_at(&server.url().replace("http:", "https:"), quick()).await;
    assert_eq!(error.at().unwrap().attempts, 1, "{error}");
    assert!(matches!(cause(error), Unreachable::Tls(_)));
}

#[tokio::test]
async fn plain_http_to_another_machine_needs_a_flag() {
    let error = remote_at("http://192.0.2.1", quick()).unwrap_err();
    assert!(matches!(
        error,
        RemoteError::Setup(SetupError::InsecureAddress { .. })
    ));
    assert!(shown(&error).contains("--allow-http"));
    assert!(
        remote_at(
            "http://192.0.2.1",
            ClientOptions {
                allow_http: true,
                ..quick()
            }
        )
        .is_ok()
    );
}

#[tokio::test]
async fn broken_connections() {
    let body = json!({"integrations": [], "padding": "x".repeat(100)});
    for reply in [
        Reply::reset_read(),
        Reply::reset_unread(),
        Reply::json(200, &body).cut(20),
        Reply::json(200, &body).cut(0),
    ] {
        let server = Scripted::start();
        server.on(LIST, [reply.clone()]);
        assert_eq!(
            cause(error_at(&server.url(), quick()).await),
            Unreachable::Interrupted,
            "{reply:?}"
        );
        assert_eq!(server.connections(), 4, "{reply:?}");
        server.on(LIST, [reply, Reply::json(200, &body)]);
        assert!(remote(&server).list().await.is_ok());
    }
}

#[tokio::test]
async fn a_silent_server_is_waited_for_within_limits() {
    let server = Scripted::start();
    server.on(LIST, [Reply::hang()]);
    let options = ClientOptions {
        connect_timeout: Duration::from_millis(50),
        read_timeout: Duration::from_millis(50),
        ..once()
    };
    let start = Instant::now();
    assert_eq!(
        cause(error_at(&server.url(), options).await),
        Unreachable::AnswerTimeout
    );
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_slow_answer_is_an_answer() {
    let server = Scripted::start();
    server.on(
        LIST,
        [Reply::json(200, &empty_list()).delay(Duration::from_millis(80))],
    );
    let options = ClientOptions {
        read_timeout: Duration::from_secs(2),
        ..once()
    };
    assert!(
        remote_at(&server.url(), options)
            .unwrap()
            .list()
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn an_answer_that_drips_is_waited_for_within_limits() {
    let server = Scripted::start();
    // Each byte comes in time; the whole would take two minutes.
    server.on(
        LIST,
        [Reply::json(200, &json!({"x": "y".repeat(12_000)})).drip(Duration::from_millis(10))],
    );
    let options = ClientOptions {
        connect_timeout: Duration::from_millis(50),
        read_timeout: Duration::from_millis(100),
        answer_timeout: Duration::from_millis(150),
        ..once()
    };
    assert_eq!(
        cause(error_at(&server.url(), options).await),
        Unreachable::AnswerTimeout
    );
}

#[tokio::test]
async fn the_commands_deadline_ends_a_call_and_its_repetitions() {
    let server = Scripted::start();
    server.on(LIST, [Reply::hang()]);
    let until = |ms| ClientOptions {
        deadline: Some(Instant::now() + Duration::from_millis(ms)),
        ..quick()
    };
    let error = error_at(&server.url(), until(60)).await;
    assert!(
        matches!(error, RemoteError::DeadlineExceeded { .. }),
        "{error}"
    );
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert!(help.contains("`--max-time`"), "{help}");
    let error = error_at(&server.url(), until(0)).await;
    assert!(
        matches!(error, RemoteError::DeadlineExceeded { .. }),
        "{error}"
    );
    assert_eq!(server.hits(LIST), 1, "nothing is asked after the end");
    // A pause that would outlast the deadline is not begun: what the server said is the error.
    server.on(LIST, [Reply::status(503).header("retry-after", "30")]);
    let start = Instant::now();
    assert!(matches!(
        error_at(&server.url(), until(5_000)).await,
        RemoteError::Server { .. }
    ));
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn a_body_without_end_is_not_read_to_its_end() {
    let server = Scripted::start();
    server.on(LIST, [Reply::endless()]);
    let error = error_at(
        &server.url(),
        ClientOptions {
            max_body: 256 * 1024,
            ..quick()
        },
    )
    .await;
    assert!(
        matches!(error, RemoteError::TooLarge { limit: 262_144, .. }),
        "{error}"
    );
    // What the system's own buffers took is not ours: some megabytes at most.
    assert!(server.sent() < 16 * 1024 * 1024, "{}", server.sent());
}

#[tokio::test]
async fn a_gigabyte_is_refused_at_its_announcement() {
    let server = Scripted::start();
    server.on(LIST, [Reply::raw("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1073741824\r\n\r\n{")]);
    assert!(matches!(
        error_at(&server.url(), quick()).await,
        RemoteError::TooLarge { .. }
    ));
    assert_eq!(server.hits(LIST), 1);
}

#[tokio::test]
async fn a_long_error_page_is_an_error_all_the_same() {
    let server = Scripted::start();
    server.on(
        LIST,
        [Reply::json(403, &json!({"message": "x".repeat(1_000_000)}))],
    );
    assert!(matches!(
        error_at(&server.url(), quick()).await,
        RemoteError::Forbidden { .. }
    ));
}

#[tokio::test]
async fn what_is_no_proper_http_says_so() {
    for reply in [
        Reply::json(200, &empty_list()).many_headers(1000),
        Reply::raw("SSH-2.0-OpenSSH_9.6\r\n"),
        Reply::raw("HTTP/1.1 200 OK\r\nbroken header\r\n\r\n"),
        Reply::raw(format!(
            "HTTP/1.1 200 OK\r\nx: {}\r\n\r\n",
            "x".repeat(2_000_000)
        )),
    ] {
        let server = Scripted::start();
        server.on(LIST, [reply]);
        let error = error_at(&server.url(), quick()).await;
        assert!(matches!(error, RemoteError::Protocol { .. }), "{error:?}");
        assert_eq!(server.hits(LIST), 1);
    }
    let server = Scripted::start();
    server.on(LIST, [Reply::json(200, &empty_list()).many_headers(80)]);
    assert!(remote(&server).list().await.is_ok());
}

#[test]
fn secrets_are_in_no_debug_output() {
    assert!(!format!("{:?}", key()).contains("canary"));
}
