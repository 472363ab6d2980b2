//! Fixtures of the policy's rules, one that breaks each and one that just does not; and the same rules in
//! Rego, for teams that have OPA or conftest.
//!
//! `fixtures/policy/CASE` has the settings, and plans as `connplan policy test` takes them.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::Project;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/policy");
    let entries = fs::read_dir(folder).unwrap();
    let mut cases: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() >= 12);
    cases
}

fn read(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// What the built-in rules say to the plans of a case: name, verdict, broken rules.
fn built_in(case: &Path) -> Vec<Value> {
    let project = Project::new();
    for entry in fs::read_dir(case).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let place = if name == "connplan.toml" {
            ""
        } else {
            "plans/"
        };
        project.write(
            &format!("{place}{name}"),
            &fs::read_to_string(&path).unwrap(),
        );
    }
    let run = project.run(&["policy", "test", "plans", "--format", "json"]);
    let json = run.expect(0).json();
    json["results"].as_array().unwrap().clone()
}

#[test]
fn each_fixture_is_judged_as_it_says() {
    for case in cases() {
        let found = built_in(&case);
        let verdicts: Vec<_> = found.iter().map(|found| &found["verdict"]).collect();
        assert!(verdicts.contains(&&json!("pass")), "{}", case.display());
        assert!(verdicts.iter().any(|v| **v != "pass"), "{}", case.display());
    }
}

#[test]
#[ignore = "needs CONNPLAN_REGO_PYTHON: a folder with `regopy`"]
fn the_policies_in_rego_say_what_the_rules_say() {
    let python = std::env::var("CONNPLAN_REGO_PYTHON").expect("CONNPLAN_REGO_PYTHON");
    let (mut asked, mut wanted) = (Vec::new(), Vec::new());
    for case in cases() {
        let settings = fs::read_to_string(case.join("connplan.toml")).unwrap();
        let settings: toml::Table = settings.parse().unwrap();
        let policy = serde_json::to_value(&settings["policy"]).unwrap();
        for found in built_in(&case) {
            let name = found["name"].as_str().unwrap().to_owned();
            let plan = read(&case.join(format!("{name}.json")));
            asked.push(json!({"plan": plan, "policy": policy}));
            wanted.push((format!("{}/{name}", case.display()), found));
        }
    }
    let (no_plan, no_policy) = (
        json!({"kind": "error", "plan": {"kind": "plan"}}),
        json!({}),
    );
    asked.push(json!({"plan": no_plan, "policy": no_policy}));
    let mut engine = Command::new("python3")
        .arg(".ci/rego.py")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("PYTHONPATH", python)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = engine.stdin.take().unwrap();
    stdin
        .write_all(json!(asked).to_string().as_bytes())
        .unwrap();
    drop(stdin);
    let said = engine.wait_with_output().unwrap();
    let said: Vec<Value> = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!(said.len(), wanted.len() + 1);
    assert_eq!(said.last().unwrap(), &json!({"deny": ["kind"], "warn": []}));
    for (said, (name, wanted)) in said.iter().zip(&wanted) {
        let rules = |which: &str| said[which].as_array().unwrap().clone();
        let (deny, warn) = (rules("deny"), rules("warn"));
        let verdict = match (deny.is_empty(), warn.is_empty()) {
            (false, _) => "deny",
            (true, false) => "warn",
            (true, true) => "pass",
        };
        let mut all = [deny, warn].concat();
        all.sort_by_key(ToString::to_string);
        assert_eq!(wanted["verdict"], verdict, "{name}: {said}");
        assert_eq!(wanted["violations"], json!(all), "{name}: {said}");
    }
}
