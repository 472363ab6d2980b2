//! The project: everything that its files and the environment decide before a command starts.

use std::{
    ffi::{OsStr, OsString},
    path::{Component, Path, PathBuf},
};

use super::{
    ConfigError,
    discover::{self, Found, SUBDIR},
    environment,
    watched::{Unwatched, unwatched},
    within::{Text, read_file, shown_path},
};
use crate::{
    escape,
    fs::{self, FsError, Owners},
    model::{AppId, Vars},
    syntax::{
        Environment, Finding, Problem, Quoted, Settings, Unlisted, base44, line_of, parse_settings,
        setting_problem, suggest,
    },
};

/// This program's own settings file.
pub const SETTINGS: &str = "connplan.toml";
/// The folder of connector files, where no config names another.
const CONNECTORS: &str = "connectors";
/// The Base44 config, and what stands beside it.
const CONFIGS: [&str; 4] = ["config.json", "config.jsonc", ".app.json", ".app.jsonc"];

/// What the command line says about the project.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FindOptions {
    /// `--app-id`.
    pub app_id: Option<String>,
    /// `--dir`: the connectors folder, relative to the start folder.
    pub dir: Option<PathBuf>,
    /// `--env`: the environment of `connplan.toml` to use.
    pub environment: Option<String>,
    /// Whether the command line names the folder to start from.
    pub is_named: bool,
    /// The user's home, where a work tree that it lies in is the user's own (dotfiles), and no checkout around the
    /// project.
    pub home: Option<PathBuf>,
}

/// What makes another gate of a proposal than its base has, beside the settings, or leads around all gates. Untrusted text, made safe.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BaseDanger {
    /// These settings of the base have errors, such as this one.
    Broken {
        /// File and commit.
        settings: String,
        /// The error.
        why: String,
    },
    /// This file, which says who may sign, says something else there.
    Signers(String),
    /// The project, or this run of it, is of another app there.
    App {
        /// The one that it is of now.
        now: AppId,
        /// The one that it would be of there, where that is known.
        then: Option<AppId>,
    },
    /// The remote that is the team's store is one of another repository there.
    Store,
    /// The pipeline does not see every change of the project's files.
    Unwatched(Unwatched),
}

/// A project, or a mere folder whose app the command line or the environment names.
#[derive(Clone, Debug)]
pub struct Project {
    /// Absolute. What holds `base44/`; without a project the folder started from.
    pub root: PathBuf,
    /// Where the connector files lie; may not exist.
    pub connectors_dir: PathBuf,
    /// Where that truly is, links resolved, as it was looked at: what is written goes there.
    pub connectors_at: PathBuf,
    /// The Base44 config; `None` without a project.
    pub config_file: Option<PathBuf>,
    /// The app's name from the Base44 config. Untrusted text, for people.
    pub name: Option<String>,
    /// `connplan.toml`'s content, or the defaults.
    pub settings: Settings,
    /// `connplan.toml`.
    pub settings_file: Option<PathBuf>,
    /// The process's variables and those of the `.env` files.
    pub vars: Vars,
    /// `--env`, known to stand in the settings unless those have errors.
    pub environment: Option<String>,
    /// What is wrong with the config and the settings. [`super::connectors::read`] tells them with
    /// its own; others call [`Project::check`].
    pub problems: Vec<Problem>,
    /// The settings of the commit that this checkout proposes to change, where a pipeline runs for a
    /// proposal. Their policy binds as well.
    pub base_settings: Vec<Settings>,
    /// The settings of the branch that a pipeline runs for as it is now, where this is an older commit
    /// of it. Their policy binds as well.
    pub now_settings: Vec<Settings>,
    /// The newest commits of that branch, where this is an older one.
    pub newest: Vec<String>,
    /// The settings of the default branch, as it is now and where this line of history left it, where
    /// nothing names what was before. Their policy binds as well.
    pub line_settings: Vec<Settings>,
    /// What else is another gate than there.
    pub base_dangers: Vec<BaseDanger>,
    /// Whose files count.
    pub owners: Owners,
    /// The same of the connector files: a folder that the command line names is taken as it is.
    pub(super) owners_of_connectors: Owners,
    pub(super) app_id_option: Option<String>,
    /// Where `--env`'s address stands in the settings, counted from 1.
    pub(super) api_url_line: usize,
    settings_text: Text,
}

impl Project {
    /// The schema of connector files, which editors take: beside the Base44 config.
    pub fn schema_file(&self) -> PathBuf {
        let home = self.config_file.as_deref().and_then(Path::parent);
        home.unwrap_or(&self.root).join("connector.schema.json")
    }

    /// Finds the project that `start` lies in. Errors in its files are kept in
    /// [`Project::problems`], so that all of them can be told at once.
    pub fn find(start: &Path, options: &FindOptions, process: &Vars) -> Result<Self, ConfigError> {
        let start = absolute(start)?;
        let found = discover::project(&start);
        let root = found.as_ref().map_or(&start, |found| &found.root).clone();
        let project = Self::read(start.clone(), root.clone(), found, options, process);
        project.map_err(|error| error.of_project(&root, &start))
    }

    fn read(
        start: PathBuf,
        root: PathBuf,
        found: Option<Found>,
        options: &FindOptions,
        process: &Vars,
    ) -> Result<Self, ConfigError> {
        let owners = discover::owners(&start, options.is_named, found.as_ref())?;
        // What lies beside the config is judged by where that lies.
        if let Some(home) = found.as_ref().and_then(|found| found.config.parent())
            && fs::look(&[&root], home).leads_out
        {
            let path = home.to_owned();
            return Err(FsError::Outside { path, root }.into());
        }
        let vars = environment::merge(process, Some(&root), owners)?;
        let mut problems = Vec::new();

        let mut config = base44::Config::default();
        if let Some(found) = &found {
            config = read_config(found, owners, &mut problems);
        }
        // What `connectorsDir` and `connplan.toml` are relative to.
        let config_file = found.map(|found| found.config);
        let home = config_file
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(&root)
            .to_owned();
        let (settings, settings_file, settings_text) =
            read_settings(&root, &home, owners, &mut problems)?;

        let mut project = Self {
            root,
            connectors_dir: PathBuf::new(),
            connectors_at: PathBuf::new(),
            config_file,
            name: config.name,
            settings,
            settings_file,
            vars,
            environment: options.environment.clone(),
            problems,
            base_settings: Vec::new(),
            now_settings: Vec::new(),
            newest: Vec::new(),
            line_settings: Vec::new(),
            base_dangers: Vec::new(),
            owners,
            owners_of_connectors: options.dir.as_ref().map_or(owners, |_| Owners::Any),
            app_id_option: options.app_id.clone(),
            api_url_line: 0,
            settings_text,
        };
        project.check_environment()?;
        if let Some(name) = &options.environment {
            let path = ["environments", name.as_str(), "api_url"];
            project.api_url_line = line_of(&project.settings_text.text, &path).unwrap_or_default();
        }
        project.connectors_dir = match (&options.dir, project.selected()) {
            (Some(dir), _) => plain(&start.join(dir)),
            (
                None,
                Some(Environment {
                    connectors_dir: Some(dir),
                    ..
                }),
            ) => below(&home, dir),
            (None, _) => below(
                &home,
                config.connectors_dir.as_deref().unwrap_or(CONNECTORS),
            ),
        };
        if options.dir.is_none() {
            // A folder elsewhere in the repository is as much a proposal as the project itself.
            let around = fs::checkouts_around(&project.root, options.home.as_deref());
            let around = around
                .first()
                .and_then(|real| fs::above(&project.root, real));
            let roots = [&*project.root, around.unwrap_or(&project.root)];
            project.connectors_at = fs::confine_new(&roots, &project.connectors_dir)?;
            owners.check(&[&project.root], &project.connectors_dir)?;
        }
        let named = options.app_id.is_some()
            || options.dir.is_some()
            || project.vars.get("BASE44_APP_ID").is_some()
            || project.selected().is_some_and(|env| env.app_id.is_some());
        if project.config_file.is_none() && !named {
            // What would have named the app may be what cannot be read.
            project.check()?;
            return Err(ConfigError::NoProject { start });
        }
        Ok(project)
    }

    /// Fails if the config or the settings have errors.
    pub fn check(&self) -> Result<(), ConfigError> {
        let errors = self.problems.iter().filter(|problem| problem.is_error());
        let problems: Vec<Problem> = errors.cloned().collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Invalid { problems })
        }
    }

    /// Fails if the settings have a key that may be a gate, and that nobody knows: for what passes gates.
    pub fn check_gates(&self) -> Result<(), ConfigError> {
        let problems: Vec<_> = self.problems.iter().filter_map(Problem::of_gate).collect();
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ConfigError::Invalid { problems })
        }
    }

    /// Where files of it are that a pipeline of the repository, which is for it, does not watch.
    pub fn unwatched(&self) -> Option<Unwatched> {
        let around = fs::checkouts_around(&self.root, None);
        let repository = around.first().unwrap_or(&self.root);
        unwatched(repository, self.owners, &self.root, &self.connectors_dir)
    }

    /// A problem of a setting, on its line.
    pub fn setting_problem(&self, path: &[&str], message: String) -> Problem {
        let file = self.settings_file.as_deref();
        let name = file.map_or_else(|| SETTINGS.to_owned(), |file| self.relative(file));
        let Text { text, linked } = &self.settings_text;
        setting_problem(&name, text, path, message).quoting(!linked)
    }

    /// What becomes of remote connectors without a file: the environment's word, else the
    /// settings', else they are removed.
    pub fn unlisted(&self) -> Unlisted {
        self.settings.unlisted(self.environment.as_deref())
    }

    /// The environment chosen by `--env`.
    pub fn selected(&self) -> Option<&Environment> {
        self.settings.environments.get(self.environment.as_ref()?)
    }

    /// A path as messages show it: relative to the root, with `/`.
    pub fn shown(&self, path: &Path) -> String {
        escape::terminal(&shown_path(&self.root, path)).into_owned()
    }

    /// A path relative to the root, with `/`, by `..` where it lies elsewhere: as declared
    /// connectors name their files. Escape before showing.
    pub fn relative(&self, path: &Path) -> String {
        shown_path(&self.root, path)
    }

    /// The folder of the connector files, as [`Project::relative`] names it.
    pub fn folder(&self) -> String {
        self.relative(&self.connectors_dir)
    }

    fn check_environment(&self) -> Result<(), ConfigError> {
        let Some(name) = &self.environment else {
            return Ok(());
        };
        // Broken settings are the reason then, and told as such.
        if self.selected().is_some() || self.problems.iter().any(Problem::is_error) {
            return Ok(());
        }
        let known: Vec<String> = self.settings.environments.keys().cloned().collect();
        let help = if self.settings_file.is_none() {
            format!("write a {SETTINGS} with a table [environments.NAME]")
        } else if known.is_empty() {
            format!("{SETTINGS} has no table [environments.NAME] yet")
        } else {
            let known: Vec<String> = known.iter().map(|k| Quoted::new(k).to_string()).collect();
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            format!("{SETTINGS} has {}", suggest::list(&known))
        };
        let name = Quoted::new(name).to_string();
        Err(ConfigError::NoEnvironment { name, help })
    }
}

fn read_config(found: &Found, owners: Owners, problems: &mut Vec<Problem>) -> base44::Config {
    let name = shown_path(&found.root, &found.config);
    if let Some(second) = &found.second {
        let name = shown_path(&found.root, second);
        problems.push(Problem::about(Finding::TwoConfigs, &name));
    }
    match read_file(&[&found.root], owners, &found.config) {
        Ok(read) => {
            let (config, told) = base44::parse_config(&name, &read.text);
            problems.extend(told.into_iter().map(|told| told.quoting(!read.linked)));
            config
        }
        Err(finding) => {
            problems.push(Problem::about(finding, &name));
            base44::Config::default()
        }
    }
}

/// The one beside the Base44 config counts; one at the root does if there is no other.
fn read_settings(
    root: &Path,
    home: &Path,
    owners: Owners,
    problems: &mut Vec<Problem>,
) -> Result<(Settings, Option<PathBuf>, Text), FsError> {
    let (beside, above) = (home.join(SETTINGS), root.join(SETTINGS));
    let mut places = vec![
        (root, &[SETTINGS, SUBDIR][..]),
        (root, &environment::FILES),
        (home, &CONFIGS),
    ];
    if home != root {
        places.push((home, &[SETTINGS]));
    }
    for (folder, names) in places {
        for (path, right) in misnamed(folder, names) {
            // On some disks it is read, while the base branch has nothing of the right name.
            let message = if path.ends_with(right) {
                format!(
                    "this disk finds it by another name, in letters that it takes for these: rename it to `{right}`"
                )
            } else {
                format!("its name is not `{right}`, to the letter: rename it")
            };
            let name = shown_path(root, &path);
            problems.push(Problem::about(Finding::Setting { message }, &name));
        }
    }
    let exists = |path: &Path| path.symlink_metadata().is_ok();
    let file = match (exists(&beside), home != root && exists(&above)) {
        (true, second) => {
            if second {
                let name = shown_path(root, &above);
                problems.push(Problem::about(Finding::TwoSettings, &name));
            }
            beside
        }
        (false, true) => above,
        (false, false) => return Ok((Settings::default(), None, Text::default())),
    };
    owners.check(&[root], &file)?;
    let name = shown_path(root, &file);
    let (settings, text) = match read_file(&[root], owners, &file) {
        Ok(read) => {
            let (settings, told) = parse_settings(&name, &read.text);
            problems.extend(told.into_iter().map(|told| told.quoting(!read.linked)));
            (settings.unwrap_or_default(), read)
        }
        Err(finding) => {
            problems.push(Problem::about(finding, &name));
            (Settings::default(), Text::default())
        }
    };
    Ok((settings, Some(file), text))
}

/// What is called like one of these but for the case of its letters, or is found by its name though the folder
/// lists none such: a disk may also take `ſ` for `s`. And how it should be called.
fn misnamed(folder: &Path, names: &[&'static str]) -> Vec<(PathBuf, &'static str)> {
    // What may be entered and not listed says nothing of its names.
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let listed: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    let is_there = |name: &str| folder.join(name).symlink_metadata().is_ok();
    let wrong = |right: &&'static str| {
        let right = *right;
        let wrong = wrong_names(&listed, right, is_there(right)).into_iter();
        wrong.map(move |name| (folder.join(name), right))
    };
    names.iter().flat_map(wrong).collect()
}

fn wrong_names<'a>(listed: &'a [OsString], right: &'a str, is_there: bool) -> Vec<&'a OsStr> {
    let alike = listed.iter().map(OsString::as_os_str);
    let alike = alike.filter(|name| name.eq_ignore_ascii_case(right));
    let (same, mut wrong): (Vec<_>, Vec<_>) = alike.partition(|name| *name == right);
    if is_there && same.is_empty() && wrong.is_empty() {
        wrong.push(OsStr::new(right));
    }
    wrong
}

/// Absolute and without `..`, so that the folders above it are the true ones.
fn absolute(start: &Path) -> Result<PathBuf, FsError> {
    let failed = |e| FsError::io("read", start, e);
    let real = std::fs::canonicalize(start).map_err(failed)?;
    if cfg!(windows) {
        // `canonicalize` gives the long form (`\\?\`) there, which people don't know.
        return std::path::absolute(start).map_err(failed);
    }
    Ok(real)
}

/// `dir` below `folder`; a slash in front of `dir` does not lead out, as in the official client.
fn below(folder: &Path, dir: &str) -> PathBuf {
    plain(&folder.join(dir.trim_start_matches('/')))
}

/// The path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_taken_as_the_official_client_takes_it() {
        let dir = |dir: &str| below(Path::new("/p/base44"), dir);
        assert_eq!(dir("connectors"), Path::new("/p/base44/connectors"));
        assert_eq!(dir("/connectors/"), Path::new("/p/base44/connectors"));
        assert_eq!(dir("../other/./c"), Path::new("/p/other/c"));
    }

    #[test]
    fn a_name_in_other_letters_is_not_the_name() {
        let dir = tempfile::tempdir().unwrap();
        let names = ["Base44", ".App.jsonc", "Config.js", "connplan.toml"];
        for name in names {
            fs::write_new(&dir.path().join(name), b"").unwrap();
        }
        let wrong = |names: &[&'static str]| {
            let wrong = misnamed(dir.path(), names).into_iter();
            wrong.map(|(_, right)| right).collect::<Vec<_>>()
        };
        assert_eq!(wrong(&[SETTINGS, SUBDIR]), [SUBDIR]);
        assert_eq!(wrong(&CONFIGS), [".app.jsonc"]);
        // Of a disk that folds more letters than these.
        let listed = ["baſe44", "Connplan.toml", ".env"].map(OsString::from);
        let found = |right| wrong_names(&listed, right, true);
        assert_eq!(found(SUBDIR), [SUBDIR]);
        assert_eq!(found(SETTINGS), ["Connplan.toml"]);
        assert_eq!(found(".env"), [""; 0]);
        assert_eq!(wrong_names(&listed, SUBDIR, false), [""; 0]);
    }
}
