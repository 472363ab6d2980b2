//! What the connector files of the base declare: a proposal that drops what one says is held against that.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    Base, BaseSettings, Whose,
    places::{beside, configs_in, folder_name},
    tree::{Led, name_of},
    view::{Known, Run, View, limit},
};
use crate::{
    config::{Project, is_connector_file},
    context::{Context, Failure},
    git::ObjectId,
    model::Declared,
    syntax::{base44::parse_config, parse_connector},
};

type Files = Vec<(String, ObjectId)>;

impl Base {
    /// What they declare for this project, by commit. Where the project stands as it did, its own files say it; of what
    /// they do not name, and of a project that moved, each folder counts by itself: which one it is now, the proposal chose.
    pub(super) async fn declared(
        &mut self,
        context: &Context,
        project: &Project,
        settings: &[BaseSettings],
    ) -> Result<Vec<(Whose, Declared)>, Failure> {
        let run = self.run(context, project);
        let mut homes = Vec::new();
        for view in &self.views {
            homes.push(view.configs(&run).await?);
        }
        let mut found = Vec::new();
        for (number, (view, configs)) in self.views.iter_mut().zip(homes).enumerate() {
            let files = configs.iter().map(|config| config.file.clone()).collect();
            let texts = view.contents_of(context, &files).await?;
            let here = settings.iter().filter(|settings| settings.view == number);
            let named = project.environment.as_ref().and_then(|name| {
                let mut here = here.filter_map(|here| here.settings.environments.get(name));
                here.find_map(|environment| environment.connectors_dir.clone())
            });
            // Those of the project as it stood first.
            let mut folders: Vec<(bool, String)> = Vec::new();
            for Config { file, stands } in &configs {
                let (path, id) = file;
                let dir = named.clone().or_else(|| {
                    let text = texts.get(id).map(|text| String::from_utf8_lossy(text));
                    parse_config(path, &text?).0.connectors_dir
                });
                let home = path.strip_suffix(name_of(path)).unwrap_or_default();
                let folder = beside(home, dir.as_deref().unwrap_or("connectors"));
                folders.extend(folder.map(|folder| (*stands, folder)));
            }
            folders.extend(view.folder_now(project).map(|folder| (false, folder)));
            let (mut own, mut others) = (Declared::default(), Vec::new());
            for (stands, folder) in folders {
                let files = view.connector_files(&folder);
                let texts = view.contents_of(context, &files).await?;
                let mut declared = Declared::default();
                let into = if stands { &mut own } else { &mut declared };
                for (path, id) in files {
                    let text = texts.get(&id).map(|text| String::from_utf8_lossy(text));
                    let parsed = parse_connector(&path, &text.unwrap_or(Cow::Borrowed(""))).0;
                    if let Some((connector, file)) = parsed.map(|parsed| parsed.declared(path)) {
                        into.connectors.entry(connector).or_insert(file);
                    }
                }
                others.push(declared);
            }
            for declared in &mut others {
                declared
                    .connectors
                    .retain(|connector, _| !own.connectors.contains_key(connector));
            }
            others.retain(|declared| !declared.connectors.is_empty());
            let own = (!configs.is_empty()).then_some((true, own));
            let all = others.into_iter().map(|declared| (false, declared));
            found.extend(all.chain(own).map(|(own, declared)| {
                let commit = view.short();
                (Whose { commit, own }, declared)
            }));
        }
        Ok(found)
    }
}

/// A Base44 config of the base.
struct Config {
    file: (String, ObjectId),
    /// It is the project's own, in its place, and that was the app's before.
    stands: bool,
}

impl View {
    /// The Base44 configs of the project there, wherever the proposal moved it, and of others of its app.
    async fn configs(&self, run: &Run<'_>) -> Result<Vec<Config>, Failure> {
        let files = |place: &String| {
            let there = configs_in(place).filter_map(|config| self.file_at(&config));
            there.collect::<Files>()
        };
        let own = self.own.iter().filter(|_| self.project() == Known::Yes);
        let own: Files = own.flat_map(files).collect();
        let of_app = self.of_the_same_app(run).await?;
        // The app may be told by the pipeline alone.
        let is_untold = of_app.folders.is_empty() && of_app.another.is_none();
        let of_app: Files = of_app.folders.iter().flat_map(files).collect();
        let stands = |file: &_| is_untold || of_app.contains(file);
        let (stand, moved): (Files, Files) = own.into_iter().partition(stands);
        let others = of_app.into_iter().filter(|file| !stand.contains(file));
        let others: Files = others.chain(moved).collect();
        let configs =
            |files: Files, stands| files.into_iter().map(move |file| Config { file, stands });
        Ok(configs(stand, true).chain(configs(others, false)).collect())
    }

    /// Where the connectors folder is now.
    fn folder_now(&self, project: &Project) -> Option<String> {
        let inner = project.connectors_dir.strip_prefix(&project.root).ok()?;
        Some(format!("{}{}", self.own.as_ref()?, folder_name(inner)))
    }

    fn connector_files(&self, folder: &str) -> Files {
        let folder = format!("{}/", folder.trim_end_matches('/'));
        let Led::To(folder) = self.tree.lead(&folder) else {
            return Files::new();
        };
        let files = self.tree.files().filter(|path| {
            let name = path.strip_prefix(&folder);
            name.is_some_and(|name| !name.contains('/') && is_connector_file(name))
        });
        files.filter_map(|path| self.file_at(path)).collect()
    }

    /// A clone may lack them. What is of a repository within this one is there.
    async fn contents_of(
        &mut self,
        context: &Context,
        files: &Files,
    ) -> Result<BTreeMap<ObjectId, Vec<u8>>, Failure> {
        let own = files
            .iter()
            .filter(|(path, _)| !self.modules.hold(path))
            .map(|(_, id)| id.clone());
        let own: Vec<_> = own.collect();
        self.at.complete(context, &own).await?;
        self.modules.contents(&self.at, files, limit()).await
    }
}
