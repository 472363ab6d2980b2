//! A folder that stays the one that was looked at.

use std::path::{Path, PathBuf};

use super::{FsError, atomic::Destination, confine::confine_new, folder::Folder};

/// A folder that is open since it was looked at: whoever puts another folder or a link in its place meanwhile leads
/// nobody there.
#[derive(Debug)]
pub struct OpenFolder {
    path: PathBuf,
    real: PathBuf,
    folder: Folder,
}

impl OpenFolder {
    /// Opens the folder that `path` names, whose true place was found to be `real`, and makes what is not there of
    /// it. Fails where that is a link by now, or below one.
    pub fn make(path: &Path, real: &Path) -> Result<Self, FsError> {
        let folder = Folder::make_resolved(real).map_err(|e| FsError::io("create", path, e))?;
        Ok(Self {
            path: path.to_owned(),
            real: real.to_owned(),
            folder,
        })
    }

    /// The same for a folder of `root`, out of which no link leads.
    pub fn make_in(root: &Path, path: &Path) -> Result<Self, FsError> {
        Self::make(path, &confine_new(&[root], path)?)
    }

    /// The file of this name.
    pub fn file(&self, name: impl AsRef<Path>) -> Result<Destination, FsError> {
        Destination::in_folder(&self.path.join(&name), &self.folder)
    }

    /// The file that the link of this name leads to, if that is in this folder, too.
    pub fn behind(&self, name: impl AsRef<Path>) -> Result<Destination, FsError> {
        let path = self.path.join(&name);
        let real = std::fs::canonicalize(self.real.join(name));
        let real = real.map_err(|e| FsError::io("read", &path, e))?;
        match real.parent() {
            Some(parent) if parent.starts_with(&self.real) => {
                Destination::in_resolved(&real, parent)
            }
            _ => Err(FsError::Outside {
                path,
                root: self.path.clone(),
            }),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn whoever_swaps_the_folder_leads_nobody_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let at = |path: &str| root.join(path);
        std::fs::create_dir_all(at("else")).unwrap();
        let open = OpenFolder::make_in(&root, &at("p/folder")).unwrap();
        let file = open.file("file").unwrap();
        file.write_new(b"1").unwrap();
        super::super::write_new(&at("else/file"), b"else").unwrap();
        symlink("file", at("p/folder/link")).unwrap();
        symlink("../../else/file", at("p/folder/out")).unwrap();
        assert_eq!(open.behind("link").unwrap().read_text(9).unwrap(), "1");
        assert!(matches!(open.behind("out"), Err(FsError::Outside { .. })));

        std::fs::rename(at("p/folder"), at("p/moved")).unwrap();
        symlink("../else", at("p/folder")).unwrap();
        assert_eq!(file.read_text(9).unwrap(), "1");
        file.write(b"2").unwrap();
        let staged = open.file("new").unwrap().stage(b"new").unwrap();
        staged.commit_new().unwrap();
        assert!(matches!(open.behind("file"), Err(FsError::Outside { .. })));
        assert!(OpenFolder::make(&at("p/folder"), &at("p/folder")).is_err());
        assert!(OpenFolder::make(&at("p/folder/x"), &at("p/folder/x")).is_err());
        let read = |path: &str| std::fs::read_to_string(at(path)).unwrap();
        assert_eq!(
            (read("p/moved/file"), read("p/moved/new")),
            ("2".into(), "new".into())
        );
        file.remove().unwrap();
        assert!(!at("p/moved/file").exists());
        assert_eq!(read("else/file"), "else");
        assert_eq!(std::fs::read_dir(at("else")).unwrap().count(), 1);
    }
}
