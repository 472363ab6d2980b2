//! `pending.toml` in the state folder.

use std::{fmt, io};

use miette::Diagnostic;
use serde::{Deserialize, Serialize, ser::Error as _};
use thiserror::Error;

use super::{AppKey, PendingEntry, PendingSet};
use crate::{
    fs::{self, FsError, Visibility},
    model::{ApiUrl, AppId, ConnectorType, Scopes},
    state::{AppState, Locked, StateError, WRITER, check_format_version},
    tables,
};

/// The largest file that is read, and so the largest that is written: 5,000 connectors with fifty long
/// scopes each need a quarter of it.
const LIMIT: u64 = 64 << 20;

/// Why the pending file could not be used.
#[derive(Debug, Error, Diagnostic)]
pub enum PendingError {
    /// The file itself.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fs(#[from] FsError),
    /// Its content.
    #[error("{file} cannot be read: {reason}")]
    #[diagnostic(
        code(connplan::pending::unreadable),
        help(
            "it holds what waits for a person. Move it aside and run `connplan \
             authorize --receipt FILE` with the receipt of the last apply, or plan and apply again: \
             asking twice does no harm"
        )
    )]
    Unreadable {
        /// The file.
        file: String,
        /// What the reader stumbled over. Never its text: it may hold a link.
        reason: String,
    },
    /// Nobody could read it again.
    #[error("{size} bytes of pending authorizations are more than the {LIMIT} that can be kept")]
    #[diagnostic(
        code(connplan::pending::too_large),
        help("plan fewer connectors at once (`--target`), and have those authorized first")
    )]
    TooLarge {
        /// What it would be.
        size: u64,
    },
    /// Another run has the lock.
    #[error(transparent)]
    #[diagnostic(transparent)]
    State(#[from] StateError),
    /// It could not be put into TOML.
    #[error("the pending authorizations could not be written down: {0}")]
    #[diagnostic(code(connplan::pending::encode))]
    Encode(#[from] toml::ser::Error),
}

/// Reads and writes the pending file.
#[derive(Debug)]
pub struct LocalPending;

impl LocalPending {
    /// Fails if this could be written and not read again: to be known before the first write.
    pub fn check_fits(pending: &PendingSet) -> Result<(), PendingError> {
        if at_most(pending) <= LIMIT {
            return Ok(());
        }
        let mut text = Text {
            out: None,
            size: 0,
            lost: None,
        };
        encode(&mut text, pending)?;
        check(text.size)
    }

    /// Everything that waits; empty where there is no file.
    pub fn load(state: &AppState) -> Result<PendingSet, PendingError> {
        let Some(path) = state.pending_file() else {
            return Ok(PendingSet::default());
        };
        match fs::read_own_text(&path, LIMIT) {
            Ok(text) => decode(&text).map_err(|reason| PendingError::Unreadable {
                file: path.display().to_string(),
                reason,
            }),
            Err(e) if e.is_nothing() => Ok(PendingSet::default()),
            Err(e) => Err(e.into()),
        }
    }

    /// Replaces the file.
    pub fn save(state: &Locked, pending: &PendingSet) -> Result<(), PendingError> {
        let mut encoded = Ok(());
        let mut size = 0;
        let written = fs::write_with(&state.pending_file(), Visibility::Private, |out| {
            let mut text = Text {
                out: Some(out),
                size: 0,
                lost: None,
            };
            encoded = encode(&mut text, pending);
            size = text.size;
            match text.lost {
                Some(e) => Err(e),
                None if encoded.is_err() || size > LIMIT => Err(io::ErrorKind::InvalidData.into()),
                None => Ok(()),
            }
        });
        check(size)?;
        match written {
            Err(_) if encoded.is_err() => Ok(encoded?),
            written => Ok(written?),
        }
    }
}

/// What the text of a store takes for sure, and some more: most are far from the limit.
fn at_most(pending: &PendingSet) -> u64 {
    // A digest, ids, words, times: each is short, or what made it has a limit.
    const ENTRY: u64 = 4096;
    let spelt = |text: &str| {
        let plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        let each = if text.bytes().all(plain) { 1 } else { 10 };
        text.len() as u64 * each + 16
    };
    let scopes = |scopes: &Scopes| {
        scopes
            .iter()
            .map(|scope| spelt(scope.as_str()))
            .sum::<u64>()
    };
    let entries = pending.all().map(|(app, _, entry)| {
        let before = entry.before.as_ref().map_or(0, |was| scopes(&was.scopes));
        let values = entry.connection_config.iter();
        let values = values.map(|(name, value)| spelt(name) + spelt(value));
        let accounts = entry.account.as_ref().map_or(0, |it| spelt(it.as_str()))
            + entry
                .before
                .as_ref()
                .and_then(|was| was.account.as_ref())
                .map_or(0, |it| spelt(it.as_str()));
        ENTRY
            + spelt(app.api_url.as_str())
            + scopes(&entry.scopes)
            + scopes(&entry.missing)
            + before
            + accounts
            + values.sum::<u64>()
    });
    ENTRY + entries.sum::<u64>()
}

fn check(size: u64) -> Result<(), PendingError> {
    if size > LIMIT {
        return Err(PendingError::TooLarge { size });
    }
    Ok(())
}

/// A store's text on its way to the disk, or to nowhere: how long it is, is told then.
struct Text<'a> {
    out: Option<&'a mut dyn io::Write>,
    size: u64,
    lost: Option<io::Error>,
}

impl fmt::Write for Text<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.size += text.len() as u64;
        if let Some(out) = self.out.as_mut().filter(|_| self.size <= LIMIT)
            && let Err(e) = out.write_all(text.as_bytes())
        {
            // It is not an error of the text: the rest is only counted.
            self.out = None;
            self.lost = Some(e);
        }
        Ok(())
    }
}

#[derive(Serialize, Deserialize)]
struct PendingFile {
    format_version: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created_by: Option<String>,
    /// Read and written as they come; here is what is something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<Vec<toml::Value>>,
}

/// An entry, and whose it is.
#[derive(Serialize, Deserialize)]
struct Record<E> {
    app_id: AppId,
    api_url: ApiUrl,
    connector: ConnectorType,
    #[serde(flatten)]
    entry: E,
}

/// Takes the records in, each as soon as it is there.
#[derive(Default)]
struct Reading {
    set: PendingSet,
    rows: usize,
    /// The first one that is not as it should be.
    failed: Option<usize>,
}

impl tables::Rows for Reading {
    fn row(&mut self, row: toml::Table) {
        match row.try_into() {
            Ok(record) => self.take(record),
            Err(_) => self.failed = self.failed.or(Some(self.rows)),
        }
        self.rows += 1;
    }
}

impl Reading {
    fn take(&mut self, record: Record<PendingEntry>) {
        let entry = record.entry.salted(&record.app_id);
        let app = AppKey {
            api_url: record.api_url,
            app_id: record.app_id,
        };
        self.set
            .apps
            .entry(app)
            .or_default()
            .insert(record.connector, entry);
    }
}

/// Reads the file's text. The error never quotes it.
pub(crate) fn decode(text: &str) -> Result<PendingSet, String> {
    check_format_version(text, 1)?;
    let wrong = |line: usize| format!("line {line} is not as connplan writes it");
    let line_of = |at: usize| text.get(..at).unwrap_or("").matches('\n').count() + 1;
    let read = tables::read(text, "pending", |_| Reading::default());
    let (rest, read) = read.map_err(|e| wrong(e.span().map_or(1, |span| line_of(span.start))))?;
    if let Some(row) = read.failed {
        let mut starts = text.match_indices("[[pending]]");
        return Err(wrong(starts.nth(row).map_or(1, |(at, _)| line_of(at))));
    }
    let head: PendingFile = rest.try_into().map_err(|_| wrong(1))?;
    if head.pending.is_some_and(|rows| !rows.is_empty()) {
        return Err(wrong(1));
    }
    Ok(read.set)
}

fn encode(out: &mut impl fmt::Write, pending: &PendingSet) -> Result<(), toml::ser::Error> {
    let records = pending.all().map(|(app, connector, entry)| Record {
        app_id: app.app_id.clone(),
        api_url: app.api_url.clone(),
        connector: connector.clone(),
        entry,
    });
    let head = PendingFile {
        format_version: "1.0".to_owned(),
        created_by: Some(WRITER.to_owned()),
        pending: pending.is_empty().then(Vec::new),
    };
    let intro = "# Authorizations that wait for a person. Written by connplan; `connplan authorize` \
                 resumes\n# them.\n\n";
    out.write_str(intro).map_err(toml::ser::Error::custom)?;
    tables::write(out, &head, ("pending", records), &toml::Table::new())
}

#[cfg(any(test, feature = "fuzzing"))]
fn text_of(pending: &PendingSet) -> Result<String, toml::ser::Error> {
    let mut text = String::new();
    encode(&mut text, pending).map(|()| text)
}

/// See `crate::fuzzing`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz(text: &str) {
    if let Ok(set) = decode(text) {
        let again = text_of(&set).map(|text| decode(&text));
        assert!(
            matches!(again, Ok(Ok(again)) if again == set),
            "a store survives a round trip"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        diff::Action,
        model::{Account, App, ConnectionId, ExpectedAccount, RemoteStatus},
        pending::Before,
        plan::Digest,
    };

    #[test]
    fn what_is_stored_comes_back() {
        let app = App {
            id: AppId::parse("a1").unwrap(),
            api_url: ApiUrl::default(),
            environment: Some("dev".to_owned()),
        };
        let entry = PendingEntry {
            scopes: ["b", "a"].into_iter().collect(),
            connection_config: [("subdomain".to_owned(), "acme".to_owned())].into(),
            action: Action::Update,
            plan_digest: Some(Digest::parse(&"0".repeat(64)).unwrap()),
            since: "2026-01-02T03:04:05Z".parse().unwrap(),
            before: Some(Before {
                scopes: Scopes::new(),
                status: Some(RemoteStatus::Expired),
                account: Some(Account::new("x@example.com")),
            }),
            account: ExpectedAccount::parse("@example.com"),
            connection_id: Some(ConnectionId::parse("c-1").unwrap()),
            missing: ["a"].into_iter().collect(),
            dropped_by_platform: true,
            overrides: [("denied_scopes".to_owned(), "the launch".to_owned())].into(),
            asked_under: Some("git:origin 0f".to_owned()),
            folder: Some("other".to_owned()),
        };
        let mut set = PendingSet::default();
        set.insert(&app, ConnectorType::parse("slack").unwrap(), entry);
        assert_eq!(decode(&text_of(&set).unwrap()).unwrap(), set);
    }

    #[test]
    fn a_garbled_store_is_not_quoted() {
        let error = decode("format_version = '1.0'\n[[pending]]\nlink = 'https://canary'\n");
        let error = error.unwrap_err();
        assert!(!error.contains("canary"), "{error}");
        assert!(error.contains("line 2"), "{error}");
    }
}
