//! A link of a checkout is judged by what it says: to follow it can be to ask another host.

use std::{fs, os::unix::fs::symlink, path::Path, thread::sleep, time::Duration};

use super::{hostile::commands, loosening::git};
use crate::support::{Platform, Project, all_cases};

/// Links that lead out, and commands that go by them.
const PAIRS: [(&str, &str); 20] = [
    (".gitlab-ci.yml", "init --dry-run"),
    (".github", "init --yes"),
    (".github/workflows", "init --yes"),
    (".github/skills/connplan", "init --dry-run"),
    ("apps", "init --dry-run"),
    ("apps/b/base44", "init --dry-run"),
    ("base44", "validate"),
    ("base44/config.jsonc", "plan"),
    ("base44/.app.jsonc", "status"),
    ("base44/connplan.toml", "plan"),
    ("base44/connector.schema.json", "add slack"),
    ("base44/connectors", "pull --yes"),
    ("base44/connectors/wix.jsonc", "pull --yes"),
    (".env", "doctor"),
    ("node_modules/.bin", "version"),
    ("out", "plan --out out/sub/x.plan"),
    ("out", "man out/sub"),
    ("out", "validate --dir out"),
    ("connplan.plan", "show connplan.plan"),
    ("connplan.plan", "approve connplan.plan --key connplan.plan"),
];

fn words(command: &str) -> Vec<String> {
    command.split(' ').map(str::to_owned).collect()
}

/// Whether somebody has gone by this link since it was made.
fn is_used(link: &Path) -> bool {
    let meta = link.symlink_metadata().unwrap();
    meta.accessed().unwrap() != meta.modified().unwrap()
}

/// Makes a link that nobody has gone by. Clocks of file systems are coarse.
fn fresh(to: &str, at: &Path) {
    let _ = fs::remove_file(at);
    symlink(to, at).unwrap();
    sleep(Duration::from_millis(10));
}

#[test]
fn no_link_out_of_a_checkout_is_followed() {
    let platform = Platform::start();
    let all = || {
        let links = PAIRS.map(|(link, _)| link).into_iter();
        let named = PAIRS.map(|(_, command)| words(command));
        let known = commands().into_iter().chain(named).collect::<Vec<_>>();
        links
            .flat_map(|link| known.iter().map(move |command| (link, command.clone())))
            .collect::<Vec<_>>()
    };
    let some = || PAIRS.map(|(link, command)| (link, words(command))).to_vec();
    let pairs = if all_cases() { all() } else { some() };
    let project = Project::new().at(&platform).connector("wix", &["a"]);
    let far = project.path("../far");
    // Nobody can tell on a disk that keeps no such times.
    fresh("nowhere", &far);
    let _ = far.metadata();
    if !is_used(&far) {
        return;
    }
    for (link, command) in pairs {
        let project = Project::new().at(&platform).connector("wix", &["a"]);
        project.write("apps/b/base44/config.jsonc", "{}");
        git(&project, &["init", "-q"]);
        let (far, at) = (project.path("../far"), project.path(link));
        let _ = fs::remove_file(&at).or_else(|_| fs::remove_dir_all(&at));
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(&far, &at).unwrap();
        let bin = project.path("node_modules/.bin").display().to_string();
        let path = format!("{bin}:{}", project.environment()["PATH"]);
        let mut args: Vec<&str> = command.iter().map(String::as_str).collect();
        args.push("--max-time=2s");
        fresh("nowhere", &far);
        project.run_vars(&[("PATH", &path)], &args);
        assert!(!is_used(&far), "{args:?} follows {link}");
    }
}
