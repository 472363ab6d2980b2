//! A work tree, looked at. Nothing here changes it or talks to a remote.

use std::path::{Path, PathBuf};

use super::{
    CommitId, Git, GitError, ObjectId, Objects, RemoteName,
    ask::Asked,
    command::{Place, Run, failed},
    reader::{LIMIT, ObjectKind},
};

/// A work tree.
#[derive(Clone, Debug)]
pub struct Checkout {
    pub(super) git: Git,
    pub(super) root: PathBuf,
}

impl Checkout {
    /// The work tree that a folder lies in.
    pub fn of(folder: &Path, git: Git) -> Result<Self, GitError> {
        let root = git
            .work_tree_of(folder)
            .ok_or_else(|| GitError::NoRepository {
                folder: crate::escape::path(folder),
            })?;
        Ok(Self { git, root })
    }

    /// Its root, links resolved.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// git as this checkout runs it.
    pub fn git(&self) -> &Git {
        &self.git
    }

    async fn maybe(&self, doing: &'static str, args: &[&str]) -> Result<Option<String>, GitError> {
        let output = self
            .git
            .run(Place::Checkout(&self.root), Run::new(doing, args))
            .await?;
        match output.code {
            Some(0) => Ok(Some(output.text().trim_end_matches('\n').to_owned())),
            // What is not there is an answer. That git cannot read the clone, or was killed, is not.
            Some(1) => Ok(None),
            _ => Err(failed(doing, &output.stderr)),
        }
    }

    /// The commit that is checked out; none before the first.
    pub async fn head(&self) -> Result<Option<CommitId>, GitError> {
        self.resolve("HEAD").await
    }

    /// The commit that a name stands for, if it is here.
    pub async fn resolve(&self, name: &str) -> Result<Option<CommitId>, GitError> {
        const DOING: &str = "read the commit";
        let is_odd = |c: char| ":^~@".contains(c) || c.is_control();
        if name.starts_with('-') || name.contains(is_odd) {
            return Ok(None);
        }
        let place = Place::Checkout(&self.root);
        // Whoever can write into `.git` can have any name lead to any commit, and not the name of an object: that one is
        // asked for itself.
        let mut wanted = match ObjectId::parse(name) {
            Ok(id) => id.to_string(),
            Err(_) => format!("{name}^{{commit}}"),
        };
        loop {
            let object = match self.git.ask(place, DOING, &[&wanted], LIMIT).await? {
                Asked::Answers(mut found) => found.pop().flatten(),
                // A clone that was told to fetch what it lacks, and is not let.
                Asked::Ended { stderr } if stderr.contains("promisor remote") => None,
                // That git cannot read the clone does not say that a commit is not there.
                Asked::Ended { stderr } => return Err(failed(DOING, &stderr)),
            };
            let Some(object) = object else {
                return Ok(None);
            };
            let tagged = match object.kind {
                ObjectKind::Commit => return Ok(Some(object.id)),
                ObjectKind::Tag => object.content.unwrap_or_default(),
                ObjectKind::Tree | ObjectKind::Blob => return Ok(None),
            };
            let tagged = String::from_utf8_lossy(&tagged);
            let tagged = tagged.strip_prefix("object ").unwrap_or_default();
            wanted = ObjectId::parse(tagged.lines().next().unwrap_or_default())?.to_string();
        }
    }

    /// Whether a file is one that it keeps, and does not merely lie in it.
    pub async fn keeps(&self, file: &Path) -> bool {
        let Some(file) = file.to_str() else {
            return false;
        };
        let args = ["--literal-pathspecs", "ls-files", "--error-unmatch", "--"];
        let args = [&args[..], &[file]].concat();
        let found = self.maybe("look for a file", &args).await;
        found.is_ok_and(|found| found.is_some())
    }

    /// Whether it has a git folder of its own, as a clone does: that of a submodule lies in the repository around it.
    pub fn is_cloned(&self) -> bool {
        self.root.join(".git").is_dir()
    }

    /// The branch that the remote calls its default, as this clone knows it.
    pub async fn default_branch(&self, remote: &RemoteName) -> Result<Option<String>, GitError> {
        let head = format!("refs/remotes/{remote}/HEAD");
        let args = ["symbolic-ref", "--quiet", &head];
        let found = self.maybe("read the default branch", &args).await?;
        let prefix = format!("refs/remotes/{remote}/");
        Ok(found.and_then(|name| name.strip_prefix(&prefix).map(str::to_owned)))
    }

    /// The branch that is checked out.
    pub async fn branch(&self) -> Result<Option<String>, GitError> {
        let args = ["symbolic-ref", "--quiet", "--short", "HEAD"];
        self.maybe("read the branch", &args).await
    }

    /// What its commits hold.
    pub fn objects(&self) -> Objects<'_> {
        Objects::new(&self.git, Place::Checkout(&self.root))
    }
}
