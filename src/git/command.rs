//! git as a child process, hardened.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
    sync::OnceCell,
};

use super::{
    CommitId, GitError,
    reader::{LIMIT, Readers},
};
use crate::{
    fs,
    model::{Secret, Vars},
};

/// How long git may take where no network is involved.
const LOCAL: Duration = Duration::from_secs(30);
/// How long it may take with a network.
const REMOTE: Duration = Duration::from_mins(1);

/// Above whatever a repository's own configuration says.
const FIXED: [&str; 23] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.pager=cat",
    "core.askPass=",
    "core.alternateRefsCommand=",
    "core.gitProxy=",
    "core.quotePath=false",
    "core.logAllRefUpdates=false",
    "diff.external=",
    "gpg.program=false",
    "log.showSignature=false",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.writeCommitGraph=false",
    "push.gpgSign=false",
    "push.followTags=false",
    "push.recurseSubmodules=no",
    "gc.auto=0",
    "receive.autogc=false",
    "maintenance.auto=false",
    "transfer.advertiseSID=false",
];

/// Where a repository's own settings count and its programs must not: it is not a place of ours.
const IN_CHECKOUT: [&str; 5] = [
    // Nothing covers what it says of the commits.
    "core.commitGraph=false",
    "credential.helper=",
    "core.sshCommand=false",
    "core.editor=false",
    "protocol.allow=never",
];

/// In a repository of ours: what git makes is for its owner alone, whatever the process's mask is.
const PRIVATE: &str = "core.sharedRepository=0600";

/// How a program of git's is started that serves a repository of this machine: it reads that
/// repository's settings and hooks, and knows nothing of what stands on our command line.
pub(super) fn serving(program: &str) -> String {
    let fixed = FIXED.map(|fixed| format!("-c {fixed} "));
    // None at all is said to fail, by every push.
    let refs = "-c core.alternateRefsCommand=true";
    format!("git {}{refs} {program}", fixed.concat())
}

/// Variables that the user may set for git; every other `GIT_…` stays out.
const KEPT: [&str; 14] = [
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_SSH_VARIANT",
    "GIT_SSL_CAINFO",
    "GIT_SSL_CAPATH",
    "GIT_SSL_CERT",
    "GIT_SSL_KEY",
    "GIT_SSL_NO_VERIFY",
    "GIT_PROXY_SSL_CAINFO",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "GIT_CONFIG_COUNT",
    "GIT_EXEC_PATH",
];

/// Where branches of remotes were, and when: by the repository of ours, the digest of the address, and name.
type Heads = BTreeMap<(PathBuf, String, String), (Instant, CommitId)>;

/// git as this process may run it.
#[derive(Clone, Debug)]
pub struct Git {
    pub(super) vars: Vars,
    /// What a pipeline has checked out.
    pub(super) checkouts: Vec<PathBuf>,
    /// Whether git's settings were looked at for what those have.
    pub(super) checked: Arc<OnceCell<()>>,
    /// The user's home, where a work tree around it is the user's own, and not the project's.
    home: Option<PathBuf>,
    limit: Duration,
    pub(super) readers: Readers,
    /// What the settings of a work tree say of its remotes.
    pub(super) remotes: Arc<Mutex<BTreeMap<PathBuf, Secret>>>,
    pub(super) heads: Arc<Mutex<Heads>>,
}

/// What git said.
pub(super) struct Output {
    pub(super) success: bool,
    pub(super) code: Option<i32>,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: String,
}

impl Output {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }
}

/// One run.
pub(super) struct Run<'a> {
    /// For messages: fits after "git could not".
    pub(super) doing: &'static str,
    pub(super) args: Vec<&'a OsStr>,
    pub(super) input: Option<&'a [u8]>,
    /// Configuration that must not stand on a command line.
    pub(super) private: &'a [(String, Secret)],
}

impl<'a> Run<'a> {
    pub(super) fn new(doing: &'static str, args: &[&'a str]) -> Self {
        Self {
            doing,
            args: args.iter().map(|arg| OsStr::new(*arg)).collect(),
            input: None,
            private: &[],
        }
    }
}

/// Where git runs.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place<'a> {
    /// In somebody's work tree. Nothing there names a program, and no remote is talked to.
    Checkout(&'a Path),
    /// In a bare repository of ours.
    Own(&'a Path),
    /// In none, in this folder.
    Nowhere(&'a Path),
}

impl Git {
    /// git with the process's environment.
    pub fn new(vars: &Vars) -> Self {
        Self {
            vars: vars.clone(),
            checkouts: Vec::new(),
            checked: Arc::default(),
            home: None,
            limit: REMOTE,
            readers: Readers::default(),
            remotes: Arc::default(),
            heads: Arc::default(),
        }
    }

    /// The same, to which no work tree counts that this home lies in.
    #[must_use]
    pub fn below(mut self, home: Option<&Path>) -> Self {
        self.home = home.map(Path::to_owned);
        self
    }

    /// The same, whose settings name nothing that these checkouts of a pipeline have.
    #[must_use]
    pub fn outside(mut self, checkouts: Vec<PathBuf>) -> Self {
        self.checkouts = checkouts;
        self
    }

    /// The root of the work tree that a folder lies in. Starts no program.
    pub fn work_tree_of(&self, folder: &Path) -> Option<PathBuf> {
        self.work_trees_around(folder).into_iter().next()
    }

    /// That one, and those around it.
    pub fn work_trees_around(&self, folder: &Path) -> Vec<PathBuf> {
        fs::checkouts_around(folder, self.home.as_deref())
    }

    /// The most that a run with a network may take.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// git with its pipes, and nothing to read.
    pub(super) fn command(&self, place: Place<'_>, run: &Run<'_>) -> Result<Command, GitError> {
        let git = fs::program("git", &self.vars).map_err(|e| missing(&e))?;
        let mut command = Command::from(git);
        for name in self.vars.names() {
            let numbered =
                name.starts_with("GIT_CONFIG_KEY_") || name.starts_with("GIT_CONFIG_VALUE_");
            let foreign = name.starts_with("GIT_") && !numbered && !KEPT.contains(&name);
            // Credentials for the platform are none of git's, nor of its helpers'.
            if foreign || name.starts_with("BASE44_") || name.starts_with("CONNPLAN_") {
                command.env_remove(name);
            }
        }
        // What a process started by git, or by a test, finds although `vars` don't hold it.
        for name in [
            "GIT_DIR",
            "GIT_WORK_TREE",
            "GIT_INDEX_FILE",
            "GIT_CONFIG_PARAMETERS",
        ] {
            command.env_remove(name);
        }
        // A pipeline's home may be what a repository ships, and then its settings are not git's.
        if let Some(global) = self.vars.get("GIT_CONFIG_GLOBAL") {
            command.env("GIT_CONFIG_GLOBAL", global);
        }
        command
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "")
            .env("SSH_ASKPASS", "")
            .env("SSH_ASKPASS_REQUIRE", "never")
            .env("GCM_INTERACTIVE", "never")
            .env("GIT_OPTIONAL_LOCKS", "0")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1");
        for fixed in FIXED {
            command.arg("-c").arg(fixed);
        }
        match place {
            Place::Checkout(root) => {
                for fixed in IN_CHECKOUT {
                    command.arg("-c").arg(fixed);
                }
                command
                    .env("GIT_ALLOW_PROTOCOL", "none")
                    .env("GIT_GRAFT_FILE", "/dev/null")
                    .arg("-C")
                    .arg(root);
            }
            Place::Own(dir) => {
                command
                    .env("GIT_ALLOW_PROTOCOL", "https:http:ssh:git:file")
                    .current_dir(dir)
                    .args(["-c", PRIVATE, "--git-dir=."]);
                self.batch_ssh(&mut command);
            }
            Place::Nowhere(dir) => {
                command
                    .env("GIT_ALLOW_PROTOCOL", "none")
                    .env("GIT_CEILING_DIRECTORIES", dir)
                    .current_dir(dir);
            }
        }
        self.private(&mut command, run.private);
        command
            .args(&run.args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        // A Ctrl-C is for connplan, which decides what is still finished.
        #[cfg(unix)]
        command.process_group(0);
        tracing::debug!(args = ?run.args, "git");
        Ok(command)
    }

    /// How long it may take there.
    pub(super) fn limit(&self, place: Place<'_>) -> Duration {
        match place {
            Place::Own(_) => self.limit,
            _ => LOCAL.min(self.limit),
        }
    }

    /// ssh must not ask. Where the user chose a command of their own, it is theirs.
    fn batch_ssh(&self, command: &mut Command) {
        let theirs = ["GIT_SSH_COMMAND", "GIT_SSH"]
            .iter()
            .any(|name| self.vars.get(name).is_some());
        if !theirs {
            // Below the user's `core.sshCommand`, which `ssh` with options in the variable would hide.
            command.env("GIT_SSH_VARIANT", "auto");
        }
    }

    /// Settings by the environment: other users of the machine don't read that.
    fn private(&self, command: &mut Command, settings: &[(String, Secret)]) {
        let theirs = self.vars.get("GIT_CONFIG_COUNT");
        let theirs: usize = theirs.and_then(|n| n.parse().ok()).unwrap_or(0);
        if settings.is_empty() {
            return;
        }
        for (index, (key, value)) in settings.iter().enumerate() {
            let index = theirs + index;
            command.env(format!("GIT_CONFIG_KEY_{index}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{index}"), value.expose());
        }
        command.env("GIT_CONFIG_COUNT", (theirs + settings.len()).to_string());
    }

    /// Runs git to its end.
    pub(super) async fn run(&self, place: Place<'_>, run: Run<'_>) -> Result<Output, GitError> {
        let (limit, doing) = (self.limit(place), run.doing);
        let mut command = self.command(place, &run)?;
        if run.input.is_some() {
            command.stdin(Stdio::piped());
        }
        let mut child = command.spawn().map_err(|e| missing(&e))?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let feed = async {
            if let (Some(mut stdin), Some(input)) = (stdin, run.input) {
                // Who stops reading says why on its own.
                let _ = stdin.write_all(input).await;
            }
        };
        let work = async {
            let ((), out, err, status) = tokio::join!(
                feed,
                drain(stdout, LIMIT),
                drain(stderr, 1 << 20),
                child.wait()
            );
            (out, err, status)
        };
        let Ok((out, err, status)) = tokio::time::timeout(limit, work).await else {
            return Err(GitError::Slow { doing, limit });
        };
        let status = status.map_err(|e| missing(&e))?;
        if out.len() > LIMIT {
            return Err(GitError::TooLarge {
                doing,
                limit: LIMIT,
            });
        }
        Ok(Output {
            success: status.success(),
            code: status.code(),
            stdout: out,
            stderr: String::from_utf8_lossy(&err).into_owned(),
        })
    }

    /// Runs git; a failure is an error.
    pub(super) async fn must(&self, place: Place<'_>, run: Run<'_>) -> Result<Output, GitError> {
        let doing = run.doing;
        let output = self.run(place, run).await?;
        if output.success {
            Ok(output)
        } else {
            Err(failed(doing, &output.stderr))
        }
    }
}

/// That git could not be started.
pub(super) fn missing(why: &std::io::Error) -> GitError {
    let reason = why.to_string();
    GitError::Missing { reason }
}

/// Reads to the end, and keeps one byte more than the limit.
async fn drain(pipe: Option<impl tokio::io::AsyncRead + Unpin>, limit: usize) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(pipe) = pipe {
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        // A pipe that breaks shows in the exit code.
        let _ = pipe.take(most).read_to_end(&mut kept).await;
    }
    kept
}

/// A failure in git's words.
pub(super) fn failed(doing: &'static str, stderr: &str) -> GitError {
    let help = if stderr.contains("dubious ownership") {
        Some(
            "another user owns this checkout; if that is as it should be (a container, say), tell \
             git once: `git config --global --add safe.directory FOLDER`",
        )
    } else {
        None
    };
    GitError::Failed {
        doing,
        said: said(stderr),
        help,
    }
}

/// The line of git's words that matters, without credentials in addresses, made safe.
pub(super) fn said(stderr: &str) -> String {
    let lines = stderr
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let lines: Vec<_> = lines.collect();
    let telling = |line: &&&str| {
        ["fatal:", "error:", "remote: error", "ERROR:", "! ["]
            .iter()
            .any(|mark| line.starts_with(mark))
    };
    let line = lines.iter().find(telling).or(lines.last()).copied();
    let line = line.unwrap_or("it did not say why");
    let line = line
        .strip_prefix("fatal: ")
        .or(line.strip_prefix("error: "))
        .unwrap_or(line);
    crate::escape::limited(&without_credentials(line), 300)
}

/// `https://user:secret@host/` without what stands before the `@`.
fn without_credentials(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (head, tail) = rest.split_at(at + 3);
        out.push_str(head);
        let end = tail
            .find(|c: char| c == '/' || c.is_whitespace() || c == '\'')
            .unwrap_or(tail.len());
        let (authority, after) = tail.split_at(end);
        out.push_str(authority.rsplit('@').next().unwrap_or(authority));
        rest = after;
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_said_without_its_credentials() {
        let text = "fatal: unable to access 'https://x:s3cret@host.example/a.git/': refused";
        assert_eq!(
            said(text),
            "unable to access 'https://host.example/a.git/': refused"
        );
        assert!(!said("a https://tok@h b ssh://u:p@h:22/x").contains("tok@"));
    }
}
