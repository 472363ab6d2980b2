//! What commits hold, wherever they are: files, folders, and the content of both.

use std::collections::BTreeMap;

use super::{
    CommitId, Git, GitError, ObjectId,
    ask::{Asked, not_here},
    command::{Place, failed},
    name::hex,
    path::path_text,
    reader::{LIMIT, Object, ObjectKind},
};
use crate::model::map_of;

/// So many folders are read at once.
pub(super) const AT_ONCE: usize = 200;

/// The most that is kept of a commit's paths: some two million.
const LONGEST_LIST: usize = 256 << 20;

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

/// What a commit says.
#[derive(Clone, Debug)]
pub(super) struct Said {
    /// All that it holds.
    pub(super) tree: ObjectId,
    /// Those before it.
    pub(super) parents: Vec<CommitId>,
    /// When it was made, in seconds since 1970. Anybody may write any time.
    pub(super) time: i64,
}

impl Said {
    fn of(commit: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(commit);
        let mut lines = text.lines().peekable();
        let tree = ObjectId::parse(lines.next()?.strip_prefix("tree ")?).ok()?;
        let mut parents = Vec::new();
        while let Some(parent) = lines.peek().and_then(|line| line.strip_prefix("parent ")) {
            parents.push(ObjectId::parse(parent).ok()?);
            lines.next();
        }
        let made = lines.find_map(|line| line.strip_prefix("committer "));
        let time = made.and_then(|made| made.rsplit(' ').nth(1)?.parse().ok());
        Some(Self {
            tree,
            parents,
            time: time.unwrap_or(0),
        })
    }
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
        const DOING: &str = "read a file of the commit";
        self.one(DOING, id, ObjectKind::Blob).await
    }

    /// What lies in a folder of a commit; empty if the commit lacks it.
    pub async fn list(&self, commit: &CommitId, folder: &str) -> Result<Vec<TreeEntry>, GitError> {
        const DOING: &str = "list a folder of the commit";
        let mut parts = folder.split('/').filter(|part| !part.is_empty());
        let mut tree = self.said_by(commit).await?.tree;
        loop {
            // What the folder around it names and is not here is not an empty one: a clone may lack it.
            let content = self.one(DOING, &tree, ObjectKind::Tree).await?;
            let entries = entries(DOING, &tree, &content)?;
            let Some(part) = parts.next() else {
                return Ok(entries);
            };
            let is_it = |entry: &TreeEntry| entry.kind == EntryKind::Folder && entry.name == part;
            match entries.into_iter().find(is_it) {
                Some(folder) => tree = folder.id,
                None => return Ok(Vec::new()),
            }
        }
    }

    /// The object that a name stands for.
    pub(super) async fn id(&self, doing: &'static str, name: &str) -> Result<ObjectId, GitError> {
        let asked = self.git.ask(self.place, doing, &[name], 0).await?;
        let object = asked.answers(doing)?.pop().flatten();
        let object = object.ok_or_else(|| not_here(doing, name))?;
        Ok(object.id)
    }

    /// What a commit says.
    pub(super) async fn said_by(&self, id: &CommitId) -> Result<Said, GitError> {
        let said = self.said(std::slice::from_ref(id)).await?.pop().flatten();
        said.ok_or_else(|| not_here("read the commit", id.as_str()))
    }

    /// What commits say; none of those that are not here.
    pub(super) async fn said(&self, ids: &[CommitId]) -> Result<Vec<Option<Said>>, GitError> {
        const DOING: &str = "read the commit";
        let mut all = Vec::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            let names: Vec<_> = some.iter().map(ObjectId::as_str).collect();
            let asked = self.git.ask(self.place, DOING, &names, LIMIT).await?;
            for object in asked.answers(DOING)? {
                let text = content(DOING, object, ObjectKind::Commit)?;
                all.push(text.and_then(|text| Said::of(&text)));
            }
        }
        Ok(all)
    }

    async fn one(
        &self,
        doing: &'static str,
        id: &ObjectId,
        kind: ObjectKind,
    ) -> Result<Vec<u8>, GitError> {
        let found = self.found(doing, id, kind).await?;
        found.ok_or_else(|| not_here(doing, id.as_str()))
    }

    async fn found(
        &self,
        doing: &'static str,
        id: &ObjectId,
        kind: ObjectKind,
    ) -> Result<Option<Vec<u8>>, GitError> {
        let names = [id.as_str()];
        let asked = self.git.ask(self.place, doing, &names, LIMIT).await?;
        let object = asked.answers(doing)?.pop().flatten();
        content(doing, object, kind)
    }

    /// Every file of a commit, by path, with the name of its content.
    pub async fn tree(&self, commit: &CommitId) -> Result<BTreeMap<String, ObjectId>, GitError> {
        let all = self.whole(commit).await?.into_iter();
        let files = all.filter(|(_, (kind, _))| *kind == EntryKind::File);
        Ok(map_of(files.map(|(path, (_, id))| (path, id))))
    }

    /// The same with links and other repositories.
    pub async fn whole(
        &self,
        commit: &CommitId,
    ) -> Result<BTreeMap<String, (EntryKind, ObjectId)>, GitError> {
        const DOING: &str = "list a commit";
        let mut folders = vec![self.said_by(commit).await?.tree];
        let mut paths = vec![String::new()];
        let (mut all, mut size, mut at_once) = (Vec::new(), 0, AT_ONCE);
        while !folders.is_empty() {
            let some = self.folders(DOING, &mut folders, &mut at_once).await?;
            let around = paths.split_off(folders.len());
            for (folder, entries) in around.into_iter().zip(some) {
                for TreeEntry { name, kind, id } in entries {
                    let path = format!("{folder}{name}");
                    // A few objects can be folders without end.
                    size += path.len() + id.as_str().len();
                    if size > LONGEST_LIST {
                        return Err(GitError::TooLarge {
                            doing: DOING,
                            limit: LONGEST_LIST,
                        });
                    }
                    match kind {
                        EntryKind::Folder => {
                            folders.push(id);
                            paths.push(path + "/");
                        }
                        kind => all.push((path, (kind, id))),
                    }
                }
            }
        }
        Ok(map_of(all))
    }

    /// What is in the last of some folders, which it takes out: so many as can be read at once.
    pub(super) async fn folders(
        &self,
        doing: &'static str,
        left: &mut Vec<ObjectId>,
        at_once: &mut usize,
    ) -> Result<Vec<Vec<TreeEntry>>, GitError> {
        loop {
            let some = left.split_off(left.len().saturating_sub(*at_once));
            let names: Vec<_> = some.iter().map(ObjectId::as_str).collect();
            let asked = match self.git.ask(self.place, doing, &names, LIMIT).await {
                // Of folders with very many files, fewer at once.
                Err(GitError::TooLarge { .. }) if some.len() > 1 => {
                    *at_once = some.len().div_ceil(4);
                    left.extend(some);
                    continue;
                }
                asked => asked?.answers(doing)?,
            };
            let trees = some.iter().zip(asked).map(|(id, tree)| {
                let tree = content(doing, tree, ObjectKind::Tree)?;
                entries(
                    doing,
                    id,
                    &tree.ok_or_else(|| not_here(doing, id.as_str()))?,
                )
            });
            return trees.collect();
        }
    }

    /// Which of these objects are not here: a clone may have a commit and not all that it holds.
    pub async fn lacking(&self, ids: &[ObjectId]) -> Result<Vec<ObjectId>, GitError> {
        let names: Vec<_> = ids.iter().map(ObjectId::as_str).collect();
        let asked = self
            .git
            .ask(self.place, "look for objects", &names, 0)
            .await?;
        let Asked::Answers(found) = asked else {
            // A clone that was told to fetch what it lacks, and is not let.
            return Ok(ids.to_vec());
        };
        let missing = ids.iter().zip(found).filter(|(_, found)| found.is_none());
        Ok(missing.map(|(id, _)| id.clone()).collect())
    }

    /// The content of files; without those that are not here or larger than `limit`.
    pub async fn blobs(
        &self,
        ids: &[ObjectId],
        limit: usize,
    ) -> Result<BTreeMap<ObjectId, Vec<u8>>, GitError> {
        const DOING: &str = "read objects";
        let names: Vec<_> = ids.iter().map(ObjectId::as_str).collect();
        let asked = self.git.ask(self.place, DOING, &names, limit).await?;
        let found = asked.answers(DOING)?.into_iter().flatten();
        let blobs = found.filter_map(|object| {
            let id = object.id.clone();
            Some((id, object.of_kind(ObjectKind::Blob)?))
        });
        Ok(map_of(blobs))
    }
}

/// What an object of this kind holds; one that is not read for its size is not one that is not here.
fn content(
    doing: &'static str,
    object: Option<Object>,
    kind: ObjectKind,
) -> Result<Option<Vec<u8>>, GitError> {
    let Some(object) = object.filter(|object| object.kind == kind) else {
        return Ok(None);
    };
    let too_large = GitError::TooLarge {
        doing,
        limit: LIMIT,
    };
    object.content.ok_or(too_large).map(Some)
}

fn kind_of(mode: u32) -> EntryKind {
    match mode & 0o170_000 {
        0o100_000 => EntryKind::File,
        0o120_000 => EntryKind::Link,
        0o040_000 => EntryKind::Folder,
        _ => EntryKind::Module,
    }
}

/// What a tree holds: after each mode and name, the bytes of an object's name, which are as many as the tree's own.
fn entries(
    doing: &'static str,
    tree: &ObjectId,
    mut content: &[u8],
) -> Result<Vec<TreeEntry>, GitError> {
    let mut entries = Vec::new();
    while !content.is_empty() {
        let (entry, rest) = entry(content, tree.as_str().len() / 2)
            .ok_or_else(|| failed(doing, &format!("fatal: {tree} is not a tree")))?;
        entries.extend(entry);
        content = rest;
    }
    Ok(entries)
}

/// The next entry, if it names an object, and what follows it.
fn entry(content: &[u8], width: usize) -> Option<(Option<TreeEntry>, &[u8])> {
    let end = content.iter().position(|byte| *byte == 0)?;
    let (facts, rest) = (content.get(..end)?, content.get(end + 1..)?);
    let (id, rest) = rest.split_at_checked(width)?;
    let space = facts.iter().position(|byte| *byte == b' ')?;
    let (mode, name) = (facts.get(..space)?, facts.get(space + 1..)?);
    let mode = u32::from_str_radix(str::from_utf8(mode).ok()?, 8).ok()?;
    let entry = ObjectId::parse(&hex(id)).ok().map(|id| TreeEntry {
        name: path_text(name),
        kind: kind_of(mode),
        id,
    });
    Some((entry, rest))
}

fn split(path: &str) -> Option<(&str, &str)> {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    if !path.split('/').all(plain) || path.contains('\0') {
        return None;
    }
    Some(path.rsplit_once('/').unwrap_or(("", path)))
}
