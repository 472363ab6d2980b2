//! A `git cat-file --batch` that runs, and what it says of the objects of its repository.
//!
//! Whoever can write into `.git` (an artifact that is unpacked over a checkout, an earlier job on the same runner) can
//! put any content there under any name, and no command of git's that reads notices. So each object is held against
//! its name here, before anybody sees it. Where it lies (packs, their indexes, alternates) then does not matter.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    future::pending,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStderr, ChildStdin, ChildStdout},
};

use super::{GitError, ObjectId, name::hex};

/// The most that is read of what git writes at once.
pub(super) const LIMIT: usize = 64 << 20;

/// The most that is kept of what it complains of.
const COMPLAINTS: usize = 1 << 16;

/// Those that are running, by the folder of their repository.
#[derive(Clone, Debug, Default)]
pub(super) struct Readers(Arc<Mutex<BTreeMap<PathBuf, Reader>>>);

impl Readers {
    /// Takes it: who does not come back with it has left it in the middle of an answer.
    pub(super) fn take(&self, repository: &Path) -> Option<Reader> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.remove(repository)
    }

    pub(super) fn put(&self, repository: &Path, reader: Reader) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(repository.to_owned(), reader);
    }
}

/// An object.
pub(super) struct Object {
    pub(super) id: ObjectId,
    pub(super) kind: ObjectKind,
    /// None of one that is larger than was wanted.
    pub(super) content: Option<Vec<u8>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ObjectKind {
    Commit,
    Tree,
    Blob,
    Tag,
}

impl Object {
    /// Its content, if it is of this kind.
    pub(super) fn of_kind(self, kind: ObjectKind) -> Option<Vec<u8>> {
        self.content.filter(|_| self.kind == kind)
    }
}

#[derive(Debug)]
pub(super) struct Reader {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    stderr: ChildStderr,
    complaints: Vec<u8>,
}

impl Reader {
    /// That which was started so, with its pipes.
    pub(super) fn of(mut child: Child) -> Option<Self> {
        let (stdin, stdout) = (child.stdin.take()?, child.stdout.take()?);
        Some(Self {
            stdin,
            stdout: BufReader::new(stdout),
            stderr: child.stderr.take()?,
            complaints: Vec::new(),
            child,
        })
    }

    /// What each name stands for; none where git ended before it had answered all.
    pub(super) async fn ask(
        &mut self,
        doing: &'static str,
        names: &[&str],
        most: usize,
    ) -> Result<Option<Vec<Option<Object>>>, GitError> {
        let input = names.join("\n") + "\n";
        let (stdin, stdout) = (&mut self.stdin, &mut self.stdout);
        let talk = async {
            let feed = async {
                // Who stops reading says why on its own.
                let _ = stdin.write_all(input.as_bytes()).await;
            };
            tokio::join!(feed, answers(stdout, doing, names, most)).1
        };
        // A pipe that nobody empties would stop git.
        tokio::select! {
            answers = talk => answers,
            never = complaints(&mut self.stderr, &mut self.complaints) => match never {},
        }
    }

    /// What it said as it ended.
    pub(super) async fn ended(mut self) -> String {
        drop((self.stdin, self.stdout));
        let mut rest = self.stderr.take(COMPLAINTS as u64);
        // A pipe that breaks shows in the exit code.
        let _ = rest.read_to_end(&mut self.complaints).await;
        let _ = self.child.wait().await;
        String::from_utf8_lossy(&self.complaints).into_owned()
    }
}

/// Reads what git complains of, for as long as it is asked.
async fn complaints(stderr: &mut ChildStderr, kept: &mut Vec<u8>) -> Infallible {
    loop {
        let mut some = [0; 1024];
        match stderr.read(&mut some).await {
            Ok(0) | Err(_) => return pending().await,
            Ok(read) => {
                let room = COMPLAINTS.saturating_sub(kept.len());
                kept.extend(some.iter().take(read.min(room)));
            }
        }
    }
}

/// An answer to each name; none where the pipe ends first.
async fn answers(
    stdout: &mut BufReader<ChildStdout>,
    doing: &'static str,
    names: &[&str],
    most: usize,
) -> Result<Option<Vec<Option<Object>>>, GitError> {
    let (mut answers, mut all) = (Vec::with_capacity(names.len()), 0);
    for name in names {
        let mut head = Vec::new();
        let read = stdout.read_until(b'\n', &mut head).await;
        if read.is_err() || head.pop() != Some(b'\n') {
            return Ok(None);
        }
        let head = String::from_utf8_lossy(&head);
        let Some((id, kind, size)) = facts(&head).filter(|_| head != format!("{name} missing"))
        else {
            answers.push(None);
            continue;
        };
        let altered = || GitError::Altered {
            name: (*name).to_owned(),
        };
        // Who asks for an object by its name is not led to another one, as by a branch that is called so.
        if ObjectId::parse(name).is_ok_and(|asked| asked != id) {
            return Err(altered());
        }
        let kept = usize::try_from(size).ok().filter(|size| *size <= most);
        if let Some(size) = kept {
            all += size;
            if all > LIMIT {
                return Err(GitError::TooLarge {
                    doing,
                    limit: LIMIT,
                });
            }
        }
        let (mut hash, mut content, mut left) = (named_by(&id, &head), Vec::new(), size);
        while left > 0 {
            let Ok(part) = stdout.fill_buf().await else {
                return Ok(None);
            };
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            let part = part.get(..most).unwrap_or(part);
            if part.is_empty() {
                return Ok(None);
            }
            hash.update(part);
            if kept.is_some() {
                content.extend_from_slice(part);
            }
            let read = part.len();
            left -= read as u64;
            stdout.consume(read);
        }
        if stdout.read_u8().await.is_err() {
            return Ok(None);
        }
        if hex(hash.finish().as_ref()) != id.as_str() {
            return Err(altered());
        }
        let content = kept.map(|_| content);
        answers.push(Some(Object { id, kind, content }));
    }
    Ok(Some(answers))
}

/// What makes the name of an object, with its kind and its size, which stand after its name.
fn named_by(id: &ObjectId, head: &str) -> Context {
    let mut hash = Context::new(match id.as_str().len() {
        40 => &SHA1_FOR_LEGACY_USE_ONLY,
        _ => &SHA256,
    });
    let (_, facts) = head.split_once(' ').unwrap_or_default();
    hash.update(facts.as_bytes());
    hash.update(b"\0");
    hash
}

/// Which object, its kind and its size.
fn facts(head: &str) -> Option<(ObjectId, ObjectKind, u64)> {
    let mut facts = head.split(' ');
    let id = ObjectId::parse(facts.next()?).ok()?;
    let kind = match facts.next()? {
        "commit" => ObjectKind::Commit,
        "tree" => ObjectKind::Tree,
        "blob" => ObjectKind::Blob,
        "tag" => ObjectKind::Tag,
        _ => return None,
    };
    let size = facts.next()?.parse().ok()?;
    facts.next().is_none().then_some((id, kind, size))
}
