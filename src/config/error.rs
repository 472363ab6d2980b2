//! Why there is no project, no app, no address.

use std::path::{Path, PathBuf};

use miette::Diagnostic;
use thiserror::Error;

use crate::{
    fs::FsError,
    model::{ApiUrlError, AppIdError},
    syntax::Problem,
};

/// What keeps a command from starting.
#[derive(Debug, Error, Diagnostic)]
pub enum ConfigError {
    /// Nothing that names a project or an app.
    #[error(
        "no Base44 project here: neither {} nor a folder above it holds base44/config.jsonc or config.jsonc (or .json)",
        crate::escape::path(start)
    )]
    #[diagnostic(
        code(connplan::config::no_project),
        help(
            "go to the project, or name its folder with `-C DIR`; `npx base44 create` makes a project, and `connplan demo` shows all of it without one. To do without a project, name the app with `--app-id ID` or BASE44_APP_ID: connector files then come from ./connectors, or from `--dir DIR`"
        )
    )]
    NoProject {
        /// Where the search began.
        start: PathBuf,
    },
    /// A project here or above, which whoever may write there could have put there.
    #[error(
        "the project {}, found from {}, is not used: {} belongs to another user (user id {owner})",
        crate::escape::path(root),
        crate::escape::path(start),
        crate::escape::path(path)
    )]
    #[diagnostic(
        code(connplan::config::of_another),
        help(
            "if you trust it, name its folder: `-C {}`; else work in another folder, not below it",
            crate::escape::path(root)
        )
    )]
    OfAnother {
        /// The project.
        root: PathBuf,
        /// Where the search began.
        start: PathBuf,
        /// What of it is another's.
        path: PathBuf,
        /// Whose, by number.
        owner: u32,
    },
    /// A project that is linked to no app.
    #[error(
        "which app? No app id was given, and {} holds no .app.jsonc",
        crate::escape::path(root)
    )]
    #[diagnostic(
        code(connplan::config::no_app_id),
        help(
            "give `--app-id ID`; or `--env NAME`, with `app_id` in connplan.toml's [environments.NAME]; or set BASE44_APP_ID; or link the project with `npx base44 link`, which writes base44/.app.jsonc"
        )
    )]
    NoAppId {
        /// The project.
        root: PathBuf,
    },
    /// An app id that cannot be one.
    #[error("the app id given by {origin} is not valid: {source}")]
    #[diagnostic(
        code(connplan::config::bad_app_id),
        help("copy it from the app's address: https://app.base44.com/apps/ID/...")
    )]
    BadAppId {
        /// Which option or variable.
        origin: &'static str,
        /// Why.
        source: AppIdError,
    },
    /// An address that cannot be one.
    #[error("BASE44_API_URL is not usable: {source}")]
    #[diagnostic(
        code(connplan::config::bad_api_url),
        help(
            "leave it out for https://app.base44.com, or set an address such as http://localhost:4400"
        )
    )]
    BadApiUrl {
        /// Why.
        source: ApiUrlError,
    },
    /// `--env` with a name that connplan.toml lacks.
    #[error("there is no environment `{name}`")]
    #[diagnostic(code(connplan::config::no_environment))]
    NoEnvironment {
        /// The name, made safe.
        name: String,
        /// Which there are.
        #[help]
        help: String,
    },
    /// Several apps below the root.
    #[error("which app? These files name different ones: {files}")]
    #[diagnostic(
        code(connplan::config::several_apps),
        help("give `--app-id ID`, or keep one of them as base44/.app.jsonc")
    )]
    SeveralApps {
        /// The files, relative to the root.
        files: String,
    },
    /// Files of the project that cannot be used as they are.
    #[error("the project's settings cannot be used")]
    #[diagnostic(code(connplan::config::invalid))]
    Invalid {
        /// What is wrong with them.
        #[related]
        problems: Vec<Problem>,
    },
    /// A file or folder that cannot be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Fs(#[from] FsError),
}

impl ConfigError {
    /// The same, where something is another user's: of which project it is.
    pub(super) fn of_project(self, root: &Path, start: &Path) -> Self {
        match self {
            Self::Fs(FsError::OfAnother { path, owner }) => Self::OfAnother {
                root: root.to_owned(),
                start: start.to_owned(),
                path,
                owner,
            },
            other => other,
        }
    }
}
