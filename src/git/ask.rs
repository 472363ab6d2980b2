//! Objects are read through one git for each repository: it is started for the first that is asked for, and
//! answers until connplan ends.

use std::{io, process::Stdio};

use super::{
    Git, GitError,
    command::{Place, Run, failed, missing},
    reader::{Object, Reader},
};

/// What came of asking.
pub(super) enum Asked {
    /// What each name stands for, in the order of the names; none where that is not here.
    Answers(Vec<Option<Object>>),
    /// git ended instead.
    Ended {
        /// What it said.
        stderr: String,
    },
}

impl Asked {
    /// The answers; that git ended is an error.
    pub(super) fn answers(self, doing: &'static str) -> Result<Vec<Option<Object>>, GitError> {
        match self {
            Self::Answers(answers) => Ok(answers),
            Self::Ended { stderr } => Err(failed(doing, &stderr)),
        }
    }
}

/// That an object is not here, as git says it.
pub(super) fn not_here(doing: &'static str, name: &str) -> GitError {
    failed(doing, &format!("fatal: Not a valid object name {name}"))
}

impl Git {
    /// Asks what names stand for, which hold no control characters; with contents of at most so many bytes.
    pub(super) async fn ask(
        &self,
        place: Place<'_>,
        doing: &'static str,
        names: &[&str],
        most: usize,
    ) -> Result<Asked, GitError> {
        if names.is_empty() {
            return Ok(Asked::Answers(Vec::new()));
        }
        let (Place::Checkout(repository) | Place::Own(repository) | Place::Nowhere(repository)) =
            place;
        let mut reader = match self.readers.take(repository) {
            Some(reader) => reader,
            None => self.start(place)?,
        };
        tracing::debug!(?names, "git cat-file --batch");
        let limit = self.limit(place);
        let asked = async {
            let Some(answers) = reader.ask(doing, names, most).await? else {
                let stderr = reader.ended().await;
                return Ok(Asked::Ended { stderr });
            };
            self.readers.put(repository, reader);
            Ok(Asked::Answers(answers))
        };
        match tokio::time::timeout(limit, asked).await {
            Ok(asked) => asked,
            Err(_) => Err(GitError::Slow { doing, limit }),
        }
    }

    fn start(&self, place: Place<'_>) -> Result<Reader, GitError> {
        let run = Run::new("read objects", &["cat-file", "--batch"]);
        let mut command = self.command(place, &run)?;
        let started = command.stdin(Stdio::piped()).spawn();
        let child = started.map_err(|e| missing(&e))?;
        Reader::of(child).ok_or_else(|| missing(&io::Error::other("it has no pipes")))
    }
}
