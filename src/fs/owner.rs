//! Whose a file or folder is, and who else can put something in its place.

use std::path::{Path, PathBuf};

use super::FsError;

/// Why a folder is not its user's alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotOurs {
    /// It is another user's.
    Owner,
    /// Others may write into it.
    Open,
    /// This folder or link on the way to it is another user's, who can lead it elsewhere.
    Way(PathBuf),
    /// Others may write into this folder on the way to it, and so put another in its place.
    OpenWay(PathBuf),
    /// It lies in this checkout: what is in it may be what somebody proposes.
    Checkout(PathBuf),
}

/// Why another user can write anything into a folder, or put another in its place; `None` where nobody can
/// but this one, whoever owns the home folder, and root. What is not there yet is as what it will lie in.
///
/// The home folder's own rights are not judged, nor those of what it lies in: whoever can write there has
/// the user's programs and login already. Nor are the rights of what lies in a folder that nobody else enters.
#[cfg(unix)]
pub fn not_ours(path: &Path, home: Option<&Path>) -> Option<NotOurs> {
    use std::{fs, os::unix::fs::MetadataExt};
    let own = rustix::process::geteuid().as_raw();
    let home = home.and_then(|home| home.canonicalize().ok());
    let owner = home.as_ref().and_then(|home| fs::metadata(home).ok());
    let owner = owner.map(|meta| meta.uid());
    let foreign = |meta: &fs::Metadata| is_another(meta.uid(), own, owner);
    if let Ok(meta) = fs::metadata(path) {
        if foreign(&meta) {
            return Some(NotOurs::Owner);
        }
        if meta.is_dir() && others_rights(path, &meta) & WRITE != 0 {
            return Some(NotOurs::Open);
        }
    }
    let whole = std::path::absolute(path).ok()?;
    let real = whole.ancestors().find_map(|part| part.canonicalize().ok());
    let real = real.unwrap_or_default();
    // Whoever owns what the home lies in is trusted with all of it.
    let is_above_home = |part: &Path| home.as_ref().is_some_and(|home| home.starts_with(part));
    let is_other = |part: &&Path, unmapped: bool| {
        let meta = fs::symlink_metadata(part);
        let is_foreign =
            |meta: fs::Metadata| foreign(&meta) && (!unmapped || meta.uid() != UNMAPPED);
        !is_above_home(part) && meta.is_ok_and(is_foreign)
    };
    // The links as they are named, and the folders as they are.
    let link = whole
        .ancestors()
        .find(|part| part.is_symlink() && is_other(part, false));
    let other = link.or_else(|| real.ancestors().find(|part| is_other(part, true)));
    if let Some(part) = other {
        return Some(NotOurs::Way(part.to_owned()));
    }
    let links = whole.ancestors().filter(|part| part.is_symlink());
    // What is there was judged above, by a stricter rule.
    let mut ways = links
        .filter_map(|link| link.parent()?.canonicalize().ok())
        .collect::<Vec<_>>();
    ways.push(match real.parent() {
        Some(parent) if path.exists() => parent.to_owned(),
        _ => real,
    });
    ways.iter().find_map(|way| open_way(way, is_above_home))
}

/// The first folder, from here to the root, whose names others may change.
#[cfg(unix)]
fn open_way(way: &Path, is_trusted: impl Fn(&Path) -> bool) -> Option<NotOurs> {
    use std::os::unix::fs::MetadataExt;
    let mut found = None;
    for part in way.ancestors() {
        let Ok(meta) = std::fs::metadata(part) else {
            continue;
        };
        let rights = others_rights(part, &meta);
        // Nobody else gets to what lies in it. But it can be moved away itself, where others may write above.
        if rights & ENTER == 0 && meta.uid() == rustix::process::geteuid().as_raw() {
            found = None;
            continue;
        }
        // In a sticky one everybody changes only what is theirs.
        let is_sticky = meta.mode() & 0o1000 != 0;
        if found.is_none() && rights & WRITE != 0 && !is_sticky && !is_trusted(part) {
            found = Some(NotOurs::OpenWay(part.to_owned()));
        }
    }
    found
}

/// Whose is what belongs to nobody that this user namespace knows: the machine's own folders, in a sandbox.
#[cfg(unix)]
const UNMAPPED: u32 = 65_534;
#[cfg(unix)]
const WRITE: u32 = 0o2;
#[cfg(unix)]
const ENTER: u32 = 0o1;

/// A user's profile is their own.
#[cfg(not(unix))]
pub fn not_ours(_path: &Path, _home: Option<&Path>) -> Option<NotOurs> {
    None
}

#[cfg(unix)]
fn is_another(owner: u32, own: u32, home: Option<u32>) -> bool {
    owner != own && owner != 0 && Some(owner) != home
}

/// What users other than the owner may do, by group, by an access list or as anybody.
#[cfg(unix)]
fn others_rights(path: &Path, meta: &std::fs::Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt;
    let (mode, gid) = (meta.mode(), meta.gid());
    let by_group = mode >> 3 & 0o7;
    // Read only where it matters: that a group may do more than anybody is rare.
    let is_alone = by_group & !mode & 0o7 != 0 && {
        let own = rustix::process::geteuid().as_raw();
        let is_own = gid == own && gid == rustix::process::getegid().as_raw();
        let read = |path| std::fs::read_to_string(path).ok();
        let known = || read("/etc/group").zip(read("/etc/passwd"));
        let is_alone = |(groups, users): (String, String)| is_alone_in(gid, own, &groups, &users);
        (gid == 0 || is_own) && !has_access_list(path) && known().is_some_and(is_alone)
    };
    mode & 0o7 | if is_alone { 0 } else { by_group }
}

/// Whether a folder gives rights to more than its owner, its group and all: then the group's bits of its mode are the
/// most that any of these may do. Where that cannot be told, it does.
#[cfg(target_os = "linux")]
fn has_access_list(path: &Path) -> bool {
    use rustix::io::Errno;
    let asked = rustix::fs::getxattr(path, "system.posix_acl_access", &mut [0_u8; 0]);
    !matches!(asked, Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS))
}

/// Elsewhere an access list does not show in the mode.
#[cfg(all(unix, not(target_os = "linux")))]
fn has_access_list(_path: &Path) -> bool {
    false
}

/// Whether nobody besides root and this user is in a group: by its lines in `/etc/group`, or by those in `/etc/passwd`
/// that have it as first group. Who is in a group without a line, only a directory service knows.
///
/// Where each user has a group of their own, of their name and number, files are made for that group to write.
#[cfg(unix)]
fn is_alone_in(gid: u32, own: u32, groups: &str, users: &str) -> bool {
    /// What comes with the system, such as `sync` and `operator`, which may have root's group, and nobody behind it.
    const PEOPLE: u32 = 100;
    let users: Vec<(_, u32, u32)> = users
        .lines()
        .filter_map(|line| {
            let mut parts = line.split(':');
            let name = parts.next()?;
            let uid = parts.nth(1)?.parse().ok()?;
            Some((name, uid, parts.next()?.parse().ok()?))
        })
        .collect();
    let is_us = |uid| uid == 0 || uid == own;
    let named = |member: &str| {
        users
            .iter()
            .any(|(name, uid, _)| *name == member && is_us(*uid))
    };
    let number = gid.to_string();
    let lines = groups.lines().map(|line| line.split(':'));
    let mut lines = lines
        .filter(|line| line.clone().nth(2) == Some(&number))
        .peekable();
    lines.peek().is_some()
        && lines.all(|mut line| {
            let mut members = line.nth(3).unwrap_or_default().split(',').map(str::trim);
            members.all(|member| ["", "root"].contains(&member) || named(member))
        })
        && users
            .iter()
            .all(|(_, uid, first)| *first != gid || is_us(*uid) || *uid < PEOPLE)
}

/// Whose files are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owners {
    /// Anybody's: the user says so.
    Any,
    /// This user's, root's, and those of the user of this number.
    Known(Option<u32>),
}

impl Owners {
    /// This user, root, and whoever owns this folder.
    #[cfg(unix)]
    pub fn of(folder: &Path) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self::Known(folder.metadata().ok().map(|meta| meta.uid()))
    }

    /// A system that does not tell owners by number.
    #[cfg(not(unix))]
    pub fn of(_folder: &Path) -> Self {
        Self::Any
    }

    /// Fails if a path is another user's, or a part of the way to it from the one of these folders that it lies in,
    /// that folder included, up to the first link: where that leads is judged by its true way.
    pub fn check(self, roots: &[&Path], path: &Path) -> Result<(), FsError> {
        let root = roots.iter().find(|root| path.starts_with(root));
        let root = root.copied().unwrap_or(path);
        let mut way: Vec<_> = path
            .ancestors()
            .take_while(|part| part.starts_with(root))
            .collect();
        way.reverse();
        let there = way
            .into_iter()
            .map_while(|part| Some((part, part.symlink_metadata().ok()?)));
        for (part, meta) in there {
            self.take(part, &meta)?;
            if meta.is_symlink() {
                break;
            }
        }
        Ok(())
    }

    /// The same of what was seen of a path.
    #[cfg(unix)]
    pub(super) fn take(self, path: &Path, meta: &std::fs::Metadata) -> Result<(), FsError> {
        use std::os::unix::fs::MetadataExt;
        let own = rustix::process::geteuid().as_raw();
        match self {
            Self::Known(known) if is_another(meta.uid(), own, known) => Err(FsError::OfAnother {
                path: path.to_owned(),
                owner: meta.uid(),
            }),
            Self::Known(_) | Self::Any => Ok(()),
        }
    }

    #[cfg(not(unix))]
    #[expect(
        clippy::unnecessary_wraps,
        reason = "where owners are known it can fail"
    )]
    pub(super) fn take(self, _path: &Path, _meta: &std::fs::Metadata) -> Result<(), FsError> {
        Ok(())
    }
}

/// Whether everybody may put something into a folder, as into `/tmp`: then what is in it need not be its owner's, or
/// of somebody who works with them.
#[cfg(unix)]
pub fn is_open_to_all(folder: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    folder.metadata().is_ok_and(|meta| meta.mode() & WRITE != 0)
}

/// A user's profile is their own.
#[cfg(not(unix))]
pub fn is_open_to_all(_folder: &Path) -> bool {
    false
}

/// Reads a regular file of at most `limit` bytes that this user wrote, or root, or whoever owns the folder
/// that it lies in: what connplan itself keeps, and believes.
pub fn read_own(path: &Path, limit: u64) -> Result<Vec<u8>, FsError> {
    super::read::all(open_own(path, false)?, path, limit)
}

/// The same as UTF-8 text.
pub fn read_own_text(path: &Path, limit: u64) -> Result<String, FsError> {
    super::read::text(read_own(path, limit)?, path)
}

/// The same of what nobody else may read, as connplan makes it: a file that a clone or an archive brought is open.
pub fn read_private_text(path: &Path, limit: u64) -> Result<String, FsError> {
    let file = open_own(path, true)?;
    super::read::text(super::read::all(file, path, limit)?, path)
}

fn open_own(path: &Path, is_private: bool) -> Result<std::fs::File, FsError> {
    let file = super::read::open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let meta = file.metadata().map_err(|e| FsError::io("read", path, e))?;
        let folder = path.parent().and_then(|folder| folder.metadata().ok());
        let folder = folder.map(|meta| meta.uid());
        let path = || path.to_owned();
        if is_another(meta.uid(), rustix::process::geteuid().as_raw(), folder) {
            return Err(FsError::NotOwn { path: path() });
        }
        if is_private && meta.mode() & 0o077 != 0 {
            return Err(FsError::NotPrivate { path: path() });
        }
    }
    #[cfg(not(unix))]
    let _ = is_private;
    Ok(file)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn a_folder_is_ones_own_or_of_whom_one_has_to_trust() {
        for (owner, own, home, another) in [
            (1000, 1000, None, false),
            (0, 1000, None, false),
            (1001, 1000, None, true),
            (1001, 1000, Some(1000), true),
            // A container's root, and the home of whoever started it.
            (1000, 0, Some(1000), false),
            (1001, 0, Some(0), true),
        ] {
            assert_eq!(is_another(owner, own, home), another, "{owner} {own}");
        }
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(not_ours(dir.path(), None), None);
        assert_eq!(not_ours(&dir.path().join("nothing"), None), None);
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(not_ours(dir.path(), None), Some(NotOurs::Open));
        // What is made in it is its maker's.
        assert_eq!(not_ours(&dir.path().join("nothing"), None), None);
    }

    /// What nobody else may enter can still be moved away as a whole.
    #[test]
    fn a_private_folder_excuses_what_lies_in_it_and_not_what_lies_around_it() {
        let dir = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode));
        let (shared, own) = (dir.path().join("shared"), dir.path().join("shared/own"));
        let state = own.join("open/state");
        fs::create_dir_all(&state).unwrap();
        mode(&own.join("open"), 0o777).unwrap();
        for (around, private, open) in [
            (0o755, 0o700, None),
            (0o755, 0o755, Some("shared/own/open")),
            (0o777, 0o700, Some("shared")),
            (0o777, 0o755, Some("shared/own/open")),
            (0o1777, 0o700, None),
        ] {
            mode(&shared, around).unwrap();
            mode(&own, private).unwrap();
            let found =
                open.map(|open| NotOurs::OpenWay(dir.path().canonicalize().unwrap().join(open)));
            mode(dir.path(), 0o755).unwrap();
            assert_eq!(not_ours(&state, None), found, "{around:o} {private:o}");
        }
    }

    #[test]
    fn a_group_of_ones_own_has_nobody_else_in_it() {
        let groups = "root:x:0:root\nann:x:1000:\nbob:x:1001:bob\nteam:x:1002:team,eve\nsue:x:1003:\n\
                      tim:x:1004:\nalso:x:1004:eve\ndan:x:1005:dan\n";
        let users = "root:x:0:0::/:/bin/sh\nsync:x:5:0::/:/bin/sync\nann:x:1000:1000::/:\nbob:x:1001:1001::/:\n\
                     team:x:1002:1002::/:\nsue:x:1003:1003::/:\neve:x:1010:1003::/:\ntim:x:1004:1004::/:\n";
        for (gid, own, alone) in [
            (0, 1000, true),
            (1000, 1000, true),
            (1001, 1001, true),
            (1002, 1002, false),
            // It is the first group of another.
            (1003, 1003, false),
            // Two names of one group.
            (1004, 1004, false),
            // A member, or a whole group, that only a directory service knows.
            (1005, 1005, false),
            (7, 7, false),
        ] {
            assert_eq!(is_alone_in(gid, own, groups, users), alone, "{gid}");
        }
        let staff = "eve:x:1010:0::/:/bin/sh";
        assert!(!is_alone_in(0, 1000, groups, staff));
    }
}
