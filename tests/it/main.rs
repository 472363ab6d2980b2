//! The integration tests: one binary.

mod catalogue;
mod official_client;
mod sandbox_api;
mod sandbox_browser;
mod sandbox_chromium;
mod sandbox_client;
mod sandbox_login;
mod sandbox_pages;
mod sandbox_state;
mod config;
mod config_json5;
mod config_projects;
mod config_properties;
mod remote;
mod remote_calls;
mod remote_errors;
mod remote_limits;
mod remote_login;
mod remote_retries;
mod scripted;
