//! The pace of a run: what the platform allows in a minute, and no refusal for being one too many.

use std::{
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::support::{Platform, Project};

/// A minute is three seconds: the sandbox's clock runs that much faster, and the client knows.
const SPEED: u32 = 20;
const MINUTE_MS: u64 = 3000;

/// A platform with limits, where each of these apps has so many connectors.
fn platform(apps: &[&str], connectors: usize) -> Platform {
    let connectors: serde_json::Map<String, Value> = (0..connectors)
        .map(|n| (format!("type-{n:03}"), json!({})))
        .collect();
    let apps: serde_json::Map<String, Value> = apps
        .iter()
        .map(|app| ((*app).to_owned(), json!({ "connectors": connectors })))
        .collect();
    Platform::fast(
        json!({ "settings": { "limits": { "multiplier": 1 } }, "apps": apps }),
        SPEED,
    )
}

fn project(platform: &Platform) -> Project {
    Project::new()
        .at(platform)
        .var("__CONNPLAN_TEST_MINUTE_MS", &MINUTE_MS.to_string())
}

fn refusals(platform: &Platform) -> usize {
    let log = platform.call("GET", "/sandbox/admin/requests", None).json();
    let log = log["requests"].as_array().cloned().unwrap_or_default();
    log.iter().filter(|r| r["status"] == 429).count()
}

const REMOVE_ALL: [&str; 3] = ["apply", "--auto-approve", "--allow-remove-all"];

#[test]
fn twenty_removals_take_their_two_minutes_and_are_never_refused() {
    let platform = platform(&["app-1"], 20);
    let project = project(&platform);
    let began = Instant::now();
    let applied = project.run(&REMOVE_ALL);
    applied
        .expect(0)
        .tells("The platform allows 10 removals a minute: waiting");
    let took = began.elapsed();
    assert!(took >= Duration::from_millis(MINUTE_MS), "{took:?}");
    assert_eq!(refusals(&platform), 0);
    assert_eq!(platform.writes().len(), 20);
}

#[test]
fn two_processes_share_what_is_allowed() {
    let platform = platform(&["app-1", "app-2"], 8);
    let project = project(&platform);
    let children: Vec<_> = ["app-1", "app-2"]
        .iter()
        .map(|app| {
            let args = [&REMOVE_ALL[..], &["--app-id", app]].concat();
            let mut command = project.command(&args);
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command.spawn()
        })
        .collect();
    for child in children {
        let mut child = child.unwrap_or_else(|e| panic!("{e}"));
        let ended = child.wait().map(|ended| ended.success());
        assert!(matches!(ended, Ok(true)), "{ended:?}");
    }
    assert_eq!(refusals(&platform), 0);
}

#[test]
fn a_multiplier_that_is_too_large_is_corrected_by_the_platform() {
    let platform = platform(&["app-1"], 14);
    let project = project(&platform).file("connplan.toml", "[platform]\nmultiplier = 2\n");
    project.run(&REMOVE_ALL).expect(0);
    let refused = refusals(&platform);
    assert!(
        (1..=8).contains(&refused),
        "{refused}: all hold back together"
    );
    assert_eq!(platform.listed("type-000"), None);
}

#[test]
fn a_wait_that_is_longer_than_the_time_left_is_none() {
    let platform = platform(&["app-1"], 11);
    let project = project(&platform).var("__CONNPLAN_TEST_MINUTE_MS", "60000");
    let began = Instant::now();
    let applied = project.run(&[&REMOVE_ALL[..], &["--max-time", "20s"]].concat());
    assert!(applied.code != Some(0), "{applied}");
    assert!(began.elapsed() < Duration::from_secs(15), "{applied}");
}

#[test]
fn a_pace_that_needs_longer_than_there_is_says_so() {
    let platform = platform(&["app-1"], 11);
    let project = project(&platform).var("__CONNPLAN_TEST_MINUTE_MS", "120000");
    let applied = project.run(&[&REMOVE_ALL[..], &["--max-time", "15s"]].concat());
    applied
        .expect(5)
        .says("because of the platform's rate limit it would have to wait")
        .says("longer than the command may still run")
        .lacks("is over");
}
