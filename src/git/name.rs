//! Names that go onto git's command line: checked, so that none is taken for an option.

use std::fmt::Write as _;

/// A text that is not such a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not {wanted}")]
pub struct NameError {
    /// The text, made safe.
    pub text: String,
    /// What was wanted.
    pub wanted: &'static str,
}

fn bad(text: &str, wanted: &'static str) -> NameError {
    NameError {
        text: crate::escape::limited(text, 80),
        wanted,
    }
}

/// Hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let mut hex = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// The whole name of an object: 40 or 64 lower-case hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectId(String);

/// An object that is a commit.
pub type CommitId = ObjectId;

impl ObjectId {
    /// Takes the whole name, in any case.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let lower = text.trim().to_ascii_lowercase();
        let long = lower.len() == 40 || lower.len() == 64;
        let zero = lower.bytes().all(|b| b == b'0');
        if long && !zero && lower.bytes().all(|b| b.is_ascii_hexdigit()) {
            Ok(Self(lower))
        } else {
            Err(bad(text, "the full hash of a commit"))
        }
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of it for people.
    pub fn short(&self) -> &str {
        self.0.get(..10).unwrap_or(&self.0)
    }
}

crate::model::display_as_str!(ObjectId);

/// A ref's whole name: `refs/…`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefName(String);

impl RefName {
    /// Takes a whole name of letters, digits, `/`, `.`, `_` and `-`.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
        let part = |part: &str| {
            let start = part.starts_with(['.', '-']);
            let lock = std::path::Path::new(part).extension() == Some("lock".as_ref());
            !part.is_empty() && !start && !lock && !part.ends_with('.') && !part.contains("..")
        };
        let valid = text.starts_with("refs/") && text.len() < 200 && text.chars().all(plain);
        if valid && text.split('/').all(part) {
            Ok(Self(text.to_owned()))
        } else {
            Err(bad(text, "a ref that connplan uses"))
        }
    }

    /// The branch of that name.
    pub fn branch(name: &str) -> Result<Self, NameError> {
        Self::parse(&format!("refs/heads/{name}"))
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::model::display_as_str!(RefName);

/// The name of a remote: `origin`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RemoteName(String);

impl RemoteName {
    /// Takes letters, digits, `/`, `.`, `_` and `-`; no address.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        RefName::parse(&format!("refs/remotes/{text}/x"))
            .map(|_| Self(text.to_owned()))
            .map_err(|_| bad(text, "the name of a git remote"))
    }

    /// `origin`.
    pub fn origin() -> Self {
        Self("origin".to_owned())
    }

    /// What a repository is called that is not a remote here: after the variable that has its address.
    pub fn of_variable(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::model::display_as_str!(RemoteName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_an_option_or_an_address_is_refused() {
        for bad in [
            "--upload-pack=x",
            "-x",
            "",
            "a b",
            "ext::sh",
            "https://x/y",
            "../x",
            "a:b",
        ] {
            assert!(RemoteName::parse(bad).is_err(), "{bad}");
            assert!(RefName::parse(bad).is_err(), "{bad}");
            assert!(ObjectId::parse(bad).is_err(), "{bad}");
        }
        assert!(RemoteName::parse("team/upstream").is_ok());
        assert!(RefName::parse("refs/connplan/ab-cd/log").is_ok());
        assert!(RefName::parse("refs/heads/x.lock").is_err());
        assert!(ObjectId::parse(&"0".repeat(40)).is_err());
        assert_eq!(
            ObjectId::parse(&"AB".repeat(20)).unwrap().short(),
            "ababababab"
        );
    }
}
