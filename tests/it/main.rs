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

mod around_add;
mod around_doctor;
mod around_edit;
mod around_login;
mod around_looks;
mod around_official;
mod around_project;
mod around_pull;
mod authorize_chromium;
mod authorize_pty;
mod authorize_story;
mod catalogue;
mod cli;
mod config;
mod config_json5;
mod config_projects;
mod config_properties;
mod e2e_account;
mod e2e_apply;
mod e2e_apply_failures;
mod e2e_apply_moved;
mod e2e_apply_refusals;
mod e2e_authorize;
mod e2e_cases;
mod e2e_context;
mod e2e_globals;
mod e2e_plan;
mod e2e_push;
mod e2e_put;
mod e2e_resume;
mod e2e_terminal;
mod e2e_validate;
#[cfg(unix)]
mod faults;
mod layers;
mod official_client;
#[cfg(unix)]
mod private;
mod properties;
mod publish_actions;
mod publish_comment;
mod publish_forge;
mod publish_render;
mod publish_runner;
mod publish_schema;
mod readme;
#[cfg(unix)]
mod records;
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
mod secrets;
#[cfg(unix)]
mod signals;
mod view;
mod view_properties;
