//! What commits hold, wherever they are: files, folders, and the content of both.

use std::collections::BTreeMap;

use super::{
    CommitId, Git, GitError, ObjectId,
    command::{Place, Run, failed},
    path::{os_text, path_text},
};
use crate::model::map_of;

/// One name in a folder of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeEntry {
    /// Its name, without the folder, as [`path_text`] has it. So are all paths here.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// The name of its content.
    pub id: ObjectId,
}

/// What a name in a commit stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// Another repository.
    Module,
}

/// The objects of a repository.
#[derive(Clone, Copy, Debug)]
pub struct Objects<'a> {
    git: &'a Git,
    place: Place<'a>,
}

impl<'a> Objects<'a> {
    pub(super) fn new(git: &'a Git, place: Place<'a>) -> Self {
        Self { git, place }
    }

    /// What a commit has at a path; none where it has nothing there.
    pub async fn find(&self, commit: &CommitId, path: &str) -> Result<Option<TreeEntry>, GitError> {
        let Some((folder, name)) = split(path) else {
            return Ok(None);
        };
        let entries = self.list(commit, folder).await?;
        Ok(entries.into_iter().find(|entry| entry.name == name))
    }

    /// A file of a commit; none where the commit has no such file, or it is a link.
    pub async fn show(&self, commit: &CommitId, path: &str) -> Result<Option<Vec<u8>>, GitError> {
        match self.find(commit, path).await? {
            Some(entry) if entry.kind == EntryKind::File => Ok(Some(self.read(&entry.id).await?)),
            _ => Ok(None),
        }
    }

    /// The content of a file.
    pub async fn read(&self, id: &ObjectId) -> Result<Vec<u8>, GitError> {
        let run = Run::new(
            "read a file of the commit",
            &["cat-file", "blob", id.as_str()],
        );
        Ok(self.git.must(self.place, run).await?.stdout)
    }

    /// What lies in a folder of a commit; empty if the commit lacks it.
    pub async fn list(&self, commit: &CommitId, folder: &str) -> Result<Vec<TreeEntry>, GitError> {
        let folder = folder.trim_matches('/');
        let tree = os_text(&format!("{commit}:{folder}"));
        let known = format!("{commit}^{{commit}}");
        let mut run = Run::new("list a folder of the commit", &["ls-tree", "-z"]);
        run.args.push(&tree);
        let output = self.git.run(self.place, run).await?;
        if !output.success {
            // No such folder is an answer, no such commit is not.
            let known = Run::new("read the commit", &["cat-file", "-e", &known]);
            self.git.must(self.place, known).await?;
            return Ok(Vec::new());
        }
        let lines = output.stdout.split(|byte| *byte == 0);
        let entries = lines.filter_map(|line| {
            let (kind, id, name) = entry(line)?;
            Some(TreeEntry { name, kind, id })
        });
        Ok(entries.collect())
    }

    /// Every file of a commit, by path, with the name of its content.
    pub async fn tree(&self, commit: &CommitId) -> Result<BTreeMap<String, ObjectId>, GitError> {
        let all = self.whole(commit).await?.into_iter();
        let files = all.filter(|(_, (kind, _))| *kind == EntryKind::File);
        Ok(files.map(|(path, (_, id))| (path, id)).collect())
    }

    /// The same with links and other repositories.
    pub async fn whole(
        &self,
        commit: &CommitId,
    ) -> Result<BTreeMap<String, (EntryKind, ObjectId)>, GitError> {
        let args = ["ls-tree", "-r", "-z", "--full-tree", commit.as_str()];
        let run = Run::new("list a commit", &args);
        let output = self.git.must(self.place, run).await?;
        let lines = output.stdout.split(|byte| *byte == 0);
        let all = lines.filter_map(|line| {
            let (kind, id, path) = entry(line)?;
            Some((path, (kind, id)))
        });
        Ok(map_of(all))
    }

    /// Which of these objects are not here: a clone may have a commit and not all that it holds.
    pub async fn lacking(&self, ids: &[ObjectId]) -> Result<Vec<ObjectId>, GitError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let names: Vec<_> = ids.iter().map(ObjectId::as_str).collect();
        let input = names.join("\n") + "\n";
        let mut run = Run::new("look for objects", &["cat-file", "--batch-check"]);
        run.input = Some(input.as_bytes());
        let output = self.git.run(self.place, run).await?;
        if !output.success {
            // A clone that was told to fetch what it lacks, and is not let.
            return Ok(ids.to_vec());
        }
        let text = output.text();
        let missing = text
            .lines()
            .filter_map(|line| line.strip_suffix(" missing"));
        Ok(missing.filter_map(|id| ObjectId::parse(id).ok()).collect())
    }

    /// The content of objects, by one run; without those that are not here or larger than `limit`.
    pub async fn blobs(
        &self,
        ids: &[ObjectId],
        limit: usize,
    ) -> Result<BTreeMap<ObjectId, Vec<u8>>, GitError> {
        const DOING: &str = "read objects";
        let mut found = BTreeMap::new();
        if ids.is_empty() {
            return Ok(found);
        }
        let names: Vec<_> = ids.iter().map(ObjectId::as_str).collect();
        let input = names.join("\n") + "\n";
        let mut run = Run::new(DOING, &["cat-file", "--batch"]);
        run.input = Some(input.as_bytes());
        let output = self.git.must(self.place, run).await?;
        let mut rest = output.stdout.as_slice();
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let head = String::from_utf8_lossy(&rest[..end]).into_owned();
            rest = &rest[end + 1..];
            let facts: Vec<_> = head.split(' ').collect();
            let [id, kind, size] = facts.as_slice() else {
                continue;
            };
            let size: usize = size.parse().map_err(|_| failed(DOING, &head))?;
            let content = rest.get(..size).ok_or_else(|| failed(DOING, &head))?;
            if *kind == "blob" && size <= limit {
                found.insert(ObjectId::parse(id)?, content.to_vec());
            }
            rest = rest.get(size + 1..).unwrap_or_default();
        }
        Ok(found)
    }
}

fn kind_of(mode: &str) -> EntryKind {
    match mode {
        "120000" => EntryKind::Link,
        "040000" => EntryKind::Folder,
        "160000" => EntryKind::Module,
        _ => EntryKind::File,
    }
}

/// Kind, content and name of one line of `ls-tree`.
fn entry(line: &[u8]) -> Option<(EntryKind, ObjectId, String)> {
    let end = line.iter().position(|byte| *byte == b'\t')?;
    let facts = std::str::from_utf8(line.get(..end)?).ok()?;
    let mut facts = facts.split(' ');
    let (mode, _, id) = (facts.next()?, facts.next()?, facts.next()?);
    let name = path_text(line.get(end + 1..)?);
    Some((kind_of(mode), ObjectId::parse(id).ok()?, name))
}

fn split(path: &str) -> Option<(&str, &str)> {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    if !path.split('/').all(plain) || path.contains('\0') {
        return None;
    }
    Some(path.rsplit_once('/').unwrap_or(("", path)))
}
