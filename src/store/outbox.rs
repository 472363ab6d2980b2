//! What a store that was away is still to be told, kept on this machine.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{HistoryEvent, Memory, StoreError, Wait};
use crate::{
    fs::{self, Visibility},
    model::{self, App, ConnectorType},
};

/// The folder of what is undelivered.
#[derive(Clone, Debug)]
pub struct Outbox {
    dir: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Letter {
    format_version: String,
    store: String,
    event: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    done: Vec<ConnectorType>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waits: Vec<Wait>,
}

impl Outbox {
    /// The outbox in a folder of the user's state.
    pub fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// Keeps an event before it is told, so that a crash does not lose it.
    pub fn put(
        &self,
        memory: &Memory,
        event: &HistoryEvent,
        waits: &[Wait],
        done: &[ConnectorType],
    ) -> Result<PathBuf, StoreError> {
        let encode = |e: toml::ser::Error| StoreError::Encode(e.to_string());
        let letter = Letter {
            format_version: "1.0".to_owned(),
            store: memory.store.identity(),
            event: event.to_toml(&memory.app).map_err(encode)?,
            done: done.to_vec(),
            waits: waits.to_vec(),
        };
        let text = toml::to_string(&letter).map_err(encode)?;
        fs::ensure_private_dir(&self.dir)?;
        let path = self.dir.join(event.name());
        fs::write(&path, text.as_bytes(), Visibility::Private)?;
        Ok(path)
    }

    /// Keeps an event, tells it, and forgets it once it was taken.
    pub async fn send(
        &self,
        memory: &Memory,
        event: &HistoryEvent,
        waits: &[Wait],
        done: &[ConnectorType],
    ) -> Result<(), StoreError> {
        let kept = self.put(memory, event, waits, done)?;
        memory.record_with(event, waits, done).await?;
        fs::remove(&kept)?;
        Ok(())
    }

    /// Whether nothing is undelivered.
    pub fn is_empty(&self) -> Result<bool, StoreError> {
        Ok(self.letters()?.is_empty())
    }

    fn letters(&self) -> Result<Vec<PathBuf>, StoreError> {
        let files = fs::files(&self.dir)?;
        let mut paths: Vec<_> = files.into_iter().map(|file| file.path).collect();
        paths.retain(|path| path.extension() == Some("toml".as_ref()));
        model::sort(&mut paths, Ord::cmp);
        Ok(paths)
    }

    /// Tells what was not told yet; says how much that was.
    pub async fn deliver(&self, memory: &Memory, app: &App) -> Result<usize, StoreError> {
        let mut told = 0;
        let place = memory.store.identity();
        for path in self.letters()? {
            let text = fs::read_own_text(&path, 32 << 20)?;
            let letter: Result<Letter, _> = toml::from_str(&text);
            // What is for another store waits for it; what cannot be read is left for a person.
            let Some(letter) = letter.ok().filter(|letter| letter.store == place) else {
                continue;
            };
            let Ok(event) = HistoryEvent::read(&letter.event, app) else {
                continue;
            };
            memory
                .record_with(&event, &letter.waits, &letter.done)
                .await?;
            fs::remove(&path)?;
            told += 1;
        }
        Ok(told)
    }
}
