//! Staying in a folder: what a checkout holds leads nowhere else.

use std::{
    cell::LazyCell,
    path::{Path, PathBuf},
};

use super::{
    FsError, Owners,
    atomic::Destination,
    checkout::checkouts_around,
    folder::Folder,
    owner::is_open_to_all,
    read::{all, open_in},
    way::{Step, walk, walk_all},
};

/// The true place of `path`, links resolved, if it lies in one of these folders; theirs are resolved
/// too. What does not exist is an error. A `.git` below such a folder is git's, and lies elsewhere:
/// credentials are kept there, and programs are started from there.
pub fn confine(roots: &[&Path], path: &Path) -> Result<PathBuf, FsError> {
    confine_of(roots, Owners::Any, path)
}

fn confine_of(roots: &[&Path], owners: Owners, path: &Path) -> Result<PathBuf, FsError> {
    check_way(roots, owners, path)?;
    let real = std::fs::canonicalize(path).map_err(|e| FsError::io("read", path, e))?;
    let inside =
        |root: &&Path| std::fs::canonicalize(root).is_ok_and(|root| is_below(&root, &real));
    if roots.iter().any(inside) {
        return Ok(real);
    }
    Err(outside(roots, path))
}

fn outside(roots: &[&Path], path: &Path) -> FsError {
    let root = roots.first().copied().unwrap_or(Path::new("/"));
    FsError::Outside {
        path: path.to_owned(),
        root: root.to_owned(),
    }
}

/// Fails where a path leads out of these folders, and out of the checkouts around them, by its text or by that of a
/// link there, and at a link of others than these users. Nothing outside is looked at for that.
pub(super) fn check_way(roots: &[&Path], owners: Owners, path: &Path) -> Result<(), FsError> {
    let absolute =
        |path: &Path| std::path::absolute(path).map_err(|e| FsError::io("read", path, e));
    let mut known = Vec::new();
    for root in roots {
        if let Ok(real) = std::fs::canonicalize(root) {
            known.push((absolute(root)?, real.clone()));
            known.push((real.clone(), real));
        }
    }
    if known.is_empty() {
        return Ok(());
    }
    // A way may lead through the rest of the checkout.
    let around = LazyCell::new(|| {
        let roots = known.iter().map(|(_, root)| root);
        let around = roots.flat_map(|root| checkouts_around(root, None));
        around.collect::<Vec<_>>()
    });
    let is_allowed = |place: &Path| {
        let mut roots = known.iter().flat_map(|(as_given, root)| [as_given, root]);
        let is_above = |root: &PathBuf| root.starts_with(place);
        let is_within = |root: &PathBuf| place.starts_with(root);
        roots.any(|root| is_above(root) || is_within(root)) || around.iter().any(is_within)
    };
    let path_of = absolute(path)?;
    let mut below = known.iter().filter_map(|(as_given, root)| {
        let rest = path_of.strip_prefix(as_given).ok()?;
        Some((root.clone(), rest))
    });
    let (from, rest) = below.next().unwrap_or((PathBuf::new(), &path_of));
    let judge = |step: Step<'_>| match step {
        Step::At(place) if !is_allowed(place) => Err(outside(roots, path)),
        Step::Link(link) => owners.check(&[], link),
        Step::At(_) | Step::End(_) => Ok(()),
    };
    walk(from, rest, judge).map(drop)
}

fn is_below(root: &Path, real: &Path) -> bool {
    real.strip_prefix(root).is_ok_and(|below| !is_gits(below))
}

/// Whether a path leads into a folder of git's own. Some systems take no notice of case.
fn is_gits(path: &Path) -> bool {
    path.components()
        .any(|part| part.as_os_str().eq_ignore_ascii_case(".git"))
}

/// The same for a path that may not be there yet: what there is of it has to lie in one of these
/// folders. A link to nowhere leads out.
pub fn confine_new(roots: &[&Path], path: &Path) -> Result<PathBuf, FsError> {
    check_way(roots, Owners::Any, path)?;
    let mut missing = PathBuf::new();
    let mut part = path;
    loop {
        if part.symlink_metadata().is_ok() {
            return match confine(roots, part) {
                Ok(real) if missing.as_os_str().is_empty() => Ok(real),
                Ok(real) if is_gits(&missing) => Err(FsError::Outside {
                    path: path.to_owned(),
                    root: real,
                }),
                Ok(real) => Ok(real.join(missing)),
                Err(FsError::Outside { root, .. }) => Err(FsError::Outside {
                    path: path.to_owned(),
                    root,
                }),
                Err(error) if error.is_not_found() => Err(FsError::Linked {
                    path: part.to_owned(),
                }),
                Err(error) => Err(error),
            };
        }
        let (Some(parent), Some(name)) = (part.parent(), part.file_name()) else {
            return confine(roots, path);
        };
        missing = if missing.as_os_str().is_empty() {
            PathBuf::from(name)
        } else {
            Path::new(name).join(missing)
        };
        part = if parent.as_os_str().is_empty() {
            Path::new(".")
        } else {
            parent
        };
    }
}

/// Fails where a link that lies in a checkout leads a path out of that checkout: whoever made the checkout
/// chose where it leads, however the path is written. `checkout_of` tells the one that a folder lies in. Fails too
/// at a link that another user put where everybody may, or in a folder of theirs there. Says where the path leads, links
/// resolved.
pub fn refuse_way_out(
    path: &Path,
    checkout_of: impl Fn(&Path) -> Option<PathBuf>,
) -> Result<PathBuf, FsError> {
    let outside = |root: &Path| FsError::Outside {
        path: path.to_owned(),
        root: root.to_owned(),
    };
    // The links by which the way goes, and the checkouts that they lie in.
    let mut by: Vec<Option<(PathBuf, PathBuf)>> = Vec::new();
    walk_all(path, |step| match step {
        Step::At(place) => {
            let leads_out = |root: &&PathBuf| !root.starts_with(place) && !is_below(root, place);
            let mut roots = by.iter().flatten().map(|(_, root)| root);
            roots
                .find(leads_out)
                .map_or(Ok(()), |root| Err(outside(root)))
        }
        Step::Link(link) => {
            let folder = link.parent().unwrap_or(link);
            let root = checkout_of(folder);
            // Linux does not follow such a link either in `/tmp`, where `fs.protected_symlinks` is set; but it does in
            // a folder that another user made there.
            let open = folder.ancestors().filter(|it| is_open_to_all(it)).last();
            let owners = open.map(|open| Owners::of(root.as_deref().unwrap_or(open)));
            let is_others = |it: &Path| owners.is_some_and(|owners| owners.check(&[], it).is_err());
            if is_others(link) && (is_open_to_all(folder) || is_others(folder)) {
                return Err(FsError::NotOwn {
                    path: link.to_owned(),
                });
            }
            by.push(root.map(|root| (link.to_owned(), root)));
            Ok(())
        }
        Step::End(place) => match by.pop().flatten() {
            Some((_, root)) if !place.starts_with(&root) => Err(outside(&root)),
            Some((link, _)) if place.symlink_metadata().is_err() => {
                Err(FsError::Linked { path: link })
            }
            _ => Ok(()),
        },
    })
}

/// A file to be written, whose folder no link of a checkout leads out of it: opened at once, as it was
/// looked at.
pub fn destination(
    path: &Path,
    checkout_of: impl Fn(&Path) -> Option<PathBuf>,
) -> Result<Destination, FsError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let folder = refuse_way_out(folder, checkout_of)?;
    Destination::in_resolved(path, &folder)
}

/// Creates a folder in `root`, and its parents; no link leads out of `root`.
pub fn ensure_dir_in(root: &Path, folder: &Path) -> Result<(), FsError> {
    super::ensure_dir(&confine_new(&[root], folder)?)
}

/// A file as it was read.
#[derive(Debug)]
pub struct Confined {
    /// What it holds.
    pub bytes: Vec<u8>,
    /// Whether a link led there: then somebody chose a file that has another name and another purpose.
    pub linked: bool,
}

/// Reads a regular file of at most `limit` bytes that lies in one of these folders, links resolved, and is of these
/// users. What lies elsewhere is named, and not read.
pub fn read_confined(
    roots: &[&Path],
    owners: Owners,
    path: &Path,
    limit: u64,
) -> Result<Vec<u8>, FsError> {
    read_told(roots, owners, path, limit).map(|read| read.bytes)
}

/// The same, and whether a link led there.
pub fn read_told(
    roots: &[&Path],
    owners: Owners,
    path: &Path,
    limit: u64,
) -> Result<Confined, FsError> {
    let real = confine_of(roots, owners, path)?;
    owners.check(roots, path)?;
    if real != path {
        let true_roots = roots.iter().flat_map(std::fs::canonicalize);
        let true_roots: Vec<_> = true_roots.collect();
        let true_roots: Vec<_> = true_roots.iter().map(PathBuf::as_path).collect();
        owners.check(&true_roots, &real)?;
    }
    let direct = |root: &&Path| {
        let below = path.strip_prefix(root).ok()?;
        Some(std::fs::canonicalize(root).ok()?.join(below))
    };
    let linked = roots.first().and_then(direct).as_ref() != Some(&real);
    let (Some(parent), Some(name)) = (real.parent(), real.file_name()) else {
        return Err(FsError::NotAFile {
            path: path.to_owned(),
        });
    };
    // Resolved already: what is a link now was put there meanwhile.
    let folder = Folder::pass_resolved(parent).map_err(|e| FsError::io("read", path, e))?;
    let file = open_in(&folder, name, path)?;
    let meta = file.metadata();
    owners.take(path, &meta.map_err(|e| FsError::io("read", path, e))?)?;
    let bytes = all(file, path, limit)?;
    Ok(Confined { bytes, linked })
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_link_of_a_checkout_leads_no_path_out_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let base = dir.path().canonicalize().unwrap();
        let root = base.join("root");
        std::fs::create_dir_all(root.join("inner")).unwrap();
        std::fs::create_dir_all(root.join(".git/hooks")).unwrap();
        std::fs::create_dir_all(base.join("else")).unwrap();
        symlink(base.join("else"), root.join("out")).unwrap();
        symlink("inner", root.join("within")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        symlink(".git/hooks", root.join("hooks")).unwrap();
        symlink(&root, base.join("in")).unwrap();
        symlink("in/out", base.join("by")).unwrap();
        let checkout = |folder: &Path| folder.starts_with(&root).then(|| root.clone());
        let check = |path: PathBuf| refuse_way_out(&path, checkout);
        for out in [
            "out/x",
            "inner/../out/x",
            "dangling",
            "hooks/x",
            "within/../out",
        ] {
            assert!(check(root.join(out)).is_err(), "{out}");
            assert!(check(base.join("in").join(out)).is_err(), "{out}");
        }
        assert!(check(base.join("by/x")).is_err());
        for fine in ["inner/x", "within/x", "new/x", "../else/x", ".."] {
            assert!(check(root.join(fine)).is_ok(), "{fine}");
        }
    }

    #[test]
    fn a_link_within_is_followed_and_one_that_leads_out_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        std::fs::create_dir_all(root.join("inner")).unwrap();
        super::super::write_new(&root.join("inner/file"), b"fine").unwrap();
        super::super::write_new(&dir.path().join("secret"), b"canary").unwrap();
        symlink("inner/file", root.join("within")).unwrap();
        symlink("../secret", root.join("out")).unwrap();
        symlink("..", root.join("folder")).unwrap();
        symlink("/proc/self/environ", root.join("environ")).unwrap();
        let read = |name: &str| read_confined(&[&root], Owners::Any, &root.join(name), 100);
        assert_eq!(read("within").unwrap(), b"fine");
        for out in ["out", "folder/secret", "environ"] {
            let error = read(out).unwrap_err();
            assert!(matches!(error, FsError::Outside { .. }), "{error}");
            assert!(!error.to_string().contains("canary"));
        }
        assert!(read("nothing").unwrap_err().is_not_found());
        assert!(matches!(read("inner"), Err(FsError::NotAFile { .. })));
        let new = |name: &str| confine_new(&[&root], &root.join(name));
        assert!(new("inner/a/b").is_ok());
        symlink("nowhere", root.join("dangling")).unwrap();
        for out in ["folder/x", "../x", "dangling", "dangling/x", "out"] {
            assert!(new(out).is_err(), "{out}");
        }
        // By its text: nothing there is looked at, whether it exists or not.
        symlink("/net/host.example/x", root.join("far")).unwrap();
        symlink("far", root.join("farther")).unwrap();
        for far in [
            "/net/host.example/x",
            "../net/x",
            "inner/../../x",
            "far",
            "farther/x",
        ] {
            for error in [read(far).unwrap_err(), new(far).unwrap_err()] {
                assert!(matches!(error, FsError::Outside { .. }), "{far}: {error}");
            }
        }
        symlink("round", root.join("round")).unwrap();
        assert!(matches!(read("round"), Err(FsError::Io { .. })));
        symlink(&root, dir.path().join("other-name")).unwrap();
        let by = dir.path().join("other-name");
        assert!(read_confined(&[&by], Owners::Any, &by.join("within"), 100).is_ok());
        assert!(read_confined(&[&by], Owners::Any, &by.join("../root/within"), 100).is_ok());
        // Git's own folder is none of the project's, whatever leads there.
        std::fs::create_dir_all(root.join(".git/hooks")).unwrap();
        super::super::write_new(&root.join(".git/config"), b"canary").unwrap();
        symlink(".git/config", root.join("config")).unwrap();
        for path in ["config", ".git/config"] {
            let error = read(path).unwrap_err();
            assert!(matches!(error, FsError::Outside { .. }), "{error}");
        }
        for path in [".git/hooks", ".git/new", "a/.GIT/hooks"] {
            assert!(new(path).is_err(), "{path}");
        }
        let told = |name: &str| read_told(&[&root], Owners::Any, &root.join(name), 100).unwrap();
        assert!(told("within").linked && !told("inner/file").linked);
        symlink("inner", root.join("folder-within")).unwrap();
        assert!(told("folder-within/file").linked);
        let also = read_confined(&[&root, dir.path()], Owners::Any, &root.join("out"), 100);
        assert_eq!(also.unwrap(), b"canary");
    }
}
