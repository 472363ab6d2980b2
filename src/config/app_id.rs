//! Which app, at which address.

use std::collections::BTreeMap;

use super::{
    ConfigError, Project, SETTINGS, discover, environment,
    within::{read_file, shown_path},
};
use crate::{
    escape,
    model::{Address, App, AppId, SetBy, Vars},
    syntax::{Environment, Finding, Problem, base44, parse_settings, readable_settings},
};

/// Reads the apps that a file names, by its name and its text.
type AppsOf = fn(&str, &str) -> Vec<AppId>;

/// How a file of a project names apps: its app's file, its environments, its variables; `None` for a file
/// that names none.
fn apps_of(file: &str) -> Option<AppsOf> {
    match file {
        ".app.json" | ".app.jsonc" => {
            Some(|file, text| base44::parse_app_file(file, text).into_iter().collect())
        }
        SETTINGS => Some(|file, text| {
            // What has an error names its apps all the same.
            let settings = parse_settings(file, text).0;
            let settings = settings.unwrap_or_else(|| readable_settings(text));
            let apps = settings.environments.into_values();
            apps.filter_map(|environment| environment.app_id).collect()
        }),
        _ if environment::FILES.contains(&file) => Some(|_, text| environment::app_named(text)),
        _ => None,
    }
}

/// Whether a file of this name may name an app.
pub fn names_apps(file: &str) -> bool {
    apps_of(file).is_some()
}

/// The apps that a file of a project names.
pub fn apps_named(file: &str, text: &str) -> Vec<AppId> {
    apps_of(file).map_or_else(Vec::new, |apps| apps(file, text))
}

impl Project {
    /// The app and its address.
    ///
    /// The id is the first of: `--app-id`, the `--env` environment's `app_id`, `BASE44_APP_ID`, the
    /// app's file below the root. The address is [`Project::address`]'s. Lazy, as `validate` needs
    /// neither.
    pub fn app(&self) -> Result<App, ConfigError> {
        self.check()?;
        Ok(App {
            id: self.resolve_app_id()?,
            api_url: self.address()?.url,
            environment: self.environment.clone(),
        })
    }

    /// Where the platform is, and who says so: the first of `BASE44_API_URL` of the process, the
    /// `--env` environment's `api_url`, `BASE44_API_URL` in a file of the project, the default.
    pub fn address(&self) -> Result<Address, ConfigError> {
        let named = environment::address(&self.vars)?;
        if named.origin == Some(SetBy::Process) {
            return Ok(named);
        }
        let Some(url) = self.selected().and_then(|env| env.api_url.clone()) else {
            return Ok(named);
        };
        // What the user says too is the user's word.
        if url == named.url && !named.origin.as_ref().is_some_and(SetBy::is_file) {
            return Ok(named);
        }
        let file = self.settings_file.as_deref();
        Ok(Address {
            url,
            origin: Some(SetBy::File {
                file: file.map(|file| self.relative(file)).unwrap_or_default(),
                line: self.api_url_line,
            }),
        })
    }

    fn resolve_app_id(&self) -> Result<AppId, ConfigError> {
        self.first_app(self.selected(), &self.vars, || self.app_id_from_file())
    }

    /// The app that this run would be of if its project had these files: their texts, by path from its root.
    /// `None` where they do not tell.
    pub fn app_by(&self, process: &Vars, files: &BTreeMap<String, &str>) -> Option<AppId> {
        let text = |name: &str| files.get(name).copied();
        let is_inner = ["base44/config.json", "base44/config.jsonc"].map(text) != [None; 2];
        let inner = text("base44/connplan.toml").filter(|_| is_inner);
        let settings = inner.or_else(|| text(SETTINGS)).unwrap_or_default();
        let settings = parse_settings(SETTINGS, settings)
            .0
            .unwrap_or_else(|| readable_settings(settings));
        let environment = self.environment.as_ref();
        let environment = environment.map(|name| settings.environments.get(name));
        let none = || ConfigError::NoAppId {
            root: self.root.clone(),
        };
        // Without this run's environment they do not tell its app; the process's variable does.
        let found = if environment == Some(None) {
            self.first_app(None, &environment::merge_texts(process, |_| None), || {
                Err(none())
            })
        } else {
            let vars = environment::merge_texts(process, text);
            self.first_app(environment.flatten(), &vars, || {
                let named = discover::app_files_of(files.keys().map(String::as_str)).into_iter();
                let mut ids =
                    named.filter_map(|file| base44::parse_app_file(file, text(file)?).ok());
                let first = ids.next().ok_or_else(none)?;
                ids.all(|id| id == first).then_some(first).ok_or_else(none)
            })
        };
        found.ok()
    }

    fn first_app(
        &self,
        environment: Option<&Environment>,
        vars: &Vars,
        of_files: impl FnOnce() -> Result<AppId, ConfigError>,
    ) -> Result<AppId, ConfigError> {
        let parse = |text: &str, origin| {
            AppId::parse(text).map_err(|source| ConfigError::BadAppId { origin, source })
        };
        if let Some(text) = &self.app_id_option {
            return parse(text, "--app-id");
        }
        if let Some(id) = environment.and_then(|env| env.app_id.clone()) {
            return Ok(id);
        }
        if let Some(text) = vars.get("BASE44_APP_ID") {
            return parse(text, "BASE44_APP_ID");
        }
        of_files()
    }

    fn app_id_from_file(&self) -> Result<AppId, ConfigError> {
        let mut found = Vec::new();
        for path in discover::app_files(&self.root) {
            let taken = self.owners.check(&[&self.root], &path);
            taken.map_err(|e| ConfigError::from(e).of_project(&self.root, &self.root))?;
            let name = shown_path(&self.root, &path);
            let id = read_file(&[&self.root], self.owners, &path)
                .map_err(|finding: Finding| Problem::about(finding, &name))
                .and_then(|read| {
                    let id = base44::parse_app_file(&name, &read.text);
                    id.map_err(|problem| problem.quoting(!read.linked))
                })
                .map_err(|problem| ConfigError::Invalid {
                    problems: vec![problem],
                })?;
            found.push((name, id));
        }
        let mut ids = found.iter().map(|(_, id)| id);
        match ids.next() {
            None => Err(ConfigError::NoAppId {
                root: self.root.clone(),
            }),
            Some(first) if ids.all(|id| id == first) => Ok(first.clone()),
            Some(_) => {
                let names: Vec<String> = found
                    .iter()
                    .map(|(name, _)| escape::terminal(name).into_owned())
                    .collect();
                Err(ConfigError::SeveralApps {
                    files: names.join(", "),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else one slip in the settings of the base would let another folder plan their app without them.
    #[test]
    fn settings_with_an_error_name_their_apps() {
        let sound = "[environments.production]\napp_id = \"shop\"\n";
        for more in ["", "[store]\nkeep = 5\n", "[approval]\ncount = \"x\"\n"] {
            let named = apps_named(SETTINGS, &format!("{sound}{more}"));
            assert_eq!(named, [AppId::parse("shop").unwrap()], "{more}");
        }
    }
}
