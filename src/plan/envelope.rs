//! What every saved document has: its version, its kind, and the digest that names its meaning.

use super::{Digest, Refusal, pieces};
use crate::escape;

/// The version that this program writes. Readers take any minor version of its major: what a later
/// minor version adds is covered by a digest and may be left unread.
pub const FORMAT_VERSION: &str = "2.0";

/// The part of it that meanings depend on.
pub(super) const FORMAT_MAJOR: i64 = 2;

/// Keys that no digest covers: the digests themselves, and when and with what it was written.
const UNGUARDED: [&str; 4] = ["digest", "record_digest", "created_at", "created_by"];

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
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Receipt => "receipt",
        }
    }

    fn other(self) -> Self {
        match self {
            Self::Plan => Self::Receipt,
            Self::Receipt => Self::Plan,
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
            Self::Plan => "nobody reviewed this content; make it again and have that reviewed",
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
pub(crate) struct Sealed<T> {
    /// Its content.
    pub(crate) document: T,
    /// What names its meaning.
    pub(crate) digest: Digest,
}

/// The digest of all that a document shows a reader.
pub(crate) fn record_digest(document: &toml::Table) -> Digest {
    let guarded = document
        .iter()
        .filter(|(key, _)| !UNGUARDED.contains(&key.as_str()));
    Digest::of_entries(guarded)
}

/// Reads any document of ours: its kind, its version and its digests have to be right before its
/// content is looked at. `meaning` makes the digest of what it means.
pub(crate) fn read_document<T: serde::de::DeserializeOwned>(
    file: &str,
    text: &str,
    kind: DocumentKind,
    meaning: fn(&toml::Table) -> Digest,
) -> Result<Sealed<T>, Refusal> {
    let what = || format!("the {} {file}", kind.as_str());
    let unreadable = |reason: String| {
        // Whoever names a wrong file was cut short nothing.
        if text.contains("connplan") || text.contains("format_version") {
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
    let table = pieces::parse(text).map_err(|e| {
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
    let digest = meaning(&table);
    for (stated, actual) in [
        (stated("digest")?, digest.clone()),
        (stated("record_digest")?, record_digest(&table)),
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
    let document = table
        .try_into()
        .map_err(|e: toml::de::Error| unreadable(escape::terminal(e.message()).into_owned()))?;
    Ok(Sealed { document, digest })
}
