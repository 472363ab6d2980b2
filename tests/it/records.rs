//! What can not be written down: found out before the remote is touched, or said whole.

use std::{fs, os::unix::fs::symlink, path::PathBuf, process::Stdio};

use serde_json::json;

use crate::{
    cli::{APP, Connector, Platform, Project},
    scripted::{Reply, Scripted},
};

const NAMES: [&str; 6] = ["airtable", "box", "discord", "github", "notion", "wix"];

fn project(platform: &Platform) -> Project {
    let mut project = Project::new().at(platform);
    for name in NAMES {
        project = project.connector(name, &["a"]);
    }
    project.run(&["plan", "--out", "saved.plan"]).expect(0);
    platform.forget();
    project
}

#[test]
fn what_can_be_found_out_before_is_found_out_before() {
    let spoil: [fn(&Project) -> PathBuf; 5] = [
        // A file where the folder should be.
        |project| {
            project.write(".connplan", "");
            project.path(".connplan")
        },
        |project| {
            project.write(".connplan/journal", "");
            project.path(".connplan/journal")
        },
        |project| {
            project.write(".connplan/pending.toml", "garbled");
            project.path(".connplan/pending.toml")
        },
        // Links that lead elsewhere.
        |project| {
            fs::create_dir(project.path("elsewhere")).unwrap();
            symlink(project.path("elsewhere"), project.path(".connplan")).unwrap();
            project.path(".connplan")
        },
        |project| {
            project.write("precious", "");
            fs::create_dir(project.path(".connplan")).unwrap();
            symlink("../precious", project.path(".connplan/pending.toml")).unwrap();
            project.path(".connplan/pending.toml")
        },
    ];
    let platform = Platform::start();
    for spoil in spoil {
        let project = project(&platform);
        let path = spoil(&project);
        let applied = project.run(&["apply", "saved.plan"]);
        applied.expect(1);
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        applied.tells(&name);
        assert_eq!(platform.writes(), [] as [&str; 0], "{applied}");
    }
    let project = project(&platform);
    project
        .run(&["apply", "saved.plan", "--receipt", "no/such/folder/receipt"])
        .expect(1);
    assert_eq!(platform.writes(), [] as [&str; 0]);
}

/// A file may grow to some blocks of half a kilobyte, and no further: a disk that is full.
#[test]
fn on_a_full_disk_the_outcome_is_said_and_the_next_run_goes_on() {
    let mut said = 0;
    for blocks in [1, 2, 3, 4, 6] {
        let platform = Platform::start();
        let project = project(&platform);
        let mut shell = std::process::Command::new("sh");
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec '{}' apply saved.plan --parallelism 2 2>&1 | cat",
            env!("CARGO_BIN_EXE_connplan")
        );
        let ended = shell
            .args(["-c", &script])
            .current_dir(project.root())
            .env_clear()
            .envs(project.environment())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = String::from_utf8(ended.stdout).unwrap();
        assert!(!text.contains("panicked"), "{text}");
        let wrote = platform.writes();
        if text.contains("what was done could not be written down") {
            said += 1;
            // All that was done is told.
            for write in &wrote {
                let name = write.rsplit('/').next().unwrap();
                assert!(
                    text.contains(&format!("connector = \"{name}\"")),
                    "{name}: {text}"
                );
            }
        } else if !text.contains("Applied, 6 connectors") {
            assert_eq!(wrote, [] as [&str; 0], "{text}");
        }
        // With room again, the same command finishes the job.
        project.run(&["apply", "saved.plan"]).expect(0);
        assert_eq!(platform.pending().len(), NAMES.len());
        let store = project.read(".connplan/pending.toml");
        for pending in platform.pending() {
            let id = pending["connection_id"].as_str().unwrap();
            assert!(store.contains(id), "{id} is lost: {store}");
        }
    }
    assert!(said > 0, "no run was cut short in its middle");
}

#[test]
fn a_folder_that_vanishes_under_way_stops_what_has_not_begun() {
    let server = Scripted::start();
    let route = |method: &str, rest: &str| format!("{method} /api/apps/{APP}/{rest}");
    let list = json!({ "integrations": [] });
    server.on(
        &route("GET", "external-auth/list"),
        [Reply::json(200, &list)],
    );
    let stripe = json!({ "stripe_mode": null });
    server.on(
        &route("GET", "payments/stripe/status"),
        [Reply::json(200, &stripe)],
    );
    let project = Project::new().at_url(&server.url(), "b44k_key");
    let project = project.connector("box", &["a"]).connector("notion", &["b"]);
    let folder = project.path(".connplan");
    let put = |name: &str| route("PUT", &format!("external-auth/integrations/{name}"));
    server.on_each(&put("box"), move |_| {
        fs::remove_dir_all(&folder).unwrap();
        let answer =
            json!({"redirect_url": null, "connection_id": null, "already_authorized": true});
        Reply::json(200, &answer)
    });
    let applied = project.run(&["apply", "--auto-approve", "--parallelism", "1"]);
    applied
        .expect(1)
        .tells("could not be written down")
        .tells("connector = \"box\"");
    assert_eq!(server.hits(&put("notion")), 0, "{applied}");
}

#[test]
fn what_others_could_read_is_made_private_with_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let platform = Platform::with(&[Connector::active("wix", &["a"])]);
    let project = Project::new().at(&platform).connector("wix", &["a", "b"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    let mode = |path: &str| {
        let meta = fs::metadata(project.path(path)).unwrap();
        meta.permissions().mode() & 0o777
    };
    assert_eq!(mode(".connplan"), 0o700);
    assert_eq!(mode(".connplan/pending.toml"), 0o600);
    for (path, open) in [(".connplan", 0o755), (".connplan/pending.toml", 0o644)] {
        let loose = fs::Permissions::from_mode(open);
        fs::set_permissions(project.path(path), loose).unwrap();
        project
            .run(&["authorize"])
            .expect(4)
            .tells("could be read by others");
        assert_eq!(mode(path) & 0o077, 0, "{path}");
    }
    let journals = fs::read_dir(project.path(".connplan/journal")).unwrap();
    for journal in journals {
        let meta = journal.unwrap().metadata().unwrap();
        assert_eq!(meta.permissions().mode() & 0o777, 0o600);
    }
}
