//! The texts of a project's files, read: JSON5 and TOML, connector files, settings. Pure.
//!
//! Whatever is wrong is a [`Problem`] on its line, and all of them are told in one run. Text from a
//! file is untrusted: everything that leaves this room for a reader was made safe by `quote`.

pub(crate) mod base44;
mod connector;
mod finding;
pub mod json5;
mod problem;
mod quote;
mod scope;
mod settings;
mod source;
pub(crate) mod suggest;
mod toml_tree;
pub mod tree;
mod values;

pub use connector::{
    ParsedConnector, has_only_keys_of_a_connector, is_toml, parse_connector, parse_tree,
};
pub use finding::Finding;
pub use problem::{Label, Problem};
pub use quote::Quoted;
pub(crate) use settings::line_of;
pub use settings::{
    ApplySettings, ApprovalSettings, AuthorizeSettings, Environment, Lifetime, LifetimeError,
    MaxDuration, MaxRemovals, PerType, Percent, PlanSettings, PlatformSettings, PolicySettings,
    ProviderSettings, RuleSettings, Settings, StoreSettings, Subject, Unlisted, parse_settings,
    readable_settings, setting_problem,
};
pub use source::Source;
pub use suggest::{KNOWN_TYPES, closest, known_type_in_other_case, known_type_near, type_meant};
pub use values::{
    BadVariable, OWN_VARIABLE, VariablesFrom, own_variables, resolve as resolve_value,
};
