//! One file for each command: its arguments, and what it calls. What `plan`, `apply`, `authorize` and `push` do stands in
//! `ops`; what the others do, what several commands share, and what needs the terminal, stands here.

pub mod add;
pub mod apply;
pub mod approve;
pub mod authorize;
pub mod comment;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod drift;
pub mod help;
pub mod history;
pub mod init;
pub mod list_available;
pub mod login;
pub mod man;
pub mod plan;
pub mod policy;
pub mod pull;
pub mod push;
pub mod remote_state;
pub mod sandbox;
pub mod schema;
pub mod scopes;
pub mod show;
pub mod status;
pub mod trust;
pub mod unlock;
pub mod validate;
pub mod version;

mod applying;
mod approving;
mod authorizing;
mod listening;
mod own_variables;
mod planning;
mod printing;
