//! The login: renewed once for everyone, never lost, shared with the official client.

use std::{fs, path::Path, time::Duration};

use connplan::{
    http::ClientOptions,
    model::{Address, ApiUrl, Secret, Vars},
    remote::{
        Credentials, Platform, Remote, RemoteError, TokenPoll,
        auth::{AuthError, Found, LoginFile},
        login::{self, LoginError},
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::{
    remote::client::{LIST, TOKEN, app, empty_list, key, quick, shown},
    support::scripted::{Reply, Scripted, Seen},
};

/// What time it is in these tests.
const NOW: u64 = 1_700_000_000_000;

fn options() -> ClientOptions {
    ClientOptions {
        clock: || NOW,
        ..quick()
    }
}

/// A home with a login that ends so many milliseconds from now.
fn home(ends_in: i64) -> (tempfile::TempDir, LoginFile) {
    let home = crate::support::folder();
    let file = LoginFile::in_home(home.path());
    fs::create_dir_all(file.path().parent().unwrap()).unwrap();
    let login = json!({"accessToken": "canary-old", "refreshToken": "canary-r1",
        "expiresAt": NOW.checked_add_signed(ends_in).unwrap(), "email": "ada@example.com", "name": "Ada", "plan": "pro"});
    put_file(file.path(), &login);
    (home, file)
}

fn put_file(path: &Path, login: &Value) {
    connplan::fs::write(
        path,
        login.to_string().as_bytes(),
        connplan::fs::Visibility::Private,
    )
    .unwrap();
}

fn stored(file: &LoginFile) -> Value {
    serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap()
}

fn credentials(vars: &Vars, home: &Path) -> Credentials {
    let found = Found::from_vars(vars, Some(home)).unwrap();
    found.for_address(&Address::built_in(), |_| false).unwrap()
}

fn remote(server: &Scripted, home: &Path) -> Remote {
    let credentials = credentials(&Vars::default(), home);
    Remote::new(&app(&server.url()), credentials, options()).unwrap()
}

fn tokens(n: u32) -> Value {
    json!({"access_token": format!("canary-new{n}"), "token_type": "bearer", "expires_in": 3600,
        "refresh_token": format!("canary-r{}", n + 1)})
}

/// Lets in whoever has this token, and no one else.
fn guard(token: &'static str) -> impl Fn(&Seen) -> Reply + Send + Sync {
    move |seen| {
        if seen.header("authorization") == Some(&format!("Bearer {token}")) {
            Reply::json(200, &empty_list())
        } else {
            Reply::status(401)
        }
    }
}

#[tokio::test]
async fn a_login_in_force_is_used_as_it_is() {
    let server = Scripted::start();
    let (home, _) = home(61_000);
    server.on_each(LIST, guard("canary-old"));
    remote(&server, home.path()).list().await.unwrap();
    assert_eq!(server.log(), [LIST]);
    assert_eq!(server.last(LIST).header("api_key"), None);
}

#[tokio::test]
async fn a_login_that_is_due_is_renewed_once_for_all_calls() {
    let server = Scripted::start();
    let (home, file) = home(60_000);
    server.latency(Duration::from_millis(20));
    server.on(TOKEN, [Reply::json(200, &tokens(1))]);
    server.on_each(LIST, guard("canary-new1"));
    let remote = remote(&server, home.path());
    for done in join_all((0..8).map(|_| remote.list())).await {
        done.unwrap();
    }
    assert_eq!(server.hits(TOKEN), 1);
    assert_eq!(server.hits(LIST), 8);
    let sent = server.last(TOKEN);
    assert_eq!(
        sent.text(),
        "grant_type=refresh_token&refresh_token=canary-r1&client_id=base44_cli"
    );
    assert_eq!(
        sent.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(sent.header("authorization"), None);
    assert_eq!(
        stored(&file),
        json!({"accessToken": "canary-new1", "refreshToken": "canary-r2",
        "expiresAt": NOW + 3_600_000, "email": "ada@example.com", "name": "Ada", "plan": "pro"})
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(
            fs::metadata(file.path()).unwrap().permissions().mode() & 0o777,
            0o600
        );
    }
}

#[tokio::test]
async fn a_refused_login_is_renewed_once_for_all_calls_under_way() {
    let server = Scripted::start();
    let (home, _) = home(3_600_000);
    server.latency(Duration::from_millis(20));
    server.on(TOKEN, [Reply::json(200, &tokens(1))]);
    server.on_each(LIST, guard("canary-new1"));
    let remote = remote(&server, home.path());
    for done in join_all((0..8).map(|_| remote.list())).await {
        done.unwrap();
    }
    assert_eq!(server.hits(TOKEN), 1);
    assert_eq!(server.hits(LIST), 16);
}

#[tokio::test]
async fn a_login_that_is_refused_even_when_new_is_an_error() {
    let server = Scripted::start();
    let (home, _) = home(3_600_000);
    server.on(TOKEN, [Reply::json(200, &tokens(1))]);
    server.on(LIST, [Reply::status(401)]);
    let error = remote(&server, home.path()).list().await.unwrap_err();
    assert!(shown(&error).contains("connplan login"), "{error}");
    assert_eq!((server.hits(LIST), server.hits(TOKEN)), (2, 1));
}

#[tokio::test]
async fn keys_and_plain_tokens_are_never_renewed() {
    let server = Scripted::start();
    let (home, _) = home(0);
    server.on(LIST, [Reply::status(401)]);
    let vars: Vars = [("BASE44_ACCESS_TOKEN".to_owned(), "canary-env".to_owned())]
        .into_iter()
        .collect();
    let token = credentials(&vars, home.path());
    for (credentials, said) in [(key(), "BASE44_API_KEY"), (token, "BASE44_ACCESS_TOKEN")] {
        let remote = Remote::new(&app(&server.url()), credentials, options()).unwrap();
        let error = remote.list().await.unwrap_err();
        assert!(shown(&error).contains(said), "{error}");
    }
    assert_eq!(
        server.last(LIST).header("authorization"),
        Some("Bearer canary-env")
    );
    assert_eq!(server.log(), [LIST, LIST]);
}

#[tokio::test]
async fn two_processes_renew_a_login_once() {
    let server = Scripted::start();
    let (home, _) = home(0);
    server.latency(Duration::from_millis(20));
    // A refresh token is worth nothing once it was used.
    server.on(
        TOKEN,
        [
            Reply::json(200, &tokens(1)),
            Reply::json(400, &json!({"error": "invalid_grant"})),
        ],
    );
    server.on_each(LIST, guard("canary-new1"));
    let (one, two) = (remote(&server, home.path()), remote(&server, home.path()));
    let (first, second) = tokio::join!(one.list(), two.list());
    first.unwrap();
    second.unwrap();
    assert_eq!(server.hits(TOKEN), 1);
}

#[tokio::test]
async fn a_login_that_another_process_renewed_is_taken_over() {
    let server = Scripted::start();
    let (home, file) = home(3_600_000);
    server.on_each(LIST, guard("canary-theirs"));
    let remote = remote(&server, home.path());
    let mut theirs = stored(&file);
    theirs["accessToken"] = json!("canary-theirs");
    put_file(file.path(), &theirs);
    remote.list().await.unwrap();
    assert_eq!(server.log(), [LIST, LIST]);
}

/// Each renewal revokes the token before it. One that lives for half a minute is due at once by the
/// rule for files; renewed by each call it would never be good for two of them.
#[tokio::test]
async fn a_token_that_lives_for_seconds_serves_more_than_one_call() {
    let server = Scripted::start();
    let (home, _) = home(0);
    server.latency(Duration::from_millis(20));
    let mut short = tokens(1);
    short["expires_in"] = json!(30);
    server.on(TOKEN, [Reply::json(200, &short), Reply::status(500)]);
    server.on_each(LIST, guard("canary-new1"));
    let (one, two) = (remote(&server, home.path()), remote(&server, home.path()));
    for remote in [&one, &two, &one, &two] {
        remote.list().await.unwrap();
    }
    assert_eq!(server.hits(TOKEN), 1);
}

/// What this process got by a renewal was revoked by the next renewal of another one.
#[tokio::test]
async fn a_login_that_another_process_renewed_once_more_is_taken_over() {
    let server = Scripted::start();
    let (home, file) = home(3_600_000);
    server.on(TOKEN, [Reply::json(200, &tokens(1))]);
    let path = file.path().to_owned();
    server.on_each(LIST, move |seen| {
        if seen.header("authorization") == Some("Bearer canary-new1") {
            let mut theirs: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            theirs["accessToken"] = json!("canary-theirs");
            put_file(&path, &theirs);
        }
        guard("canary-theirs")(seen)
    });
    remote(&server, home.path()).list().await.unwrap();
    assert_eq!((server.hits(LIST), server.hits(TOKEN)), (3, 1));
}

#[tokio::test]
async fn the_login_survives_whatever_goes_wrong_with_its_renewal() {
    for (reply, hits) in [
        (Reply::reset_read(), 4),
        (Reply::status(503), 4),
        (Reply::html(200, "<title>Proxy</title>"), 1),
        (Reply::json(200, &json!({"access_token": "canary"})), 1),
        (Reply::json(400, &json!({"error": "invalid_request"})), 1),
        (
            Reply::json(
                400,
                &json!({"error": "invalid_grant", "error_description": "gone"}),
            ),
            1,
        ),
    ] {
        let server = Scripted::start();
        let (home, file) = home(0);
        let before = fs::read(file.path()).unwrap();
        server.on(TOKEN, [reply.clone()]);
        server.on(LIST, [Reply::json(200, &empty_list())]);
        let error = remote(&server, home.path()).list().await.unwrap_err();
        let text = shown(&error);
        assert_eq!(
            matches!(error, RemoteError::Auth(AuthError::Ended)),
            text.contains("has ended"),
            "{text}"
        );
        assert_eq!(server.hits(TOKEN), hits, "{reply:?}");
        assert_eq!(server.hits(LIST), 0);
        assert_eq!(fs::read(file.path()).unwrap(), before, "{reply:?}");
    }
}

#[tokio::test]
async fn a_login_with_seconds_to_live_is_used_when_it_cannot_be_renewed() {
    let server = Scripted::start();
    let (home, _) = home(30_000);
    server.on(TOKEN, [Reply::status(503)]);
    server.on_each(LIST, guard("canary-old"));
    remote(&server, home.path()).list().await.unwrap();
}

#[tokio::test]
async fn logging_out_meanwhile_ends_the_credentials() {
    let server = Scripted::start();
    let (home, file) = home(0);
    let remote = remote(&server, home.path());
    assert!(login::logout(&file).unwrap());
    let error = remote.list().await.unwrap_err();
    assert!(
        matches!(error, RemoteError::Auth(AuthError::NoCredentials { .. })),
        "{error}"
    );
    assert_eq!(server.seen().len(), 0);
}

fn platform(server: &Scripted) -> Platform {
    Platform::new(&ApiUrl::parse(&server.url()).unwrap(), options()).unwrap()
}

fn device(interval: u32) -> Value {
    json!({"device_code": "canary-d/1", "user_code": "AB\u{1b}-1", "verification_uri": "https://app.example/device",
        "expires_in": 600, "interval": interval})
}

const DEVICE: &str = "POST /oauth/device/code";
const USERINFO: &str = "GET /oauth/userinfo";

#[tokio::test]
async fn a_whole_login() {
    let server = Scripted::start();
    let home = crate::support::folder();
    let file = LoginFile::in_home(home.path());
    server.on(DEVICE, [Reply::json(200, &device(1))]);
    server.on(TOKEN, [Reply::json(200, &tokens(1))]);
    server.on(
        USERINFO,
        [Reply::json(
            200,
            &json!({"email": "ada@example.com", "name": ""}),
        )],
    );
    let platform = platform(&server);
    let code = platform.device_code().await.unwrap();
    assert_eq!(code.user_code, "AB\\u{1b}-1");
    assert!(!format!("{code:?}").contains("canary"));
    assert_eq!(
        server.last(DEVICE).json(),
        json!({"client_id": "base44_cli", "scope": "apps:read apps:write sandbox:write"})
    );
    let granted = login::wait_for_consent(&platform, &code).await.unwrap();
    assert_eq!(
        server.last(TOKEN).text(),
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=canary-d%2F1&client_id=base44_cli"
    );
    login::finish(&platform, granted, &file).await.unwrap();
    assert_eq!(
        server.last(USERINFO).header("authorization"),
        Some("Bearer canary-new1")
    );
    assert_eq!(
        stored(&file),
        json!({"accessToken": "canary-new1", "refreshToken": "canary-r2",
        "expiresAt": NOW + 3_600_000, "email": "ada@example.com", "name": "ada@example.com", "apiUrl": server.url()})
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let folder = file.path().parent().unwrap();
        assert_eq!(
            fs::metadata(folder).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }
}

#[tokio::test]
async fn the_answers_to_a_poll() {
    let server = Scripted::start();
    server.on(DEVICE, [Reply::json(200, &device(5))]);
    let platform = platform(&server);
    let code = platform.device_code().await.unwrap();
    let answer =
        |status, error: &str| server.on(TOKEN, [Reply::json(status, &json!({ "error": error }))]);
    answer(400, "authorization_pending");
    assert!(matches!(
        platform.device_token(&code).await.unwrap(),
        TokenPoll::Pending
    ));
    answer(400, "slow_down");
    assert!(matches!(
        platform.device_token(&code).await.unwrap(),
        TokenPoll::SlowDown
    ));
    answer(403, "access_denied");
    assert!(matches!(
        platform.device_token(&code).await.unwrap(),
        TokenPoll::Denied
    ));
    answer(400, "expired_token");
    assert!(matches!(
        platform.device_token(&code).await.unwrap(),
        TokenPoll::Expired
    ));
    answer(400, "invalid_client");
    assert!(matches!(
        platform.device_token(&code).await.unwrap_err(),
        RemoteError::Rejected { .. }
    ));
    // What may have handed out the tokens is not asked again by itself: the next poll will tell.
    server.on(TOKEN, [Reply::reset_read()]);
    let before = server.hits(TOKEN);
    assert!(platform.device_token(&code).await.unwrap_err().is_passing());
    assert_eq!(server.hits(TOKEN), before + 1);
}

#[tokio::test]
async fn a_login_page_that_is_no_web_page_is_not_shown() {
    let server = Scripted::start();
    let mut odd = device(5);
    odd["verification_uri"] = json!("javascript:canary");
    server.on(DEVICE, [Reply::json(200, &odd)]);
    let error = platform(&server).device_code().await.unwrap_err();
    assert!(
        shown(&error).contains("verification_uri")
            || matches!(&error, RemoteError::Malformed { field, .. } if field == "verification_uri")
    );
}

#[tokio::test]
async fn a_declined_login_stores_nothing() {
    let server = Scripted::start();
    server.on(DEVICE, [Reply::json(200, &device(1))]);
    server.on(
        TOKEN,
        [Reply::json(400, &json!({"error": "access_denied"}))],
    );
    let platform = platform(&server);
    let code = platform.device_code().await.unwrap();
    let error = login::wait_for_consent(&platform, &code).await.unwrap_err();
    assert!(matches!(error, LoginError::Denied), "{error}");
}

#[tokio::test]
async fn who_a_token_belongs_to() {
    let server = Scripted::start();
    server.on(
        USERINFO,
        [
            Reply::json(200, &json!({"email": "ada@example.com", "name": "Ada"})),
            Reply::status(401),
        ],
    );
    let platform = platform(&server);
    let token = Secret::new("canary-t");
    assert_eq!(platform.userinfo(&token).await.unwrap().name, "Ada");
    let _ = shown(&platform.userinfo(&token).await.unwrap_err());
}
