//! The actions and the workflows, run as a runner runs them, against the sandbox and a stand-in of the
//! forge's API.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
};

use serde_json::{Value, json};

use crate::{
    publish::runner::{Runner, is_install, yaml},
    support::scripted::{Reply, Scripted},
    support::{Connector, Platform, Project},
};

/// A stand-in of GitHub with one pull request, and the comments made there.
pub(crate) fn github() -> (Scripted, Arc<Mutex<Vec<String>>>) {
    let (server, bodies) = (Scripted::start(), Arc::default());
    let comments = "/repos/octo/site/issues/5/comments";
    let list: Arc<Mutex<Vec<String>>> = Arc::clone(&bodies);
    server.on_each(&format!("GET {comments}"), move |_| {
        let all = list.lock().unwrap();
        let comment = |(id, body): (usize, &String)| {
            json!({"id": id, "body": body, "user": {"login": "github-actions[bot]", "type": "Bot"}})
        };
        Reply::json(200, &all.iter().enumerate().map(comment).collect())
    });
    let made: Arc<Mutex<Vec<String>>> = Arc::clone(&bodies);
    server.on_each(&format!("POST {comments}"), move |seen| {
        let body = seen.json()["body"].as_str().unwrap().to_owned();
        let mut all = made.lock().unwrap();
        all.push(body);
        Reply::json(201, &json!({"id": all.len() - 1, "body": "x"}))
    });
    for id in 0..3 {
        let changed: Arc<Mutex<Vec<String>>> = Arc::clone(&bodies);
        let path = format!("PATCH /repos/octo/site/issues/comments/{id}");
        server.on_each(&path, move |seen| {
            let body = seen.json()["body"].as_str().unwrap().to_owned();
            changed.lock().unwrap()[id] = body;
            Reply::json(200, &json!({"id": id, "body": "x"}))
        });
    }
    server.on("GET /user", [Reply::status(403)]);
    let sha = "a".repeat(40);
    let merged =
        json!([{"number": 5, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": sha}]);
    server.on(
        &format!("GET /repos/octo/site/commits/{sha}/pulls"),
        [Reply::json(200, &merged)],
    );
    (server, bodies)
}

/// What a runner sets, the key apart: that is given to the action.
pub(crate) fn on_github(project: Project, platform: &Platform, server: &Scripted) -> Project {
    project
        .var("BASE44_API_URL", platform.url())
        .var("CI", "true")
        .var("GITHUB_ACTIONS", "true")
        .var("GITHUB_API_URL", &server.url())
        .var("GITHUB_REPOSITORY", "octo/site")
        .var("GITHUB_REF", "refs/pull/5/merge")
        .var("GITHUB_EVENT_NAME", "pull_request")
        .var("GITHUB_SHA", &"a".repeat(40))
}

fn pushed(mut runner: Runner) -> Runner {
    runner.project = runner
        .project
        .var("GITHUB_REF", "refs/heads/main")
        .var("GITHUB_EVENT_NAME", "push");
    runner
}

#[test]
fn a_pull_request_is_planned_and_after_its_merge_applied() {
    let platform = Platform::with(&[Connector::active("notion", &["read"])]);
    let (server, bodies) = github();
    let project = Project::new().connector("slack", &["chat:write"]);
    let mut runner = Runner::new(on_github(project, &platform, &server));
    let key = platform.key().to_owned();

    let planned = runner.run("plan", &[("api-key", &key)]);
    assert!(!planned.failed, "{}", planned.log);
    assert_eq!(planned.outputs["has-changes"], "true");
    assert!(planned.outputs["digest"].starts_with("sha256:"));
    assert!(planned.outputs["plan"].ends_with("connplan.plan"));
    let comment = bodies.lock().unwrap().concat();
    assert!(
        comment.contains("tokens are lost for good: `notion`"),
        "{comment}"
    );
    assert!(
        comment.contains("`connplan apply connplan.plan --expect-digest sha256:"),
        "{comment}"
    );
    assert!(runner.summary.contains("## connplan plan"));
    assert!(platform.listed("notion").is_some());

    // Merged: planned anew, approved, applied.
    let mut runner = pushed(runner);
    let args = [("api-key", key.as_str()), ("comment", "false")];
    let again = runner.run("plan", &args);
    assert_eq!(
        again.outputs["digest"], planned.outputs["digest"],
        "the same plan has the same name"
    );
    let digest = again.outputs["digest"].as_str();
    let applied = runner.run("apply", &[("api-key", &key), ("digest", digest)]);
    assert!(!applied.failed, "{}", applied.log);
    assert!(platform.listed("notion").is_none() && platform.writes().len() == 2);
    let comment = bodies.lock().unwrap().concat();
    assert!(comment.contains("## connplan apply") && comment.contains("## connplan plan"));
    assert!(comment.contains("This plan was applied"), "{comment}");
    assert!(runner.artifacts["connplan-receipt"].contains_key("connplan.receipt"));
    for text in [&planned.log, &applied.log, &runner.summary, &comment] {
        assert!(!text.contains(&key) && !text.contains("canary"), "{text}");
    }
}

#[test]
fn a_plan_that_nobody_approved_is_not_applied() {
    let platform = Platform::start();
    let (server, bodies) = github();
    let project = Project::new().connector("slack", &["chat:write"]);
    let mut runner = Runner::new(on_github(project, &platform, &server));
    let key = platform.key().to_owned();
    runner.run("plan", &[("api-key", &key)]);
    for digest in ["", &format!("sha256:{}", "0".repeat(64))] {
        let applied = runner.run("apply", &[("api-key", &key), ("digest", digest)]);
        assert!(applied.failed, "{}", applied.log);
        assert!(platform.writes().is_empty());
        let [comment] = bodies.lock().unwrap().clone().try_into().unwrap();
        assert!(comment.contains("## connplan: "), "{comment}");
        assert!(comment.contains("## connplan plan: "), "{comment}");
        assert!(runner.summary.contains("## connplan: "));
        assert!(!runner.artifacts.contains_key("connplan-receipt"));
    }
}

#[test]
fn arguments_are_split_and_never_run() {
    let platform = Platform::start();
    let (server, _) = github();
    let project = Project::new().connector("slack", &["chat:write"]);
    let mut runner = Runner::new(on_github(project, &platform, &server));
    let hostile = "--target slack; touch * $(touch forged) `touch forged`";
    let planned = runner.run("plan", &[("api-key", platform.key()), ("args", hostile)]);
    assert!(planned.failed);
    assert!(
        !runner
            .project
            .all_files()
            .keys()
            .any(|name| name.contains("forged"))
    );
    let planned = runner.run(
        "plan",
        &[("api-key", platform.key()), ("args", "--target slack")],
    );
    assert!(!planned.failed, "{}", planned.log);
}

#[test]
fn a_fork_is_planned_against_the_published_state() {
    let platform = Platform::with(&[Connector::active("notion", &["read"])]);
    let (server, bodies) = github();
    let here = Project::new().at(&platform);
    let state = script_lines(".github/examples/github-state.yml")
        .into_iter()
        .find(|line| line.starts_with("connplan "))
        .unwrap();
    let state = bash(&here.var("RUNNER_TEMP", "."), &state);
    assert!(state.starts_with("ok"), "{state}");

    let project = on_github(Project::new(), &platform, &server)
        .connector("slack", &["chat:write"])
        .without_var("BASE44_API_URL");
    let mut runner = Runner::new(project);
    let published = state.trim_start_matches("ok");
    runner.project.write("published/state.json", published);
    let asked = platform.requests().len();
    let planned = runner.job(".github/examples/github-fork.yml", "plan", &[]);
    assert!(!planned.failed, "{}", planned.log);
    assert_eq!(
        platform.requests().len(),
        asked,
        "nothing is asked of the app"
    );
    assert!(bodies.lock().unwrap().is_empty());
    assert!(
        runner.summary.contains("cannot be applied"),
        "{}",
        runner.summary
    );
    let with = [
        ("app-id", ""),
        ("comment", "false"),
        ("args", "--remote-state published/state.json"),
    ];
    let planned = runner.run("plan", &with);
    assert!(!planned.failed, "{}", planned.log);
    let digest = planned.outputs["digest"].as_str();
    let applied = runner.run("apply", &[("api-key", platform.key()), ("digest", digest)]);
    assert!(
        applied.failed && applied.log.contains("snapshot"),
        "{}",
        applied.log
    );
}

/// Runs a line of a script in a project, `connplan` being ours: `ok` and standard output (or the
/// content of `state.json`, if there is one), or what went wrong.
fn bash(project: &Project, line: &str) -> String {
    bash_with(project, line, project.environment())
}

pub(super) fn bash_with(
    project: &Project,
    line: &str,
    mut vars: BTreeMap<String, String>,
) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_connplan")).parent().unwrap();
    let path = format!("{}:{}", binary.display(), vars["PATH"]);
    vars.insert("PATH".to_owned(), path);
    let run = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", line])
        .current_dir(project.root())
        .env_clear()
        .envs(vars)
        .output()
        .unwrap();
    if !run.status.success() {
        return String::from_utf8_lossy(&run.stderr).into_owned();
    }
    let state = fs::read_to_string(project.path("state.json"));
    let out = state.unwrap_or_else(|_| String::from_utf8_lossy(&run.stdout).into_owned());
    format!("ok{out}")
}

/// Every line of every `run:` of a workflow.
fn script_lines(path: &str) -> Vec<String> {
    let workflow = yaml(path);
    let jobs = workflow["jobs"].as_object().unwrap().values();
    let steps = jobs.flat_map(|job| job["steps"].as_array().unwrap());
    let scripts = steps.filter_map(|step| step["run"].as_str());
    scripts.flat_map(str::lines).map(str::to_owned).collect()
}

#[test]
fn the_examples_plan_a_pull_request_and_apply_what_was_merged() {
    let platform = Platform::with(&[Connector::active("notion", &["read"])]);
    let (server, bodies) = github();
    let project = Project::new().connector("slack", &["chat:write"]);
    let project = on_github(project, &platform, &server).var("BASE44_API_KEY", platform.key());
    let mut runner = Runner::new(project);
    let planned = runner.job(".github/examples/github-plan.yml", "plan", &[]);
    assert!(!planned.failed, "{}", planned.log);
    let comment = bodies.lock().unwrap().concat();
    assert!(comment.contains("## connplan plan"), "{comment}");
    assert!(platform.writes().is_empty());

    let mut runner = pushed(runner);
    let apply = ".github/examples/github-apply.yml";
    let planned = runner.job(apply, "plan", &[]);
    assert!(!planned.failed, "{}", planned.log);
    assert_eq!(planned.outputs["has-changes"], "true");
    let digest = "needs.plan.outputs.digest";
    let forged = format!("sha256:{}", "0".repeat(64));
    let refused = runner.job(apply, "apply", &[(digest, &forged)]);
    assert!(refused.failed, "{}", refused.log);
    assert!(platform.writes().is_empty());
    let applied = runner.job(apply, "apply", &[(digest, &planned.outputs["digest"])]);
    assert!(!applied.failed, "{}", applied.log);
    assert_eq!(platform.writes().len(), 2);
    assert!(runner.artifacts["connplan-receipt"].contains_key("connplan.receipt"));
    let comment = bodies.lock().unwrap().concat();
    assert!(comment.contains("## connplan apply"), "{comment}");
}

#[test]
fn no_text_from_outside_stands_in_a_script() {
    for name in ["plan", "apply", "fork", "state", "drift"] {
        let file = format!(".github/examples/github-{name}.yml");
        assert!(yaml(&file)["permissions"].is_object(), "{file}");
        for line in script_lines(&file) {
            assert!(!line.contains("${{"), "{file}: {line}");
        }
    }
}

/// Each script that installs connplan: where it stands, and its text.
fn installs() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut take = |file: &str, steps: &Value| {
        for step in steps.as_array().unwrap().iter().filter(|s| is_install(s)) {
            found.push((file.to_owned(), step["run"].as_str().unwrap().to_owned()));
        }
    };
    for action in ["plan", "apply", "drift"] {
        let file = format!(".github/actions/{action}/action.yml");
        take(&file, &yaml(&file)["runs"]["steps"]);
    }
    for name in ["plan", "apply", "fork", "state", "drift"] {
        let file = format!(".github/examples/github-{name}.yml");
        for job in yaml(&file)["jobs"].as_object().unwrap().values() {
            take(&file, &job["steps"]);
        }
    }
    let file = ".github/examples/gitlab-ci.yml";
    let before = yaml(file)["default"]["before_script"].clone();
    let lines: Vec<_> = before.as_array().unwrap().iter().collect();
    let lines: Vec<_> = lines.iter().map(|line| line.as_str().unwrap()).collect();
    found.push((file.to_owned(), lines.join("\n")));
    found
}

/// An npm that says where and how it was called stands in for the real one.
#[test]
fn connplan_is_installed_where_the_checkout_chooses_nothing() {
    let found = installs();
    assert_eq!(found.len(), 10, "{found:?}");
    for (file, script) in found {
        let project = Project::new()
            .file(
                ".npmrc",
                "registry=http://127.0.0.1:9/\nscript-shell=./forged\n",
            )
            .file("package.json", "{}")
            .file("node_modules/.bin/connplan", "#!/bin/sh\ntouch forged\n")
            .file("rust-toolchain.toml", "[toolchain]\npath = \"./forged\"\n");
        crate::git::repository::git(&project.root(), &["init", "-q"]);
        let (temp, tools) = (crate::support::folder(), crate::support::folder());
        let npm = "#!/bin/sh\npwd -P > \"$SEEN\"\necho \"$@\" >> \"$SEEN\"\nls -A >> \"$SEEN\"\n";
        let (tool, seen) = (tools.path().join("npm"), tools.path().join("seen"));
        fs::write(&tool, npm).unwrap();
        let made = Command::new("chmod").arg("+x").arg(&tool).status().unwrap();
        assert!(made.success());
        let path = format!(
            "{}:{}",
            tools.path().display(),
            project.environment()["PATH"]
        );
        let run = Command::new("bash")
            .args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &script])
            .current_dir(project.root())
            .env_clear()
            .envs(project.environment())
            .env("PATH", path)
            .env("SEEN", &seen)
            .env("TMPDIR", temp.path())
            .env("RUNNER_TEMP", temp.path())
            .env("GITHUB_PATH", tools.path().join("path"))
            .env("CI_PROJECT_DIR", project.root())
            .output()
            .unwrap();
        assert!(run.status.success(), "{file}: {run:?}");
        let seen = fs::read_to_string(&seen).unwrap();
        let mut lines = seen.lines();
        let (folder, args) = (lines.next().unwrap(), lines.next().unwrap());
        let outside = temp.path().canonicalize().unwrap();
        assert!(Path::new(folder).starts_with(&outside), "{file}: {folder}");
        assert_eq!(lines.collect::<Vec<_>>(), ["package.json"], "{file}");
        let version = concat!("connplan@", env!("CARGO_PKG_VERSION"));
        for part in [
            "install",
            "--prefix .",
            "--userconfig ./npmrc",
            "--ignore-scripts",
        ] {
            assert!(args.contains(part), "{file}: {args}");
        }
        assert!(args.ends_with(version), "{file}: {args}");
        assert!(!project.path("forged").exists(), "{file}");
    }
}

#[test]
fn the_readme_shows_the_examples() {
    let readme =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let blocks = readme.split("```yaml\n").skip(1);
    let blocks: Vec<Value> = blocks
        .map(|block| serde_saphyr::from_str(block.split("```").next().unwrap()).unwrap())
        .collect();
    let examples = ["github-plan", "github-apply", "gitlab-ci"];
    let examples = examples.map(|name| yaml(&format!(".github/examples/{name}.yml")));
    assert_eq!(blocks, examples);
}

/// Actions are GitHub's own, or the Rust project's; each by one version, everywhere.
#[test]
fn an_action_has_one_version_everywhere() {
    let mut found: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let mut files = vec![PathBuf::from("README.md")];
    for folder in [
        "actions/plan",
        "actions/apply",
        "actions/drift",
        "examples",
        "workflows",
    ] {
        let folder = PathBuf::from(".github").join(folder);
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder)).unwrap();
        files.extend(entries.map(|entry| folder.join(entry.unwrap().file_name())));
    }
    for file in files {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&file)).unwrap();
        let uses = text
            .lines()
            .filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uses: "));
        for action in uses {
            let (name, version) = action.split_once('@').unwrap();
            let versions = found.entry(name.to_owned()).or_default();
            versions.insert(version.to_owned(), file.display().to_string());
        }
    }
    assert!(found.len() >= 3, "{found:?}");
    for (name, versions) in &found {
        assert_eq!(versions.len(), 1, "{name}: {versions:?}");
        let trusted = name.starts_with("actions/") || name == "rust-lang/crates-io-auth-action";
        assert!(trusted, "{name}");
    }
}
