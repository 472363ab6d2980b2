//! Walks from commit to commit.
//!
//! Each commit is read by its name, held against it, and leads to those that it names. What git's own walks go by
//! lies in `.git`, and no name covers it: a commit graph, grafts, where the clone is cut off.

use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::{
    Checkout, CommitId, EntryKind, GitError, ObjectId,
    command::{Place, Run},
    objects::{AT_ONCE, Said},
};

/// Where two lines of history parted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parted {
    /// The newest commits that are before both. Several, where each line merged the other, or where a commit's date
    /// is wrong.
    pub at: Vec<CommitId>,
    /// Whether nothing was missing here that has a say in it (a shallow clone).
    pub whole: bool,
}

/// Which line a commit is before, and whether it is before one that is before both.
const ONE: u8 = 1;
const OTHER: u8 = 2;
const BOTH: u8 = ONE | OTHER;
const EARLIER: u8 = 4;

impl Checkout {
    /// What a commit says that its parents are, whether those are here or not.
    pub async fn named_parents(&self, commit: &CommitId) -> Result<Vec<String>, GitError> {
        let parents = self.objects().said_by(commit).await?.parents.into_iter();
        Ok(parents.map(|parent| parent.to_string()).collect())
    }

    /// Where two lines of history parted. Dates say which commit is looked at next, and not what is found.
    pub async fn parted(&self, one: &CommitId, other: &CommitId) -> Result<Parted, GitError> {
        let mut known: BTreeMap<CommitId, Option<Said>> = BTreeMap::new();
        let mut marks: BTreeMap<CommitId, u8> = BTreeMap::new();
        let mut queue = BinaryHeap::new();
        let mut next = vec![(one.clone(), ONE), (other.clone(), OTHER)];
        let (mut at, mut whole) = (Vec::new(), true);
        loop {
            let unread = next.iter().map(|(id, _)| id.clone());
            let unread: BTreeSet<_> = unread.filter(|id| !known.contains_key(id)).collect();
            let unread: Vec<_> = unread.into_iter().collect();
            let said = self.objects().said(&unread).await?;
            known.extend(unread.into_iter().zip(said));
            for (id, mark) in next.drain(..) {
                let marks = marks.entry(id.clone()).or_default();
                if *marks & mark != mark {
                    *marks |= mark;
                    let said = known.get(&id).and_then(Option::as_ref);
                    queue.push((said.map_or(i64::MIN, |said| said.time), id));
                }
            }
            let mark_of = |id: &CommitId| marks.get(id).copied().unwrap_or_default();
            if queue.iter().all(|(_, id)| mark_of(id) & EARLIER != 0) {
                at.retain(|id| mark_of(id) & EARLIER == 0);
                return Ok(Parted { at, whole });
            }
            let Some((_, id)) = queue.pop() else { continue };
            let mut mark = mark_of(&id);
            let Some(said) = known.get(&id).and_then(Option::as_ref) else {
                whole &= mark & EARLIER != 0;
                continue;
            };
            if mark == BOTH {
                mark |= EARLIER;
                if !at.contains(&id) {
                    at.push(id.clone());
                }
            }
            next.extend(said.parents.iter().map(|id| (id.clone(), mark)));
        }
    }

    /// Whether it lacks a commit that is before this one.
    pub async fn lacks_history(&self, of: &CommitId) -> Result<bool, GitError> {
        Ok(self.history(of).await?.is_none())
    }

    /// A commit and all before it; none where one of them is not here.
    async fn history(&self, of: &CommitId) -> Result<Option<Vec<Said>>, GitError> {
        // git says what there may be to read, so that it is read at once.
        let run = Run::new("list the commits", &["rev-list", of.as_str()]);
        let listed = self.git.run(Place::Checkout(&self.root), run).await?.text();
        let listed: Vec<_> = listed.lines().flat_map(ObjectId::parse).collect();
        let said = self.objects().said(&listed).await?;
        let mut known = crate::model::map_of(listed.into_iter().zip(said));
        let (mut all, mut left) = (Vec::new(), vec![of.clone()]);
        let mut seen = BTreeSet::from([of.clone()]);
        while let Some(id) = left.pop() {
            let said = match known.remove(&id) {
                Some(said) => said,
                None => self.objects().said(&[id]).await?.pop().flatten(),
            };
            let Some(said) = said else {
                return Ok(None);
            };
            let parents = said.parents.iter();
            left.extend(parents.filter(|id| seen.insert((*id).clone())).cloned());
            all.push(said);
        }
        Ok(Some(all))
    }

    /// Whether a file of this name ever said so, as far as this clone tells: where not all of its history is here, it
    /// may have been, and where that is long, too: nobody waits for minutes.
    pub async fn may_have_said(
        &self,
        name: &str,
        says: impl Fn(&str) -> bool,
    ) -> Result<bool, GitError> {
        const DOING: &str = "look for earlier settings";
        /// So many folders and files are looked at.
        const MOST: usize = 10_000;
        let Some(head) = self.head().await? else {
            return Ok(true);
        };
        let Some(all) = self.history(&head).await? else {
            return Ok(true);
        };
        let mut seen: BTreeSet<ObjectId> = BTreeSet::new();
        let trees = all.into_iter().map(|said| said.tree);
        let mut folders: Vec<_> = trees.filter(|id| seen.insert(id.clone())).collect();
        let (mut files, mut at_once) = (Vec::new(), AT_ONCE);
        while !folders.is_empty() {
            if seen.len() > MOST {
                return Ok(true);
            }
            let objects = self.objects();
            let some = match objects.folders(DOING, &mut folders, &mut at_once).await {
                // A clone may lack it.
                Err(GitError::Failed { .. }) => return Ok(true),
                some => some?,
            };
            for entry in some.into_iter().flatten() {
                let is_new = match entry.kind {
                    EntryKind::Folder => seen.insert(entry.id.clone()),
                    EntryKind::File => entry.name == name && seen.insert(entry.id.clone()),
                    EntryKind::Link | EntryKind::Module => false,
                };
                match entry.kind {
                    EntryKind::Folder if is_new => folders.push(entry.id),
                    _ if is_new => files.push(entry.id),
                    _ => {}
                }
            }
        }
        for some in files.chunks(AT_ONCE) {
            let texts = self.objects().blobs(some, usize::MAX).await?;
            let mut said = texts
                .values()
                .map(|text| says(&String::from_utf8_lossy(text)));
            if texts.len() < some.len() || said.any(|says| says) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
