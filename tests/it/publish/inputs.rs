//! What workflows give to actions: only inputs that these take, and all that they need. A runner only
//! warns of one that is not there, and goes on without it.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::Value;

use crate::publish::runner::yaml;

/// The inputs that are used here of other people's actions, at the major version that is named.
const OTHERS: &[(&str, &[&str])] = &[
    (
        "actions/checkout@v5",
        &["fetch-depth", "path", "persist-credentials", "ref"],
    ),
    ("actions/setup-node@v5", &["node-version"]),
    (
        "actions/upload-artifact@v6",
        &["if-no-files-found", "name", "path"],
    ),
    (
        "actions/download-artifact@v7",
        &["merge-multiple", "name", "path", "pattern"],
    ),
    ("actions/attest-build-provenance@v3", &["subject-path"]),
    ("rust-lang/crates-io-auth-action@v1", &[]),
];

/// Every step that uses an action, wherever it stands in a document.
fn uses<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(map) => {
            if map.get("uses").is_some_and(Value::is_string) {
                found.push(value);
            }
            map.values().for_each(|value| uses(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| uses(value, found)),
        _ => {}
    }
}

fn keys(value: &Value) -> BTreeSet<String> {
    value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

/// What is wrong with what a step gives to the action that it uses.
fn wrong(step: &Value) -> Vec<String> {
    let action = step["uses"].as_str().unwrap();
    let given = keys(&step["with"]);
    let mut needed = BTreeSet::new();
    let known: BTreeSet<String> = if let Some((_, path)) = action.split_once(".github/actions/") {
        let name = path.split('@').next().unwrap();
        let inputs = yaml(&format!(".github/actions/{name}/action.yml"))["inputs"].clone();
        let required = |name: &String| inputs[name]["required"] == true;
        needed = keys(&inputs).into_iter().filter(required).collect();
        keys(&inputs)
    } else {
        let Some((_, inputs)) = OTHERS.iter().find(|(name, _)| *name == action) else {
            return vec![format!("{action}: its inputs are not known here")];
        };
        inputs.iter().map(|name| (*name).to_owned()).collect()
    };
    let unknown = given
        .difference(&known)
        .map(|name| format!("{action} has no input `{name}`"));
    let missing = needed
        .difference(&given)
        .map(|name| format!("{action} needs `{name}`"));
    unknown.chain(missing).collect()
}

/// Every workflow, action and example, and the ones that the README shows.
fn documents() -> Vec<(String, Value)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for folder in [
        "examples",
        "workflows",
        "actions/plan",
        "actions/apply",
        "actions/drift",
    ] {
        let folder = format!(".github/{folder}");
        for entry in fs::read_dir(root.join(&folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|end| end == "yml") {
                let name = path.file_name().unwrap().to_str().unwrap();
                let file = format!("{folder}/{name}");
                found.push((file.clone(), yaml(&file)));
            }
        }
    }
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for block in readme.split("\n```yaml\n").skip(1) {
        let block = block.split("\n```").next().unwrap();
        found.push((
            "README.md".to_owned(),
            serde_saphyr::from_str(block).unwrap(),
        ));
    }
    found
}

#[test]
fn workflows_give_actions_the_inputs_that_they_take() {
    let documents = documents();
    let mut steps = 0;
    for (file, document) in &documents {
        let mut found = Vec::new();
        uses(document, &mut found);
        steps += found.len();
        let wrong: Vec<_> = found.into_iter().flat_map(wrong).collect();
        assert!(wrong.is_empty(), "{file}: {wrong:?}");
    }
    assert!(steps > 15, "only {steps} steps were found");
}

#[test]
fn what_a_step_gives_in_vain_or_not_at_all_is_seen() {
    let ours = "octo/connplan/.github/actions/apply@v0.1.0";
    let said = |step: Value| wrong(&step).join("; ");
    let step = serde_json::json!({"uses": ours, "with": {"digets": "x"}});
    assert_eq!(
        said(step),
        format!("{ours} has no input `digets`; {ours} needs `digest`")
    );
    let step = serde_json::json!({"uses": ours, "with": {"digest": "x", "token": "y"}});
    assert_eq!(said(step), "");
}

/// An action reads each input that it declares, and no other.
#[test]
fn an_action_reads_the_inputs_that_it_declares() {
    for name in ["plan", "apply"] {
        let action = yaml(&format!(".github/actions/{name}/action.yml"));
        let steps = action["runs"].to_string();
        let read: BTreeSet<String> = steps
            .split("inputs.")
            .skip(1)
            .map(|rest| {
                let part = |c: char| c.is_ascii_alphanumeric() || c == '-';
                rest.chars().take_while(|c| part(*c)).collect()
            })
            .collect();
        assert_eq!(read, keys(&action["inputs"]), "{name}");
    }
}
