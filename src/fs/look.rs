//! What stands at a path of a checkout, asked so that nothing outside is asked.

use std::{
    fs::Metadata,
    path::{Path, PathBuf},
};

use super::{Owners, confine::check_way};

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// The first link on the way; the path itself, if it is one.
    pub link: Option<Metadata>,
    /// What is there, links followed; none if nothing is.
    pub there: Option<Metadata>,
    /// Whether a link leads out of these folders, and of the checkouts around them: what is there was not looked at.
    pub leads_out: bool,
}

impl Seen {
    /// Whether it is a file; what leads out counts as one, so that whoever reads it says so.
    pub fn is_file(&self) -> bool {
        self.leads_out || self.there.as_ref().is_some_and(Metadata::is_file)
    }

    /// Whether it is a folder.
    pub fn is_folder(&self) -> bool {
        self.there.as_ref().is_some_and(Metadata::is_dir)
    }
}

/// Looks at a path below one of these folders. A link on the way is judged by its text before it is followed: to
/// look can be to ask another host, by a mount or a share.
pub fn look(roots: &[&Path], path: &Path) -> Seen {
    let below = roots
        .iter()
        .find_map(|root| Some((root, path.strip_prefix(root).ok()?)));
    let (mut here, rest) = match below {
        Some((root, rest)) => (root.to_path_buf(), rest),
        None => (PathBuf::new(), path),
    };
    let mut seen = Seen::default();
    for part in rest.components() {
        here.push(part);
        match here.symlink_metadata() {
            Ok(meta) if meta.is_symlink() => {
                seen.link = Some(meta);
                seen.leads_out = check_way(roots, Owners::Any, path).is_err();
                seen.there = None;
                break;
            }
            Ok(meta) => seen.there = Some(meta),
            Err(_) => return Seen::default(),
        }
    }
    if seen.there.is_none() && !seen.leads_out {
        seen.there = path.metadata().ok();
    }
    seen
}

/// What stands at a path itself, be it a link; none where the way there leads out.
pub fn entry(roots: &[&Path], path: &Path) -> Option<Metadata> {
    if look(roots, path.parent()?).leads_out {
        return None;
    }
    path.symlink_metadata().ok()
}

#[cfg(all(test, unix))]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "a test lays out a checkout as an editor would"
    )]

    use std::{fs, os::unix::fs::symlink};

    use super::*;

    #[test]
    fn a_link_that_leads_out_is_seen_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("p");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/file"), "").unwrap();
        fs::write(dir.path().join("outside"), "").unwrap();
        for (name, target) in [
            ("within", "a/file"),
            ("folder", "a"),
            ("nowhere", "a/none"),
            ("out", "../outside"),
            ("far", "/net/host.example/x"),
        ] {
            symlink(target, root.join(name)).unwrap();
        }
        let seen = |name: &str| {
            let seen = look(&[&root], &root.join(name));
            let link = seen.link.is_some();
            (link, seen.is_file(), seen.is_folder(), seen.leads_out)
        };
        for (name, link, file, folder, out) in [
            ("", false, false, true, false),
            ("a/b", false, false, true, false),
            ("a/file", false, true, false, false),
            ("a/none", false, false, false, false),
            ("within", true, true, false, false),
            ("folder/file", true, true, false, false),
            ("folder/b", true, false, true, false),
            ("nowhere", true, false, false, false),
            ("out", true, true, false, true),
            ("far", true, true, false, true),
            ("far/x/y", true, true, false, true),
        ] {
            assert_eq!(seen(name), (link, file, folder, out), "{name}");
        }
    }
}
