//! The stand-in for the platform, and the official client.

pub(crate) mod api;
pub(crate) mod around_official;
pub(crate) mod browser;
pub(crate) mod chromium;
pub(crate) mod client;
pub(crate) mod login;
pub(crate) mod official_client;
pub(crate) mod pages;
pub(crate) mod rules;
pub(crate) mod state;
