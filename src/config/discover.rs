//! Where things lie: the Base44 config, the app's file. Looks, reads nothing.

use std::{
    collections::VecDeque,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    fs::{FsError, Owners, checkouts_around, entry, is_open_to_all, look},
    model,
};

/// The folder that Base44 projects keep their files in.
pub(super) const SUBDIR: &str = "base44";
/// The extensions of Base44's files. Of two configs side by side the official client (0.1.18, tried)
/// reads the `.json`.
const EXTENSIONS: [&str; 2] = ["json", "jsonc"];
/// How far below the root an app's file is looked for, in folders.
const MAX_DEPTH: usize = 6;
/// How many folders are looked into for it; a project is not a disk.
const MAX_FOLDERS: usize = 4000;

/// A project as found.
pub(super) struct Found {
    pub(super) root: PathBuf,
    pub(super) config: PathBuf,
    /// Another config beside it, which is not read.
    pub(super) second: Option<PathBuf>,
}

/// The nearest folder, `start` or above, with a Base44 config.
pub(super) fn project(start: &Path) -> Option<Found> {
    start.ancestors().find_map(|folder| {
        let configs = [folder.join(SUBDIR), folder.to_owned()]
            .iter()
            .find_map(|place| {
                let mut files = existing(folder, place, "config").into_iter();
                files.next().map(|config| (config, files.next()))
            });
        let (config, second) = configs?;
        // Started from within `base44`, the project is the folder around it all the same; unless that
        // is not part of the repository any more.
        let own = config.parent().unwrap_or(folder);
        let is_inner = own.file_name().is_some_and(|name| name == SUBDIR);
        let root = match own.parent() {
            Some(around) if is_inner && entry(&[around], &own.join(".git")).is_none() => around,
            _ => own,
        };
        Some(Found {
            root: root.to_owned(),
            config,
            second,
        })
    })
}

/// Whose files a project is made of, found from `start`: whoever may write into a folder above, or into `start`
/// itself, as all may into `/tmp`, could put one there. Which folder the command line names is taken as it is. Fails
/// if the project itself is another's.
pub(super) fn owners(
    start: &Path,
    is_named: bool,
    found: Option<&Found>,
) -> Result<Owners, FsError> {
    let is_here = |found: &Found| found.root == start || found.config.parent() == Some(start);
    if is_named && found.is_none_or(is_here) {
        return Ok(Owners::Any);
    }
    let owners = Owners::of(start);
    if let Some(Found { root, config, .. }) = found {
        owners.check(&[root], config)?;
    }
    Ok(owners)
}

/// Whether a folder keeps a Base44 config where projects have it.
pub fn is_project(folder: &Path) -> bool {
    !existing(folder, &folder.join(SUBDIR), "config").is_empty()
}

/// Whether it has one itself: elsewhere than in a project such a file may be anybody's.
pub fn is_flat_project(folder: &Path) -> bool {
    !existing(folder, folder, "config").is_empty()
}

/// The folders below and at `root` that hold a Base44 project.
pub fn projects_below(root: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    each_folder(root, |folder| {
        if is_project(folder) {
            found.push(folder.to_owned());
        }
    });
    found
}

/// The files that may name the app: those in the usual places, else all that lie deeper. Which of
/// several the official client takes is a matter of chance.
pub(super) fn app_files(root: &Path) -> Vec<PathBuf> {
    let usual = [root.join(SUBDIR), root.to_owned()];
    let mut found: Vec<PathBuf> = usual
        .iter()
        .flat_map(|place| existing(root, place, ".app"))
        .collect();
    if !found.is_empty() {
        return found;
    }
    each_folder(root, |folder| {
        found.extend(existing(folder, folder, ".app"));
    });
    found
}

/// The same of files that are not on a disk, by their paths from the root. Pure.
pub(super) fn app_files_of<'a>(files: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let is_it = |path: &&str| matches!(path.rsplit('/').next(), Some(".app.json" | ".app.jsonc"));
    let (usual, mut deeper): (Vec<_>, Vec<_>) = files.filter(is_it).partition(|path| {
        let folder = path.rsplit_once('/').map(|(folder, _)| folder);
        folder.is_none_or(|folder| folder == SUBDIR)
    });
    if !usual.is_empty() {
        return usual;
    }
    deeper.retain(|path| {
        let mut folders = path.split('/').rev().skip(1);
        folders.clone().count() <= MAX_DEPTH && folders.all(is_entered)
    });
    deeper
}

/// Looks into folders, the nearest first. Links are not followed: they can lead in circles. Nor is what another user
/// made in a folder into which everybody may write.
fn each_folder(root: &Path, mut look: impl FnMut(&Path)) {
    let owners = Owners::of(root);
    let mut queue = VecDeque::from([(root.to_owned(), 0)]);
    let mut seen = 0;
    while let Some((folder, depth)) = queue.pop_front() {
        seen += 1;
        look(&folder);
        if depth == MAX_DEPTH || seen == MAX_FOLDERS {
            continue;
        }
        // A folder that cannot be listed holds no file that could be read.
        let Ok(entries) = fs::read_dir(&folder) else {
            continue;
        };
        let is_open = is_open_to_all(&folder);
        let mut inner: Vec<PathBuf> = entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter(|entry| !is_open || owners.check(&[], &entry.path()).is_ok())
            .filter(|entry| is_entered(&entry.file_name().to_string_lossy()))
            .map(|entry| entry.path())
            .collect();
        model::sort(&mut inner, Ord::cmp);
        if seen + queue.len() < MAX_FOLDERS {
            queue.extend(inner.into_iter().map(|folder| (folder, depth + 1)));
        }
    }
}

/// Whether a folder of this name may be of the project.
fn is_entered(name: &str) -> bool {
    !name.starts_with('.') && name != "node_modules"
}

/// `folder` is `root` or lies in it.
fn existing(root: &Path, folder: &Path, stem: &str) -> Vec<PathBuf> {
    // A link of the user's own, as of a home to another disk, makes no project there.
    if look(&[root], folder).leads_out && checkouts_around(root, None).is_empty() {
        return Vec::new();
    }
    EXTENSIONS
        .iter()
        .map(|extension| folder.join(format!("{stem}.{extension}")))
        .filter(|path| look(&[root], path).is_file())
        .collect()
}
