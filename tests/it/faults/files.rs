//! The files of a project that people read: whole at any time, and in the end as they should be.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Name and text.
pub type Files = BTreeMap<String, String>;

/// What lies in the project, but for the program's own folder.
pub fn read(root: &Path) -> Files {
    let mut found = Files::new();
    for folder in ["", "base44/connectors"] {
        let entries = fs::read_dir(root.join(folder)).expect("a folder");
        for entry in entries.map(|entry| entry.expect("an entry")) {
            if entry.file_type().expect("its type").is_file() {
                let name = entry.file_name().to_string_lossy().into_owned();
                let text = fs::read_to_string(entry.path()).expect("text");
                found.insert(format!("{folder}/{name}"), without_time(&text));
            }
        }
    }
    found
}

/// When a plan was made is no part of what it means.
fn without_time(text: &str) -> String {
    let lines = text.lines();
    let kept = lines.filter(|line| !line.starts_with("created_at = "));
    kept.collect::<Vec<_>>().join("\n")
}

/// After a run that was cut short: files that are neither as they were nor as they are to be. A write
/// that was under way leaves its temporary file, which the next run removes.
pub fn torn(before: &Files, end: &Files, now: &Files) -> Vec<String> {
    let under_way = |name: &str| name.contains("/.connplan-") && name.contains(".tmp");
    let mut found = differences(now, &[before, end]);
    found.retain(|name| !under_way(name));
    found
        .iter()
        .map(|name| format!("{name} is neither old nor new: {:?}", now.get(name)))
        .collect()
}

/// After the last run: files that are not as they are to be.
pub fn unlike(end: &Files, now: &Files) -> Vec<String> {
    let found = differences(now, &[end]);
    found
        .iter()
        .map(|name| format!("{name} is not as it should be: {:?}", now.get(name)))
        .collect()
}

fn differences(now: &Files, allowed: &[&Files]) -> Vec<String> {
    let names: BTreeSet<_> = allowed
        .iter()
        .flat_map(|files| files.keys())
        .chain(now.keys())
        .collect();
    let wrong = |name: &&&String| {
        allowed
            .iter()
            .all(|files| files.get(**name) != now.get(**name))
    };
    names
        .iter()
        .filter(wrong)
        .map(|name| (*name).clone())
        .collect()
}
