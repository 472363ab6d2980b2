//! What every saved document has: its version, its kind, and the digest that names its meaning.

use super::{Digest, Refusal};
use crate::escape;

/// The version that this program writes. Readers take any minor version of major 1: what a later
/// minor version adds is covered by the digest and may be left unread.
pub const FORMAT_VERSION: &str = "1.0";

/// What was found in the files while planning.
pub(super) const FINDINGS: &str = "diagnostics";

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
                "a plan says what is to be done: `connplan apply FILE` carries it out, \
                 `connplan authorize --plan FILE` resumes what it made pending"
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
                "take the file that `connplan apply --receipt FILE` wrote; where it is lost, \
                 `connplan authorize --plan FILE` resumes what that plan made pending"
            }
        }
    }

    /// Why one that was altered is not taken.
    fn altered(self) -> &'static str {
        match self {
            Self::Plan => "nobody reviewed this content; make it again and have that reviewed",
            Self::Receipt => {
                "this is not what the apply wrote down; take the file that `connplan apply \
                 --receipt FILE` wrote, or resume with `connplan authorize --plan FILE`"
            }
        }
    }

    /// What can be done with one of another version.
    fn other_version(self) -> &'static str {
        match self {
            Self::Plan => "use the connplan that made it, or make it again with this one",
            Self::Receipt => "use the connplan that made it",
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

/// Reads any document of ours: its kind, its version and its digest have to be right before its
/// content is looked at.
pub(crate) fn read_document<T: serde::de::DeserializeOwned>(
    file: &str,
    text: &str,
    kind: DocumentKind,
) -> Result<(T, Digest), Refusal> {
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
    let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
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
    if found.split('.').next() != Some("1") {
        return Err(Refusal::Format {
            what: what(),
            found: escape::terminal(found).into_owned(),
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
    let stated = text_of("digest").ok_or_else(|| unreadable("it has no `digest`".to_owned()))?;
    let stated = Digest::parse(stated).map_err(|e| unreadable(e.to_string()))?;
    let actual = Digest::of(&table);
    let altered = |stated, actual| Refusal::Altered {
        what: what(),
        stated,
        actual,
        help: kind.altered(),
    };
    if stated != actual {
        return Err(altered(stated, actual));
    }
    // Findings change nothing that is carried out, but a reviewer reads them.
    let found = table.get(FINDINGS).map(Digest::of_part);
    let stated = text_of("diagnostics_digest").map(Digest::parse).transpose();
    match (stated.map_err(|e| unreadable(e.to_string()))?, found) {
        (None, None) => {}
        (Some(stated), Some(found)) if stated == found => {}
        (Some(stated), Some(found)) => return Err(altered(stated, found)),
        _ => return Err(unreadable(format!("its `{FINDINGS}` were altered"))),
    }
    let document = table
        .try_into()
        .map_err(|e: toml::de::Error| unreadable(escape::terminal(e.message()).into_owned()))?;
    Ok((document, actual))
}
