//! Connector files changed in place: every byte that does not have to change stays as it is.
//!
//! [`scopes`] changes the list of scopes of one file; [`pull`] decides what becomes of all files of
//! a project. Pure: text in, text out. Whatever this room writes was read again before anybody gets
//! it, so that an edit is right or an error, never something in between.

mod fresh;
mod layout;
mod list;
pub mod pull;
mod quote;
mod scan;
mod scopes;

pub use fresh::{Blank, file as new_file, platform_file};
pub use scopes::{EditError, scopes};
