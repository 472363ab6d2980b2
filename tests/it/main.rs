//! The integration tests: one binary.

mod config;
mod config_json5;
mod config_projects;
mod config_properties;
