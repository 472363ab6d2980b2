//! What git's own settings name, before git speaks to a remote by them: in a pipeline none of it is the checkout's.

use std::path::{Path, PathBuf};

use super::{
    Git, GitError,
    command::{Place, Run},
};
use crate::{
    escape,
    fs::{self, Shipped},
};

/// The settings by which a file or a command says whom to believe or what to run, by their ends: some have the address
/// that they are for in their middle. What `FIXED` in `command.rs` says above them is not among them.
const DECIDING: [&str; 15] = [
    ".cookiefile",
    ".helper",
    ".packobjectshook",
    ".proxysslcainfo",
    ".proxysslcert",
    ".proxysslkey",
    ".receivepack",
    ".sshcommand",
    ".sslcainfo",
    ".sslcapath",
    ".sslcert",
    ".sslkey",
    ".uploadpack",
    ".proxy",
    ".vcs",
];

impl Git {
    /// Fails where a pipeline's checkout has a file that git's settings are read from, or that one of them names.
    pub(super) async fn check_settings(&self, place: Place<'_>) -> Result<(), GitError> {
        if self.checkouts.is_empty() {
            return Ok(());
        }
        let check = async {
            let args = ["config", "--null", "--list", "--show-origin"];
            let run = Run::new("list its settings", &args);
            let listed = self.must(place, run).await?.text();
            match self.shipped(&listed) {
                Some(shipped) => Err(GitError::Shipped(shipped)),
                None => Ok(()),
            }
        };
        self.checked.get_or_try_init(|| check).await.copied()
    }

    fn shipped(&self, listed: &str) -> Option<Shipped> {
        let mut parts = listed.split('\0');
        while let (Some(origin), Some(setting)) = (parts.next(), parts.next()) {
            let (key, value) = setting.split_once('\n').unwrap_or((setting, ""));
            let file = origin.strip_prefix("file:").map(PathBuf::from);
            // Ours is told by a relative one.
            let file = file.filter(|file| file.is_absolute());
            let ships = |file: &Path| fs::ships(&self.checkouts, file);
            if let Some(file) = file.as_deref().filter(|file| ships(file)) {
                return Some(Shipped::new("the configuration of git", file));
            }
            let decides = DECIDING.iter().any(|end| key.ends_with(end));
            let named = decides.then(|| fs::paths_named(value, &self.vars));
            if let Some(named) = named.into_iter().flatten().find(|file| ships(file)) {
                let from = file.map(|file| format!(" in {}", escape::path(&file)));
                let key = escape::limited(key, 200);
                let by = format!("the git setting {key}{}", from.unwrap_or_default());
                return Some(Shipped::new(by, &named));
            }
        }
        None
    }
}
