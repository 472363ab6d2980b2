//! One case: the command with faults, then the same command again, held against the law.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fs::{self, File},
    os::unix::fs::{DirBuilderExt, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    rc::Rc,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    files::{self, Files},
    law,
    login::Login,
    model::{Effect, Model, Snapshot},
    scenario::Scenario,
    server::{Fault, Server, Trouble},
    shared::Shared,
    verb::Verb,
};

/// What befalls one run of the command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blow {
    pub trouble: Vec<Trouble>,
    /// It ends itself after so many steps that reached the disk.
    pub crash_at: Option<usize>,
    /// This signal comes after so many microseconds.
    pub signal: Option<(rustix::process::Signal, u64)>,
    /// The disk has room for so many bytes.
    pub disk: Option<usize>,
    /// A second `plan` runs at the same time.
    pub twin: bool,
}

impl Blow {
    /// Whether the command has to give up waiting.
    pub fn hangs(&self) -> bool {
        let hang = |trouble: &Trouble| matches!(trouble.fault, Fault::Hang | Fault::HangAfter);
        self.trouble.iter().any(hang)
    }
}

/// A case.
#[derive(Clone, Debug)]
pub struct Case {
    pub scenario: Scenario,
    pub verb: Verb,
    pub parallelism: usize,
    /// Run after run; then comes one without any.
    pub blows: Vec<Blow>,
    /// The connector of this number in the scenario, which somebody else changes before that last run.
    pub stranger: Option<usize>,
    /// A person's login is used, and not a key: how it is renewed.
    pub login: Option<Renewing>,
}

/// When a login is renewed, and how slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Renewing {
    /// Due before the first request.
    pub due: bool,
    /// How long a renewed token lives, in seconds: below a minute it is always due.
    pub lifetime: u64,
    /// How many milliseconds the answer to a renewal takes.
    pub pause: u64,
}

/// What one run of the command came to.
#[derive(Clone, Debug)]
pub struct Ran {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub asked: Vec<String>,
    /// The effects whose answers went out whole.
    pub answered: Vec<Effect>,
}

impl Ran {
    /// The document on standard output; of a push, its receipt.
    pub fn json(&self) -> Option<Value> {
        let mut json: Value = serde_json::from_str(&self.stdout).ok()?;
        Some(match json.get_mut("receipt") {
            Some(receipt) => receipt.take(),
            None => json,
        })
    }
}

/// An undisturbed run, and where it ends.
#[derive(Clone, Debug)]
pub struct Calm {
    pub ran: Ran,
    pub end: Snapshot,
    pub files: Files,
}

/// Where runs start from.
struct Start {
    model: Model,
    plan: String,
    /// `pending.toml` in the state folder, if there is one.
    pending: Option<Vec<u8>>,
    files: Files,
    calm: Calm,
}

/// One thread's server, and what it knows already.
pub struct Bench {
    pub server: Server,
    binary: PathBuf,
    starts: BTreeMap<(Scenario, Verb), Rc<Start>>,
    pub commands: usize,
    shared: Shared,
}

impl Bench {
    pub fn new(shared: &Shared) -> Self {
        Self {
            shared: shared.clone(),
            server: Server::start(),
            binary: binary(),
            starts: BTreeMap::new(),
            commands: 0,
        }
    }

    /// The undisturbed run of a case.
    pub fn calm(&mut self, scenario: &Scenario, verb: Verb) -> Calm {
        self.start(scenario, verb).calm.clone()
    }

    fn start(&mut self, scenario: &Scenario, verb: Verb) -> Rc<Start> {
        self.server.state().login = None;
        let key = (scenario.clone(), verb);
        if let Some(start) = self.starts.get(&key) {
            return Rc::clone(start);
        }
        let project = Project::new(scenario, &self.server.url(), &self.shared);
        self.server.state().model = scenario.model();
        let mut start = Start {
            model: scenario.model(),
            plan: String::new(),
            pending: None,
            files: Files::new(),
            calm: Calm {
                ran: nothing(),
                end: scenario.model().snapshot(),
                files: Files::new(),
            },
        };
        let plan = self.run(&project, &["plan", "--out", "saved.plan"], &Blow::default());
        assert_eq!(plan.code, Some(0), "{}", plan.stderr);
        start.plan = fs::read_to_string(project.path("saved.plan")).expect("the plan");
        if verb.authorizes() {
            let applied = self.run(&project, &["apply", "saved.plan"], &Blow::default());
            assert_eq!(applied.code, Some(0), "{}", applied.stderr);
            start.pending = fs::read(project.state.join("pending.toml")).ok();
            let mut state = self.server.state();
            state.model.consent_after = Some(1);
            if verb == Verb::Renew {
                state.model.kill_links();
            }
            state.model.effects.clear();
            start.model = state.model.clone();
        }
        start.calm.end = start.model.snapshot();
        let project = Project::from(scenario, &start, &self.server.url(), &self.shared);
        start.files = files::read(&project.root);
        let mut violations = Vec::new();
        // On a busy machine the time of an authorization may run out.
        for _ in 0..3 {
            let project = Project::from(scenario, &start, &self.server.url(), &self.shared);
            self.server.state().model = start.model.clone();
            start.calm.ran = self.run(&project, &verb.arguments(1), &Blow::default());
            start.calm.files = files::read(&project.root);
            start.calm.end = self.server.state().model.snapshot();
            violations = law::calm(scenario, verb, &start.calm, &self.server.state().model);
            if violations.is_empty() {
                break;
            }
        }
        assert!(
            violations.is_empty(),
            "undisturbed {scenario:?} {verb:?}: {violations:#?}"
        );
        let start = Rc::new(start);
        self.starts.insert(key, Rc::clone(&start));
        start
    }

    /// Runs a case; what is against the law. The flag says whether its first blow had any effect.
    pub fn violations(&mut self, case: &Case) -> (Vec<String>, bool) {
        let start = self.start(&case.scenario, case.verb);
        let project = Project::from(&case.scenario, &start, &self.server.url(), &self.shared);
        self.server.state().model = start.model.clone();
        self.server.state().model.late = case.blows.iter().any(Blow::hangs);
        if let Some(renewing) = case.login {
            let pause = Duration::from_millis(renewing.pause);
            self.server.state().login = Some(Login::new(renewing.lifetime, pause));
            project.log_in(&self.server.url(), renewing.due);
        }
        let arguments = case.verb.arguments(case.parallelism);
        let mut found = Vec::new();
        let mut settled: Vec<Effect> = Vec::new();
        let mut struck = false;
        for (number, blow) in case.blows.iter().enumerate() {
            let from = self.server.state().model.effects.len();
            let ran = self.run(&project, &arguments, blow);
            let state = self.server.state();
            let new = state.model.effects.get(from..).unwrap_or_default();
            found.extend(law::repeated(&settled, new));
            found.extend(law::honest(&ran, &state.model, new, case.verb));
            found.extend(law::interrupted(&ran, blow));
            struck |= number == 0 && (ran.code.is_none() || law::differs(&ran, &start.calm.ran));
            // Of a run that came to its end it is certain that what it was told is on disk; of
            // another one, what is there can be looked at.
            if ran.code.is_some() {
                settled.extend(ran.answered.iter().cloned());
            } else {
                settled.extend(law::on_disk(&state.model, &project.state));
            }
            // A link is asked for each time that a person wants one, until somebody consents.
            if case.verb.authorizes() {
                settled.retain(|effect| state.model.is_consented(effect));
            }
            let now = files::read(&project.root);
            found.extend(files::torn(&start.files, &start.calm.files, &now));
        }
        if let Some(number) = case.stranger {
            let mut state = self.server.state();
            state.model.stranger(&case.scenario.name(number));
        }
        let before = self.server.state().model.clone();
        let workspace = project.state.clone();
        let (stored, _) = law::stored(&workspace);
        let from = before.effects.len();
        let again = self.run(&project, &arguments, &Blow::default());
        let state = self.server.state();
        let new = state.model.effects.get(from..).unwrap_or_default();
        found.extend(law::repeated(&settled, new));
        found.extend(law::honest(&again, &state.model, new, case.verb));
        let now = files::read(&project.root);
        if case.stranger.is_some() {
            found.extend(law::refused(case, &again, &before, &state.model));
            if law::stored(&workspace).0 != stored {
                found.push(format!("kept was {stored:?}"));
            }
        } else {
            found.extend(law::kept(&state.model, &workspace));
            found.extend(law::same_end(case, &start.calm, &again, &state.model));
            found.extend(files::unlike(&start.calm.files, &now));
        }
        if let Some(login) = &state.login {
            let stored = fs::read_to_string(project.login()).unwrap_or_default();
            if !login.is_alive(&stored) {
                found.push(format!("the login is lost: {login:?}"));
            }
        }
        if !found.is_empty() {
            found.push(format!(
                "the last run said: {} {}",
                again.stdout, again.stderr
            ));
        }
        (found, struck)
    }

    fn run(&mut self, project: &Project, arguments: &[&str], blow: &Blow) -> Ran {
        self.commands += 1;
        self.server.heal(blow.trouble.clone());
        let (out, err) = (project.path("../out"), project.path("../err"));
        // A busy machine is no fault of the network.
        let patience = if blow.hangs() { "120" } else { "10000" };
        let mut command = Command::new(&self.binary);
        command
            .args(arguments)
            .args(["--format", "json"])
            .current_dir(&project.root)
            .env_clear()
            .env("HOME", project.path("../home"))
            .env("CONNPLAN_STATE_DIR", project.path("../state"))
            .env("BASE44_APP_ID", "app1")
            .env("BASE44_API_URL", self.server.url())
            .env("__CONNPLAN_TEST_RETRY_BASE_MS", "1")
            .env("__CONNPLAN_TEST_READ_TIMEOUT_MS", patience)
            .env("__CONNPLAN_TEST_POLL_MS", "2")
            .env("__CONNPLAN_TEST_MINUTE_MS", "20")
            .stdin(Stdio::null())
            .stdout(File::create(&out).expect("a file"))
            .stderr(File::create(&err).expect("a file"));
        if self.server.state().login.is_none() {
            command.env("BASE44_API_KEY", "b44k_canarykey");
        }
        if let Some(store) = &project.store {
            Shared::give(store, &mut command);
            if project.killed.take() {
                Shared::after_a_while(store, &self.binary, &command);
            }
        }
        if let Some(bytes) = blow.disk {
            command.env("__CONNPLAN_TEST_DISK_BYTES", bytes.to_string());
        }
        let twin = blow.twin.then(|| {
            let mut twin = Command::new(&self.binary);
            let told = command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?)));
            twin.args(["plan", "--format", "json"])
                .current_dir(&project.root)
                .env_clear()
                .envs(told)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null());
            twin.spawn().expect("connplan starts")
        });
        if let Some(at) = blow.crash_at {
            command.env("__CONNPLAN_TEST_CRASH_AT_WRITE", at.to_string());
        }
        self.server.state().child = Some(command.spawn().expect("connplan starts"));
        let begun = Instant::now();
        let mut signal = blow.signal;
        let status = loop {
            let mut state = self.server.state();
            let child = state.child.as_mut().expect("it was just started");
            if let Some(status) = child.try_wait().expect("it can be waited for") {
                state.child = None;
                break status;
            }
            assert!(
                begun.elapsed() < Duration::from_mins(1),
                "{arguments:?} hangs: {blow:?}"
            );
            if let Some((which, _)) =
                signal.take_if(|(_, after)| begun.elapsed() >= Duration::from_micros(*after))
            {
                let id = i32::try_from(child.id()).expect("a process");
                let id = rustix::process::Pid::from_raw(id).expect("a process");
                let _ = rustix::process::kill_process(id, which);
            }
            drop(state);
            thread::sleep(Duration::from_micros(400));
        };
        if let Some(mut twin) = twin {
            let _ = twin.wait();
        }
        self.server.settle();
        project.killed.set(status.code().is_none());
        let state = self.server.state();
        let text = |path: PathBuf| {
            String::from_utf8_lossy(&fs::read(path).expect("its output")).into_owned()
        };
        Ran {
            code: status.code(),
            stdout: text(out),
            stderr: text(err),
            asked: state.asked.clone(),
            answered: state.answered.clone(),
        }
    }
}

/// The one that `cargo test` has built, or a quicker one.
fn binary() -> PathBuf {
    let chosen = std::env::var_os("CONNPLAN_FAULT_BINARY");
    let path = chosen.map_or_else(|| env!("CARGO_BIN_EXE_connplan").into(), PathBuf::from);
    fs::canonicalize(&path).expect("the binary under test")
}

fn nothing() -> Ran {
    Ran {
        code: None,
        stdout: String::new(),
        stderr: String::new(),
        asked: vec![],
        answered: vec![],
    }
}

/// A folder with files, and a home. It is not `support::Project`: hundreds of thousands of these are made, without a
/// browser, and their runs are killed, met by a second run, and given a disk that is full.
struct Project {
    root: PathBuf,
    /// What is kept of its app between runs.
    state: PathBuf,
    /// Where the team's memory is, if other machines share it.
    store: Option<String>,
    /// The last run was killed, and its lease stayed.
    killed: Cell<bool>,
    _dir: TempDir,
}

impl Project {
    fn new(scenario: &Scenario, url: &str, shared: &Shared) -> Self {
        let dir = crate::support::folder();
        let root = dir.path().join("project");
        let folder = root.join("base44/connectors");
        fs::create_dir_all(&folder).expect("a folder");
        write(&root.join("base44/config.jsonc"), b"{\"name\": \"faults\"}");
        for (name, text) in scenario.files() {
            write(&folder.join(name), text.as_bytes());
        }
        let short = crate::support::short_digest(url);
        Self {
            store: shared.lay_out(&root),
            killed: Cell::new(false),
            root,
            state: dir.path().join(format!("state/apps/{short}-app1")),
            _dir: dir,
        }
    }

    fn from(scenario: &Scenario, start: &Start, url: &str, shared: &Shared) -> Self {
        let project = Self::new(scenario, url, shared);
        write(&project.path("saved.plan"), start.plan.as_bytes());
        if let Some(pending) = &start.pending {
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(&project.state)
                .expect("a folder");
            let path = project.state.join("pending.toml");
            write(&path, pending);
            // As it was: links that others could read would be replaced.
            let private = fs::Permissions::from_mode(0o600);
            fs::set_permissions(&path, private).expect("its owner may");
        }
        project
    }

    fn login(&self) -> PathBuf {
        self.path("../home/.base44/auth/auth.json")
    }

    fn log_in(&self, url: &str, due: bool) {
        let path = self.login();
        let folder = path.parent().expect("a folder");
        let mut private = fs::DirBuilder::new();
        private
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .expect("a folder");
        let expires_at = if due { 1_000 } else { 32_503_680_000_000 };
        write(&path, Login::file(url, expires_at).as_bytes());
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(&path, private).expect("its owner may");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

#[expect(clippy::disallowed_methods, reason = "a test's own files")]
fn write(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file");
}
