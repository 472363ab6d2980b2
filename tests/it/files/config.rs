//! Finding a project, its app and its files.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on is a test that fails"
)]

use std::{fs, path::Path};

use connplan::{
    config::{ConfigError, FindOptions, Folder, Loaded, Project, connectors},
    fs::{Visibility, write},
    model::Vars,
    syntax::{Finding, Unlisted},
};
use miette::Diagnostic as _;

/// Files below a folder of their own.
fn project(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = crate::support::folder();
    for (name, text) in files {
        put(&dir.path().join(name), text.as_bytes());
    }
    dir
}

fn put(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    write(path, bytes, Visibility::Shared).unwrap();
}

fn vars(pairs: &[(&str, &str)]) -> Vars {
    let owned = |(n, v): &(&str, &str)| ((*n).to_owned(), (*v).to_owned());
    pairs.iter().map(owned).collect()
}

fn find(start: &Path) -> Project {
    Project::find(start, &FindOptions::default(), &Vars::default()).unwrap()
}

fn code(error: &ConfigError) -> String {
    error
        .code()
        .unwrap()
        .to_string()
        .replace("connplan::config::", "")
}

fn findings(loaded: &Loaded) -> Vec<&Finding> {
    loaded
        .problems
        .iter()
        .map(connplan::syntax::Problem::finding)
        .collect()
}

const CONFIG: (&str, &str) = ("base44/config.jsonc", "{name: 'x'}");

#[test]
fn every_real_file_reads_as_the_official_client_reads_it() {
    #[derive(serde::Deserialize)]
    struct Entry {
        file: String,
        r#type: String,
        scopes: Vec<String>,
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/real");
    let index = fs::read_to_string(folder.join("index.json")).unwrap();
    let entries: Vec<Entry> = serde_json::from_str(&index).unwrap();
    assert!(entries.len() > 80);
    for entry in entries {
        let text = fs::read_to_string(folder.join(&entry.file)).unwrap();
        let (parsed, problems) = connplan::syntax::parse_connector(&entry.file, &text);
        assert!(problems.iter().all(|p| !p.is_error()), "{problems:?}");
        // What works at a provider is no slip, known here or not.
        let slip = |p: &connplan::syntax::Problem| matches!(p.finding(), Finding::ScopeSlip { .. });
        assert!(!problems.iter().any(slip), "{}: {problems:?}", entry.file);
        let parsed = parsed.unwrap();
        assert_eq!(parsed.connector.as_str(), entry.r#type, "{}", entry.file);
        let expected = entry.scopes.iter().map(String::as_str).collect();
        assert_eq!(parsed.scopes, expected, "{}", entry.file);
    }
}

#[test]
fn the_project_is_found_from_any_folder_below_it() {
    let dir = project(&[
        CONFIG,
        ("base44/connectors/a.json", "{type: 'slack'}"),
        ("src/a/b", ""),
    ]);
    let root = fs::canonicalize(dir.path()).unwrap();
    for start in ["", "base44", "base44/connectors", "src/a", "src/../src/a"] {
        let found = find(&dir.path().join(start));
        assert_eq!(found.root, root, "{start}");
        assert_eq!(found.connectors_dir, root.join("base44/connectors"));
        assert_eq!(found.name.as_deref(), Some("x"));
        assert_eq!(connectors::read(&found).folder, Folder::Read(1));
    }
}

#[test]
fn a_config_without_the_folder_works_too_and_the_nearest_project_counts() {
    let dir = project(&[
        CONFIG,
        (
            "apps/one/config.json",
            "{name: 'y', connectorsDir: 'oauth'}",
        ),
    ]);
    let found = find(&dir.path().join("apps/one"));
    assert_eq!(found.name.as_deref(), Some("y"));
    assert!(found.connectors_dir.ends_with("apps/one/oauth"));
    assert_eq!(connectors::read(&found).folder, Folder::Missing);
}

#[test]
fn without_a_project_the_app_must_be_named() {
    let dir = project(&[
        ("connectors/a.json", "{type: 'slack'}"),
        ("other/b.json", "{type: 'x'}"),
    ]);
    let with = |options: &FindOptions, process: &Vars| Project::find(dir.path(), options, process);
    let options = FindOptions::default();
    let error = with(&options, &Vars::default()).unwrap_err();
    assert_eq!(code(&error), "no_project");

    let found = with(&options, &vars(&[("BASE44_APP_ID", "abc")])).unwrap();
    assert_eq!(found.app().unwrap().id.as_str(), "abc");
    assert_eq!(connectors::read(&found).folder, Folder::Read(1));

    let dir_option = FindOptions {
        dir: Some("./other/../other".into()),
        ..FindOptions::default()
    };
    let found = with(&dir_option, &Vars::default()).unwrap();
    let declared = connectors::read(&found).declared.unwrap();
    assert_eq!(
        declared.connectors.values().next().unwrap().file,
        "other/b.json"
    );
    assert_eq!(code(&found.app().unwrap_err()), "no_app_id");

    put(
        &dir.path().join(".env"),
        b"BASE44_PROJECTS_BASE44_APP_ID=from-file",
    );
    let found = with(&options, &Vars::default()).unwrap();
    assert_eq!(found.app().unwrap().id.as_str(), "from-file");
}

#[test]
fn the_app_id_comes_from_the_first_place_that_names_one() {
    let dir = project(&[
        CONFIG,
        ("base44/.app.jsonc", "// linked\n{\"id\": \"file\"}"),
        (
            "base44/connplan.toml",
            "[environments.live]\napp_id = \"table\"\napi_url = \"https://live.example\"\n\
             unlisted = \"keep\"\n[environments.bare]\nconnectors_dir = \"bare\"\n",
        ),
    ]);
    let app = |app_id: Option<&str>, environment: Option<&str>, process: &[(&str, &str)]| {
        let options = FindOptions {
            app_id: app_id.map(str::to_owned),
            environment: environment.map(str::to_owned),
            ..FindOptions::default()
        };
        let project = Project::find(dir.path(), &options, &vars(process)).unwrap();
        let app = project.app().unwrap();
        (
            app.id.to_string(),
            app.api_url.to_string(),
            project.unlisted(),
        )
    };
    let default = "https://app.base44.com".to_owned();
    let env = [
        ("BASE44_APP_ID", "env"),
        ("BASE44_API_URL", "http://localhost:1/"),
    ];
    let local = "http://localhost:1".to_owned();
    let live = "https://live.example".to_owned();
    assert_eq!(
        app(None, None, &[]),
        ("file".into(), default, Unlisted::Remove)
    );
    assert_eq!(
        app(None, None, &env),
        ("env".into(), local.clone(), Unlisted::Remove)
    );
    assert_eq!(
        app(None, Some("bare"), &env),
        ("env".into(), local.clone(), Unlisted::Remove)
    );
    // Who runs it has the last word on where the credentials go.
    assert_eq!(
        app(None, Some("live"), &env),
        ("table".into(), local, Unlisted::Keep)
    );
    assert_eq!(
        app(Some("flag"), Some("live"), &env[..1]),
        ("flag".into(), live, Unlisted::Keep)
    );
}

#[test]
fn an_app_file_may_lie_deeper_unless_there_are_several() {
    let dir = project(&[CONFIG, ("web/base44/.app.json", "{id: 'one'}")]);
    put(&dir.path().join("node_modules/x/.app.json"), b"{id: 'no'}");
    assert_eq!(find(dir.path()).app().unwrap().id.as_str(), "one");
    put(&dir.path().join("web/.app.jsonc"), b"{id: 'one'}");
    assert_eq!(find(dir.path()).app().unwrap().id.as_str(), "one");
    put(&dir.path().join("api/.app.jsonc"), b"{id: 'two'}");
    let error = find(dir.path()).app().unwrap_err();
    assert_eq!(code(&error), "several_apps");
    assert!(
        error
            .to_string()
            .contains("api/.app.jsonc, web/.app.jsonc, web/base44/.app.json"),
        "{error}"
    );
}

#[test]
fn what_names_no_app_says_how_to_name_one() {
    let dir = project(&[CONFIG]);
    let error = find(dir.path()).app().unwrap_err();
    let help = error.help().unwrap().to_string();
    for way in ["--app-id", "--env", "BASE44_APP_ID", ".app.jsonc"] {
        assert!(help.contains(way), "{help}");
    }
    put(&dir.path().join("base44/.app.jsonc"), b"{}");
    assert_eq!(code(&find(dir.path()).app().unwrap_err()), "invalid");
    let bad = [("BASE44_APP_ID", "a/../b")];
    let found = Project::find(dir.path(), &FindOptions::default(), &vars(&bad)).unwrap();
    assert_eq!(code(&found.app().unwrap_err()), "bad_app_id");
    let bad = [("BASE44_APP_ID", "a"), ("BASE44_API_URL", "ftp://x")];
    let found = Project::find(dir.path(), &FindOptions::default(), &vars(&bad)).unwrap();
    assert_eq!(code(&found.app().unwrap_err()), "bad_api_url");
}

#[test]
fn an_unknown_environment_names_the_known_ones() {
    let dir = project(&[
        CONFIG,
        (
            "connplan.toml",
            "[environments.live]\n[environments.test]\n",
        ),
    ]);
    let options = FindOptions {
        environment: Some("prod\u{1b}".to_owned()),
        ..FindOptions::default()
    };
    let error = Project::find(dir.path(), &options, &Vars::default()).unwrap_err();
    assert_eq!(error.to_string(), "there is no environment `prod\\u{1b}`");
    assert_eq!(
        error.help().unwrap().to_string(),
        "connplan.toml has `live` and `test`"
    );
}

#[test]
fn broken_settings_stop_the_app_and_not_the_reading() {
    let dir = project(&[
        CONFIG,
        ("base44/connplan.toml", "[apply]\nparallelism = 0\n"),
        ("base44/connectors/a.json", "{}"),
    ]);
    let found = find(dir.path());
    assert_eq!(code(&found.app().unwrap_err()), "invalid");
    let loaded = connectors::read(&found);
    assert_eq!(loaded.problems.len(), 2, "{:?}", loaded.problems);
    assert!(loaded.declared.is_none());
}

#[test]
fn files_that_cannot_be_read_stop_the_plan() {
    let dir = project(&[CONFIG, ("base44/connectors/a.json", "{type: 'slack'}")]);
    let folder = dir.path().join("base44/connectors");
    put(&folder.join("big.json"), &vec![b' '; (1 << 20) + 1]);
    put(&folder.join("latin.json"), b"{\n  type: 'caf\xe9'}");
    put(&folder.join(".hidden.json"), b"{");
    put(&folder.join("folder.json/x.json"), b"{");
    put(&folder.join("notes.md"), b"{");
    let loaded = connectors::read(&find(dir.path()));
    assert_eq!(loaded.declared, None);
    assert_eq!(loaded.folder, Folder::Read(3));
    assert_eq!(
        findings(&loaded),
        [
            &Finding::BelowFolder,
            &Finding::TooLarge,
            &Finding::NotUtf8 { line: 2 }
        ]
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_a_broken_one_is_an_error() {
    use std::os::unix::fs::symlink;
    let dir = project(&[CONFIG, ("elsewhere/slack.json", "{type: 'slack'}")]);
    let folder = dir.path().join("base44/connectors");
    fs::create_dir(&folder).unwrap();
    assert_eq!(connectors::read(&find(dir.path())).folder, Folder::Empty);
    symlink("../../elsewhere/slack.json", folder.join("a.json")).unwrap();
    let loaded = connectors::read(&find(dir.path()));
    assert_eq!(loaded.declared.unwrap().connectors.len(), 1);
    symlink("nowhere", folder.join("b.json")).unwrap();
    let loaded = connectors::read(&find(dir.path()));
    assert!(matches!(
        findings(&loaded)[..],
        [Finding::Unreadable { .. }]
    ));
    assert_eq!(loaded.problems[0].file(), "base44/connectors/b.json");
}

#[cfg(unix)]
#[test]
fn a_file_name_cannot_steer_the_terminal() {
    let dir = project(&[CONFIG, ("base44/connectors/\u{1b}[2J\u{202e}a.json", "{}")]);
    let loaded = connectors::read(&find(dir.path()));
    assert_eq!(
        loaded.problems[0].file(),
        "base44/connectors/\\u{1b}[2J\\u{202e}a.json"
    );
}

#[test]
fn a_file_in_the_folders_place_is_an_error() {
    let dir = project(&[CONFIG, ("base44/connectors", "x")]);
    let loaded = connectors::read(&find(dir.path()));
    assert!(loaded.declared.is_none());
    assert!(matches!(
        findings(&loaded)[..],
        [Finding::FolderUnreadable { .. }]
    ));
}
