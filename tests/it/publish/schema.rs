//! The schemas, held to what the program reads and writes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use connplan::{
    schema::Subject,
    syntax::{Finding, Problem, json5, parse_connector, parse_settings},
};
use serde_json::{Value, json};

use crate::{
    files::json5::to_json,
    support::{Validator, differs},
};

fn fixtures(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(folder)
}

/// Every file below a folder that is wanted, in order.
fn files(folder: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, wanted));
        } else if wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn printed(subject: Subject) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_connplan"))
        .env_clear()
        .args(["schema", subject.as_str()])
        .output()
        .unwrap();
    assert!(out.status.success());
    String::from_utf8(out.stdout).unwrap()
}

fn validator(subject: Subject) -> Validator {
    let schema: Value = serde_json::from_str(&printed(subject)).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    Validator::new(schema)
}

fn check(validator: &Validator, document: &Value, what: &Path) {
    if let Some(wrong) = validator.wrong(document) {
        panic!("{}: {wrong}", what.display());
    }
}

#[test]
fn the_committed_copies_are_what_is_printed() {
    let mut wrong = Vec::new();
    for subject in Subject::ALL {
        let path = fixtures("schemas").join(format!("{}.json", subject.as_str()));
        let printed = printed(subject);
        wrong.extend(differs(&path, &printed));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_plan_and_receipt_is_as_its_schema_says() {
    for (subject, folder, least) in [
        (Subject::Plan, "plans", 20),
        (Subject::Receipt, "receipts", 5),
    ] {
        let validator = validator(subject);
        let name = format!("{}.json", subject.as_str());
        let documents = files(&fixtures(folder), &|path| path.ends_with(&name));
        assert!(documents.len() >= least, "{documents:?}");
        for path in documents {
            let document: Value =
                serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            check(&validator, &document, &path);
        }
    }
}

#[test]
fn a_plan_that_is_none_is_told() {
    let validator = validator(Subject::Plan);
    let path = fixtures("plans/every-danger/plan.json");
    let good: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    assert!(validator.is_valid(&good));
    for (pointer, wrong) in [
        ("/kind", json!("receipt")),
        ("/format_version", json!("2.0")),
        ("/digest", json!("sha256:12")),
        ("/apps/0/app_id", json!("a/b")),
        ("/apps/0/changes/0/action", json!("explode")),
        ("/apps/0/changes/0/connector", json!("a b")),
        ("/apps/0/changes/0/risks/0/level", json!("fine")),
        (
            "/apps/0/changes/0/scope_facts/admin:org/access",
            json!("root"),
        ),
        ("/summary", json!({})),
    ] {
        let mut document = good.clone();
        *document.pointer_mut(pointer).unwrap() = wrong;
        assert!(!validator.is_valid(&document), "{pointer}");
    }
}

/// A finding that says what the schema says too.
fn told_by_schema(problem: &Problem) -> bool {
    let not_in_schema = matches!(
        problem.finding(),
        Finding::ScopeComma { .. } | Finding::TypeSpelling { .. }
    );
    problem.is_error() && !not_in_schema
        || matches!(
            problem.finding(),
            Finding::UnknownKey { .. } | Finding::UnknownSetting { .. }
        )
}

#[test]
fn the_connector_schema_and_the_reader_agree_on_every_file() {
    let validator = validator(Subject::Connector);
    let is_json = |path: &Path| {
        path.extension()
            .is_some_and(|e| e == "json" || e == "jsonc")
            && path
                .iter()
                .any(|part| part == "connectors" || part == "real" || part == "oauth")
            && path.file_name().is_some_and(|name| name != "index.json")
    };
    let (mut valid, mut invalid) = (0, 0);
    for path in files(&fixtures(""), &is_json) {
        // What is no text or no JSON5 is not a schema's business.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        let Ok(node) = json5::parse(&text) else {
            continue;
        };
        let document = to_json(&node);
        let (_, problems) = parse_connector("x.jsonc", &text);
        let real = path.iter().any(|part| part == "real");
        if problems.iter().any(told_by_schema) {
            assert!(
                !real && !validator.is_valid(&document),
                "{}",
                path.display()
            );
            invalid += 1;
        } else {
            check(&validator, &document, &path);
            valid += 1;
        }
    }
    assert!(valid > 80 && invalid > 8, "{valid} and {invalid}");
}

#[test]
fn an_editor_is_told_of_the_schemas_own_key() {
    let validator = validator(Subject::Connector);
    let file = json!({"$schema": "../../connector.schema.json", "type": "slack", "account": "@example.com"});
    assert!(validator.is_valid(&file));
    for bad in ["nobody", "a b@example.com", "ops@", ""] {
        assert!(
            !validator.is_valid(&json!({"type": "slack", "account": bad})),
            "{bad}"
        );
    }
}

#[test]
fn the_settings_schema_and_the_reader_agree() {
    let validator = validator(Subject::Settings);
    let mut seen = 0;
    for path in files(&fixtures("projects"), &|path| {
        path.ends_with("connplan.toml")
    }) {
        let text = fs::read_to_string(&path).unwrap();
        let Ok(table) = text.parse::<toml::Table>() else {
            continue;
        };
        let document = serde_json::to_value(table).unwrap();
        let (_, problems) = parse_settings("connplan.toml", &text);
        if problems.iter().any(told_by_schema) {
            assert!(!validator.is_valid(&document), "{}", path.display());
        } else {
            check(&validator, &document, &path);
        }
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

#[test]
fn findings_as_sarif_are_as_the_standard_says() {
    let schema = fs::read_to_string(fixtures("schemas/sarif-2.1.0.json")).unwrap();
    let mut schema: Value = serde_json::from_str(&schema).unwrap();
    // A bracket too many makes this pattern no proper one. It is about a key that we do not write.
    for part in ["run", "toolComponent"] {
        let language = format!("/definitions/{part}/properties/language");
        let language = schema.pointer_mut(&language).unwrap();
        language.as_object_mut().unwrap().remove("pattern");
    }
    let validator = Validator::new(schema);
    let mut results = 0;
    for kind in ["good", "odd", "bad"] {
        for entry in fs::read_dir(fixtures("projects").join(kind)).unwrap() {
            let project = entry.unwrap().path();
            let out = Command::new(env!("CARGO_BIN_EXE_connplan"))
                .env_clear()
                .arg("-C")
                .arg(&project)
                .args(["validate", "--format", "sarif"])
                .output()
                .unwrap();
            let text = String::from_utf8(out.stdout).unwrap();
            if text.is_empty() {
                // No project to speak of, or settings that cannot be read: an error in words.
                assert_eq!(out.status.code(), Some(1), "{}", project.display());
                continue;
            }
            let log: Value = serde_json::from_str(&text).unwrap();
            check(&validator, &log, &project);
            results += log["runs"][0]["results"].as_array().unwrap().len();
        }
    }
    assert!(results > 40, "{results}");
}
