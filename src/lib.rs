//! connplan: plan, apply and authorize the OAuth connectors of a Base44 app.

pub mod apply;
pub mod authorize;
pub mod catalogue;
pub mod cli;
pub mod commands;
pub mod config;
pub mod diff;
pub mod escape;
pub mod fs;
pub mod model;
pub mod pending;
pub mod plan;
pub mod publish;
pub mod receipt;
pub mod remote;
pub mod remote_state;
pub mod risk;
pub mod sandbox;
pub mod schema;
pub mod term;
pub mod view;
pub mod workspace;
