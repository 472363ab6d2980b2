//! A project and a home in a temporary folder, and the binary run in them.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]
#![expect(
    clippy::disallowed_methods,
    reason = "what a test lays out is written as a user's editor would"
)]

use std::{
    collections::BTreeMap,
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use serde_json::json;
use tempfile::TempDir;

use super::{Output, Platform};

/// The app that projects are of, unless they say otherwise.
pub(crate) const APP: &str = "app-1";

/// A folder with a project, a home beside it, and a browser that opens nothing.
pub(crate) struct Project {
    folder: TempDir,
    vars: BTreeMap<String, String>,
    binary: PathBuf,
}

impl Project {
    /// A project of [`APP`] without connector files.
    pub(crate) fn new() -> Self {
        Self::nowhere()
            .file("base44/config.jsonc", "{ \"name\": \"Test\" }\n")
            .file("base44/.app.jsonc", "{ \"id\": \"app-1\" }\n")
    }

    /// A folder without a project.
    pub(crate) fn nowhere() -> Self {
        let folder = super::folder();
        let project = Self {
            folder,
            vars: BTreeMap::new(),
            binary: env!("CARGO_BIN_EXE_connplan").into(),
        };
        for dir in ["project", "home", "bin"] {
            fs::create_dir(project.folder.path().join(dir)).unwrap();
        }
        project
            .browser("exit 0")
            // Where a browser would appear.
            .var("DISPLAY", ":0")
            .var("TERM", "xterm-256color")
            .var("COLUMNS", "100")
            .var("__CONNPLAN_TEST_POLL_MS", "20")
            .var("__CONNPLAN_TEST_RETRY_BASE_MS", "1")
            // A minute of the platform's limits; the sandbox of a test keeps to none.
            .var("__CONNPLAN_TEST_MINUTE_MS", "20")
    }

    /// Points it at a platform.
    pub(crate) fn at(self, platform: &Platform) -> Self {
        self.at_url(platform.url(), platform.key())
    }

    /// Points it at an address, with a key.
    pub(crate) fn at_url(self, url: &str, key: &str) -> Self {
        self.var("BASE44_API_URL", url).var("BASE44_API_KEY", key)
    }

    /// Sets a variable of the environment.
    pub(crate) fn var(mut self, name: &str, value: &str) -> Self {
        self.vars.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Another clone of the same project, for the same user of the same machine.
    pub(crate) fn clone_with(&self, folder: &str) -> String {
        let root = self.folder.path().join(folder);
        copy(&self.root(), &root);
        root.display().to_string()
    }

    /// Takes a variable of the environment away.
    pub(crate) fn without_var(mut self, name: &str) -> Self {
        self.vars.remove(name);
        self
    }

    /// The browser: a shell script. `$1` is the address; every address is written to `opened`.
    pub(crate) fn browser(self, script: &str) -> Self {
        let opened = self.folder.path().join("opened");
        let script = format!(
            "#!/bin/sh\nprintf '%s\\n' \"$1\" >> '{}'\n{script}\n",
            opened.display()
        );
        let path = self.folder.path().join("bin/xdg-open");
        fs::write(&path, script).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
        self
    }

    /// The addresses that the browser was given.
    pub(crate) fn opened(&self) -> Vec<String> {
        let text = fs::read_to_string(self.folder.path().join("opened")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The same, once the browser was given so many: it is started apart, and takes its time.
    pub(crate) fn opens(&self, count: usize) -> Vec<String> {
        for _ in 0..1500 {
            if self.opened().len() >= count {
                break;
            }
            thread::sleep(Duration::from_millis(20));
        }
        let opened = self.opened();
        assert!(opened.len() >= count, "the browser was given {opened:?}");
        opened
    }

    /// Adds a file below the root.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.write(path, text);
        self
    }

    /// Adds a connector file, `TYPE.jsonc`.
    pub(crate) fn connector(self, connector: &str, scopes: &[&str]) -> Self {
        self.declare(connector, scopes);
        self
    }

    /// Writes a connector file, `TYPE.jsonc`.
    pub(crate) fn declare(&self, connector: &str, scopes: &[&str]) {
        let text = json!({ "type": connector, "scopes": scopes }).to_string();
        self.write(&format!("base44/connectors/{connector}.jsonc"), &text);
    }

    /// Takes a connector file away.
    pub(crate) fn undeclare(&self, connector: &str) {
        fs::remove_file(self.path(&format!("base44/connectors/{connector}.jsonc"))).unwrap();
    }

    /// Writes a file below the root, folders included.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Reads a file below the root.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// The names in a folder below the root, sorted; none where there is no folder.
    pub(crate) fn list(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// A path below the root.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }

    /// A path below what is kept of its app between runs; the folder itself for `""`.
    pub(crate) fn state(&self, path: &str) -> PathBuf {
        let var = |name: &str, otherwise: &str| {
            let value = self.vars.get(name).cloned();
            value.unwrap_or_else(|| otherwise.to_owned())
        };
        let url = var("BASE44_API_URL", "https://app.base44.com");
        let short = short_digest(url.trim_end_matches('/'));
        let app = format!("{short}-{}", var("BASE44_APP_ID", APP));
        let folder = self.state_folder().join("apps").join(app);
        if path.is_empty() {
            folder
        } else {
            folder.join(path)
        }
    }

    /// The user's state folder, beside the home.
    pub(crate) fn state_folder(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Reads what is kept of its app.
    #[track_caller]
    pub(crate) fn read_state(&self, path: &str) -> String {
        fs::read_to_string(self.state(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
    }

    /// Writes into what is kept of its app, folders included.
    pub(crate) fn write_state(&self, path: &str, text: &str) {
        let path = self.state(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("project")
    }

    /// The user's home.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Every file below the root and the home, with its text, but for what is no text.
    pub(crate) fn all_files(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::new();
        collect(self.folder.path(), self.folder.path(), &mut found);
        found
    }

    /// Tests another binary than the one that `cargo test` has built.
    pub(crate) fn tested(mut self, binary: &Path) -> Self {
        binary.clone_into(&mut self.binary);
        self
    }

    /// The command, ready to run in the root.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(args)
            .current_dir(self.root())
            .env_clear()
            .envs(self.environment())
            .stdin(Stdio::null());
        command
    }

    /// A run whose files may not grow beyond so many blocks of 512 bytes: a disk that is full. What it
    /// printed, standard output first.
    #[cfg(unix)]
    pub(crate) fn on_full_disk(&self, blocks: usize, args: &str) -> (Option<i32>, String) {
        let script = format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec '{}' {args}",
            env!("CARGO_BIN_EXE_connplan")
        );
        let ended = Command::new("sh")
            .args(["-c", &script])
            .current_dir(self.root())
            .env_clear()
            .envs(self.environment())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = [ended.stdout, ended.stderr].concat();
        let text = String::from_utf8(text).unwrap();
        assert!(!text.contains("panicked"), "{text}");
        (ended.status.code(), text)
    }

    /// The whole environment of a run.
    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let mut vars = self.vars.clone();
        let bin = self.folder.path().join("bin");
        vars.entry("PATH".to_owned())
            .or_insert_with(|| format!("{}:/usr/bin:/bin", bin.display()));
        vars.entry("HOME".to_owned())
            .or_insert_with(|| self.home().display().to_string());
        vars.entry("CONNPLAN_STATE_DIR".to_owned())
            .or_insert_with(|| self.state_folder().display().to_string());
        vars
    }

    /// Runs the binary to its end, nobody at its input.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        finish(args, self.command(args))
    }

    /// The same, with words that were made.
    pub(crate) fn run_all(&self, args: &[String]) -> Output {
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        self.run(&args)
    }

    /// Runs the binary with a text on its input.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Output {
        let mut command = self.command(args);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // It may end without reading all of it.
        let _ = stdin.write_all(input.as_bytes());
        drop(stdin);
        output(args, &child.wait_with_output().unwrap())
    }

    /// Runs the binary in a folder below the root.
    pub(crate) fn run_in(&self, folder: &str, args: &[&str]) -> Output {
        let mut command = self.command(args);
        command.current_dir(self.path(folder));
        finish(args, command)
    }

    /// Runs the binary with these further variables.
    pub(crate) fn run_vars(&self, vars: &[(&str, &str)], args: &[&str]) -> Output {
        let mut command = self.command(args);
        command.envs(vars.iter().copied());
        finish(args, command)
    }
}

fn finish(args: &[&str], mut command: Command) -> Output {
    output(args, &command.output().unwrap())
}

pub(crate) fn output(args: &[&str], ended: &std::process::Output) -> Output {
    Output {
        command: args.join(" "),
        code: ended.status.code(),
        stdout: String::from_utf8(ended.stdout.clone()).unwrap(),
        stderr: String::from_utf8(ended.stderr.clone()).unwrap(),
    }
}

fn collect(base: &Path, folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(base, &path, found);
        } else if let Ok(text) = fs::read_to_string(&path) {
            let name = path.strip_prefix(base).unwrap().display().to_string();
            found.insert(name, text);
        }
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), &target).unwrap();
        }
    }
}

/// What names the folder of an address' apps in the state folder.
pub(crate) fn short_digest(url: &str) -> String {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(url.as_bytes());
    digest
        .iter()
        .take(8)
        .fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}
