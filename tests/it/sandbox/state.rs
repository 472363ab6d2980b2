//! The sandbox over restarts.

use std::{path::Path, time::Duration};

use connplan::sandbox::{Decision, Options, SandboxError, Seed, start};
use serde_json::json;

use crate::sandbox::client::Site;

fn keeping(path: &Path) -> Options {
    Options {
        state: Some(path.to_owned()),
        ..Options::default()
    }
}

#[tokio::test]
async fn everything_survives_a_restart() {
    let dir = crate::support::folder();
    let path = dir.path().join("new/state.json");
    let first = Site::with(keeping(&path)).await;
    let (url, key) = (
        first.sandbox.api_url().to_owned(),
        first.sandbox.api_key().clone(),
    );
    let active = first.put("slackbot", &["a"]).await;
    let active = active["connection_id"].as_str().unwrap();
    first
        .sandbox
        .consent_to(active, Decision::approve("ada@example.com"))
        .await
        .unwrap();
    let pending = first.put("notion", &["b"]).await;
    first.api("POST", "payments/stripe/install", None).await;
    first.sandbox.stop().await.unwrap();

    let second = Site::with(keeping(&path)).await;
    assert_eq!(second.sandbox.api_url(), url, "so that links stay good");
    assert_eq!(*second.sandbox.api_key(), key);
    assert_eq!(second.status("slackbot", active).await, "ACTIVE");
    assert_eq!(
        second.listed("slackbot").await.unwrap()["scopes"],
        json!(["a"])
    );
    let page = second.page(pending["redirect_url"].as_str().unwrap()).await;
    assert_eq!(page.status, 200);
    let stripe = second
        .api("GET", "payments/stripe/status", None)
        .await
        .json();
    assert_eq!(stripe["stripe_mode"], "sandbox");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_place_of_its_folder_leads_a_running_sandbox_nowhere() {
    let dir = crate::support::folder();
    let at = |name: &str| dir.path().join(name);
    let site = Site::with(keeping(&at("own/state.json"))).await;
    std::fs::rename(at("own"), at("moved")).unwrap();
    std::fs::create_dir(at("outside")).unwrap();
    std::os::unix::fs::symlink("outside", at("own")).unwrap();
    site.put("slackbot", &["a"]).await;
    site.sandbox.stop().await.unwrap();
    assert!(!at("outside/state.json").exists());
    let kept = std::fs::read_to_string(at("moved/state.json")).unwrap();
    assert!(kept.contains("slackbot"), "{kept}");
}

#[tokio::test]
async fn a_change_is_on_disk_before_it_is_answered() {
    let dir = crate::support::folder();
    let path = dir.path().join("state.json");
    let site = Site::with(keeping(&path)).await;
    let types: Vec<_> = (0..12).map(|n| format!("type-{n}")).collect();
    let puts = types.iter().map(|connector| site.put(connector, &["a"]));
    futures_util::future::join_all(puts).await;
    let text = std::fs::read_to_string(&path).unwrap();
    for connector in &types {
        assert!(text.contains(&format!("\"{connector}\"")), "{connector}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[tokio::test]
async fn a_state_that_cannot_be_read_is_left_alone() {
    let dir = crate::support::folder();
    let path = dir.path().join("state.json");
    std::fs::File::create(&path).unwrap();
    let error = start(keeping(&path)).await.err().unwrap();
    assert!(matches!(error, SandboxError::State { .. }), "{error}");
    assert!(error.to_string().contains("state.json"));
    assert_eq!(std::fs::read(&path).unwrap(), b"");
    let left = std::fs::read_dir(dir.path()).unwrap();
    assert_eq!(left.count(), 1, "no lock beside it");
}

#[tokio::test]
async fn two_sandboxes_do_not_share_a_state() {
    let dir = crate::support::folder();
    let path = dir.path().join("state.json");
    let first = start(keeping(&path)).await.unwrap();
    let error = start(keeping(&path)).await.err().unwrap();
    assert!(matches!(error, SandboxError::Locked { .. }), "{error}");
    first.stop().await.unwrap();
    start(keeping(&path)).await.unwrap();
}

#[tokio::test]
async fn a_seed_is_for_the_first_start() {
    let dir = crate::support::folder();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/sandbox/seed.json");
    let seeded = || Options {
        seed: Some(Seed::read(&file).unwrap()),
        ..keeping(&dir.path().join("state.json"))
    };
    let first = Site::with(seeded()).await;
    assert_eq!(first.sandbox.api_key().expose(), "b44k_sandbox_seeded");
    let shop = "/api/apps/shop-1/external-auth";
    let removed = first
        .call("DELETE", &format!("{shop}/integrations/slack/remove"), None)
        .await;
    assert_eq!(removed.status, 200);
    first.sandbox.stop().await.unwrap();
    let second = Site::with(seeded()).await;
    let list = second.call("GET", &format!("{shop}/list"), None).await.text;
    assert!(
        !list.contains("slack") && list.contains("googlecalendar"),
        "{list}"
    );
}

#[tokio::test]
async fn a_taken_port_is_said() {
    let first = Site::new().await;
    let port = first
        .sandbox
        .api_url()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let options = Options {
        port,
        ..Options::default()
    };
    let error = start(options).await.err().unwrap();
    assert!(matches!(error, SandboxError::Listen { .. }), "{error}");
}

#[tokio::test]
async fn it_stops_by_its_token_though_a_client_lingers() {
    let dir = crate::support::folder();
    let path = dir.path().join("state.json");
    let mut sandbox = start(keeping(&path)).await.unwrap();
    let address = sandbox
        .api_url()
        .strip_prefix("http://")
        .unwrap()
        .to_owned();
    // Browsers open connections that they never use.
    let _idle = tokio::net::TcpStream::connect(address).await.unwrap();
    sandbox.stop_token().cancel();
    let stopped = tokio::time::timeout(Duration::from_secs(10), sandbox.stopped());
    stopped.await.expect("stopped in time").unwrap();
    start(keeping(&path)).await.expect("the state file is free");
    sandbox.stop().await.expect("stopping twice is no harm");
}

/// What is printed as a line for a shell is what a sandbox makes, whoever wrote the file.
#[tokio::test]
async fn a_state_of_which_a_key_or_token_would_be_a_command_is_not_taken() {
    let dir = crate::support::folder();
    let path = dir.path().join("state.json");
    Site::with(keeping(&path))
        .await
        .sandbox
        .stop()
        .await
        .unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let state: serde_json::Value = serde_json::from_str(&text).unwrap();
    for secret in ["x$(cmd)", "x;cmd", "x\nLD_PRELOAD=y", "x\u{1b}]52;c;"] {
        for place in ["/api_key", "/tokens/0/token"] {
            let mut state = state.clone();
            let kept = state.pointer_mut(place).unwrap();
            *kept = json!(format!("{}{secret}", kept.as_str().unwrap()));
            std::fs::write(&path, state.to_string()).unwrap();
            let refused = start(keeping(&path)).await;
            assert!(
                matches!(refused, Err(SandboxError::Secret { .. })),
                "{place}"
            );
        }
    }
}
