//! The checkouts that a folder lies in.

use std::path::{Path, PathBuf};

use super::{FsError, owner::Owners};

/// The git work trees around a folder that somebody may propose, the nearest first, links resolved. One that the
/// user's home lies in (dotfiles) is the user's own, and one whose `.git` is another user's is none.
pub fn checkouts_around(folder: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let is_own = is_around(home);
    let trees = work_trees(folder).into_iter();
    let others = trees.filter(|tree| tree.of_another.is_none() && !is_own(&tree.root));
    others.map(|tree| tree.root).collect()
}

/// That the nearest `.git`, of this folder or above, that is another user's is theirs: in a folder that all may write
/// into, such as `/tmp`, anybody can put one above the projects of everybody.
pub fn git_of_another(folder: &Path) -> Option<FsError> {
    work_trees(folder)
        .into_iter()
        .find_map(|tree| tree.of_another)
}

/// Whether a home lies in a folder.
pub fn is_around(home: Option<&Path>) -> impl Fn(&Path) -> bool {
    let home = home.and_then(|home| home.canonicalize().ok());
    move |folder| home.as_ref().is_some_and(|home| home.starts_with(folder))
}

/// What has a `.git`.
struct WorkTree {
    root: PathBuf,
    /// That it is another user's: neither this one's, nor root's, nor of whoever owns the folder that one works in, or,
    /// of the nearest, the root.
    of_another: Option<FsError>,
}

fn work_trees(folder: &Path) -> Vec<WorkTree> {
    let Ok(folder) = folder.canonicalize() else {
        return Vec::new();
    };
    let with_git = folder.ancestors().filter_map(|root| {
        let git = root.join(".git");
        // Not what a link leads to: that is git's to judge, where it is asked.
        let meta = git.symlink_metadata().ok()?;
        Some((root, git, meta))
    });
    let trees = with_git.enumerate().map(|(place, (root, git, meta))| {
        let check = |of: &Path| Owners::of(of).take(&git, &meta);
        let of_another = match check(&folder) {
            // One clone that several people use; what is around a clone is not theirs by that.
            Err(_) if place == 0 => check(root).err(),
            checked => checked.err(),
        };
        let root = root.to_owned();
        WorkTree { root, of_another }
    });
    trees.collect()
}

/// A folder above this one, by where it really is, as this path has it.
pub fn above<'a>(folder: &'a Path, real: &Path) -> Option<&'a Path> {
    let is_it = |above: &&Path| above.canonicalize().is_ok_and(|it| it == real);
    folder.ancestors().find(is_it)
}
