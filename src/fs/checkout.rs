//! The checkouts that a folder lies in.

use std::path::{Path, PathBuf};

/// The git work trees around a folder, the nearest first, links resolved. One that the user's home lies in is
/// the user's own, and not a checkout that somebody proposes.
pub fn checkouts_around(folder: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let Ok(folder) = folder.canonicalize() else {
        return Vec::new();
    };
    let home = home.and_then(|home| home.canonicalize().ok());
    let is_own = |tree: &Path| home.as_ref().is_some_and(|home| home.starts_with(tree));
    let trees = folder.ancestors().filter(|tree| tree.join(".git").exists());
    trees
        .filter(|tree| !is_own(tree))
        .map(Path::to_owned)
        .collect()
}
