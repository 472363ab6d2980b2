//! Where the state folder is.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
};

use crate::{
    config,
    fs::{self, FsError, NotOurs},
    model::{ApiUrl, App, Vars, sha256},
};

/// The variable that names the folder.
const VARIABLE: &str = "CONNPLAN_STATE_DIR";
/// What a checkout had in earlier versions.
const OLD: &str = ".connplan";

/// The user's state folder, whether it exists yet or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateFolder {
    /// `None` where there is no home and no variable names a folder, or it is another user's: then
    /// nothing can be kept.
    dir: Option<PathBuf>,
    /// A folder that is not used because others can write into it, and why they can.
    not_ours: Option<(PathBuf, NotOurs)>,
    /// The user's home, whose owner counts as this user.
    home: Option<PathBuf>,
}

impl StateFolder {
    /// The folder as the process's variables and the user's home decide. No file of a project has a
    /// say, and so no folder of the checkout that the run starts in. Changes nothing.
    pub fn find(process: &Vars, home: Option<&Path>, start: &Path) -> Self {
        let named = process.get(VARIABLE).map(PathBuf::from);
        let dir = named
            .map(|dir| std::path::absolute(&dir).unwrap_or(dir))
            .or_else(|| Some(platform(process, home)?.join("connplan")));
        let why = dir.as_deref().and_then(|dir| {
            let checkout = proposed(dir, process, home, start).or_else(|| cloned(dir, home));
            let checkout = checkout.map(NotOurs::Checkout);
            checkout.or_else(|| fs::not_ours(dir, home))
        });
        let (dir, not_ours) = match (dir, why) {
            (Some(dir), Some(why)) => (None, Some((dir, why))),
            (dir, _) => (dir, None),
        };
        Self {
            dir,
            not_ours,
            home: home.map(Path::to_owned),
        }
    }

    /// The folder that would be used if others could not write into it, and why they can.
    pub fn not_ours(&self) -> Option<(&Path, &NotOurs)> {
        let (dir, why) = self.not_ours.as_ref()?;
        Some((dir, why))
    }

    /// This folder.
    pub fn at(dir: &Path) -> Self {
        Self {
            dir: Some(dir.to_owned()),
            not_ours: None,
            home: None,
        }
    }

    /// The folder itself, if there is a place for it. Looked at anew: another user may have made it since.
    pub fn dir(&self) -> Option<&Path> {
        let dir = self.dir.as_deref()?;
        fs::not_ours(dir, self.home.as_deref())
            .is_none()
            .then_some(dir)
    }

    /// Makes the folder where it is missing, and says which it is; none where another user was quicker.
    pub(super) fn make(&self) -> Result<Option<&Path>, FsError> {
        if let Some(dir) = self.dir() {
            fs::ensure_private_dir(dir)?;
        }
        Ok(self.dir())
    }

    /// The file by which the processes of this machine share their pace at an address.
    pub fn pace(&self, api_url: &ApiUrl) -> Option<PathBuf> {
        let name = format!("{}.json", digest(api_url));
        Some(self.dir()?.join("pace").join(name))
    }

    /// What an earlier version, or somebody else, left in a checkout. It is ignored.
    pub fn left_in(root: &Path) -> Option<PathBuf> {
        let path = root.join(OLD);
        path.symlink_metadata().is_ok().then_some(path)
    }
}

/// The user's home, unless a pipeline has it in the checkout: then its files may be what somebody proposes.
pub fn own_home(process: &Vars, home: PathBuf, start: &Path) -> Result<PathBuf, PathBuf> {
    let shipped = process.ci() && proposed(&home, process, None, start).is_some();
    if shipped { Err(home) } else { Ok(home) }
}

/// Whether a pipeline has a file or a folder of the user's in its checkout. A link out of that counts, wherever it leads.
pub fn ships(process: &Vars, file: &Path, start: &Path) -> bool {
    process.ci() && fs::ships(&checkouts(process, None, start), file)
}

/// What is left of `PATH` for a run in these folders: relative folders, and those that a checkout has a say in, hold
/// what somebody proposes, such as `node_modules/.bin`, which npm puts first.
pub fn own_path(path: &OsStr, process: &Vars, home: Option<&Path>, starts: &[&Path]) -> String {
    let mut trees = Vec::new();
    for start in starts {
        trees.extend(checkouts(process, home, start));
    }
    let is_own = |folder: &PathBuf| {
        let is_text = folder.to_str().is_some();
        is_text && folder.is_absolute() && fs::tree_of_way(folder, &trees).is_none()
    };
    let left: Vec<_> = std::env::split_paths(path).filter(is_own).collect();
    let left = std::env::join_paths(left).ok();
    left.and_then(|left| left.into_string().ok())
        .unwrap_or_default()
}

/// The checkout that a folder lies in.
fn proposed(dir: &Path, process: &Vars, home: Option<&Path>, start: &Path) -> Option<PathBuf> {
    fs::tree_of_way(dir, &checkouts(process, home, start)).cloned()
}

/// The clone that a folder, or a link on the way to it, lies in, wherever the run starts: somebody may have moved it
/// there.
fn cloned(dir: &Path, home: Option<&Path>) -> Option<PathBuf> {
    let places = fs::places(dir);
    let is_folder = |part: &&Path| part.is_dir() && !part.is_symlink();
    let folders = places
        .iter()
        .filter_map(|place| place.ancestors().find(is_folder));
    let mut trees = folders.flat_map(|folder| fs::checkouts_around(folder, home));
    trees.next()
}

/// The checkouts of a run, links resolved. In a pipeline, a home does not make the folders around it the user's.
pub fn checkouts(process: &Vars, home: Option<&Path>, start: &Path) -> Vec<PathBuf> {
    let own = home.filter(|_| !process.ci());
    let mut trees = checkouts_at(start, own);
    trees.extend(pipelines_trees(process, start));
    trees
}

/// The checkouts around `start`. `home` is the user's, where what lies around it is the user's own too: in a
/// pipeline it may lie in the checkout.
fn checkouts_at(start: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let mut trees = fs::checkouts_around(start, home);
    // A checkout without `.git`, such as an archive's, is what the projects around lie in.
    let start = start.canonicalize().ok();
    let around = start.iter().flat_map(|start| start.ancestors());
    let is_own = fs::is_around(home);
    let around = around.filter(|tree| !is_own(tree));
    let projects = around.filter(|tree| config::is_project(tree) || config::is_flat_project(tree));
    trees.extend(projects.last().map(Path::to_owned));
    trees
}

/// Where the pipeline says that its checkout is. Around a clone there is the user's own.
fn pipelines_trees(process: &Vars, start: &Path) -> Vec<PathBuf> {
    let place = |folder: &str| Path::new(folder).canonicalize().ok();
    let clones = fs::checkouts_around(start, None);
    let is_around = |folder: &PathBuf| clones.iter().any(|clone| clone.starts_with(folder));
    let archives = process.work_folders().filter_map(place);
    let archives = archives.filter(|folder| !is_around(folder));
    let checkouts = process.checkout_folders().filter_map(place);
    checkouts.chain(archives).collect()
}

/// The address by its digest, since it is not a file name; the app by its id.
pub(super) fn folder_name(app: &App) -> String {
    format!("{}-{}", digest(&app.api_url), app.id.folded())
}

fn digest(api_url: &ApiUrl) -> String {
    sha256(api_url.as_str().as_bytes(), 16)
}

/// Where the platform's programs keep what belongs to this machine.
fn platform(process: &Vars, home: Option<&Path>) -> Option<PathBuf> {
    // A relative one counts as not set, says its standard.
    let absolute = |name| {
        let path = process.get(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    if cfg!(windows) {
        return absolute("LOCALAPPDATA").or_else(|| Some(home?.join("AppData/Local")));
    }
    absolute("XDG_STATE_HOME").or_else(|| {
        let inner = if cfg!(target_os = "macos") {
            "Library/Application Support"
        } else {
            ".local/state"
        };
        Some(home?.join(inner))
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::model::AppId;

    #[test]
    fn the_variable_goes_before_the_platform_and_a_relative_standard_counts_for_nothing() {
        let home = Some(Path::new("/home/ada"));
        let dir = |pairs: &[(&str, &str)], home| {
            StateFolder::find(&Vars::of(pairs), home, Path::new("/")).dir
        };
        let path = |text: &str| Some(PathBuf::from(text));
        let xdg = ("XDG_STATE_HOME", "/state");
        assert_eq!(
            dir(&[("CONNPLAN_STATE_DIR", "/own"), xdg], home),
            path("/own")
        );
        assert_eq!(dir(&[xdg], home), path("/state/connplan"));
        let inner = if cfg!(target_os = "macos") {
            "/home/ada/Library/Application Support/connplan"
        } else {
            "/home/ada/.local/state/connplan"
        };
        assert_eq!(dir(&[("XDG_STATE_HOME", "state")], home), path(inner));
        assert_eq!(dir(&[], None), None);
    }

    #[test]
    fn a_folder_of_the_checkout_is_not_used() {
        let temp = tempfile::tempdir().unwrap();
        let at = |inner: &str| {
            let path = temp.path().join(inner);
            std::fs::create_dir_all(&path).unwrap();
            path
        };
        let (outer, start) = (at("repo/.git"), at("repo/sub/app"));
        at("repo/sub/.git");
        let tree = outer.parent().unwrap().canonicalize().unwrap();
        std::os::unix::fs::symlink(at("repo/kept"), temp.path().join("link")).unwrap();
        let beside = at("beside");
        std::os::unix::fs::symlink("../beside", temp.path().join("repo/out")).unwrap();
        std::os::unix::fs::symlink("repo/out", temp.path().join("by")).unwrap();
        std::os::unix::fs::symlink(&beside, temp.path().join("own")).unwrap();
        for (dir, home, found) in [
            ("repo/kept", None, Some(&tree)),
            ("repo/new/below", None, Some(&tree)),
            ("link/state", None, Some(&tree)),
            // A link of the checkout decides where that is.
            ("repo/out/state", None, Some(&tree)),
            ("by/state", None, Some(&tree)),
            ("beside/state", None, None),
            ("own/state", None, None),
            // A home that is a work tree itself.
            ("repo/kept", Some(at("repo/home")), None),
        ] {
            let home = home.as_deref();
            let trees = checkouts_at(&start, home);
            let is = fs::tree_of_way(&temp.path().join(dir), &trees);
            assert_eq!(is, found, "{dir}");
        }
        // In a pipeline the home may be what the repository ships.
        let (home, dir) = (at("repo/home"), at("repo/kept"));
        let used = |vars: &[(&str, &str)], start: &Path| {
            let kept = ("CONNPLAN_STATE_DIR", dir.to_str().unwrap());
            let vars = Vars::of(&[&[kept][..], vars].concat());
            StateFolder::find(&vars, Some(&home), start).dir.is_some()
        };
        assert!(used(&[], &start));
        assert!(!used(&[("CI", "true")], &start));
        let tree = tree.to_str().unwrap();
        assert!(!used(&[("CI_PROJECT_DIR", tree)], &at("beside")));
        let shipped =
            |vars: &[(&str, &str)]| own_home(&Vars::of(vars), home.clone(), &start).is_err();
        assert!(!shipped(&[]) && shipped(&[("CI", "true")]));
        // Nor is an archive without `.git` another thing.
        std::fs::remove_dir_all(&outer).unwrap();
        std::fs::remove_dir_all(at("repo/sub/.git")).unwrap();
        assert!(used(&[("CI", "true")], &start));
        at("repo/sub/base44");
        fs::write_new(&temp.path().join("repo/sub/base44/config.json"), b"{}").unwrap();
        let dir = at("repo/sub/kept");
        let used = |vars: &[(&str, &str)], start: &Path| {
            let kept = ("CONNPLAN_STATE_DIR", dir.to_str().unwrap());
            let vars = Vars::of(&[&[kept][..], vars].concat());
            StateFolder::find(&vars, Some(&at("repo/sub/home")), start)
                .dir
                .is_some()
        };
        assert!(!used(&[("CI", "true")], &start));
        assert!(used(&[], &start));
        // Or the project's config stands at its root, or one project lies in another.
        for (tree, config, start) in [
            ("flat", "config.jsonc", "flat/sub"),
            ("flats", "config.jsonc", "flats/apps/shop"),
            ("outer", "base44/config.json", "outer/apps/shop"),
        ] {
            let (_, start) = (at(&format!("{tree}/base44")), at(start));
            fs::write_new(&temp.path().join(tree).join(config), b"{}").unwrap();
            fs::write_new(&start.join("config.json"), b"{}").unwrap();
            let trees = checkouts_at(&start, None);
            let is = fs::tree_of_way(&at(&format!("{tree}/kept")), &trees);
            let tree = temp.path().join(tree).canonicalize().unwrap();
            assert_eq!(is, Some(&tree));
        }
        // The runner says where its archive is.
        let archive = at("archive");
        let named = ("CODEBUILD_SRC_DIR", archive.to_str().unwrap());
        let shipped = |vars: &[(&str, &str)]| {
            let home = at("archive/home");
            own_home(&Vars::of(vars), home, &at("archive/apps/shop")).is_err()
        };
        let (ci, code) = (("CODEBUILD_BUILD_ID", "a:1"), at("archive/apps"));
        assert!(shipped(&[named, ci]));
        assert!(!shipped(&[named]));
        // A clone in the folder that is named is the checkout, and what lies beside it is not.
        std::fs::create_dir(code.join(".git")).unwrap();
        assert!(!shipped(&[named, ci]));
    }

    #[test]
    fn an_app_at_two_addresses_is_two() {
        let at = |url: &str| {
            let app = App {
                id: AppId::parse("a1").unwrap(),
                api_url: ApiUrl::parse(url).unwrap(),
                environment: None,
            };
            StateFolder::at(Path::new("/s"))
                .app(&app)
                .dir()
                .unwrap()
                .to_owned()
        };
        let (one, other) = (at("https://app.base44.com"), at("https://example.com"));
        assert_ne!(one, other);
        assert!(one.starts_with("/s/apps"));
        let name = one.file_name().unwrap().to_string_lossy().into_owned();
        assert!(name.len() == 19 && name.ends_with("-a1"), "{name}");
    }
}
