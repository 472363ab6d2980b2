//! Where the store is, as settings and variables say it.

use std::fmt;

use crate::git::{RemoteAddress, RemoteName};

/// A place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// `git:origin`.
    Git(RemoteName),
    /// `git:https://host/path`: wherever a checkout's remotes lead. Only the user's own environment names one.
    Repository(RemoteAddress),
    /// `s3://bucket/prefix`, `gs://…`, `az://…`.
    Object(String),
}

/// A text that names no store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a store: {reason}")]
pub struct PlaceError {
    /// The text, made safe.
    pub text: String,
    /// Why not.
    pub reason: &'static str,
}

/// The schemes of object storage.
const BUCKETS: [&str; 3] = ["s3", "gs", "az"];

impl Place {
    /// Whether a text means a store, well written or not, rather than an address of the platform.
    pub fn is_meant_by(text: &str) -> bool {
        let scheme = text.trim().split(':').next().unwrap_or_default();
        scheme == "git" || BUCKETS.contains(&scheme)
    }

    /// The variable of the user's own environment.
    pub const VARIABLE: &'static str = "CONNPLAN_STORE";

    /// What the user's own environment says: also a repository by its address.
    pub fn parse_own(text: &str) -> Result<Self, PlaceError> {
        let rest = text.trim().strip_prefix("git:");
        let Some(address) = rest.filter(|rest| RemoteName::parse(rest).is_err()) else {
            return Self::parse(text);
        };
        let name = RemoteName::of_variable(Self::VARIABLE);
        let found = RemoteAddress::parse(name, address);
        found.map(Self::Repository).map_err(|reason| PlaceError {
            // A credential may stand in it.
            text: "git:…".to_owned(),
            reason,
        })
    }

    /// Takes `git:REMOTE`, `s3://…`, `gs://…` or `az://…`. Credentials never stand in it.
    pub fn parse(text: &str) -> Result<Self, PlaceError> {
        let text = text.trim();
        let bad = |reason| PlaceError {
            text: crate::escape::limited(text, 80),
            reason,
        };
        if let Some(remote) = text.strip_prefix("git:") {
            let remote = RemoteName::parse(remote);
            return remote.map(Self::Git).map_err(|_| {
                bad(
                    "after `git:` comes the name of a remote of the repository, such as `git:origin`; an address \
                     stands in CONNPLAN_STORE alone",
                )
            });
        }
        match text.split_once("://") {
            Some((scheme, rest)) if BUCKETS.contains(&scheme) => {
                let plain = |c: char| c.is_ascii_alphanumeric() || "-._/".contains(c);
                if rest.is_empty() || rest.starts_with('/') || !rest.chars().all(plain) {
                    return Err(bad(
                        "after `://` come a bucket and a prefix, in plain letters",
                    ));
                }
                if rest.split('/').any(|part| part == "..") {
                    return Err(bad("its prefix leads elsewhere"));
                }
                Ok(Self::Object(text.trim_end_matches('/').to_owned()))
            }
            _ => Err(bad(
                "it is `git:REMOTE`, `s3://BUCKET/PREFIX`, `gs://BUCKET/PREFIX` or `az://CONTAINER/PREFIX`",
            )),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Git(remote) => write!(f, "git:{remote}"),
            Self::Repository(remote) => f.write_str(&remote.store_name()),
            Self::Object(url) => f.write_str(url),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stands_in_the_environment_alone() {
        for (own, shown) in [
            ("git:origin", "git:origin"),
            ("s3://bucket/a", "s3://bucket/a"),
            (
                "git:https://u:t@x.example/o/shop.git",
                "git:https://x.example/o/shop.git",
            ),
            (
                "git:ssh://git@x.example:22/o/shop",
                "git:ssh://x.example:22/o/shop",
            ),
            ("git:git@x.example:o/shop", "git:git@x.example:o/shop"),
            ("git:/srv/shop.git", "git:/srv/shop.git"),
            ("git:file:///srv/shop.git", "git:/srv/shop.git"),
        ] {
            assert_eq!(Place::parse_own(own).unwrap().to_string(), shown);
        }
        for (bad, why) in [
            ("git:", "a folder is named by its whole path"),
            ("git:../shop", "a folder is named by its whole path"),
            ("git:--upload-pack=x", "it is not an address"),
            ("git:ext::sh -c x", "it names a helper program"),
            ("git:ftp://u:t@x.example/o", "its scheme is another"),
        ] {
            let said = Place::parse_own(bad).unwrap_err().to_string();
            assert_eq!(said, format!("`git:…` is not a store: {why}"), "{bad}");
        }
    }

    #[test]
    fn a_place_is_a_remotes_name_or_a_bucket() {
        for good in ["git:origin", "s3://bucket/a/b", "gs://b", "az://c/p"] {
            assert_eq!(Place::parse(good).unwrap().to_string(), good);
            assert!(Place::is_meant_by(good), "{good}");
        }
        for bad in [
            "git:https://x",
            "git:",
            "git:--upload-pack=x",
            "s3://",
            "s3://k:s@b/x",
            "file:///x",
            "origin",
            "s3://b/../c",
            "https://x",
        ] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
        assert!(!Place::is_meant_by("https://base44.example.com"));
    }
}
