//! A pull request does not loosen the policy that it is held against.

use std::process::Command;

use crate::support::{Connector, Platform, Project};

fn git(project: &Project, args: &[&str]) -> String {
    let run = Command::new("git")
        .args(["-c", "user.name=T", "-c", "user.email=t@example.com"])
        .args(args)
        .current_dir(project.root())
        .env("HOME", project.home())
        .output()
        .unwrap();
    assert!(run.status.success(), "{args:?}: {run:?}");
    String::from_utf8(run.stdout).unwrap().trim().to_owned()
}

/// A repository whose main branch protects notion, and a branch that no longer does and removes it.
fn proposal() -> (Platform, Project, String) {
    let platform = Platform::with(&[
        Connector::active("notion", &[]),
        Connector::active("wix", &[]),
    ]);
    let project = Project::new().at(&platform);
    project.declare("notion", &[]);
    project.declare("wix", &[]);
    project.write(
        "base44/connplan.toml",
        "[policy]\nprotected = [\"notion\"]\nmax_removals = 1\n",
    );
    git(&project, &["init", "-q", "-b", "main"]);
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "base"]);
    let base = git(&project, &["rev-parse", "HEAD"]);
    project.write("base44/connplan.toml", "[policy]\nmax_removals = 5\n");
    project.undeclare("notion");
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "proposal"]);
    (platform, project, base)
}

fn event(project: &Project, base: &str) -> [(&'static str, String); 4] {
    let event = format!(r#"{{"pull_request":{{"number":5,"base":{{"sha":"{base}"}}}}}}"#);
    project.write("../event.json", &event);
    [
        ("CI", "true".to_owned()),
        ("GITHUB_ACTIONS", "true".to_owned()),
        ("GITHUB_EVENT_NAME", "pull_request".to_owned()),
        (
            "GITHUB_EVENT_PATH",
            project.path("../event.json").display().to_string(),
        ),
    ]
}

#[test]
fn the_base_branch_binds_and_loosening_is_a_danger() {
    let (_platform, project, base) = proposal();
    // At a desk the files decide, and whoever merges is asked.
    project.run(&["plan"]).expect(0);
    let vars = event(&project, &base);
    let vars: Vec<_> = vars.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let run = project.run_vars(&vars, &["plan"]);
    run.expect(6)
        .tells("notion")
        .tells("by the settings of the base");
    let run = project.run_vars(&vars, &["plan", "--format", "json"]);
    let json = run.expect(6).json();
    let told = json["plan"]["diagnostics"].as_array().unwrap();
    let loosened: Vec<_> = told
        .iter()
        .filter(|d| d["code"] == "connplan::policy::loosened")
        .map(|d| d["message"].as_str().unwrap())
        .collect();
    assert_eq!(loosened.len(), 2, "{json}");
    assert!(loosened[0].starts_with("danger: "), "{json}");
    assert_eq!(told[0]["code"], "connplan::policy::loosened");
}

#[test]
fn a_base_that_is_not_there_is_an_error_with_the_way_out() {
    let (_platform, project, _) = proposal();
    let vars = event(&project, &"0123456789".repeat(4));
    let vars: Vec<_> = vars.iter().map(|(n, v)| (*n, v.as_str())).collect();
    project
        .run_vars(&vars, &["plan"])
        .expect(1)
        .tells("fetch-depth: 0");
}
