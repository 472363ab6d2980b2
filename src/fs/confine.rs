//! Staying in a folder: what a checkout holds leads nowhere else.

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use super::{
    FsError,
    read::{all, open_file},
};

/// The true place of `path`, links resolved, if it lies in one of these folders; theirs are resolved
/// too. What does not exist is an error.
pub fn confine(roots: &[&Path], path: &Path) -> Result<PathBuf, FsError> {
    let real = std::fs::canonicalize(path).map_err(|e| FsError::io("read", path, e))?;
    let inside =
        |root: &&Path| std::fs::canonicalize(root).is_ok_and(|root| real.starts_with(root));
    if roots.iter().any(inside) {
        return Ok(real);
    }
    let root = roots.first().copied().unwrap_or(Path::new("/"));
    Err(FsError::Outside {
        path: path.to_owned(),
        root: root.to_owned(),
    })
}

/// The same for a path that may not be there yet: what there is of it has to lie in one of these
/// folders. A link to nowhere leads out.
pub fn confine_new(roots: &[&Path], path: &Path) -> Result<PathBuf, FsError> {
    let mut missing = PathBuf::new();
    let mut part = path;
    loop {
        if part.symlink_metadata().is_ok() {
            return match confine(roots, part) {
                Ok(real) if missing.as_os_str().is_empty() => Ok(real),
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

/// Creates a folder in `root`, and its parents; no link leads out of `root`.
pub fn ensure_dir_in(root: &Path, folder: &Path) -> Result<(), FsError> {
    super::ensure_dir(&confine_new(&[root], folder)?)
}

/// Reads a regular file of at most `limit` bytes that lies in one of these folders, links resolved.
/// What lies elsewhere is named, and not read.
pub fn read_confined(roots: &[&Path], path: &Path, limit: u64) -> Result<Vec<u8>, FsError> {
    let real = confine(roots, path)?;
    let named = |error| match error {
        FsError::Linked { .. } => FsError::Linked {
            path: path.to_owned(),
        },
        FsError::NotAFile { .. } => FsError::NotAFile {
            path: path.to_owned(),
        },
        FsError::Io {
            action,
            source,
            help,
            ..
        } => FsError::Io {
            action,
            path: path.to_owned(),
            source,
            help,
        },
        other => other,
    };
    // Resolved already: what is a link now was put there meanwhile.
    let file = open_file(&real, File::options().read(true), "read").map_err(named)?;
    all(file, path, limit)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

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
        let read = |name: &str| read_confined(&[&root], &root.join(name), 100);
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
        let also = read_confined(&[&root, dir.path()], &root.join("out"), 100);
        assert_eq!(also.unwrap(), b"canary");
    }
}
