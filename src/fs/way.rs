//! A way through links: each is judged by what it says before anybody follows it. To follow can be to ask another host,
//! by a mount or a share.

use std::{
    ffi::OsString,
    path::{Component, Path, PathBuf},
};

use super::FsError;

/// What comes next on a way. No link stands above any of these places.
pub(super) enum Step<'a> {
    /// This place is looked at.
    At(&'a Path),
    /// It is a link, by which the way goes on.
    Link(&'a Path),
    /// What the link that was gone by last, of those that have not ended, says ends here.
    End(&'a Path),
}

enum Left {
    Part(OsString),
    End,
}

/// Goes from a place, which no link stands above, as far as `judge` lets it; says where it ends, whether something is
/// there or not.
pub(super) fn walk(
    from: PathBuf,
    way: &Path,
    mut judge: impl FnMut(Step<'_>) -> Result<(), FsError>,
) -> Result<PathBuf, FsError> {
    // As many as Linux follows.
    const MOST_LINKS: usize = 40;
    // A path has at most some two thousand on Linux; each costs a look at the disk, for each file.
    const MOST_PARTS: usize = 1_024;
    let parts = |path: &Path| {
        let parts = path.components().rev();
        let parts = parts.map(|part| Left::Part(part.as_os_str().to_owned()));
        parts.collect::<Vec<_>>()
    };
    // The next one last.
    let mut left = parts(way);
    let (mut here, mut links, mut looks) = (from, 0, 0);
    while let Some(next) = left.pop() {
        let Left::Part(part) = next else {
            judge(Step::End(&here))?;
            continue;
        };
        looks += 1;
        if looks > MOST_PARTS || links > MOST_LINKS {
            let long = std::io::Error::other("links make the way to it too long");
            return Err(FsError::io("read", way, long));
        }
        if part == Component::ParentDir.as_os_str() {
            here.pop();
            continue;
        }
        let place = here.join(part);
        judge(Step::At(&place))?;
        let Ok(text) = place.read_link() else {
            here = place;
            continue;
        };
        links += 1;
        // Some disks have a folder by several names.
        here = here.canonicalize().unwrap_or(here);
        judge(Step::Link(
            &here.join(place.file_name().unwrap_or_default()),
        ))?;
        left.push(Left::End);
        left.extend(parts(&text));
    }
    Ok(here)
}

/// The same from the root of the disk.
pub(super) fn walk_all(
    path: &Path,
    judge: impl FnMut(Step<'_>) -> Result<(), FsError>,
) -> Result<PathBuf, FsError> {
    let whole = std::path::absolute(path).map_err(|e| FsError::io("read", path, e))?;
    let top = whole.ancestors().last().unwrap_or(&whole);
    // On Windows, what is resolved is written otherwise.
    let from = top.canonicalize().unwrap_or_else(|_| top.to_owned());
    walk(from, whole.strip_prefix(top).unwrap_or(&whole), judge)
}

/// Where each link on the way to a path stands, and where that is at last, whether it is there yet or not.
pub fn places(path: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let last = walk_all(path, |step| {
        if let Step::Link(link) = step {
            found.push(link.to_owned());
        }
        Ok(())
    });
    found.extend(last.ok().map(true_name));
    found
}

/// The tree that has a say in where a path leads: it lies in there, or goes by a link that does. Where such a link leads
/// is not looked at.
pub fn tree_of_way<'a>(path: &Path, trees: &'a [PathBuf]) -> Option<&'a PathBuf> {
    let tree_of = |place: &Path| trees.iter().find(|tree| place.starts_with(tree));
    let mut found = None;
    let last = walk_all(path, |step| match step {
        Step::Link(link) => {
            found = tree_of(link);
            let path = link.to_owned();
            found.map_or(Ok(()), |_| Err(FsError::Linked { path }))
        }
        Step::At(_) | Step::End(_) => Ok(()),
    });
    found.or_else(|| tree_of(&true_name(last.ok()?)))
}

/// Some disks have a place by several names. No link stands on the way to this one.
fn true_name(place: PathBuf) -> PathBuf {
    let known = place.ancestors().find_map(|part| {
        let there = part.canonicalize().ok()?;
        Some(there.join(place.strip_prefix(part).ok()?))
    });
    known.unwrap_or(place)
}
