//! The pages for who carries on name what there is.

use std::{collections::BTreeSet, fs, path::Path};

use regex_lite::Regex;

const PAGES: [&str; 2] = [".github/ARCHITECTURE.md", ".github/CONTRIBUTING.md"];

/// The files below a folder, from the repository's root, and the words in them.
fn look(folder: &Path, files: &mut Vec<String>, words: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look(&path, files, words);
        } else {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            files.push(path.strip_prefix(root).unwrap().display().to_string());
            let text = fs::read_to_string(&path).unwrap_or_default();
            let of_name = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            words.extend(text.split(of_name).map(str::to_owned));
        }
    }
}

#[test]
fn what_a_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut files, mut words) = (Vec::new(), BTreeSet::new());
    for folder in ["src", "tests", ".cargo", ".ci", "fixtures"] {
        look(&root.join(folder), &mut files, &mut words);
    }
    // Not the words of the pages themselves.
    look(&root.join(".github"), &mut files, &mut BTreeSet::new());
    let quoted = Regex::new("`([^`\n]+)`").unwrap();
    let is_file =
        Regex::new(r"^[\w./-]+\.(rs|tsv|toml|txt|yml|md|css)$|^(src|tests)/\S+$").unwrap();
    // A word in small letters may be anything's.
    let is_name = Regex::new(r"^(\w+::)*\w*([A-Z]\w*[a-z]|_)\w*$").unwrap();
    let mut missing = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(root.join(page)).unwrap();
        for found in quoted.captures_iter(&text) {
            let name = &found[1];
            let there = if is_file.is_match(name) {
                let end = format!("/{name}");
                let is = |file: &String| file == name || file.ends_with(&end);
                let within = |file: &String| file.starts_with(&format!("{name}/"));
                let at_root = root.join(name).is_file();
                name.contains("NAME") || at_root || files.iter().any(|f| is(f) || within(f))
            } else if is_name.is_match(name) && name != "vVERSION" {
                name.split("::").all(|part| words.contains(part))
            } else {
                true
            };
            if !there {
                missing.push(format!("{page}: {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "no longer there: {missing:#?}");
}
