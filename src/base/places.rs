//! Where a project stands in a work tree, by its folders' names: a proposal may have moved it, or made a
//! link of it.

use std::path::{Component, Path, PathBuf};

use crate::{
    fs,
    git::{path_of, path_text},
    model::Vars,
};

/// `apps/shop/`; empty for the root.
pub(super) fn folder_name(inner: &Path) -> String {
    let parts = inner.components();
    let parts = parts.map(|part| path_text(part.as_os_str().as_encoded_bytes()) + "/");
    parts.collect()
}

/// A folder, and those around it: `apps/shop/`, `apps/`, and the empty one.
pub(super) fn outwards(folder: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(folder), |inner| {
        let inner = inner.strip_suffix('/')?;
        let end = inner.rfind('/').map_or(0, |at| at + 1);
        inner.get(..end)
    })
}

/// A file that is named beside what stands in a folder, from the root; none outside it.
pub(super) fn beside(folder: &str, name: &str) -> Option<String> {
    let mut parts: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    if name.starts_with('/') {
        return None;
    }
    for part in name.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Where the Base44 config of a project in this folder may stand.
pub(super) fn configs_in(folder: &str) -> impl Iterator<Item = String> {
    let places = [folder.to_owned(), format!("{folder}base44/")];
    let names = ["config.json", "config.jsonc"];
    let of_place = move |place: String| names.map(|name| format!("{place}{name}"));
    places.into_iter().flat_map(of_place)
}

/// What became of a place of the base.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// A project is there.
    There,
    /// None is.
    Gone,
    /// A link took the place of a folder: what was there is elsewhere now.
    Link,
}

pub(super) fn standing(root: &Path, folder: &str) -> Standing {
    let place = root.join(path_of(folder.trim_end_matches('/')));
    if fs::look(&[root], &place).link.is_some() {
        return Standing::Link;
    }
    let true_root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let is_file = |config: &String| {
        let file = root.join(path_of(config));
        let seen = fs::look(&[root], &file);
        let is_file = seen.link.is_none() && seen.is_file();
        // A disk that takes no notice of case has it under other names, too.
        is_file && file.canonicalize().ok() == Some(true_root.join(path_of(config)))
    };
    if configs_in(folder).any(|config| is_file(&config)) {
        Standing::There
    } else {
        Standing::Gone
    }
}

/// Where the command line says that the project is: by name, for a proposal may have made a link of it.
pub(super) fn told(start: &Path, vars: &Vars) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    // A shell knows by which name it came here.
    let named = vars.get("PWD").map(PathBuf::from);
    let named = named.filter(|named| {
        named.is_absolute() && named.canonicalize().ok() == here.canonicalize().ok()
    });
    let mut told = PathBuf::new();
    for part in named.unwrap_or(here).join(start).components() {
        match part {
            Component::ParentDir => {
                told.pop();
            }
            Component::CurDir => {}
            part => told.push(part),
        }
    }
    Some(told)
}

/// The same relative to a work tree, if it is told to be in it.
pub(super) fn place_told(told: &Path, root: &Path) -> Option<PathBuf> {
    // The outermost: a link further in may lead to the root again.
    let tops = told
        .ancestors()
        .filter(|above| above.canonicalize().is_ok_and(|it| it == root));
    let top = tops.last()?;
    Some(told.strip_prefix(top).ok()?.to_owned())
}

#[cfg(test)]
mod tests {
    #![expect(
        clippy::disallowed_methods,
        reason = "a test lays out a checkout as an editor would"
    )]

    use super::*;

    #[test]
    fn a_file_beside_others_is_known_however_it_is_named() {
        for (folder, name, path) in [
            ("", "a", Some("a")),
            ("apps/shop/", "./a", Some("apps/shop/a")),
            ("apps/shop/", "x//../a", Some("apps/shop/a")),
            ("apps/shop/", "../../a", Some("a")),
            ("apps/shop/", "../../../a", None),
            ("", "/a", None),
        ] {
            assert_eq!(beside(folder, name).as_deref(), path, "{folder} {name}");
        }
    }

    #[test]
    fn what_a_link_replaced_binds_as_what_is_gone_does() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        std::fs::create_dir_all(root.join("apps/shop/base44")).unwrap();
        std::fs::write(root.join("apps/shop/base44/config.jsonc"), "{}").unwrap();
        assert_eq!(standing(root, "apps/shop/"), Standing::There);
        assert_eq!(standing(root, "apps/shop/base44/"), Standing::There);
        assert_eq!(standing(root, "apps/"), Standing::Gone);
        assert_eq!(standing(root, "apps/other/base44/"), Standing::Gone);
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("shop", root.join("apps/old")).unwrap();
            assert_eq!(standing(root, "apps/old/"), Standing::Link);
            assert_eq!(standing(root, "apps/old/base44/"), Standing::Link);
        }
    }

    #[test]
    fn a_place_is_known_by_the_name_that_was_told() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("apps")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("..", root.join("apps/shop")).unwrap();
        let told = |start: &Path| place_told(&told(start, &Vars::default())?, &root);
        let shop = Some(PathBuf::from("apps/shop"));
        assert_eq!(told(&root.join("apps/shop")), shop);
        assert_eq!(told(&root.join("apps/../apps/./shop")), shop);
        assert_eq!(told(&root), Some(PathBuf::new()));
        assert_eq!(told(Path::new("/")), None);
        assert_eq!(folder_name(Path::new("apps/shop")), "apps/shop/");
        // By the name that a shell came by, where it is of this folder.
        #[cfg(unix)]
        {
            let here = std::env::current_dir().unwrap();
            let link = root.join("here");
            std::os::unix::fs::symlink(&here, &link).unwrap();
            let by = |pwd: &Path| {
                let vars = Vars::of(&[("PWD", pwd.to_str().unwrap())]);
                super::told(Path::new("x"), &vars).unwrap()
            };
            assert_eq!(by(&link), link.join("x"));
            for another in [root.as_path(), Path::new("."), Path::new("/none")] {
                assert_eq!(by(another), here.join("x"), "{another:?}");
            }
        }
        let around: Vec<_> = outwards("apps/shop/").collect();
        assert_eq!(around, ["apps/shop/", "apps/", ""]);
    }
}
