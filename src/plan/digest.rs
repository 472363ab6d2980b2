//! The name of a meaning: SHA-256 over a canonical form.
//!
//! The canonical form is JSON without white space, keys sorted by their bytes. White space,
//! comments, key order and quoting don't reach it; everything else does, keys that this version does
//! not know among it. What of a document has meaning, its own module says.

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Value;

use crate::model::{self, Sha256};

/// `sha256:` and 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, schemars(extend("pattern" = "^sha256:[0-9a-f]{64}$")))]
pub struct Digest(String);

/// The text is not a digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a digest is `sha256:` followed by 64 hexadecimal digits")]
pub struct DigestError;

impl Digest {
    /// The digest of a table.
    pub fn of(table: &toml::Table) -> Self {
        let mut out = Canonical::default();
        write_table(&mut out, table.iter());
        out.digest()
    }

    /// Takes a digest as people paste it: with or without `sha256:`, in any case.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let text = text.trim().to_ascii_lowercase();
        let hex = text.strip_prefix("sha256:").unwrap_or(&text);
        let valid = hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit());
        if valid {
            Ok(Self(format!("sha256:{hex}")))
        } else {
            Err(DigestError)
        }
    }

    /// The whole digest.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first 16 hexadecimal digits: enough to tell plans apart in a file name.
    pub fn short(&self) -> &str {
        self.0.get(7..23).unwrap_or(&self.0)
    }
}

crate::model::display_as_str!(Digest);

impl std::str::FromStr for Digest {
    type Err = DigestError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

crate::model::text_in_documents!(Digest, DigestError);

/// The digest of a table of which one array of tables is nearly all, and comes row by row: as
/// [`Digest::of`] would have it of the whole.
pub(super) struct RowDigest {
    out: Canonical,
    name: &'static str,
    rows: bool,
}

impl RowDigest {
    /// `entries` are those known so far, which are all that sort before `name`.
    pub(super) fn begin<'a>(
        name: &'static str,
        entries: impl Iterator<Item = (&'a str, &'a Value)>,
    ) -> Self {
        let mut out = Canonical::default();
        out.push("{");
        let mut made = Self {
            out,
            name,
            rows: false,
        };
        made.entries(entries.filter(|(key, _)| *key < name));
        made
    }

    /// The next row, of these entries.
    pub(super) fn row<'a>(&mut self, entries: impl Iterator<Item = (&'a String, &'a Value)>) {
        if self.rows {
            self.out.push(",");
        } else {
            self.key(self.name);
            self.out.push("[");
        }
        self.rows = true;
        write_table(&mut self.out, entries);
    }

    /// `entries` are all but the rows. Without rows, none of the name stands there.
    pub(super) fn end<'a>(mut self, entries: impl Iterator<Item = (&'a str, &'a Value)>) -> Digest {
        if self.rows {
            self.out.push("]");
        }
        let name = self.name;
        self.entries(entries.filter(|(key, _)| *key >= name));
        self.out.push("}");
        self.out.digest()
    }

    fn entries<'a>(&mut self, entries: impl Iterator<Item = (&'a str, &'a Value)>) {
        let mut entries: Vec<_> = entries.collect();
        model::sort_by_key(&mut entries, |(key, _)| *key);
        for (key, value) in entries {
            self.key(key);
            write_value(&mut self.out, value);
        }
    }

    fn key(&mut self, key: &str) {
        if !self.out.is_at_start() {
            self.out.push(",");
        }
        write_string(&mut self.out, key);
        self.out.push(":");
    }
}

/// The canonical form, hashed as it comes: it is as long as the document.
#[derive(Default)]
struct Canonical {
    hash: Sha256,
    part: String,
    hashed: bool,
}

impl Canonical {
    const FULL: usize = 1 << 16;

    fn push(&mut self, text: &str) {
        self.part.push_str(text);
        if self.part.len() >= Self::FULL {
            self.hash.update(self.part.as_bytes());
            self.part.clear();
            self.hashed = true;
        }
    }

    /// Whether nothing but the brace is there.
    fn is_at_start(&self) -> bool {
        !self.hashed && self.part.len() == 1
    }

    fn digest(mut self) -> Digest {
        self.hash.update(self.part.as_bytes());
        Digest(format!("sha256:{}", self.hash.hex()))
    }
}

fn write_table<'a>(out: &mut Canonical, table: impl Iterator<Item = (&'a String, &'a Value)>) {
    // Sorted here and not left to the map: another crate may switch `toml` to insertion order.
    let mut entries: Vec<_> = table.collect();
    model::sort(&mut entries, |a, b| a.0.cmp(b.0));
    out.push("{");
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(",");
        }
        write_string(out, key);
        out.push(":");
        write_value(out, value);
    }
    out.push("}");
}

fn write_value(out: &mut Canonical, value: &Value) {
    match value {
        Value::String(text) => write_string(out, text),
        Value::Integer(number) => out.push(&number.to_string()),
        // The formats hold neither; an edit that brings one in still has to change the digest.
        Value::Float(number) => out.push(&format!("{{\"float\":{}}}", number.to_bits())),
        Value::Datetime(time) => {
            out.push("{\"datetime\":");
            write_string(out, &time.to_string());
            out.push("}");
        }
        Value::Boolean(flag) => out.push(if *flag { "true" } else { "false" }),
        Value::Array(items) => {
            out.push("[");
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(",");
                }
                write_value(out, item);
            }
            out.push("]");
        }
        Value::Table(table) => write_table(out, table.iter()),
    }
}

fn write_string(out: &mut Canonical, text: &str) {
    // A JSON string. What needs no escape is most of them.
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\' && byte != 0x7f;
    if text.bytes().all(plain) {
        out.push("\"");
        out.push(text);
        out.push("\"");
    } else {
        out.push(&serde_json::Value::from(text).to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(text: &str) -> Digest {
        Digest::of(&text.parse().unwrap())
    }

    #[test]
    fn only_meaning_counts() {
        let plain = digest("a = 1\nb = [\"x\", \"y\"]\n[t]\nk = true\n");
        assert_eq!(
            plain,
            digest("# hello\nb=['x',\n 'y']\na   = 0x1\nt={k=true}\n")
        );
        for other in [
            "a = 2\nb = [\"x\", \"y\"]\n[t]\nk = true\n",
            "a = 1\nb = [\"y\", \"x\"]\n[t]\nk = true\n",
            "a = 1\nb = [\"x\", \"y\"]\n[t]\nk = true\nnew = 1\n",
            "a = \"1\"\nb = [\"x\", \"y\"]\n[t]\nk = true\n",
        ] {
            assert_ne!(plain, digest(other), "{other}");
        }
    }

    /// Whoever reviews one of two does not approve the other.
    #[test]
    fn no_two_meanings_have_one_form() {
        for (one, other) in [
            ("a = true", "a = false"),
            (r#"a = ["x\",\"y"]"#, r#"a = ["x", "y"]"#),
            (r#"a = "1\",\"b\":\"2""#, "a = \"1\"\nb = \"2\""),
            (r"a = 'x\n'", r#"a = "x\n""#),
            (r#"a = "\"""#, r#"a = "\"\"""#),
            ("a = 1.5", "a = 2.5"),
            ("a = 2026-01-01", "a = 2026-01-02"),
            ("a = 2026-01-01", "a = \"2026-01-01\""),
        ] {
            assert_ne!(digest(one), digest(other), "{one} {other}");
        }
        // Of a long one each part counts.
        let long = |first| digest(&format!("a = \"{first}{}\"", "x".repeat(70_000)));
        assert_ne!(long(1), long(2));
    }

    #[test]
    fn pasted_digests_are_taken() {
        let hex = "AB".repeat(32);
        assert_eq!(
            Digest::parse(&hex).unwrap().as_str(),
            format!("sha256:{}", "ab".repeat(32))
        );
        assert!(Digest::parse("sha256:12").is_err());
    }
}
