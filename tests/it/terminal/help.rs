//! Help: of every command, and the pages that belong to none; the version; the catalogue searched.

use std::{collections::BTreeSet, fs, path::Path};

use crate::support::Project;

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let text = text.split("#[cfg(test)]").next().unwrap();
            found.push(text.to_owned());
        }
    }
}

/// Names of variables that the sources read: `get("NAME")`, and constants of such names.
fn read_variables() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut texts = Vec::new();
    sources(&root, &mut texts);
    let mut names = BTreeSet::new();
    for text in &texts {
        for line in text.lines() {
            for part in line.split('"').skip(1).step_by(2) {
                let read = ["get(", "variable(", "const "]
                    .iter()
                    .any(|how| line.contains(how));
                let prefix = ["BASE44_", "CONNPLAN_", "GITHUB_", "GITLAB_", "CI_", "XDG_"];
                let named = prefix.iter().any(|prefix| part.starts_with(prefix));
                let upper = part
                    .chars()
                    .all(|c| matches!(c, 'A'..='Z' | '0'..='9' | '_'));
                if read && named && upper && !part.ends_with('_') {
                    names.insert(part.to_owned());
                }
            }
        }
    }
    names
}

#[test]
fn one_page_names_every_variable() {
    let names = read_variables();
    assert!(names.len() > 15, "{names:?}");
    let page = Project::nowhere().run(&["help", "environment"]);
    let page = &page.expect(0).stdout;
    let lacks: Vec<_> = names.iter().filter(|name| !page.contains(*name)).collect();
    assert!(lacks.is_empty(), "`help environment` lacks {lacks:?}");
}

#[test]
fn long_help_says_more_than_short() {
    let project = Project::nowhere();
    let short = project.run(&["-h"]).expect(0).stdout.clone();
    let long = project.run(&["--help"]).expect(0).stdout.clone();
    for text in ["Exit codes:", "Files:", "connplan help environment"] {
        assert!(long.contains(text) && !short.contains(text), "{text}");
    }
    assert_eq!(project.run(&["help"]).stdout, long);
    let plan = project.run(&["help", "plan"]).expect(0).stdout.clone();
    assert_eq!(plan, project.run(&["plan", "--help"]).stdout);
    assert!(
        plan.contains("Exit codes:") && plan.contains("--app-id"),
        "{plan}"
    );
    let test = project
        .run(&["help", "policy", "test"])
        .expect(0)
        .stdout
        .clone();
    assert_eq!(test, project.run(&["policy", "test", "--help"]).stdout);
    project
        .run(&["help", "exit-codes"])
        .says("a policy forbids the plan");
    project
        .run(&["help", "plna"])
        .expect(1)
        .tells("no command `plna`");
}

#[test]
fn manual_pages_describe_the_global_options() {
    let project = Project::nowhere();
    project.run(&["man", "pages"]).expect(0);
    for page in ["connplan", "connplan-plan"] {
        let text = project.read(&format!("pages/{page}.1"));
        for option in ["app\\-id", "no\\-input", "Run as if started in DIR"] {
            assert!(text.contains(option), "{page} lacks {option}");
        }
    }
    assert!(project.path("pages/connplan-scopes.1").exists());
}

#[test]
fn the_version_is_a_command_too() {
    let project = Project::nowhere();
    let version = env!("CARGO_PKG_VERSION");
    project
        .run(&["version"])
        .expect(0)
        .says(&format!("connplan {version}\n"));
    let json = project.run(&["version", "--format", "json"]);
    assert_eq!(json.json()["version"], version);
    assert_eq!(json.json()["kind"], "version");
}

#[test]
fn the_catalogue_is_searched() {
    let project = Project::nowhere();
    project.run(&["scopes"]).expect(0).says("gmail");
    let gmail = project.run(&["scopes", "gmail", "SEND"]);
    gmail
        .expect(0)
        .says("https://www.googleapis.com/auth/gmail.send");
    gmail.lacks("gmail.labels");
    let all = project.run(&["scopes", "post", "messages", "--format", "json"]);
    let all = all.expect(0).json();
    let scopes = all["scopes"].as_array().unwrap();
    assert!(
        scopes
            .iter()
            .any(|s| s["scope"] == "chat:write" && s["connector"] == "slack")
    );
    let meant = project.run(&["scopes", "gdrive"]);
    meant.expect(0).says("Did you mean the type `googledrive`?");
    let restricted = project.run(&["scopes", "gmail", "restricted"]);
    restricted.says("RESTRICTED");
}

#[test]
fn strict_counts_warnings_and_a_folder_has_to_be_there() {
    let project = Project::new().file(
        "base44/connectors/slack.jsonc",
        "{ \"type\": \"slack\", \"scopes\": [], \"nonsense\": 1 }\n",
    );
    project.run(&["validate"]).expect(0);
    project
        .run(&["validate", "--strict"])
        .expect(1)
        .says("Not valid: 1 warning, and `--strict` takes warnings for errors");
    let json = project.run(&["validate", "--strict", "--format", "json"]);
    assert_eq!(json.expect(1).json()["valid"], false);
    let gone = project.run(&["validate", "--dir", "no-such"]);
    gone.expect(1).tells("--dir no-such: no such directory");
}
