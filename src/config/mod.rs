//! The project's files: found, read, checked.
//!
//! [`Project::find`] finds the project and everything that steers a run; [`connectors::read`] reads
//! what it declares. Files stay interchangeable with the official client: same places, same syntax
//! (JSON5), same meaning; `connplan.toml` is this program's own.
//!
//! Whatever is wrong is a [`Problem`] on its line, and all of them are told in one run. Text from a
//! file is untrusted: everything that leaves this room for a reader was made safe by `quote`.

mod app_id;
mod base44;
mod connector;
pub mod connectors;
mod discover;
mod dotenv;
pub mod environment;
mod error;
mod finding;
pub mod json5;
mod problem;
mod project;
mod quote;
mod settings;
mod source;
mod suggest;
mod toml_tree;
pub mod tree;
mod values;
mod within;

pub use connector::{ParsedConnector, is_toml, parse_connector, parse_tree};
pub use connectors::{Folder, Loaded};
pub use discover::projects_below;
pub use error::ConfigError;
pub use finding::Finding;
pub use problem::{Label, Problem};
pub use project::{FindOptions, Project};
pub use quote::Quoted;
pub use settings::{
    ApplySettings, ApprovalSettings, AuthorizeSettings, Environment, Lifetime, LifetimeError,
    MaxDuration, MaxRemovals, PerType, Percent, PlanSettings, PlatformSettings, PolicySettings,
    ProviderSettings, RuleSettings, Settings, Subject, Unlisted, parse_settings,
};
pub use source::Source;
pub use suggest::{KNOWN_TYPES, closest, known_type_near, type_meant};
pub use values::{BadVariable, resolve as resolve_value};

/// The largest file that is read, in bytes. Real ones have a few hundred.
pub const MAX_FILE_SIZE: u64 = 1 << 20;

/// See `crate::fuzzing`.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn fuzz_dotenv(text: &str) {
    for found in dotenv::parse(text) {
        assert!(!found.name.is_empty(), "a variable has a name");
    }
    let _ = base44::parse_config("config.jsonc", text);
    let _ = base44::parse_app_file(".app.jsonc", text);
}
