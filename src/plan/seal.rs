//! The two digests of a document, made as its rows come.

use toml::{Table, Value};

use super::{Digest, digest::RowDigest};

/// The part of the format's version that meanings depend on.
const FORMAT_MAJOR: i64 = 2;

/// Keys that no digest covers: the digests themselves, and when and with what it was written.
const UNGUARDED: [&str; 4] = ["digest", "record_digest", "created_at", "created_by"];

/// What of a document its digest names.
pub(crate) struct Meaning {
    /// The array of tables that is nearly all of it.
    pub(crate) rows: &'static str,
    /// Whether that stands there even if it has no rows.
    pub(crate) always: bool,
    /// Which keys it names.
    pub(crate) key: fn(&str) -> bool,
    /// Which rows it names.
    pub(crate) row: fn(&Table) -> bool,
    /// Which keys of a row it names.
    pub(crate) cell: fn(&str) -> bool,
    /// Whether it names the form of the document.
    pub(crate) format: bool,
}

/// Makes both: the digest of what it means, and that of all that it shows.
pub(crate) struct Sealer {
    meaning: &'static Meaning,
    added: Vec<(&'static str, Value)>,
    meant: RowDigest,
    shown: RowDigest,
    rows: bool,
}

impl Sealer {
    /// `known` is what stands before the rows.
    pub(crate) fn begin(meaning: &'static Meaning, known: &Table) -> Self {
        let mut added = Vec::new();
        if meaning.format {
            added.push(("format", Value::Integer(FORMAT_MAJOR)));
        }
        let meant = RowDigest::begin(meaning.rows, named(meaning, known, &added));
        Self {
            meant,
            shown: RowDigest::begin(meaning.rows, guarded(known)),
            meaning,
            added,
            rows: false,
        }
    }

    /// The next row.
    pub(crate) fn row(&mut self, row: &Table) {
        self.shown.row(row.iter());
        if (self.meaning.row)(row) {
            let named = row.iter().filter(|(key, _)| (self.meaning.cell)(key));
            self.meant.row(named);
            self.rows = true;
        }
    }

    /// `rest` is all but the rows.
    pub(crate) fn end(mut self, rest: &Table) -> (Digest, Digest) {
        let name = self.meaning.rows;
        if self.meaning.always && !self.rows && !rest.contains_key(name) {
            self.added.push((name, Value::Array(Vec::new())));
        }
        let meant = self.meant.end(named(self.meaning, rest, &self.added));
        (meant, self.shown.end(guarded(rest)))
    }

    /// Of a document that is there as a whole.
    pub(crate) fn seal(meaning: &'static Meaning, document: &Table) -> (Digest, Digest) {
        let rows = document.get(meaning.rows).and_then(Value::as_array);
        let rows: Option<Vec<_>> = rows
            .filter(|rows| !rows.is_empty())
            .and_then(|rows| rows.iter().map(Value::as_table).collect());
        let Some(rows) = rows else {
            return Self::begin(meaning, document).end(document);
        };
        let mut rest = document.clone();
        rest.remove(meaning.rows);
        let mut sealer = Self::begin(meaning, &rest);
        for row in rows {
            sealer.row(row);
        }
        sealer.end(&rest)
    }
}

fn named<'a>(
    meaning: &'a Meaning,
    table: &'a Table,
    added: &'a [(&'static str, Value)],
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    let named = table.iter().map(|(key, value)| (key.as_str(), value));
    let named = named.filter(|(key, _)| *key == meaning.rows || (meaning.key)(key));
    named.chain(added.iter().map(|(key, value)| (*key, value)))
}

fn guarded(table: &Table) -> impl Iterator<Item = (&str, &Value)> {
    let entries = table.iter().map(|(key, value)| (key.as_str(), value));
    entries.filter(|(key, _)| !UNGUARDED.contains(key))
}
