//! The checkouts that a folder lies in, and where a path leads through them.

use std::{
    collections::VecDeque,
    path::{Component, Path, PathBuf},
};

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

/// Where each link on the way to a folder stands, and where the folder is at last, whether it is there yet or not.
pub fn places(dir: &Path) -> Vec<PathBuf> {
    // As many as Linux follows.
    const MOST_LINKS: usize = 40;
    let own = |path: &Path| {
        path.components()
            .map(|part| part.as_os_str().to_owned())
            .collect()
    };
    let mut left: VecDeque<_> = own(dir);
    let mut here = PathBuf::new();
    let mut found = Vec::new();
    while let Some(part) = left.pop_front() {
        if part == Component::ParentDir.as_os_str() {
            here.pop();
            continue;
        }
        let place = here.join(&part);
        let target = place.read_link().ok().filter(|_| found.len() < MOST_LINKS);
        let Some(target) = target else {
            here = place;
            continue;
        };
        found.push(
            here.canonicalize()
                .unwrap_or_else(|_| here.clone())
                .join(part),
        );
        for part in own(&target).into_iter().rev() {
            left.push_front(part);
        }
    }
    found.extend(dir.ancestors().find_map(|part| {
        let there = part.canonicalize().ok()?;
        Some(there.join(dir.strip_prefix(part).ok()?))
    }));
    found
}
