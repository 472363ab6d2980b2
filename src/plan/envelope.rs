//! What every saved document has: its version, its kind, and the digest that names its meaning.

use serde::de::DeserializeOwned;
use toml::Table;

use super::{Digest, EncodeError, Meaning, Refusal, Sealer};
use crate::{escape, tables};

/// The version that this program writes. Readers take any minor version of its major: what a later
/// minor version adds is covered by a digest and may be left unread.
pub const FORMAT_VERSION: &str = "2.0";

/// The most bytes that a saved document has: 64 MiB. Writer and reader share it. The plan of 5,000 new
/// connectors with fifty long scopes each is half of it.
pub const LIMIT: usize = 64 << 20;

/// Who wrote it.
pub(crate) const CREATED_BY: &str = concat!("connplan ", env!("CARGO_PKG_VERSION"));

/// The kinds of documents that are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DocumentKind {
    /// What is to be done.
    Plan,
    /// What was done.
    Receipt,
}

impl DocumentKind {
    /// Fails if a file of this text could not be read again.
    pub(crate) fn check_fits(self, text: &str) -> Result<(), EncodeError> {
        let (kind, size, limit) = (self.as_str(), text.len(), LIMIT);
        if size > limit {
            return Err(EncodeError::TooLarge { kind, size, limit });
        }
        Ok(())
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Receipt => "receipt",
        }
    }

    /// Whether a text says of itself that it is one, read or not.
    pub(crate) fn is_said_in(self, text: &str) -> bool {
        let line = format!("kind = \"{}\"", self.as_str());
        text.lines().any(|said| said == line)
    }

    fn other(self) -> Self {
        match self {
            Self::Plan => Self::Receipt,
            Self::Receipt => Self::Plan,
        }
    }

    /// Why a file that is not text is not such a document.
    pub(crate) fn not_text(self, file: String, offset: usize) -> Refusal {
        Refusal::NotOurs {
            file,
            wanted: self.as_str(),
            reason: format!("it is not UTF-8 text (first bad byte at offset {offset})"),
            help: self.origin(),
        }
    }

    /// What such a file is for.
    fn use_of(self) -> &'static str {
        match self {
            Self::Plan => {
                "a plan says what to do: `connplan apply FILE` carries it out, and its \
                 receipt lists what is pending"
            }
            Self::Receipt => {
                "a receipt says what was done: `connplan show FILE` prints it, \
                 `connplan authorize --receipt FILE` resumes what is pending; to apply, give the \
                 plan that was saved with `connplan plan --out`"
            }
        }
    }

    /// How a whole and true one is had.
    fn again(self) -> &'static str {
        match self {
            Self::Plan => "make it again with `connplan plan --out FILE`",
            Self::Receipt => {
                "take the file that `connplan apply --receipt FILE` wrote; where it is lost, plan and \
                 apply again"
            }
        }
    }

    /// Why one that was altered is not taken.
    fn altered(self) -> &'static str {
        match self {
            Self::Plan => {
                "nothing was written, because nobody reviewed this content; make a new one with `connplan plan \
                 --out FILE`, and ask for a review of that"
            }
            Self::Receipt => {
                "this is not what the apply wrote down; take the file that `connplan apply \
                 --receipt FILE` wrote, or plan and apply again"
            }
        }
    }

    /// What can be done with one of another version.
    fn other_version(self) -> &'static str {
        match self {
            Self::Plan => {
                "make it again with `connplan plan --out FILE`, or use the connplan that wrote it"
            }
            Self::Receipt => {
                "use the connplan that wrote it; the next apply writes one that this connplan reads"
            }
        }
    }

    /// Where such a file comes from.
    fn origin(self) -> &'static str {
        match self {
            Self::Plan => {
                "plans are saved with `connplan plan --out FILE` (receipts with \
                 `connplan apply --receipt FILE`); is this another file?"
            }
            Self::Receipt => {
                "receipts are saved with `connplan apply PLANFILE --receipt FILE`; is this \
                 another file?"
            }
        }
    }
}

/// A document that is as it was written.
pub(crate) struct Sealed<T, R> {
    /// Its content, but for the rows.
    pub(crate) document: T,
    /// Its rows.
    pub(crate) rows: Vec<R>,
    /// What names its meaning.
    pub(crate) digest: Digest,
}

/// Takes the rows in, each as soon as it is there.
struct Reading<R> {
    sealer: Sealer,
    rows: Result<Vec<R>, toml::de::Error>,
}

impl<R: DeserializeOwned> tables::Rows for Reading<R> {
    fn row(&mut self, row: Table) {
        self.sealer.row(&row);
        let Ok(rows) = &mut self.rows else {
            return;
        };
        match row.try_into() {
            Ok(row) => rows.push(row),
            Err(e) => self.rows = Err(e),
        }
    }
}

/// Whether a text was saved by us once: a line of it is one of those that stand above the content.
fn is_ours(text: &str) -> bool {
    let saved = ["# A connplan ", "format_version = ", "record_digest = "];
    text.lines()
        .any(|line| saved.iter().any(|saved| line.starts_with(saved)))
}

/// Reads any document of ours: its kind, its version and its digests have to be right before its
/// content is looked at. `meaning` says what its digest names.
pub(crate) fn read_document<T: DeserializeOwned, R: DeserializeOwned>(
    file: &str,
    text: &str,
    kind: DocumentKind,
    meaning: &'static Meaning,
) -> Result<Sealed<T, R>, Refusal> {
    let what = || format!("the {} {file}", kind.as_str());
    let unreadable = |reason: String| {
        // Nothing was cut short of a file that is another one.
        if is_ours(text) {
            return Refusal::Unreadable {
                what: what(),
                reason,
                help: format!("it was altered or cut short; {}", kind.again()),
            };
        }
        Refusal::NotOurs {
            file: file.to_owned(),
            wanted: kind.as_str(),
            reason,
            help: kind.origin(),
        }
    };
    let begin = |known: &Table| Reading {
        sealer: Sealer::begin(meaning, known),
        rows: Ok(Vec::new()),
    };
    let (table, read) = tables::read(text, meaning.rows, begin).map_err(|e| {
        let line = e
            .span()
            .map(|span| text.get(..span.start).unwrap_or("").lines().count().max(1));
        let place = line
            .map(|line| format!("line {line}: "))
            .unwrap_or_default();
        unreadable(format!("{place}{}", escape::terminal(e.message())))
    })?;
    let text_of = |key: &str| table.get(key).and_then(toml::Value::as_str);
    let found = text_of("format_version")
        .ok_or_else(|| unreadable("it has no `format_version`".to_owned()))?;
    if found.split('.').next() != FORMAT_VERSION.split('.').next() {
        let writer =
            text_of("created_by").map(|by| format!(", written by {}", escape::limited(by, 60)));
        return Err(Refusal::Format {
            what: what(),
            found: format!(
                "{}{}",
                escape::limited(found, 20),
                writer.unwrap_or_default()
            ),
            known: FORMAT_VERSION,
            help: kind.other_version(),
        });
    }
    let stated = text_of("kind");
    if stated == Some(kind.other().as_str()) {
        return Err(Refusal::OtherKind {
            file: file.to_owned(),
            found: kind.other().as_str(),
            wanted: kind.as_str(),
            help: kind.other().use_of(),
        });
    }
    if stated != Some(kind.as_str()) {
        return Err(unreadable(format!("its `kind` is not `{}`", kind.as_str())));
    }
    let stated = |key: &str| {
        let stated = text_of(key).ok_or_else(|| unreadable(format!("it has no `{key}`")))?;
        Digest::parse(stated).map_err(|e| unreadable(e.to_string()))
    };
    let (digest, record) = read.sealer.end(&table);
    for (stated, actual) in [
        (stated("digest")?, digest.clone()),
        (stated("record_digest")?, record),
    ] {
        if stated != actual {
            return Err(Refusal::Altered {
                what: what(),
                stated,
                actual,
                help: kind.altered(),
            });
        }
    }
    let wrong = |e: toml::de::Error| unreadable(escape::terminal(e.message()).into_owned());
    Ok(Sealed {
        document: table.try_into().map_err(wrong)?,
        rows: read.rows.map_err(wrong)?,
        digest,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let most = "x".repeat(LIMIT);
        assert!(DocumentKind::Plan.check_fits(&most).is_ok());
        let refused = DocumentKind::Plan.check_fits(&(most + "x")).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "the plan has 67108865 bytes, more than the 67108864 that its file may have"
        );
    }
}
