//! One repository at its base: what settings it has there for a project.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use miette::Diagnostic;
use thiserror::Error;

use super::{
    commit::CommitAt,
    places::{Standing, configs_in, folder_name, outwards, standing},
    submodules::{Modules, Withheld, still_there},
    tree::{Led, Tree, name_of},
};
use crate::{
    config::{self, BaseDanger, Project, SETTINGS},
    context::{Context, Failure},
    fs,
    git::{Checkout, CommitId, EntryKind, ObjectId, path_of},
    model::{AppId, Vars},
    syntax::{Problem, Settings, parse_settings, readable_settings},
};

/// A file whose settings apply here is a link in the base, and a link may lead anywhere.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "{file} in the base commit {commit} is a link; its settings apply here, and connplan does not follow links"
)]
#[diagnostic(
    code(connplan::approval::base),
    help("replace the link with a file on the base branch first")
)]
struct LinkedBase {
    file: String,
    commit: String,
}

/// The base has a link out of the repository, and the proposal something in its place.
#[derive(Debug, Error, Diagnostic)]
#[error(
    "{commit}, whose settings apply here, has a link at {path} that leads out of the repository, and here is \
     something else: connplan needs the settings there, and cannot get them"
)]
#[diagnostic(
    code(connplan::approval::base),
    help("remove the link in a separate pull or merge request first")
)]
struct LedOut {
    path: String,
    commit: String,
}

/// What binds cannot be read.
#[derive(Clone, Debug, Error, Diagnostic)]
#[error("{file} of {commit}, whose settings apply here, has errors: {why}")]
#[diagnostic(
    code(connplan::approval::base),
    help(
        "connplan does not know what the file asks for, so it applies nothing. If the file was written for a newer \
         connplan, use that one. Else fix it in a separate pull or merge request. What is merged after that can \
         be applied again"
    )
)]
pub(super) struct UnreadableBase {
    pub(super) file: String,
    pub(super) commit: String,
    pub(super) why: String,
}

/// Settings of the base.
pub struct BaseSettings {
    /// Which repository has them.
    pub(super) view: usize,
    /// Where they stand in it; what they name is relative to it.
    pub(super) folder: String,
    /// What they say; as far as they can be read, if they are broken.
    pub settings: Settings,
    /// Why those are not all.
    pub(super) broken: Option<UnreadableBase>,
}

/// A repository at its base.
pub(super) struct View {
    pub(super) at: CommitAt,
    pub(super) tree: Tree,
    pub(super) modules: Modules,
    /// What decides which settings apply, read at once.
    contents: BTreeMap<ObjectId, Vec<u8>>,
    /// The repositories in it that have a view of their own, by path.
    told: BTreeSet<String>,
    /// Where this project stands in the work tree, as folders with `/` at their end: where its settings
    /// are, where it is, and where the command line says that it is.
    places: Vec<String>,
    /// The folder of the project itself, if it is in this work tree.
    pub(super) own: Option<String>,
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

/// The run whose app is compared with the base's.
pub(super) struct Run<'a> {
    pub(super) project: &'a Project,
    /// The process's variables, without those of the project's files.
    pub(super) process: &'a Vars,
    /// The app that it is of, where that is told.
    pub(super) app: Option<&'a AppId>,
    /// Whether a base knows the project: the others do not tell of it then.
    pub(super) is_known: bool,
}

/// Whether a base has a project.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// It has.
    Yes,
    /// It is new there.
    No,
    /// A repository within this one is to say.
    Within,
}

impl View {
    /// Lists the base, and fetches every file that decides which settings apply.
    pub(super) async fn new(
        context: &Context,
        mut at: CommitAt,
        project: &Where<'_>,
        inners: &[Self],
    ) -> Result<Self, Failure> {
        let all = at.look(context, async |of, at| of.whole(at).await);
        let mut tree = Tree::new(all.await?);
        let needed = tree.deciding().into_iter().map(|(_, id)| id);
        at.complete(context, &needed.collect::<Vec<_>>()).await?;
        let inner = |view: &Self| {
            let inner = view.at.checkout.root().strip_prefix(at.checkout.root());
            let path = folder_name(inner.ok()?).trim_end_matches('/').to_owned();
            let named = (EntryKind::Module, view.at.commit.clone());
            (tree.at(&path) == Some(&named)).then_some(path)
        };
        let told = inners.iter().filter_map(inner).collect();
        let modules = Modules::graft(&at, &mut tree, &told).await?;
        let contents = modules.contents(&at, &tree.deciding(), limit()).await?;
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
            modules,
            contents,
            told,
            places,
            own,
            is_first: project.is_first,
        })
    }

    /// The settings that the base has for this project, wherever the proposal moves them or it.
    pub(super) async fn settings(
        &self,
        context: &Context,
        number: usize,
        run: &Run<'_>,
        is_new: bool,
    ) -> Result<Vec<BaseSettings>, Failure> {
        let mut found: BTreeMap<String, Read> = BTreeMap::new();
        let mut around = BTreeSet::new();
        let of_app = self.of_the_same_app(run).await?;
        for place in self.places.iter().chain(&of_app.folders) {
            let Some(place) = self.place(place)? else {
                continue;
            };
            // A project that is new within another one has the other's. What is around a folder is looked at once.
            for outer in outwards(&place) {
                if !around.insert(outer.to_owned()) {
                    break;
                }
                let mut some = false;
                for folder in [outer.to_owned(), format!("{outer}base44/")] {
                    if let Some(folder) = self.place(&folder)?
                        && let Some(settings) = self.settings_in(&folder).await?
                    {
                        found.insert(folder, settings);
                        some = true;
                    }
                }
                if some {
                    break;
                }
            }
        }
        if is_new || of_app.another.is_some() {
            self.ask_modules(context).await?;
        }
        let anywhere = is_new || self.is_first && found.is_empty();
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
            if binds && let Some(settings) = self.settings_in(folder).await? {
                found.insert(folder.to_owned(), settings);
            }
        }
        let found = found.into_iter();
        Ok(found
            .map(|(folder, (settings, broken))| BaseSettings {
                view: number,
                folder,
                settings,
                broken,
            })
            .collect())
    }

    /// Where a place of the base led. None where the settings that it has are not of this repository:
    /// one within it has a view of its own, and what a link leads to outside is what it is.
    fn place(&self, path: &str) -> Result<Option<String>, Failure> {
        match self.tree.lead(path) {
            Led::To(place) => Ok(Some(place)),
            Led::Module(module) if self.told.contains(&module) => Ok(None),
            Led::Module(module) => Err(self.withheld(&module)),
            Led::Nowhere => {
                let root = self.at.checkout.root();
                let now = root.join(path_of(path));
                let leads_out = fs::look(&[root], &now).leads_out;
                if leads_out || now.canonicalize().is_ok_and(|it| !it.starts_with(root)) {
                    return Ok(None);
                }
                let path = crate::escape::limited(path, 200);
                let commit = self.short();
                Err(LedOut { path, commit }.into())
            }
        }
    }

    fn withheld(&self, module: &str) -> Failure {
        let id = self.tree.at(module).map(|(_, id)| id.clone());
        Withheld {
            path: crate::escape::limited(module, 200),
            commit: self.short(),
            module: id.unwrap_or_else(|| self.at.commit.clone()),
        }
        .into()
    }

    /// Of repositories in the base whose content is not here nobody knows whether they are of this app:
    /// one that the proposal takes away stops it, and the others are said.
    async fn ask_modules(&self, context: &Context) -> Result<(), Failure> {
        let mut unread: Vec<(String, CommitId)> = self.tree.modules();
        unread.retain(|(path, _)| !self.told.contains(path));
        if unread.is_empty() {
            return Ok(());
        }
        let there = still_there(context, &self.at, &unread).await?;
        if let Some((gone, _)) = unread.iter().find(|(path, _)| !there.contains(path)) {
            return Err(self.withheld(gone));
        }
        let there: Vec<_> = there.iter().map(String::as_str).collect();
        context.warn(&format!(
            "connplan cannot read these submodules, so their settings do not apply here even if they are of \
             this app: {}",
            crate::escape::limited(&there.join(", "), 300)
        ));
        Ok(())
    }

    /// The repository.
    pub(super) fn checkout(&self) -> &Checkout {
        &self.at.checkout
    }

    /// Whether this is of the same commit of the same work tree.
    pub(super) fn is_of(&self, at: &CommitAt) -> bool {
        self.at.checkout.root() == at.checkout.root() && self.at.commit == at.commit
    }

    /// The commit of a repository within this one, as the base has it.
    pub(super) async fn module(&self, path: &str) -> Result<Option<CommitId>, Failure> {
        let there = self.at.objects().find(&self.at.commit, path).await?;
        let module = there.filter(|there| there.kind == EntryKind::Module);
        Ok(module.map(|there| there.id))
    }

    /// Whether the base has the project in its place.
    pub(super) fn project(&self) -> Known {
        let Some(own) = &self.own else {
            return Known::No;
        };
        match self.tree.lead(own) {
            Led::Module(_) => Known::Within,
            Led::Nowhere => Known::No,
            Led::To(place) => {
                let has = configs_in(&place).any(|config| {
                    let config = self.tree.lead(&config);
                    matches!(config, Led::To(file) if self.tree.at(&file).is_some())
                });
                if has { Known::Yes } else { Known::No }
            }
        }
    }

    /// A file of the base.
    pub(super) async fn read(&self, path: &str) -> Result<Option<String>, Failure> {
        match self.tree.at(path) {
            Some((EntryKind::File, id)) => {
                let read;
                let bytes = if let Some(known) = self.contents.get(id) {
                    known
                } else {
                    read = self.modules.objects(&self.at, path).read(id).await?;
                    &read
                };
                Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
            }
            Some((EntryKind::Link, _)) => {
                let file = crate::escape::limited(path, 200);
                let commit = self.short();
                Err(LinkedBase { file, commit }.into())
            }
            Some((EntryKind::Folder | EntryKind::Module, _)) | None => Ok(None),
        }
    }

    /// Whether the base has the project in its place, and for another app, or another one for this run.
    pub(super) async fn another_app(&self, run: &Run<'_>) -> Result<Option<BaseDanger>, Failure> {
        Ok(self.of_the_same_app(run).await?.another)
    }

    /// The app that the run would be of by the files that the base has in the project's place.
    fn app_of(&self, run: &Run<'_>, texts: &BTreeMap<&str, Cow<'_, str>>) -> Option<AppId> {
        let Led::To(root) = self.tree.lead(self.own.as_ref()?) else {
            return None;
        };
        let mut files = BTreeMap::new();
        for (path, text) in texts {
            if let Some(path) = path.strip_prefix(&root) {
                files.insert(path.to_owned(), &**text);
            }
        }
        if let Led::To(inner) = self.tree.lead(&format!("{root}base44/")) {
            let moved = texts.iter().filter_map(|(path, text)| {
                let name = path.strip_prefix(&inner)?;
                (!name.contains('/')).then(|| (format!("base44/{name}"), &**text))
            });
            files.extend(moved);
        }
        for config in configs_in("") {
            if self.file_at(&format!("{root}{config}")).is_some() {
                files.insert(config, "");
            }
        }
        run.project.app_by(run.process, &files)
    }

    /// The file that a path leads to.
    pub(super) fn file_at(&self, path: &str) -> Option<(String, ObjectId)> {
        let Led::To(file) = self.tree.lead(path) else {
            return None;
        };
        let (_, id) = self.tree.at(&file)?;
        let id = id.clone();
        Some((file, id))
    }

    /// Where the base has projects of the same app: what they forbid for it is not allowed by planning it
    /// from another folder.
    pub(super) async fn of_the_same_app(&self, run: &Run<'_>) -> Result<OfApp, Failure> {
        let mut found = OfApp::default();
        let Some(app) = run.app else {
            return Ok(found);
        };
        let files = self.tree.named(config::names_apps).into_iter();
        let led = files.filter_map(|(path, _)| {
            let file = self.file_at(&path)?;
            Some((path, file))
        });
        let (paths, files): (Vec<_>, Vec<_>) = led.unzip();
        // A link of such a name may lead to a file of any other.
        let others = files
            .iter()
            .filter(|(_, id)| !self.contents.contains_key(id));
        let others: Vec<_> = others.cloned().collect();
        let others = self.modules.contents(&self.at, &others, limit()).await?;
        let is_it = |named: &AppId| named == app;
        let (mut own_names_it, mut own_names_any) = (false, false);
        let mut texts = BTreeMap::new();
        for (path, (_, id)) in paths.iter().zip(&files) {
            let name = name_of(path);
            let text = self.contents.get(id).or_else(|| others.get(id));
            let Some(text) = text.map(|text| String::from_utf8_lossy(text)) else {
                continue;
            };
            let named = config::apps_named(name, &text);
            texts.insert(path.as_str(), text);
            let names_it = named.iter().any(is_it);
            if self
                .own
                .as_ref()
                .is_some_and(|own| path.starts_with(own.as_str()))
            {
                own_names_it |= names_it;
                own_names_any |= !named.is_empty();
            }
            if names_it {
                let folder = path.strip_suffix(name).unwrap_or_default();
                found.folders.insert(folder.to_owned());
            }
        }
        let then = if run.is_known && self.project() != Known::Yes {
            None
        } else {
            self.app_of(run, &texts)
        };
        let is_another = then.as_ref().is_some_and(|then| then != app);
        if is_another || own_names_any && !own_names_it {
            found.another = Some(BaseDanger::App {
                now: app.clone(),
                then: then.filter(|_| is_another),
            });
        }
        Ok(found)
    }

    async fn settings_in(&self, folder: &str) -> Result<Option<Read>, Failure> {
        let path = format!("{folder}{SETTINGS}");
        let Some(text) = self.read(&path).await? else {
            return Ok(None);
        };
        let (settings, problems) = parse_settings(SETTINGS, &text);
        // A key that is not known, of a gate, is one that a newer connplan has, or a slip.
        let gate = problems.iter().find_map(Problem::of_gate);
        let error = problems.iter().find(|problem| problem.is_error());
        let error = error.or(gate.as_ref());
        if let (Some(settings), None) = (&settings, error) {
            return Ok(Some((settings.clone(), None)));
        }
        let broken = UnreadableBase {
            file: crate::escape::limited(&path, 200),
            commit: self.short(),
            why: error.map_or_else(String::new, |error| error.to_diagnostic().message),
        };
        let settings = settings.unwrap_or_else(|| readable_settings(&text));
        Ok(Some((settings, Some(broken))))
    }

    /// `abc1234`, for messages.
    pub(super) fn short(&self) -> String {
        crate::escape::commit(self.at.commit.as_str())
    }
}

/// Settings, and why they are not all that stand there.
type Read = (Settings, Option<UnreadableBase>);

/// No larger file is read.
pub(super) fn limit() -> usize {
    usize::try_from(config::MAX_FILE_SIZE).unwrap_or(usize::MAX)
}

/// What of the base is of an app.
#[derive(Debug, Default)]
pub(super) struct OfApp {
    /// The folders of its projects.
    pub(super) folders: BTreeSet<String>,
    /// Where the project, or this run of it, was of another one.
    pub(super) another: Option<BaseDanger>,
}
