//! What is private is so even where it is only read: repaired with one warning.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use serde_json::json;

use crate::support::{Connector, Output, Platform, Project, reads, sample};

const OPEN: &str = "could be read by others";

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn loosen(path: &Path) {
    let open = if path.is_dir() { 0o755 } else { 0o644 };
    fs::set_permissions(path, fs::Permissions::from_mode(open)).unwrap();
}

#[track_caller]
fn warned_once(output: &Output) {
    let warnings = output.stderr.matches("warning").count();
    assert_eq!(
        (warnings, output.stderr.matches(OPEN).count()),
        (1, 1),
        "{output}"
    );
}

/// A project with everything in its state folder that there can be.
fn project(platform: &Platform) -> Project {
    let project = Project::new().at(platform).connector("wix", &["a", "b"]);
    project.run(&["apply", "--auto-approve"]).expect(0);
    // A link that was offered is remembered by its host.
    project
        .run(&["authorize", "--yes", "--timeout", "1s"])
        .expect(4);
    project
}

#[test]
fn who_only_looks_repairs_too() {
    let platform = Platform::with(&[Connector::active("wix", &["a"])]);
    let project = project(&platform);
    let folder = project.state("");
    let journals = folder.join("journal");
    let journal = fs::read_dir(&journals).unwrap().next().unwrap().unwrap();
    let paths = [
        folder.clone(),
        folder.join("pending.toml"),
        folder.join("hosts.toml"),
        journals,
        journal.path(),
    ];
    let looks: [(&[&str], i32); 4] = [
        (&["status"], 0),
        (&["plan"], 0),
        (&["authorize", "--list"], 4),
        (&["plan", "--format", "json"], 0),
    ];
    for (n, path) in paths.iter().enumerate() {
        let private = mode(path);
        assert_eq!(private & 0o077, 0, "{}", path.display());
        // Each path by two ways to look, each way at more than one path; or by one.
        for (look, code) in sample([looks[n % 4], looks[(n + 1) % 4]], 2) {
            loosen(path);
            let output = project.run(look);
            output.expect(code).tells(&path.display().to_string());
            warned_once(&output);
            assert_eq!(mode(path), private, "{}", path.display());
            project.run(look).expect(code).lacks(OPEN);
        }
    }
    // All of them at once are one warning, with a lock as without.
    for command in [
        &["status"][..],
        &["authorize", "wix", "--timeout", "1s", "--yes"],
    ] {
        for path in &paths {
            loosen(path);
        }
        let output = project.run(command);
        assert_eq!(output.stderr.matches(OPEN).count(), 1, "{output}");
        assert!(
            paths
                .iter()
                .all(|path| [0o600, 0o700].contains(&mode(path)))
        );
    }
}

#[test]
fn nothing_is_repaired_behind_a_link() {
    let platform = Platform::with(&[Connector::active("wix", &["a"])]);
    let project = project(&platform);
    let elsewhere = project.path("elsewhere");
    fs::rename(project.state(""), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, project.state("")).unwrap();
    for name in ["", "pending.toml"] {
        loosen(&elsewhere.join(name));
    }
    project.run(&["status"]).expect(0).lacks(OPEN);
    assert_eq!(mode(&elsewhere), 0o755);
    assert_eq!(mode(&elsewhere.join("pending.toml")), 0o644);
}

#[test]
fn a_login_that_is_read_is_repaired_with_its_folder() {
    let project = Project::nowhere();
    let login = json!({"accessToken": "a-token", "refreshToken": "another",
        "expiresAt": 9_999_999_999_999_u64, "email": "ada@example.com", "name": "Ada"});
    project.write("../home/.base44/auth/auth.json", &login.to_string());
    let file = project.home().join(".base44/auth/auth.json");
    let folder = file.parent().unwrap();
    loosen(&file);
    loosen(folder);
    let output = project.run(&["whoami"]);
    reads!(output, @"
    exit 0: connplan whoami
    Ada <ada@example.com> at https://app.base44.com
    by the login in ~/.base44/auth/auth.json
    --- stderr
    warning: others could read the login in FOLDER/home/.base44/auth/auth.json; it is private now
    ");
    assert_eq!(output.stderr.matches("warning").count(), 1, "{output}");
    assert_eq!((mode(&file), mode(folder)), (0o600, 0o700));
    // The official client makes the folder as it comes; what it holds was private all the time.
    loosen(folder);
    assert_eq!(project.run(&["whoami"]).expect(0).stderr, "");
    assert_eq!(mode(folder), 0o700);
}

#[test]
fn a_sandbox_state_that_is_read_is_repaired_and_not_quoted() {
    let project =
        Project::nowhere().file("state.json", "{\"version\": 1,\n\"api_key\": b44k_canary");
    let file = project.path("state.json");
    loosen(&file);
    let output = project.run(&["sandbox", "--state", "state.json"]);
    reads!(output.lacks("canary"), @"
    exit 1: connplan sandbox --state state.json
    --- stderr
    warning: FOLDER/project/state.json could be read by others; it is private now
    error: state.json is not a sandbox state: line 2 is not as connplan writes it
      help: move the file away to start empty, or name another one with `--state`
      code: connplan::sandbox::state
    ");
    warned_once(&output);
    assert_eq!(mode(&file), 0o600);
}

/// A link is asked for when a person wants one: there is none in the state folder that others could
/// have read, whatever was done before.
#[test]
fn no_link_is_kept_that_others_could_read() {
    let platform = Platform::with(&[Connector::active("wix", &["a"])]);
    let project = project(&platform);
    let links = platform.links();
    assert!(!links.is_empty(), "one was asked for");
    // The browser that stands in for one notes elsewhere what it was given.
    let mut kept = project.all_files();
    kept.retain(|name, _| name.starts_with("state/"));
    assert!(kept.values().any(|text| text.contains("wix")), "{kept:?}");
    for (name, text) in kept {
        for (_, link) in &links {
            assert!(!text.contains(link.as_str()), "{name}: {text}");
        }
        assert!(!text.contains("ticket="), "{name}: {text}");
    }
    loosen(&project.state("pending.toml"));
    reads!(project.run(&["status"]).lacks("link"), @"
    exit 0: connplan status
    App app-1 at http://HOST

    CONNECTOR  DECLARED  REMOTE  SCOPES         PENDING   ACCOUNT
    wix        yes       active  2 (asked for)  just now  ada@example.com

    1 connector needs attention:
      connplan authorize wix
    --- stderr
    warning: FOLDER/state/apps/APP/pending.toml could be read by others; it is private now
    ");
}

/// The record of where a plan was made is guarded by a digest that anybody can make anew.
#[test]
fn an_altered_plan_links_to_no_other_place() {
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"]);
    let vars = [
        ("CI", "true"),
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_SERVER_URL", "https://github.example"),
        ("GITHUB_RUN_ID", "7"),
    ];
    let run = |args: &[&str]| project.run_vars(&vars, args);
    run(&["plan", "--out", "x.plan"]).expect(0);
    let comment = ["comment", "x.plan", "--dry-run"];
    let own = "](<https://github.example/o/r/actions/runs/7>)";
    reads!(run(&comment).says(own));
    let text = project.read("x.plan");
    for other in [
        "https://evil.example/o/r/",
        "https://github.example/evil/r/",
        "https://github.example/o/r-evil/",
        "https://github.example/o/r/../../evil/",
    ] {
        let evil = text.replace("https://github.example/o/r/", other);
        project.write("x.plan", &evil);
        let told = run(&["show", "x.plan"]).expect(3).stderr.clone();
        let digest = |after: &str| {
            let (_, rest) = told.split_once(after).unwrap();
            rest.get(..71).unwrap().to_owned()
        };
        let made_anew = evil.replace(&digest("its digest says "), &digest("its content is "));
        project.write("x.plan", &made_anew);
        for format in [&comment[..], &["show", "x.plan", "--format", "markdown"]] {
            run(format).expect(0).says("slack").lacks("evil");
        }
    }
}
