//! Writing a journal, many writers at a time, one flush for all that wait.

use std::{
    fs::File,
    io::{Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use super::{
    History, JournalError,
    record::{FORMAT, Record},
};
use crate::{
    fs::{self, FsError},
    model::{App, ConnectorType},
    pending::{LocalPending, PendingEntry, PendingSet},
    plan::Digest,
    state::{Locked, WRITER},
};

/// The pending file is always written whole. With many entries, writing it for each change would cost the
/// square of their number, so it is written once more than one entry in `SHARE` has changed. A crash may
/// lose those changes; the journal has them, and the same apply asks again. Every other end of a run
/// saves the file.
const SHARE: usize = 3;
/// With at most so many entries the file is written for each change.
const FEW: usize = 32;

/// An open journal, and the pending file that is kept in step with it.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    workspace: Arc<Locked>,
    app: App,
    pending: PendingSet,
    /// The store that the team has.
    store: Option<String>,
    /// How many changes of the pending file are not on disk yet.
    unsaved: usize,
    /// How many bytes of the file are whole lines.
    whole: u64,
    /// Why nothing more is written. What came after a line cut short could not be read back.
    broken: Option<String>,
}

impl Journal {
    /// Opens the journal at `path` to go on after `history`, creating it where it is missing.
    /// A torn last line is cut off.
    pub fn open(
        path: &Path,
        history: &History,
        digest: &Digest,
        app: &App,
        workspace: Arc<Locked>,
        (pending, store): (PendingSet, Option<String>),
    ) -> Result<Self, JournalError> {
        let failed = |e| FsError::io("write", path, e);
        let mut file = fs::open_private(path)?;
        file.set_len(history.whole).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        let mut journal = Self {
            file,
            path: path.to_owned(),
            workspace,
            app: app.clone(),
            pending,
            store,
            unsaved: 0,
            whole: history.whole,
            broken: None,
        };
        if history.whole == 0 {
            journal.append(&[Record::Begin {
                format: FORMAT,
                created_by: Some(WRITER.to_owned()),
                plan_digest: digest.clone(),
                app_id: app.id.clone(),
                api_url: app.api_url.clone(),
            }])?;
            fs::sync_parent(path)?;
            fs::crash::point();
        }
        Ok(journal)
    }

    fn append(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let mut text = String::new();
        for record in records {
            // A record holds nothing that JSON cannot say.
            text.push_str(&record.to_line().map_err(|e| {
                FsError::io("write", &self.path, std::io::Error::other(e.to_string()))
            })?);
        }
        let failed = |e| FsError::io("write", &self.path, e);
        let written = fs::full::take(text.len())
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .and_then(|()| self.file.sync_data());
        if let Err(e) = written {
            // Half a line must not stand before a whole one.
            let _ = self.file.set_len(self.whole);
            return Err(failed(e).into());
        }
        self.whole += text.len() as u64;
        still_there(&self.file, &self.path).map_err(failed)?;
        Ok(())
    }

    /// The pending file first: what is on disk while the journal does not know of it is asked for again.
    fn save(&mut self) -> Result<(), String> {
        LocalPending::save(&self.workspace, &self.pending).map_err(|e| e.to_string())?;
        self.unsaved = 0;
        Ok(())
    }

    /// Writes notes down. Once that failed, it fails for all that follow.
    fn store(&mut self, notes: &[Note]) -> Result<(), String> {
        if let Some(reason) = &self.broken {
            return Err(reason.clone());
        }
        let stored = self.try_store(notes);
        self.broken = stored.as_ref().err().cloned();
        stored
    }

    fn try_store(&mut self, notes: &[Note]) -> Result<(), String> {
        for note in notes {
            match &note.pending {
                PendingChange::None => {}
                PendingChange::Add(name, entry) => {
                    self.pending
                        .insert(&self.app, name.clone(), entry.under(self.store.clone()));
                    self.unsaved += 1;
                }
                PendingChange::Remove(name) => {
                    self.unsaved += usize::from(self.pending.remove(&self.app, name));
                }
            }
        }
        let ends = notes.iter().any(|note| matches!(note.record, Record::End));
        let few = self.pending.len() <= FEW;
        if self.unsaved > 0 && (ends || few || self.unsaved * SHARE > self.pending.len()) {
            self.save()?;
        }
        // One by one where a test looks for the gaps between them.
        let step = if fs::crash::is_armed() {
            1
        } else {
            notes.len().max(1)
        };
        for notes in notes.chunks(step) {
            let records: Vec<_> = notes.iter().map(|note| note.record.clone()).collect();
            self.append(&records).map_err(|e| e.to_string())?;
            fs::crash::point();
        }
        Ok(())
    }

    /// Starts the task that writes; it ends, and lets go of the workspace, when every [`Recorder`]
    /// is gone. It comes to what waits then, if all of that is on disk.
    pub fn start(mut self) -> (Recorder, JoinHandle<Option<PendingSet>>) {
        let (sender, mut receiver) = mpsc::channel::<(Note, Reply)>(256);
        let writing = tokio::spawn(async move {
            let mut batch = Vec::new();
            while receiver.recv_many(&mut batch, 256).await > 0 {
                let (notes, replies): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
                // If that panics, whoever waits sees its reply channel closed.
                let written;
                (self, written) = fs::off_thread(move || {
                    let written = self.store(&notes);
                    (self, written)
                })
                .await;
                for reply in replies {
                    // Nobody waits any more after a second interrupt.
                    let _ = reply.send(written.clone());
                }
            }
            // Cut short or not: what was asked for is kept.
            if self.broken.is_some() {
                return None;
            }
            if self.unsaved == 0 {
                return Some(self.pending);
            }
            fs::off_thread(move || self.save().map(|()| self.pending))
                .await
                .ok()
        });
        (Recorder { sender }, writing)
    }
}

/// A file that was removed while it is open takes everything, and keeps nothing.
fn still_there(file: &File, path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let (open, named) = (file.metadata()?, path.symlink_metadata()?);
        if (open.dev(), open.ino()) != (named.dev(), named.ino()) {
            return Err(std::io::Error::other("somebody replaced it"));
        }
    }
    #[cfg(not(unix))]
    let _ = (file, path);
    Ok(())
}

type Reply = oneshot::Sender<Result<(), String>>;

/// A record, and what it means for the pending file.
#[derive(Debug)]
struct Note {
    record: Record,
    pending: PendingChange,
}

/// What becomes of a connector's pending entry.
#[derive(Debug)]
pub(crate) enum PendingChange {
    /// Nothing.
    None,
    /// It waits now.
    Add(ConnectorType, Box<PendingEntry>),
    /// It waits no more.
    Remove(ConnectorType),
}

/// Hands records to the journal. Each call returns when its record is on disk.
#[derive(Clone, Debug)]
pub struct Recorder {
    sender: mpsc::Sender<(Note, Reply)>,
}

impl Recorder {
    /// Writes a record down, with its effect on the pending file.
    pub(crate) async fn note(&self, record: Record, pending: PendingChange) -> Result<(), String> {
        let (reply, answer) = oneshot::channel();
        let gone = || "the journal's writer is gone".to_owned();
        self.sender
            .send((Note { record, pending }, reply))
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
