//! Repositories for tests, made by git itself.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use connplan::{git::Git, model::Vars};

/// git as the tests set it up: with an identity, without the machine's configuration.
pub(crate) fn git(folder: &Path, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@example.com"])
        .args([
            "-c",
            "protocol.file.allow=always",
            "-c",
            "init.defaultBranch=main",
            "-c",
            "maintenance.auto=false",
        ])
        .args(args)
        .args(unmaintained(args))
        .current_dir(folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "git {args:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout).trim().to_owned()
}

/// What a remote of this machine does not do after a push. It does not read what the one who pushes sets.
pub(crate) fn unmaintained(args: &[&str]) -> Option<&'static str> {
    let push = args.first() == Some(&"push");
    push.then_some("--receive-pack=git -c receive.autogc=false receive-pack")
}

/// A repository with one commit, and a bare one that is its `origin`.
pub(crate) struct Pair {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) clone: PathBuf,
    pub(crate) origin: PathBuf,
}

impl Pair {
    pub(crate) fn new() -> Self {
        let dir = crate::support::folder();
        let clone = dir.path().join("clone");
        let origin = dir.path().join("origin.git");
        fs::create_dir_all(clone.join("base44/connectors")).unwrap();
        git(dir.path(), &["init", "-q", "--bare", "origin.git"]);
        git(&clone, &["init", "-q"]);
        fs::write(clone.join("connplan.toml"), "# first\n").unwrap();
        fs::write(clone.join("base44/connectors/slack.jsonc"), "{}").unwrap();
        git(&clone, &["add", "."]);
        git(&clone, &["commit", "-q", "-m", "first"]);
        git(
            &clone,
            &["remote", "add", "origin", origin.to_str().unwrap()],
        );
        git(&clone, &["push", "-q", "origin", "main"]);
        Self { dir, clone, origin }
    }
}

/// The process's environment, as the program reads it.
pub(crate) fn vars() -> Vars {
    std::env::vars().collect()
}

pub(crate) fn plain() -> Git {
    Git::new(&vars())
}

/// Runs what waits.
pub(crate) fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}
