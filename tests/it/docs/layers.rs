//! The layering of the crate's first doc page, kept.
//!
//! The table there is read as data: a room imports what its row names and nothing else, a room that
//! is called pure touches no file, no network, no clock and no environment and imports only pure rooms,
//! and only `apply` and `authorize` call what changes the remote. `circles.rs` looks at single files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

struct Room {
    pure: bool,
    imports: BTreeSet<String>,
}

/// The rows `//! | room | pure | may import | is for |` of src/lib.rs.
fn declared() -> BTreeMap<String, Room> {
    let text = fs::read_to_string(source().join("lib.rs")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("//! | `"));
    rows.map(|row| {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        let room = cells[0].trim_matches('`').to_owned();
        let imports = cells[2]
            .split_whitespace()
            .map(|name| name.trim_matches('`').to_owned());
        let imports = imports.filter(|name| name != "-").collect();
        (
            room,
            Room {
                pure: cells[1] == "pure",
                imports,
            },
        )
    })
    .collect()
}

pub(super) fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every file of the crate with its room and its text, tests and comments left out.
pub(super) fn files() -> Vec<(String, PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![source()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let within = path.strip_prefix(source()).unwrap();
            let first = within
                .components()
                .next()
                .unwrap()
                .as_os_str()
                .to_str()
                .unwrap();
            let room = first.trim_end_matches(".rs").to_owned();
            let test_only = within.file_stem().is_some_and(|stem| stem == "tests");
            if path.extension().is_some_and(|e| e == "rs") && !test_only {
                let text = fs::read_to_string(&path).unwrap();
                let text = text
                    .split("#[cfg(test)]\nmod tests")
                    .next()
                    .unwrap()
                    .to_owned();
                let code: Vec<_> = text
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"))
                    .collect();
                found.push((room, path, code.join("\n")));
            }
        }
    }
    found
}

/// The rooms that a text names after `crate::`, within braces too.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let names = match rest.strip_prefix('{') {
            None => vec![rest],
            Some(list) => {
                let (mut depth, mut start, mut names) = (0, 0, Vec::new());
                for (index, c) in list.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => {
                            names.push(&list[start..index]);
                            break;
                        }
                        '}' => depth -= 1,
                        ',' if depth == 0 => {
                            names.push(&list[start..index]);
                            start = index + 1;
                        }
                        _ => {}
                    }
                }
                names
            }
        };
        for name in names {
            let name: String = name
                .trim_start()
                .chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect();
            if !name.is_empty() {
                found.insert(name);
            }
        }
    }
    found
}

#[test]
fn rooms_import_what_their_row_names() {
    let rooms = declared();
    assert!(rooms.len() > 15, "the table of src/lib.rs was not found");
    let mut used: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let files = files();
    for (room, path, code) in &files {
        if ["lib", "main"].contains(&room.as_str()) {
            continue;
        }
        let row = rooms
            .get(room)
            .unwrap_or_else(|| panic!("`{room}` has no row in src/lib.rs"));
        for import in imports(code) {
            assert!(
                import == *room || row.imports.contains(&import),
                "{} imports `{import}`, which the row of `{room}` does not name",
                path.display()
            );
            used.entry(room).or_default().insert(import);
        }
    }
    for (room, row) in &rooms {
        for import in &row.imports {
            assert!(
                used.get(room.as_str())
                    .is_some_and(|used| used.contains(import)),
                "the row of `{room}` names `{import}`, which it does not import"
            );
        }
    }
}

#[test]
fn pure_rooms_do_no_io() {
    const IO: [&str; 13] = [
        "std::fs",
        "std::net",
        "std::process",
        "std::env::",
        "std::io::std",
        "tokio::",
        "reqwest",
        "rustix",
        "open::that",
        "Instant::now",
        "SystemTime::now",
        "Timestamp::now",
        "Zoned::now",
    ];
    let rooms = declared();
    for (name, room) in rooms.iter().filter(|(_, room)| room.pure) {
        let io: Vec<_> = room
            .imports
            .iter()
            .filter(|import| !rooms[*import].pure)
            .collect();
        assert!(io.is_empty(), "`{name}` is pure and imports {io:?}");
    }
    for (room, path, code) in files() {
        if !rooms.get(&room).is_some_and(|row| row.pure) {
            continue;
        }
        for io in IO {
            assert!(
                !code.contains(io),
                "{} uses `{io}`, and `{room}` is pure",
                path.display()
            );
        }
    }
}

#[test]
fn only_apply_and_authorize_change_the_remote() {
    const WRITES: [&str; 7] = [
        ".put_integration(",
        ".put_with_values(",
        ".take_over(",
        ".disconnect_integration(",
        ".remove_integration(",
        ".install_stripe(",
        ".remove_stripe(",
    ];
    let mut callers = BTreeSet::new();
    for (room, path, code) in files() {
        for write in WRITES {
            if code.contains(write) {
                let allowed = ["apply", "authorize"].contains(&room.as_str());
                assert!(allowed, "{} calls `{write}`", path.display());
                callers.insert(room.clone());
            }
        }
    }
    assert_eq!(
        callers.into_iter().collect::<Vec<_>>(),
        ["apply", "authorize"]
    );
}

/// What the user names, or the project, is written by the handle of its folder (`Destination`, `OpenFolder`): somebody
/// may swap a folder that was looked at. The state folder is the user's alone.
#[test]
fn commands_write_by_no_path() {
    const BY_PATH: [&str; 4] = [
        "fs::write(",
        "fs::write_new(",
        "fs::write_with(",
        "fs::remove(",
    ];
    for (_, path, code) in files().into_iter().filter(|(room, ..)| room == "commands") {
        for call in BY_PATH {
            assert!(!code.contains(call), "{} calls `{call}`", path.display());
        }
    }
}

/// These calls follow links, and what a checkout has of them is judged first: by `fs::look`, `fs::entry`, and what reads
/// and writes within folders. So often they ask of what was judged before, or what the user or a runner chose.
#[test]
fn no_link_of_a_checkout_is_followed_before_it_is_judged() {
    const FOLLOWS: [&str; 7] = [
        ".exists()",
        ".is_dir()",
        ".metadata()",
        "fs::metadata(",
        "canonicalize",
        "fs::read_limited(",
        "fs::read_text(",
    ];
    const ROOMS: [&str; 6] = ["base", "cli", "commands", "config", "context", "ops"];
    let mut found = Vec::new();
    for (room, path, code) in files() {
        let count: usize = FOLLOWS.iter().map(|call| code.matches(call).count()).sum();
        if count > 0 && ROOMS.contains(&room.as_str()) {
            let file = path.strip_prefix(source()).unwrap().display();
            found.push(format!("{file} {count}"));
        }
    }
    found.sort_unstable();
    insta::assert_snapshot!(found.join("\n"), @"
    base/cloned.rs 2
    base/commit.rs 1
    base/heads.rs 1
    base/inner.rs 1
    base/mod.rs 3
    base/newest.rs 2
    base/places.rs 5
    base/submodule_changes.rs 1
    base/view.rs 2
    cli/run.rs 1
    commands/approve.rs 2
    commands/demo.rs 1
    commands/doctor.rs 1
    commands/init/workflows.rs 1
    commands/plan.rs 1
    commands/planning.rs 1
    commands/policy.rs 1
    commands/pull.rs 1
    config/discover.rs 1
    config/project.rs 1
    config/unread.rs 1
    config/watched.rs 2
    context/project.rs 1
    context/run.rs 3
    ops/approving/gate.rs 1
    ops/explain.rs 1
    ops/gates.rs 1
    ");
}

#[test]
fn only_git_runs_git() {
    for (room, path, code) in files() {
        let runs = code.contains("program(\"git\"") || code.contains("(\"git\").arg");
        assert!(!runs || room == "git", "{} runs git", path.display());
    }
}

/// `fs::program` finds it where no checkout has a say. A browser's command is looked up there again.
#[test]
fn one_place_finds_the_programs_that_are_started() {
    let starting = files()
        .into_iter()
        .filter(|(.., code)| code.contains("Command::new("));
    let starting: Vec<_> = starting.map(|(_, path, _)| path).collect();
    let ends = |end: &str| starting.iter().any(|path| path.ends_with(end));
    assert!(
        starting.len() == 2 && ends("fs/program.rs") && ends("term/browser.rs"),
        "{starting:?}"
    );
}

/// A command says which formats it has; its view chooses among them.
#[test]
fn no_command_chooses_a_format() {
    const SAID: &str = ".medium(&[";
    let mut commands = 0;
    let mut having: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (room, path, code) in files() {
        if room != "commands" {
            continue;
        }
        let command = path.file_stem().unwrap().to_str().unwrap();
        let mut rest = code;
        while let Some(at) = rest.find(SAID) {
            commands += 1;
            let end = at + rest[at..].find("])").unwrap();
            for format in rest[at..end].split("Format::").skip(1) {
                let name = format.trim_end_matches([',', ' ', '\n']).to_owned();
                having.entry(name).or_default().insert(command.to_owned());
            }
            rest.replace_range(at..end, "");
        }
        for choice in ["Format::", ".format", "is_json"] {
            assert!(
                !rest.contains(choice),
                "{} chooses by `{choice}`: its view has to",
                path.display()
            );
        }
    }
    assert!(commands > 20, "the commands say it in another way");
    // The help of `--format` names the commands of a format that few have.
    having.retain(|_, commands| commands.len() < 10);
    assert_eq!(commands_in_the_help_of_formats(), having);
}

/// `/// What it is (command, command)` above a variant of `Format`.
fn commands_in_the_help_of_formats() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(source().join("view/format.rs")).unwrap();
    let lines: Vec<_> = text.lines().map(str::trim).collect();
    let told = lines.windows(2).filter_map(|pair| {
        let named = pair[0].strip_prefix("/// ")?.strip_suffix(')')?;
        let (_, named) = named.rsplit_once('(')?;
        let variant = pair[1].strip_suffix(',')?;
        let named = named.split(", ").map(str::to_owned).collect();
        Some((variant.to_owned(), named))
    });
    told.collect()
}

#[test]
fn a_file_is_read_in_one_sitting() {
    let long: Vec<_> = files()
        .into_iter()
        .map(|(_, path, _)| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > 500)
        .collect();
    assert!(long.is_empty(), "more than 500 lines: {long:?}");
}

#[test]
fn rooms_make_no_circle() {
    let rooms = declared();
    let graph = rooms
        .iter()
        .map(|(name, room)| (name.clone(), room.imports.clone()))
        .collect();
    let circles = super::circles::of(&graph);
    assert!(circles.is_empty(), "rooms in a circle: {circles:?}");
}

#[test]
fn the_top_level_shows_what_it_may_and_nothing_else() {
    const SHOWN: [&str; 9] = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "README.md",
        "fixtures",
        "src",
        "target",
        "tests",
    ];
    let top = fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    for entry in top {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let shown = name.starts_with('.') || SHOWN.contains(&name.as_str());
        assert!(
            shown,
            "{name} lies at the top level; put it into a dot-folder"
        );
    }
}
