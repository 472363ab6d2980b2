//! What the connector files of the base declare: a proposal that drops what one says is held against that.

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    Base, BaseSettings,
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
    /// What they declare for this project, by commit; its own files go first. Of those that lack it, nothing.
    pub(super) async fn declared(
        &mut self,
        context: &Context,
        project: &Project,
        settings: &[BaseSettings],
    ) -> Result<Vec<(String, Declared)>, Failure> {
        let run = self.run(context, project);
        let mut homes = Vec::new();
        for view in &self.views {
            homes.push(view.configs(&run).await?);
        }
        let mut found = Vec::new();
        for (number, (view, configs)) in self.views.iter_mut().zip(homes).enumerate() {
            let mut folders = view.folder_now(project).into_iter().collect::<Vec<_>>();
            let texts = view.contents_of(context, &configs).await?;
            let here = settings.iter().filter(|settings| settings.view == number);
            let named = project.environment.as_ref().and_then(|name| {
                let mut here = here.filter_map(|here| here.settings.environments.get(name));
                here.find_map(|environment| environment.connectors_dir.clone())
            });
            for (path, id) in &configs {
                let dir = named.clone().or_else(|| {
                    let text = texts.get(id).map(|text| String::from_utf8_lossy(text));
                    parse_config(path, &text?).0.connectors_dir
                });
                let home = path.strip_suffix(name_of(path)).unwrap_or_default();
                folders.extend(beside(home, dir.as_deref().unwrap_or("connectors")));
            }
            let files = view.connector_files(&folders);
            if configs.is_empty() && files.is_empty() {
                continue;
            }
            let texts = view.contents_of(context, &files).await?;
            let mut declared = Declared::default();
            for (path, id) in files {
                let text = texts.get(&id).map(|text| String::from_utf8_lossy(text));
                let parsed = parse_connector(&path, &text.unwrap_or(Cow::Borrowed(""))).0;
                if let Some((connector, file)) = parsed.map(|parsed| parsed.declared(path)) {
                    declared.connectors.entry(connector).or_insert(file);
                }
            }
            found.push((view.short(), declared));
        }
        Ok(found)
    }
}

impl View {
    /// The Base44 configs of the project there, wherever the proposal moved it, and of others of its app.
    async fn configs(&self, run: &Run<'_>) -> Result<Files, Failure> {
        let own = self.own.iter().filter(|_| self.project() == Known::Yes);
        let mut places: Vec<_> = own.cloned().collect();
        places.extend(self.of_the_same_app(run).await?.folders);
        let configs = places.iter().flat_map(|place| configs_in(place));
        Ok(configs.filter_map(|config| self.file_at(&config)).collect())
    }

    /// Where the connectors folder is now.
    fn folder_now(&self, project: &Project) -> Option<String> {
        let inner = project.connectors_dir.strip_prefix(&project.root).ok()?;
        Some(format!("{}{}", self.own.as_ref()?, folder_name(inner)))
    }

    fn connector_files(&self, folders: &[String]) -> Files {
        let mut found = Files::new();
        for folder in folders {
            let Led::To(folder) = self
                .tree
                .lead(&format!("{}/", folder.trim_end_matches('/')))
            else {
                continue;
            };
            let files = self.tree.files().filter(|path| {
                let name = path.strip_prefix(&folder);
                name.is_some_and(|name| !name.contains('/') && is_connector_file(name))
            });
            found.extend(files.filter_map(|path| self.file_at(path)));
        }
        found
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
