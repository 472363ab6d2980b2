//! The project that a run happens in, and the one that a document is of.

use std::path::Path;

use super::{Context, Failure};
use crate::{
    config::{ConfigError, FindOptions, Project},
    fs::{self, Owners},
    model::{App, AppId},
};

impl Context {
    /// The project that the run happens in.
    pub fn project(&self, dir: Option<&Path>) -> Result<Project, Failure> {
        self.find(self.globals.app_id.clone(), dir)
    }

    /// The project and the app for a document that names one. Where nothing else names an app, the
    /// document does; the address never comes from it, because credentials go there.
    pub fn project_of(&self, named: &AppId) -> Result<(Project, App), Failure> {
        self.project_with(named, None)
    }

    /// The same, with the connector files in this folder.
    pub fn project_with(
        &self,
        named: &AppId,
        dir: Option<&Path>,
    ) -> Result<(Project, App), Failure> {
        let project = match self.project(dir) {
            Err(_) if self.is_nowhere() => self.find(Some(named.as_str().to_owned()), dir)?,
            other => other?,
        };
        match project.app() {
            Ok(app) => Ok((project, app)),
            Err(ConfigError::NoAppId { .. }) => {
                let project = self.find(Some(named.as_str().to_owned()), dir)?;
                let app = project.app()?;
                Ok((project, app))
            }
            Err(e) => Err(e.into()),
        }
    }

    /// The project for what is only kept or compared for the app of a document, and whether it is of that app: in
    /// the document's environment, unless the command line names one. Nothing is sent to the platform for it.
    pub fn project_for(&self, theirs: &App) -> Result<(Project, bool), Failure> {
        let mut options = self.find_options(self.globals.app_id.clone(), None);
        options.environment = options.environment.or_else(|| theirs.environment.clone());
        let project = match self.find_with(options) {
            Ok(project) => project,
            Err(_) if self.is_nowhere() => self.find(Some(theirs.id.to_string()), None)?,
            // It has no environment of that name.
            Err(_) => self.project(None)?,
        };
        let is_there = |url| url == theirs.api_url;
        let is_its = match project.app() {
            Ok(here) => here.id == theirs.id && is_there(here.api_url),
            Err(ConfigError::NoAppId { .. }) => project.address().is_ok_and(|at| is_there(at.url)),
            Err(_) => false,
        };
        Ok((project, is_its))
    }

    /// Whether no project is here, and nothing names an app.
    pub fn is_nowhere(&self) -> bool {
        let options = self.find_options(self.globals.app_id.clone(), None);
        matches!(self.find_with(options), Err(ConfigError::NoProject { .. }))
    }

    /// The project's folder within its repository, `/` between parts; none where it is the repository's root,
    /// or there is no project or no repository.
    pub fn folder_in_repository(&self) -> Option<String> {
        if self.is_nowhere() {
            return None;
        }
        let root = self.project(None).ok()?.root;
        let trees = fs::checkouts_around(&root, self.own_home());
        let root = root.canonicalize().ok()?;
        let inner = root.strip_prefix(trees.last()?).ok()?;
        let parts: Vec<_> = inner
            .components()
            .map(|part| part.as_os_str().to_string_lossy())
            .collect();
        (!parts.is_empty()).then(|| parts.join("/"))
    }

    /// The user's home, of which a work tree around it is the user's own. A pipeline has no user: there a repository
    /// within another one is the checkout's choice.
    pub(super) fn own_home(&self) -> Option<&Path> {
        self.home.as_deref().filter(|_| !self.vars.ci())
    }

    /// Whose files count here: which folder the command line names is taken as it is.
    pub(super) fn owners(&self) -> Owners {
        match self.globals.chdir {
            Some(_) => Owners::Any,
            None => Owners::of(&self.start),
        }
    }

    fn find_options(&self, app_id: Option<String>, dir: Option<&Path>) -> FindOptions {
        FindOptions {
            app_id,
            dir: dir.map(Path::to_owned),
            environment: self.globals.env.clone(),
            is_named: self.globals.chdir.is_some(),
            home: self.own_home().map(Path::to_owned),
        }
    }

    fn find(&self, app_id: Option<String>, dir: Option<&Path>) -> Result<Project, Failure> {
        let mut project = self.find_with(self.find_options(app_id, dir))?;
        if dir.is_some() {
            let folder = &project.connectors_dir;
            project.connectors_at = fs::refuse_way_out(folder, self.checkouts())?;
        }
        Ok(project)
    }

    fn find_with(&self, options: FindOptions) -> Result<Project, ConfigError> {
        let mut found = self.found.borrow_mut();
        if let Some((_, project)) = found.iter().find(|(of, _)| *of == options) {
            return Ok(project.clone());
        }
        let project = Project::find(&self.start, &options, &self.vars)?;
        found.push((options, project.clone()));
        Ok(project)
    }
}
