//! One repository at its base: what settings it has there for a project.

use std::{collections::BTreeMap, path::Path};

use miette::Diagnostic;
use thiserror::Error;

use super::{
    at::At,
    places::{Standing, configs_in, folder_name, outwards, standing},
    tree::{Led, Tree},
};
use crate::{
    config::{self, SETTINGS},
    context::{Context, Failure},
    git::{EntryKind, ObjectId},
    model::AppId,
    syntax::{Settings, parse_settings},
};

/// What binds is a link there, and a link may lead anywhere.
#[derive(Debug, Error, Diagnostic)]
#[error("{file} of {commit}, which binds here, is a link and is not followed")]
#[diagnostic(
    code(connplan::approval::base),
    help("have it merged as a file of its own first")
)]
struct LinkedBase {
    file: String,
    commit: String,
}

/// Settings of the base.
pub(in crate::commands) struct BaseSettings {
    /// Which repository has them.
    pub(super) view: usize,
    /// Where they stand in it; what they name is relative to it.
    pub(super) folder: String,
    pub(in crate::commands) settings: Settings,
}

/// A repository at its base.
pub(super) struct View {
    at: At,
    tree: Tree,
    /// Where this project stands in the work tree, as folders with `/` at their end: where its settings
    /// are, where it is, and where the command line says that it is.
    places: Vec<String>,
    /// The folder of the project itself, if it is in this work tree.
    own: Option<String>,
    /// Whether it is the project's own repository, not one around it.
    is_first: bool,
}

/// Where a project is.
pub(super) struct Where<'a> {
    /// Its settings, if it has any.
    pub(super) home: Option<&'a Path>,
    /// The project.
    pub(super) root: &'a Path,
    /// Where the command line says that it is, in this work tree.
    pub(super) told: Option<&'a Path>,
    /// Whether this work tree is the nearest around it.
    pub(super) is_first: bool,
}

impl View {
    /// Lists the base, and has all of it here that tells which settings bind.
    pub(super) async fn new(
        context: &Context,
        mut at: At,
        project: &Where<'_>,
    ) -> Result<Self, Failure> {
        let mut tree = Tree::new(at.objects().whole(&at.commit).await?);
        let named = tree
            .files()
            .filter(|path| config::names_apps(name_of(path)));
        let mut ids: Vec<ObjectId> = named
            .filter_map(|path| Some(tree.at(path)?.1.clone()))
            .collect();
        let links = tree.link_contents();
        ids.extend(links.iter().cloned());
        at.complete(context, &ids).await?;
        let contents = at.objects().blobs(&links, LONGEST_LINK).await?;
        tree.resolve_by(&contents);
        let within = |place: &Path| {
            let place = std::fs::canonicalize(place).unwrap_or_else(|_| place.to_owned());
            let inner = place.strip_prefix(at.checkout.root()).ok()?;
            Some(folder_name(inner))
        };
        let own = within(project.root);
        let mut places: Vec<_> = project.home.and_then(within).into_iter().collect();
        places.extend(own.clone());
        places.extend(project.told.map(folder_name));
        Ok(Self {
            at,
            tree,
            places,
            own,
            is_first: project.is_first,
        })
    }

    /// The settings that the base has for this project, wherever the proposal moves them or it. Those
    /// that cannot be read bind nobody: they did not then.
    pub(super) async fn settings(
        &self,
        context: &Context,
        number: usize,
        app: Option<&AppId>,
    ) -> Result<Vec<BaseSettings>, Failure> {
        let mut found: BTreeMap<String, Settings> = BTreeMap::new();
        let of_app = self.of_the_same_app(app).await?;
        for place in self.places.iter().chain(&of_app) {
            // Of a repository within this one, that one's own settings tell.
            let Led::To(place) = self.tree.lead(place) else {
                continue;
            };
            // A project that is new within another one has the other's.
            for outer in outwards(&place) {
                let mut some = false;
                for folder in [outer.to_owned(), format!("{outer}base44/")] {
                    let Led::To(folder) = self.tree.lead(&folder) else {
                        continue;
                    };
                    if let Some(settings) = self.settings_in(context, &folder).await? {
                        found.insert(folder, settings);
                        some = true;
                    }
                }
                if some {
                    break;
                }
            }
        }
        let anywhere = self.is_new() || self.is_first && found.is_empty();
        let folders = self.tree.files();
        for folder in folders.filter_map(|path| path.strip_suffix(SETTINGS)) {
            if !(folder.is_empty() || folder.ends_with('/')) || found.contains_key(folder) {
                continue;
            }
            // Of projects that are at their place still, nothing binds here.
            let binds = match standing(self.at.checkout.root(), folder) {
                Standing::There => false,
                Standing::Gone => anywhere,
                Standing::Link => true,
            };
            if binds && let Some(settings) = self.settings_in(context, folder).await? {
                found.insert(folder.to_owned(), settings);
            }
        }
        let found = found.into_iter();
        Ok(found
            .map(|(folder, settings)| BaseSettings {
                view: number,
                folder,
                settings,
            })
            .collect())
    }

    /// Whether this is of the same work tree.
    pub(super) fn is_of(&self, at: &At) -> bool {
        self.at.checkout.root() == at.checkout.root()
    }

    /// Whether the base has no project in this place; a repository within this one is somebody's.
    fn is_new(&self) -> bool {
        let Some(own) = &self.own else {
            return true;
        };
        match self.tree.lead(own) {
            Led::Module => false,
            Led::Nowhere => true,
            Led::To(place) => !configs_in(&place).any(|config| {
                let config = self.tree.lead(&config);
                matches!(config, Led::To(file) if self.tree.at(&file).is_some())
            }),
        }
    }

    /// A file of the base.
    pub(super) async fn read(&self, path: &str) -> Result<Option<String>, Failure> {
        match self.tree.at(path) {
            Some((EntryKind::File, id)) => {
                let bytes = self.at.objects().read(id).await?;
                Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
            }
            Some((EntryKind::Link, _)) => {
                let file = crate::escape::limited(path, 200);
                let commit = self.short();
                Err(LinkedBase { file, commit }.into())
            }
            Some((EntryKind::Folder | EntryKind::Module, _)) | None => Ok(None),
        }
    }

    /// Where the base has projects of the same app: what they forbid for it is not allowed by planning it
    /// from another folder.
    async fn of_the_same_app(&self, app: Option<&AppId>) -> Result<Vec<String>, Failure> {
        let Some(app) = app else {
            return Ok(Vec::new());
        };
        let files = self
            .tree
            .files()
            .filter(|path| config::names_apps(name_of(path)));
        let files: Vec<_> = files
            .filter_map(|path| {
                let Led::To(file) = self.tree.lead(path) else {
                    return None;
                };
                let (_, id) = self.tree.at(&file)?;
                Some((path, id))
            })
            .collect();
        let ids: Vec<_> = files.iter().map(|(_, id)| (*id).clone()).collect();
        let limit = usize::try_from(config::MAX_FILE_SIZE).unwrap_or(usize::MAX);
        let texts = self.at.objects().blobs(&ids, limit).await?;
        // The platform may read its ids without regard to case.
        let is_it = |named: &AppId| named.as_str().eq_ignore_ascii_case(app.as_str());
        let names_it = |(path, id): &(&str, &ObjectId)| {
            let (name, text) = (name_of(path), texts.get(*id));
            let named = text.map(|text| config::apps_named(name, &String::from_utf8_lossy(text)));
            named.is_some_and(|named| named.iter().any(is_it))
        };
        let folders = files.iter().filter(|file| names_it(file)).map(|(path, _)| {
            let end = path.len() - name_of(path).len();
            path.get(..end).unwrap_or_default()
        });
        Ok(folders
            .flat_map(|folder| self.tree.names_of(folder))
            .collect())
    }

    async fn settings_in(
        &self,
        context: &Context,
        folder: &str,
    ) -> Result<Option<Settings>, Failure> {
        let path = format!("{folder}{SETTINGS}");
        let Some(text) = self.read(&path).await? else {
            return Ok(None);
        };
        let settings = parse_settings(SETTINGS, &text).0;
        if settings.is_none() {
            let path = crate::escape::limited(&path, 200);
            context.warn(&format!(
                "{path} of {} has errors, and does not bind here",
                self.short()
            ));
        }
        Ok(settings)
    }

    /// `abc1234`, for messages.
    pub(super) fn short(&self) -> String {
        self.at.commit.as_str().chars().take(7).collect()
    }
}

/// No link leads further.
const LONGEST_LINK: usize = 4096;

fn name_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
