//! A work tree, looked at. Nothing here changes it or talks to a remote.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use super::{
    CommitId, Git, GitError, ObjectId, Objects, RemoteName,
    ask::Asked,
    command::{Place, Run, failed},
};

/// A work tree.
#[derive(Clone, Debug)]
pub struct Checkout {
    pub(super) git: Git,
    pub(super) root: PathBuf,
}

/// Who made a commit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Person {
    /// As they call themselves. Untrusted.
    pub name: String,
    /// The address they gave. Untrusted, and private to some.
    pub email: String,
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
            // What is not there is an answer; a repository that cannot be used is not.
            Some(1) => Ok(None),
            // Nor is one that was killed.
            None => Err(failed(doing, &output.stderr)),
            _ if unusable(&output.stderr) => Err(failed(doing, &output.stderr)),
            _ => Ok(None),
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
        let wanted = format!("{name}^{{commit}}");
        let place = Place::Checkout(&self.root);
        match self.git.ask(place, DOING, &[&wanted], 0).await? {
            Asked::Answers(mut found) => Ok(found.pop().flatten().map(|object| object.id)),
            // What is not there is an answer; a repository that cannot be used is not, nor is one that was killed.
            Asked::Ended { killed, stderr } if killed || unusable(&stderr) => {
                Err(failed(DOING, &stderr))
            }
            Asked::Ended { .. } => Ok(None),
        }
    }

    /// What a commit says that its parents are, whether those are here or not.
    pub async fn named_parents(&self, commit: &CommitId) -> Result<Vec<String>, GitError> {
        let text = self.objects().commit(commit).await?;
        let head = text.split("\n\n").next().unwrap_or_default();
        let parents = head.lines().filter_map(|line| line.strip_prefix("parent "));
        Ok(parents.map(str::to_owned).collect())
    }

    /// Where two lines of history parted; none where that is not known here (a shallow clone).
    pub async fn merge_base(
        &self,
        one: &CommitId,
        other: &CommitId,
    ) -> Result<Option<CommitId>, GitError> {
        if one == other {
            return Ok(Some(one.clone()));
        }
        let args = ["merge-base", one.as_str(), other.as_str()];
        let found = self.maybe("compare two commits", &args).await?;
        Ok(found.map(|text| ObjectId::parse(&text)).transpose()?)
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

    /// Whether it lacks what came before some commit.
    pub async fn is_shallow(&self) -> Result<bool, GitError> {
        let args = ["rev-parse", "--is-shallow-repository"];
        let found = self.maybe("look at the repository", &args).await?;
        Ok(found.as_deref() == Some("true"))
    }

    /// Whether a line with this word was ever in a file of this name, as far as this clone tells: where it does not
    /// go back to the start, it may have been.
    pub async fn may_have_said(&self, word: &str, file: &str) -> Result<bool, GitError> {
        let (word, file) = (format!("-G{word}"), format!(":(glob)**/{file}"));
        let mut args = vec!["log", "-1", "--format=%H"];
        // No line of history is left out, and a merge is held against each of its parents. What attributes of the
        // checkout say counts for nothing: they could call the file binary, or choose a program that converts it.
        args.extend(["--full-history", "-m"]);
        args.extend(["--text", "--no-textconv", "--no-ext-diff"]);
        args.extend([&*word, "HEAD", "--", &*file]);
        let found = self.maybe("look for earlier settings", &args).await?;
        Ok(found.is_none_or(|found| !found.is_empty()) || self.is_shallow().await?)
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

    /// Authors and committers of what `head` has and `base` has not; of the head alone without a
    /// base.
    pub async fn people(
        &self,
        base: Option<&CommitId>,
        head: &CommitId,
    ) -> Result<BTreeSet<Person>, GitError> {
        let mut args = vec![
            "rev-list",
            "--no-commit-header",
            "--format=%an%x00%ae%n%cn%x00%ce",
        ];
        let without = base.map(|base| format!("^{base}"));
        match &without {
            Some(without) => args.push(without),
            None => args.push("--max-count=1"),
        }
        args.extend([head.as_str(), "--"]);
        let run = Run::new("read who made the commits", &args);
        let output = self.git.must(Place::Checkout(&self.root), run).await?;
        let text = output.text();
        let people = text.lines().filter_map(|line| line.split_once('\0'));
        Ok(people
            .map(|(name, email)| Person {
                name: name.to_owned(),
                email: email.to_owned(),
            })
            .collect())
    }
}

fn unusable(stderr: &str) -> bool {
    [
        "dubious ownership",
        "not a git repository",
        "cannot be used",
        "Permission denied",
        "bad config",
    ]
    .iter()
    .any(|words| stderr.contains(words))
}
