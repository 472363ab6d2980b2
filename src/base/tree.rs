//! What the base has where, by path, with links resolved as they lead there. Pure.

use std::collections::{BTreeMap, VecDeque};

use crate::{
    config::{self, SETTINGS},
    git::{CommitId, EntryKind, ObjectId, path_text},
};

/// More parts than these in one path, with those of links, lead nowhere: the files' reader takes no more either.
const MOST_PARTS: usize = 1_024;
/// More links than these in one path lead nowhere.
const MOST_LINKS: usize = 40;

/// No link leads further, in bytes.
const LONGEST_LINK: usize = 4096;

/// All of a commit.
#[derive(Debug, Default)]
pub(super) struct Tree {
    entries: BTreeMap<String, (EntryKind, ObjectId)>,
    /// Where links lead, by their paths.
    links: BTreeMap<String, String>,
}

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Led {
    /// This path, which may be of nothing.
    To(String),
    /// Into another repository, which stands at this path.
    Module(String),
    /// Out of this one, or in circles.
    Nowhere,
}

impl Tree {
    pub(super) fn new(entries: BTreeMap<String, (EntryKind, ObjectId)>) -> Self {
        Self {
            entries,
            links: BTreeMap::new(),
        }
    }

    /// The repositories in it whose content is not.
    pub(super) fn modules(&self) -> Vec<(String, CommitId)> {
        let all = self.entries.iter();
        let modules = all.filter(|(_, (kind, _))| *kind == EntryKind::Module);
        let modules = modules.map(|(path, (_, id))| (path.clone(), id.clone()));
        modules.collect()
    }

    /// Takes the content of a repository in it.
    pub(super) fn graft(&mut self, path: &str, inner: Self) {
        self.entries.remove(path);
        let entries = inner.entries.into_iter();
        let entries = entries.map(|(inner, entry)| (format!("{path}/{inner}"), entry));
        self.entries.extend(entries);
    }

    /// What decides which settings apply, with the names of their contents: settings, files that name
    /// apps, and links.
    pub(super) fn deciding(&self) -> Vec<(String, ObjectId)> {
        let is_it = |name: &str| name == SETTINGS || config::names_apps(name);
        self.those(|kind, path| match kind {
            EntryKind::Link => true,
            EntryKind::File => is_it(name_of(path)),
            EntryKind::Folder | EntryKind::Module => false,
        })
    }

    /// All files and links of such names, with the names of their contents.
    pub(super) fn named(&self, is_it: impl Fn(&str) -> bool) -> Vec<(String, ObjectId)> {
        self.those(|kind, path| kind != EntryKind::Module && is_it(name_of(path)))
    }

    fn those(&self, is_it: impl Fn(EntryKind, &str) -> bool) -> Vec<(String, ObjectId)> {
        let all = self.entries.iter();
        let those = all.filter(|(path, (kind, _))| is_it(*kind, path));
        let those = those.map(|(path, (_, id))| (path.clone(), id.clone()));
        those.collect()
    }

    /// Takes what those contents are.
    pub(super) fn resolve_by(&mut self, contents: &BTreeMap<ObjectId, Vec<u8>>) {
        let links = self.entries.iter();
        let links = links.filter(|(_, (kind, _))| *kind == EntryKind::Link);
        let links = links.filter_map(|(path, (_, id))| {
            let target = contents.get(id).filter(|to| to.len() <= LONGEST_LINK)?;
            Some((path.clone(), path_text(target)))
        });
        self.links = crate::model::map_of(links);
    }

    /// What stands at a path, its last part not resolved.
    pub(super) fn at(&self, path: &str) -> Option<&(EntryKind, ObjectId)> {
        self.entries.get(path)
    }

    /// Files and links, by path.
    pub(super) fn files(&self) -> impl Iterator<Item = &str> {
        let files = self.entries.iter();
        let files = files.filter(|(_, (kind, _))| *kind != EntryKind::Module);
        files.map(|(path, _)| path.as_str())
    }

    /// Where a path leads, every link on it resolved, the last one too. A folder's, with `/` at its end,
    /// stays one.
    pub(super) fn lead(&self, path: &str) -> Led {
        let mut left: VecDeque<&str> = path.split('/').collect();
        let mut here = String::new();
        let (mut links, mut looks) = (0, 0);
        while let Some(part) = left.pop_front() {
            looks += 1;
            if looks > MOST_PARTS {
                return Led::Nowhere;
            }
            let outer = here.rfind('/').unwrap_or(0);
            match part {
                "" | "." => continue,
                ".." if here.is_empty() => return Led::Nowhere,
                ".." => {
                    here.truncate(outer);
                    continue;
                }
                _ => {}
            }
            let outer = here.len();
            if outer > 0 {
                here.push('/');
            }
            here.push_str(part);
            match self.entries.get(&here) {
                Some((EntryKind::Module, _)) => return Led::Module(here),
                Some((EntryKind::Link, _)) => {
                    links += 1;
                    let target = self.links.get(&here);
                    let Some(target) = target.filter(|to| !to.starts_with('/')) else {
                        return Led::Nowhere;
                    };
                    if links > MOST_LINKS {
                        return Led::Nowhere;
                    }
                    here.truncate(outer);
                    for part in target.rsplit('/') {
                        left.push_front(part);
                    }
                }
                _ => {}
            }
        }
        let mut found = here;
        if path.ends_with('/') && !found.is_empty() {
            found.push('/');
        }
        Led::To(found)
    }
}

/// The last part of a path.
pub(super) fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> Tree {
        let id = |n: u8| ObjectId::parse(&format!("{n:02x}").repeat(20)).unwrap();
        let links = [
            ("apps/shop", "../lib/shop"),
            ("lib/shop/base44", "./../b44"),
            ("out", "../.."),
            ("abs", "/etc"),
            ("round", "round"),
            ("deep", "vendor/sub/proj"),
        ];
        let mut entries: BTreeMap<String, (EntryKind, ObjectId)> = BTreeMap::new();
        let mut contents = BTreeMap::new();
        for (n, (path, target)) in (1..).zip(links) {
            entries.insert(path.to_owned(), (EntryKind::Link, id(n)));
            contents.insert(id(n), target.as_bytes().to_vec());
        }
        entries.insert("lib/b44/x".to_owned(), (EntryKind::File, id(90)));
        entries.insert("vendor/sub".to_owned(), (EntryKind::Module, id(91)));
        let mut tree = Tree::new(entries);
        tree.resolve_by(&contents);
        tree
    }

    #[test]
    fn links_lead_where_they_did_at_the_base() {
        let tree = tree();
        let to = |path: &str| Led::To(path.to_owned());
        assert_eq!(tree.lead(""), to(""));
        assert_eq!(tree.lead("apps/shop/"), to("lib/shop/"));
        assert_eq!(tree.lead("apps/shop/base44/x"), to("lib/b44/x"));
        assert_eq!(tree.lead("apps/new/"), to("apps/new/"));
        assert_eq!(tree.lead("apps/shop/../"), to("lib/"));
        for nowhere in ["out/x", "abs/x", "round/", "../x"] {
            assert_eq!(tree.lead(nowhere), Led::Nowhere, "{nowhere}");
        }
        let module = || Led::Module("vendor/sub".to_owned());
        assert_eq!(tree.lead("vendor/sub/x"), module());
        assert_eq!(tree.lead("deep/base44/"), module());
    }

    #[test]
    fn a_way_of_very_many_parts_leads_nowhere() {
        let mut tree = tree();
        let mut chain = |text: &str| {
            let chain = (0..9).map(|n| (format!("l{n}"), format!("{text}l{}", n + 1)));
            for (link, target) in chain {
                let id = ObjectId::parse(&"aa".repeat(20)).unwrap();
                tree.entries.insert(link.clone(), (EntryKind::Link, id));
                tree.links.insert(link, target);
            }
            tree.lead("l0/x")
        };
        assert_eq!(chain("lib/../"), Led::To("l9/x".to_owned()));
        assert_eq!(chain(&"lib/../".repeat(60)), Led::Nowhere);
    }

    #[test]
    fn a_repository_whose_content_is_here_is_a_folder() {
        let mut outer = tree();
        assert_eq!(outer.modules()[0].0, "vendor/sub");
        outer.graft("vendor/sub", tree());
        assert_eq!(outer.modules()[0].0, "vendor/sub/vendor/sub");
        let links = outer.deciding().into_iter().map(|(path, _)| path);
        assert!(
            links
                .collect::<Vec<_>>()
                .contains(&"vendor/sub/out".to_owned())
        );
        let place = "vendor/sub/lib/b44/x";
        assert_eq!(outer.lead(place), Led::To(place.to_owned()));
    }

    #[test]
    fn settings_what_names_apps_and_links_decide() {
        let id = |n: u8| ObjectId::parse(&format!("{n:02x}").repeat(20)).unwrap();
        let entry = |(n, (path, kind)): (u8, (&str, EntryKind))| (path.to_owned(), (kind, id(n)));
        let entries = [
            ("a/connplan.toml", EntryKind::File),
            ("a/.app.jsonc", EntryKind::File),
            ("a/x", EntryKind::Link),
            ("a/connplan.toml.old", EntryKind::File),
            ("a/config.toml", EntryKind::File),
            ("b/connplan.toml", EntryKind::Module),
        ];
        let tree = Tree::new((1..).zip(entries).map(entry).collect());
        let deciding = tree.deciding().into_iter().map(|(path, _)| path);
        let expected = ["a/.app.jsonc", "a/connplan.toml", "a/x"];
        assert_eq!(deciding.collect::<Vec<_>>(), expected);
    }
}
