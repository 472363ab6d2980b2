//! A bare repository of connplan's own: all that talks to remotes runs in it.
//!
//! It can be deleted at any time; it is a cache. One process at a time fetches into it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use super::{
    CommitId, Git, GitError, ObjectId, Objects, RefName, RemoteAddress,
    command::{Output, Place, Run, failed, serving},
    reach::reach,
};
use crate::{
    fs::{self, Lock},
    model::{Secret, map_of, sha256},
};

/// The repository.
#[derive(Clone, Debug)]
pub struct Depot {
    git: Git,
    /// Where objects are named by SHA-1.
    sha1: PathBuf,
    /// Where they are named by SHA-256.
    other: PathBuf,
    /// Whether its objects are named by SHA-256: as those of the remote, else nothing is fetched or pushed.
    sha256: Arc<AtomicBool>,
    /// Whether the other kind was tried.
    is_turned: Arc<AtomicBool>,
}

/// How long it is not asked again where a branch is: as long as two looks of one run lie apart.
const ONE_BREATH: Duration = Duration::from_secs(5);

/// What a fetch brought.
enum Fetched {
    /// What it was asked for.
    Something,
    /// Nothing, and it did not say why.
    Nothing,
}

/// A fetch that brought nothing of what is there.
fn silent(remote: &RemoteAddress) -> GitError {
    GitError::Away {
        remote: remote.name.to_string(),
        said: "`git fetch` brought nothing, and did not say why".to_owned(),
    }
}

impl Depot {
    /// What the remote is called in it.
    pub(super) const REMOTE: &'static str = "connplan";

    /// Opens it for a remote, and makes it where there is none.
    pub async fn open(dir: &Path, git: Git, remote: &RemoteAddress) -> Result<Self, GitError> {
        let depot = Self {
            git,
            sha1: dir.to_owned(),
            other: dir.with_extension("sha256"),
            sha256: Arc::new(AtomicBool::new(remote.is_clones && remote.sha256)),
            is_turned: Arc::default(),
        };
        depot.make().await?;
        if remote.is_clones {
            return Ok(depot);
        }
        let sha256 = if let Ok(told) = fs::read_text(&depot.note(), 64) {
            told == "sha256"
        } else if let Ok(ids) = depot.some(remote).await {
            let id = ids.split('\t').next().filter(|id| !id.is_empty());
            let sha256 = id.map_or(remote.sha256, |id| id.len() == 64);
            if id.is_some() {
                depot.write_note(sha256)?;
            }
            sha256
        } else {
            remote.sha256
        };
        depot.sha256.store(sha256, Ordering::Relaxed);
        depot.make().await?;
        Ok(depot)
    }

    /// Where it is kept which kind a remote is that is none of a checkout's.
    fn note(&self) -> PathBuf {
        self.sha1.join("connplan-remote")
    }

    fn write_note(&self, sha256: bool) -> Result<(), GitError> {
        let told: &[u8] = if sha256 { b"sha256" } else { b"sha1" };
        Ok(fs::write(&self.note(), told, fs::Visibility::Private)?)
    }

    pub(super) fn is_sha256(&self) -> bool {
        self.sha256.load(Ordering::Relaxed)
    }

    fn dir(&self) -> &Path {
        if self.is_sha256() {
            &self.other
        } else {
            &self.sha1
        }
    }

    /// Goes on with objects of the other kind, once, where git says that the remote has those: of an empty one nothing
    /// else tells, and one may have been made anew.
    pub(super) async fn turn(&self, remote: &RemoteAddress, said: &str) -> Result<bool, GitError> {
        let is_refusal = [
            "does not support this repository's hash algorithm",
            "mismatched algorithms",
            // That is how some versions read the null of the other kind.
            "unexpected capabilities^{}",
        ];
        let is_refusal = is_refusal.iter().any(|words| said.contains(words));
        if !is_refusal || remote.is_clones || self.is_turned.swap(true, Ordering::Relaxed) {
            return Ok(false);
        }
        let sha256 = !self.sha256.fetch_xor(true, Ordering::Relaxed);
        self.make().await?;
        self.write_note(sha256)?;
        Ok(true)
    }

    async fn make(&self) -> Result<(), GitError> {
        let dir = self.dir();
        fs::ensure_private_dir(dir)?;
        // The last thing that git writes: without it, making it was cut short.
        if !dir.join("HEAD").exists() || !dir.join("connplan-made").exists() {
            let args = [
                "init",
                "--bare",
                "--shared=0600",
                "--quiet",
                "--template=",
                if self.is_sha256() {
                    "--object-format=sha256"
                } else {
                    "--object-format=sha1"
                },
                ".",
            ];
            let run = Run::new("make a repository", &args);
            self.git.must(Place::Nowhere(dir), run).await?;
            fs::write(&dir.join("connplan-made"), b"", fs::Visibility::Private)?;
        }
        Ok(())
    }

    pub(super) async fn run(&self, run: Run<'_>) -> Result<Output, GitError> {
        self.git.run(Place::Own(self.dir()), run).await
    }

    /// The remote as configuration that stands on no command line.
    pub(super) async fn settings(
        &self,
        remote: &RemoteAddress,
        push: bool,
    ) -> Result<Vec<(String, Secret)>, GitError> {
        Box::pin(self.git.check_settings(Place::Own(self.dir()))).await?;
        let address = if push { &remote.push } else { &remote.fetch };
        let mut settings = vec![(format!("remote.{}.url", Self::REMOTE), address.clone())];
        settings.extend(remote.headers.iter().cloned());
        let text = address.expose();
        if Path::new(text).is_absolute() {
            // A folder of this machine: what its hooks and settings name would run as the user.
            for (key, program) in [
                ("uploadpack", "upload-pack"),
                ("receivepack", "receive-pack"),
            ] {
                let key = format!("remote.{}.{key}", Self::REMOTE);
                settings.push((key, Secret::new(serving(program))));
            }
        }
        let ssh = text.starts_with("ssh://") || (!text.contains("://") && text.contains(':'));
        if ssh {
            // It must not ask. A command of the user's own is theirs to make so.
            let args = ["config", "--get", "core.sshCommand"];
            let theirs = self
                .run(Run::new("read the settings of ssh", &args))
                .await?;
            if !theirs.success {
                let batch = Secret::new("ssh -o BatchMode=yes");
                settings.push(("core.sshCommand".to_owned(), batch));
            }
        }
        Ok(settings)
    }

    /// Some refs of the remote, if it has any: git reads them whatever objects are called.
    async fn some(&self, remote: &RemoteAddress) -> Result<String, GitError> {
        let args = [
            "ls-remote",
            "--quiet",
            Self::REMOTE,
            "HEAD",
            "refs/connplan/*",
        ];
        self.listed(remote, Run::new("read the remote's refs", &args))
            .await
    }

    /// What a listing of the remote says.
    async fn listed(&self, remote: &RemoteAddress, mut run: Run<'_>) -> Result<String, GitError> {
        let settings = self.settings(remote, false).await?;
        run.private = &settings;
        let output = self.run(run).await?;
        if !output.success {
            return Err(reach(remote, "read there", &output.stderr));
        }
        Ok(output.text())
    }

    /// The refs of the remote below a prefix such as `refs/connplan/`.
    pub async fn ls_remote(
        &self,
        remote: &RemoteAddress,
        prefix: &str,
    ) -> Result<BTreeMap<String, ObjectId>, GitError> {
        let pattern = format!("{prefix}*");
        let args = ["ls-remote", "--quiet", "--refs", Self::REMOTE, &pattern];
        let run = Run::new("read the remote's refs", &args);
        let text = self.listed(remote, run).await?;
        let refs = text.lines().filter_map(|line| {
            let (id, name) = line.split_once('\t')?;
            Some((name.to_owned(), ObjectId::parse(id).ok()?))
        });
        Ok(map_of(refs.filter(|(name, _)| name.starts_with(prefix))))
    }

    /// The branch that the remote calls its default.
    pub async fn default_branch(&self, remote: &RemoteAddress) -> Result<Option<String>, GitError> {
        let args = ["ls-remote", "--quiet", "--symref", Self::REMOTE, "HEAD"];
        let run = Run::new("read the remote's default branch", &args);
        let text = self.listed(remote, run).await?;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("ref: refs/heads/"));
        let name = line.and_then(|line| line.split('\t').next());
        Ok(name.map(str::to_owned))
    }

    /// Brings the remote's refs below a prefix here, each with its newest commit alone, and says
    /// where they are.
    pub async fn fetch(
        &self,
        remote: &RemoteAddress,
        prefix: &str,
    ) -> Result<BTreeMap<String, ObjectId>, GitError> {
        let refspec = format!("+{prefix}*:{prefix}*");
        let _lock = self.lock().await?;
        let options = ["--depth=1", "--prune"];
        if let Fetched::Nothing = self.fetch_refspec(remote, &options, &refspec).await? {
            // A fetch that failed without a word looks the same: what was not read is not empty.
            let there = self.ls_remote(remote, prefix).await?;
            if !there.is_empty() {
                return Err(silent(remote));
            }
            return Ok(there);
        }
        let args = ["for-each-ref", "--format=%(objectname) %(refname)", prefix];
        let output = self.run(Run::new("read the refs", &args)).await?;
        if !output.success {
            return Err(failed("read the refs", &output.stderr));
        }
        let text = output.text();
        let refs = text.lines().filter_map(|line| {
            let (id, name) = line.split_once(' ')?;
            Some((name.to_owned(), ObjectId::parse(id).ok()?))
        });
        Ok(map_of(refs))
    }

    /// Brings one commit here, without what came before it.
    pub async fn fetch_commit(
        &self,
        remote: &RemoteAddress,
        commit: &CommitId,
    ) -> Result<(), GitError> {
        if self.has(commit).await? {
            return Ok(());
        }
        let _lock = self.lock().await?;
        let refspec = format!("+{commit}:refs/connplan-seen/{commit}");
        let _: Fetched = self.fetch_refspec(remote, &["--depth=1"], &refspec).await?;
        if self.has(commit).await? {
            return Ok(());
        }
        Err(reach(
            remote,
            "read there",
            "the remote does not give out this commit",
        ))
    }

    /// Brings the head of a branch here, without what came before it. Who asks twice in one breath is told the
    /// same.
    pub async fn fetch_branch(
        &self,
        remote: &RemoteAddress,
        branch: &str,
    ) -> Result<CommitId, GitError> {
        let from = RefName::branch(branch)?;
        // By a digest: a branch may be called as a folder of others was, and on some disks as another one is.
        let seen = sha256(branch.as_bytes(), 40);
        let seen = RefName::parse(&format!("refs/connplan-seen/branches/{seen}"))?;
        let address = sha256(remote.fetch.expose().as_bytes(), 32);
        let key = (self.dir().to_owned(), address, branch.to_owned());
        let heads = || {
            self.git
                .heads
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        let known = heads().get(&key).cloned();
        if let Some((_, commit)) = known.filter(|(then, _)| then.elapsed() < ONE_BREATH) {
            return Ok(commit);
        }
        let begun = Instant::now();
        let _lock = self.lock().await?;
        let refspec = format!("+{from}:{seen}");
        // Where an earlier one left the branch says nothing.
        if let Fetched::Nothing = self.fetch_refspec(remote, &["--depth=1"], &refspec).await? {
            return Err(silent(remote));
        }
        let commit = self.objects().id("read the branch", seen.as_str()).await?;
        heads().insert(key, (begun, commit.clone()));
        Ok(commit)
    }

    async fn fetch_refspec(
        &self,
        remote: &RemoteAddress,
        options: &[&str],
        refspec: &str,
    ) -> Result<Fetched, GitError> {
        let mut args = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
        args.extend(options);
        args.extend([Self::REMOTE, refspec]);
        let settings = self.settings(remote, false).await?;
        let mut run = Run::new("fetch", &args);
        run.private = &settings;
        let output = self.run(run).await?;
        if output.success {
            return Ok(Fetched::Something);
        }
        // That is how git says, with `--depth` and a pattern, that there was nothing to fetch.
        if output.code == Some(1) && output.stderr.trim().is_empty() {
            return Ok(Fetched::Nothing);
        }
        // Whoever tries again reads it.
        self.turn(remote, &output.stderr).await?;
        Err(reach(remote, "read there", &output.stderr))
    }

    async fn lock(&self) -> Result<Lock, GitError> {
        let path = self.dir().join("connplan-lock");
        let patience = Duration::from_mins(1);
        let lock = if let Ok(lock) = Lock::acquire(&path, Duration::ZERO, "a fetch") {
            lock
        } else {
            fs::off_thread(move || Lock::acquire(&path, patience, "a fetch")).await?
        };
        self.remove_left()?;
        Ok(lock)
    }

    /// Removes git's own locks that a fetch left when it was killed: git never does, and each later fetch
    /// would fail. For who holds the lock of this folder: no other fetch is under way.
    fn remove_left(&self) -> Result<(), GitError> {
        const FOR_A_MOMENT: Duration = Duration::from_mins(1);
        for file in fs::files(self.dir())? {
            let name = file.path.file_name().unwrap_or_default();
            let is_lock = file.path.extension().is_some_and(|is| is == "lock");
            // Others than fetches take the other locks, and not for long.
            let is_old = file.written.elapsed().is_ok_and(|age| age > FOR_A_MOMENT);
            if is_lock && (name == "shallow.lock" || is_old) {
                fs::remove(&file.path)?;
            }
        }
        Ok(())
    }

    /// Whether a commit is here.
    pub async fn has(&self, commit: &CommitId) -> Result<bool, GitError> {
        let lacking = self.objects().lacking(std::slice::from_ref(commit)).await?;
        Ok(lacking.is_empty())
    }

    /// What the commits hold that were fetched.
    pub fn objects(&self) -> Objects<'_> {
        Objects::new(&self.git, Place::Own(self.dir()))
    }
}
