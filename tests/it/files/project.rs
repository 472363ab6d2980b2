//! A project in a folder of its own, a home of its own, and the real binary in it.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    ffi::OsStr,
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::sandbox::client::Site;

/// A project of app `app-1`.
pub(crate) struct Project {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) home: tempfile::TempDir,
    pub(crate) env: Vec<(String, String)>,
}

/// What a run said, and how it ended.
pub(crate) struct Run {
    /// The command line.
    pub(crate) command: String,
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl crate::support::Read for Run {
    fn read(&self) -> String {
        crate::support::transcript(&self.command, Some(self.code), &self.out, &self.err)
    }
}

impl Run {
    #[track_caller]
    pub(crate) fn ended(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}\n{}", self.out, self.err);
        self
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}{}", self.out, self.err))
    }

    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            let all = format!("{}\n--\n{}", self.out, self.err);
            // Messages are wrapped, with a bar in front.
            let flat = all.split(|c: char| c.is_whitespace() || c == '│');
            let flat: Vec<_> = flat.filter(|part| !part.is_empty()).collect();
            let flat = flat.join(" ");
            assert!(
                all.contains(word) || flat.contains(word),
                "no {word:?} in:\n{all}"
            );
        }
        self
    }
}

impl Project {
    /// Without any connector file and without credentials.
    pub(crate) fn bare() -> Self {
        let project = Self {
            folder: crate::support::folder(),
            home: crate::support::folder(),
            env: Vec::new(),
        };
        project.write("base44/config.jsonc", "{ \"name\": \"Corner Shop\" }\n");
        project.write("base44/.app.jsonc", "{ \"id\": \"app-1\" }\n");
        project
    }

    /// The same, at this sandbox, with its key.
    pub(crate) fn at(site: &Site) -> Self {
        let mut project = Self::bare();
        project.env = site.sandbox.environment();
        project
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = File::create(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// A path below what is kept of its app between runs.
    pub(crate) fn state(&self, path: &str) -> PathBuf {
        let url = self.env.iter().find(|(name, _)| *name == "BASE44_API_URL");
        let url = url.map_or("https://app.base44.com", |(_, url)| url.as_str());
        let short = crate::support::short_digest(url);
        let folder = self.home.path().join(format!("state/apps/{short}-app-1"));
        folder.join(path)
    }

    /// The names in a folder, sorted.
    pub(crate) fn list(&self, folder: &str) -> Vec<String> {
        names(&self.path(folder))
    }

    /// The command, with nothing of this process's environment but the path.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: &[S]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_connplan"));
        command
            .args(args)
            .current_dir(&self.folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("CONNPLAN_STATE_DIR", self.home.path().join("state"))
            .env("USERPROFILE", self.home.path())
            .env("TERM", "dumb")
            .env("__CONNPLAN_TEST_POLL_MS", "5")
            .env("__CONNPLAN_TEST_RETRY_BASE_MS", "1")
            .env("NO_PROXY", "127.0.0.1")
            .envs(self.env.iter().cloned())
            .stdin(Stdio::null());
        command
    }

    /// Runs connplan.
    pub(crate) async fn run(&self, args: &[&str]) -> Run {
        run(self.command(args)).await
    }
}

/// Runs a command beside the sandbox, which lives on this thread.
pub(crate) async fn run(mut command: Command) -> Run {
    let words = command.get_args().map(OsStr::to_string_lossy);
    let words = words.collect::<Vec<_>>().join(" ");
    let ended = tokio::task::spawn_blocking(move || command.output());
    let output = ended.await.unwrap().unwrap();
    Run {
        command: words,
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}
