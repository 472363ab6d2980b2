//! Which store a run shares with other machines.

use std::{
    path::{Path, PathBuf},
    process::Command,
    thread,
    time::{Duration, Instant},
};

use crate::git::repository::git;

/// Where the team's memory is.
#[derive(Clone, Debug, Default)]
pub enum Shared {
    /// On this machine.
    #[default]
    Nowhere,
    /// In a bare repository beside the project.
    Git,
    /// In the bucket of this address, with the provider's variables of this process.
    Bucket(String),
}

impl Shared {
    /// What `CONNPLAN_FAULT_STORE` says: `git`, or a bucket's address.
    #[expect(
        clippy::disallowed_methods,
        reason = "how a person asks a test for more"
    )]
    pub fn from_environment() -> Self {
        match std::env::var("CONNPLAN_FAULT_STORE").ok().as_deref() {
            None | Some("") => Self::Nowhere,
            Some("git") => Self::Git,
            Some(url) => Self::Bucket(url.to_owned()),
        }
    }

    /// Makes what it needs beside a project. Says where it is.
    pub fn lay_out(&self, root: &Path) -> Option<String> {
        match self {
            Self::Nowhere => None,
            Self::Git => {
                git(&root.join(".."), &["init", "-q", "--bare", "origin.git"]);
                git(root, &["init", "-q"]);
                git(root, &["remote", "add", "origin", "../origin.git"]);
                Some("git:origin".to_owned())
            }
            // One of its own for each case.
            Self::Bucket(url) => Some(format!("{url}/faults/{}", uuid::Uuid::new_v4())),
        }
    }

    /// The variables that a run needs for it.
    pub fn give(store: &str, command: &mut Command) {
        command.env("CONNPLAN_STORE", store);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("GIT_CONFIG_NOSYSTEM", "1");
        let variables = std::env::vars().filter(|(name, _)| {
            let mut providers = ["AWS_", "AZURE_", "AZURITE_", "GOOGLE_"].iter();
            providers.any(|prefix| name.starts_with(prefix))
        });
        command.envs(variables);
    }

    /// The lease of a run that was killed has ended: time went by.
    pub fn after_a_while(store: &str, binary: &PathBuf, like: &Command) {
        let mut unlock = Command::new(binary);
        unlock.args(["unlock", "--yes"]).env_clear();
        unlock.envs(
            like.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        if let Some(folder) = like.get_current_dir() {
            unlock.current_dir(folder);
            let around = folder.parent().expect("it is in a folder of the case");
            let until = Instant::now() + Duration::from_secs(20);
            while somebody_is_in(around) && Instant::now() < until {
                thread::sleep(Duration::from_millis(5));
            }
        }
        // What was killed may have left a git that still pushes: then the lease changes once more.
        for last in [false, false, true] {
            let done = unlock.output().expect("connplan starts");
            let said = String::from_utf8_lossy(&done.stderr).into_owned();
            if !last && said.contains("Somebody else took the lease in the") {
                continue;
            }
            assert!(done.status.success(), "{store}: {said}");
            return;
        }
    }
}

/// Whether a process works in this folder: what was killed may have left a git that still pushes. Where
/// there is no `/proc`, nobody is found.
fn somebody_is_in(folder: &Path) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|process| std::fs::read_link(process.path().join("cwd")).ok())
        .any(|cwd| cwd.starts_with(folder))
}
