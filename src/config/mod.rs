//! The project's files: found and read; what their texts say is `syntax`'s.
//!
//! [`Project::find`] finds the project and everything that steers a run; [`connectors::read`] reads
//! what it declares. Files stay interchangeable with the official client: same places, same syntax
//! (JSON5), same meaning; `connplan.toml` is this program's own.

mod app_id;
pub mod connectors;
mod discover;
mod dotenv;
pub mod environment;
mod error;
mod project;
mod unread;
pub mod watched;
mod within;

pub use app_id::{apps_named, names_apps};
pub use connectors::{Folder, Loaded};
pub use discover::{is_flat_project, is_project, projects_below};
pub use error::ConfigError;
pub use project::{BaseDanger, FindOptions, Project, SETTINGS};
pub use unread::{Unread, is_connector_file, type_in};

/// The largest file that is read, in bytes. Real ones have a few hundred.
pub const MAX_FILE_SIZE: u64 = 1 << 20;

/// See `crate::fuzzing`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz_dotenv(text: &str) {
    for found in dotenv::parse(text) {
        assert!(!found.name.is_empty(), "a variable has a name");
    }
    let _ = crate::syntax::base44::parse_config("config.jsonc", text);
    let _ = crate::syntax::base44::parse_app_file(".app.jsonc", text);
}
