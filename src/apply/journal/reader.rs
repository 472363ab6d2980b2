//! Reading a journal back.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use miette::Diagnostic;
use thiserror::Error;

use super::record::{FORMAT, Record, Recorded};
use crate::{
    fs::{self, FsError},
    model::{ConnectorType, map_of},
    plan::{Digest, Progress},
    receipt::Outcome,
};

/// A journal of a thousand connectors is some 400 KiB.
pub(super) const LIMIT: u64 = 64 << 20;

/// Why a journal could not be read or written.
#[derive(Debug, Error, Diagnostic)]
pub enum JournalError {
    /// The file itself.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fs(#[from] FsError),
    /// A record that is not the last one is garbled: a crash does not do that.
    #[error("the journal {} is damaged at line {line}", crate::escape::path(path))]
    #[diagnostic(
        code(connplan::journal::damaged),
        help(
            "it cannot say any more what this plan did so far. Look at the app with `connplan \
             status`, move the journal aside, and make a new plan"
        )
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// Another version wrote it, in another form.
    #[error(
        "the journal {} is in a format that this connplan does not know: {by} wrote it",
        crate::escape::path(path)
    )]
    #[diagnostic(
        code(connplan::journal::form),
        help("use the connplan that wrote it, or move it aside and make a new plan")
    )]
    Form {
        /// The file.
        path: PathBuf,
        /// Who wrote it. Escaped.
        by: String,
    },
    /// It begins as another plan's journal.
    #[error(
        "the journal {} does not belong to this plan",
        crate::escape::path(path)
    )]
    #[diagnostic(
        code(connplan::journal::foreign),
        help("move it aside and make a new plan")
    )]
    Foreign {
        /// The file.
        path: PathBuf,
    },
}

/// What earlier runs of the same plan did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Announced writes, in order of name; `None` where it is not known what came of one.
    pub writes: BTreeMap<ConnectorType, Option<Recorded>>,
    /// Whether the plan was carried out whole.
    pub finished: bool,
    /// Whether a torn last line was dropped.
    pub torn: bool,
    /// How many bytes of the file are whole lines.
    pub(super) whole: u64,
}

impl History {
    /// Whether an earlier run got as far as announcing a write.
    pub fn has_begun(&self) -> bool {
        !self.writes.is_empty()
    }

    /// Whether a write was announced, and not known to have been held back.
    pub fn may_have_done(&self, connector: &ConnectorType) -> bool {
        let written = self.writes.get(connector);
        let held_back = |recorded: &Recorded| recorded.outcome == Outcome::NotRun;
        written.is_some_and(|recorded| !recorded.as_ref().is_some_and(held_back))
    }

    /// How far each connector came, as verification wants it.
    pub fn progress(&self) -> BTreeMap<ConnectorType, Progress> {
        let progress = |recorded: &Option<Recorded>| match recorded {
            Some(recorded) if recorded.outcome.is_effect() => Progress::Done,
            // A failed call may have taken effect before it failed.
            _ => Progress::Begun,
        };
        let writes = self.writes.iter();
        map_of(writes.map(|(name, recorded)| (name.clone(), progress(recorded))))
    }

    /// What a finished write came to; nothing for one that is open or failed.
    pub fn done(&self, connector: &ConnectorType) -> Option<&Recorded> {
        self.writes
            .get(connector)?
            .as_ref()
            .filter(|recorded| recorded.outcome.is_effect())
    }
}

/// What the journal of a plan is called.
pub fn file_name(digest: &Digest) -> String {
    format!("{}.log", digest.short())
}

/// Reads the journal at `path` for the plan named by `digest`; an absent one is an empty history.
pub fn read(path: &Path, digest: &Digest) -> Result<History, JournalError> {
    let bytes = match fs::read_own(path, LIMIT) {
        Ok(bytes) => bytes,
        Err(e) if e.is_not_found() => return Ok(History::default()),
        Err(e) => return Err(e.into()),
    };
    decode(&bytes, digest).map_err(|fault| match fault {
        Fault::Damaged(line) => JournalError::Damaged {
            path: path.to_owned(),
            line,
        },
        Fault::Form(by) => JournalError::Form {
            path: path.to_owned(),
            by,
        },
        Fault::Foreign => JournalError::Foreign {
            path: path.to_owned(),
        },
    })
}

/// What can be wrong with a journal's bytes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// This line, from 1.
    Damaged(usize),
    /// Another version's, which is this one.
    Form(String),
    /// Another plan's.
    Foreign,
}

/// Reads a journal's bytes.
pub(crate) fn decode(bytes: &[u8], digest: &Digest) -> Result<History, Fault> {
    let mut history = History::default();
    let mut rest = bytes;
    let mut line = 0;
    while !rest.is_empty() {
        line += 1;
        let end = rest.iter().position(|byte| *byte == b'\n');
        let (text, tail) = match end {
            Some(end) => rest.split_at(end),
            None => (rest, [].as_slice()),
        };
        let tail = tail.strip_prefix(b"\n").unwrap_or(tail);
        if line == 1
            && let Some(by) = end.and_then(|_| Record::other_format(text))
        {
            return Err(Fault::Form(by));
        }
        // Without its line feed even a line that reads well was not written whole.
        let record = end.and_then(|_| Record::from_line(text));
        let Some(record) = record else {
            if tail.is_empty() {
                history.torn = true;
                return Ok(history);
            }
            return Err(Fault::Damaged(line));
        };
        match record {
            Record::Begin {
                format,
                plan_digest,
                ..
            } => {
                if line != 1 || format != FORMAT || plan_digest != *digest {
                    return Err(Fault::Foreign);
                }
            }
            _ if line == 1 => return Err(Fault::Foreign),
            Record::Intent { connector } => {
                history.writes.insert(connector, None);
                history.finished = false;
            }
            Record::Outcome(recorded) => {
                history
                    .writes
                    .insert(recorded.connector.clone(), Some(recorded));
            }
            Record::End => history.finished = true,
        }
        history.whole += text.len() as u64 + 1;
        rest = tail;
    }
    history.finished &= history
        .writes
        .values()
        .flatten()
        .all(|r| r.outcome != Outcome::Failed);
    Ok(history)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ApiUrl, AppId};

    fn digest() -> Digest {
        Digest::parse(&"a".repeat(64)).unwrap()
    }

    fn lines() -> Vec<String> {
        let slack = ConnectorType::parse("slack").unwrap();
        let recorded = Recorded {
            basis: None,
            connector: slack.clone(),
            outcome: Outcome::Synced,
            message: Some("x\ny".to_owned()),
            connection_id: None,
            mode: None,
        };
        [
            Record::Begin {
                format: FORMAT,
                created_by: None,
                plan_digest: digest(),
                app_id: AppId::parse("a1").unwrap(),
                api_url: ApiUrl::default(),
            },
            Record::Intent { connector: slack },
            Record::Outcome(recorded),
            Record::End,
        ]
        .iter()
        .map(|record| record.to_line().unwrap())
        .collect()
    }

    #[test]
    fn every_cut_of_a_journal_is_read_as_far_as_it_goes() {
        let whole = lines().concat();
        for cut in 0..=whole.len() {
            let history = decode(&whole.as_bytes()[..cut], &digest()).unwrap();
            let ended = whole[..cut].ends_with('\n') || cut == 0;
            assert_eq!(history.torn, !ended, "cut at {cut}");
            assert_eq!(history.finished, cut == whole.len());
        }
    }

    #[test]
    fn a_journal_of_another_form_names_its_writer() {
        let text = r#"{"record":"begin","format":2,"created_by":"connplan 9.9.9","new":[]}"#;
        let line = format!("0123456789abcdef {text}\nwhatever\n");
        let found = decode(line.as_bytes(), &digest());
        assert_eq!(found, Err(Fault::Form("connplan 9.9.9".to_owned())));
    }

    #[test]
    fn every_flipped_bit_before_the_last_line_is_noticed() {
        let whole = lines().concat();
        let last = whole.trim_end().rfind('\n').unwrap() + 1;
        // Without the line feed before it, the last line only grows: it is dropped as torn.
        for index in 0..last - 1 {
            let mut bytes = whole.clone().into_bytes();
            bytes[index] ^= 1;
            assert!(
                decode(&bytes, &digest()).is_err(),
                "bit flipped in byte {index}"
            );
        }
        let other = Digest::parse(&"b".repeat(64)).unwrap();
        assert_eq!(decode(whole.as_bytes(), &other), Err(Fault::Foreign));
    }
}
