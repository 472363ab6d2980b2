//! Connector files and settings: read, checked, edited.

pub(crate) mod add;
pub(crate) mod catalogue;
pub(crate) mod config;
pub(crate) mod config_properties;
pub(crate) mod edit;
pub(crate) mod init;
pub(crate) mod json5;
pub(crate) mod projects;
pub(crate) mod pull;
pub(crate) mod validate;
