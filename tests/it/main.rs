//! The integration tests: one binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that can't go on is a failed test"
)]
#![allow(
    unreachable_pub,
    clippy::allow_attributes,
    reason = "nothing outside of a test binary can reach anything in it"
)]

mod catalogue;
mod config;
mod config_json5;
mod config_projects;
mod config_properties;
mod official_client;
mod publish_comment;
mod publish_schema;
mod remote;
mod remote_calls;
mod remote_errors;
mod remote_limits;
mod remote_login;
mod remote_retries;
mod sandbox_api;
mod sandbox_browser;
mod sandbox_chromium;
mod sandbox_client;
mod sandbox_login;
mod sandbox_pages;
mod sandbox_state;
mod scripted;
mod view;
mod view_properties;
