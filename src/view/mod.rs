//! Values to text: for a person, as JSON, a diff, Markdown, or for a CI runner. It decides only
//! what the shown values say by themselves: whether there are changes, or whether files are valid.
//!
//! A plan and a receipt first become a [`report`], which is the public format; text, diff and
//! Markdown are made from that, so whatever a person is shown, a program can read as well. Functions
//! here return text, or say it on a terminal that they are handed. Untrusted text goes through
//! [`crate::escape`] on its way.

pub mod add;
pub mod approval;
pub mod authorization;
pub mod available;
pub mod comment;
pub mod doctor;
pub mod drift;
mod excerpt;
pub mod failure;
mod format;
pub mod history;
pub mod identity;
pub mod init;
pub(crate) mod json;
pub mod markdown;
mod next_command;
pub mod plan;
pub mod policy;
pub mod problems;
pub mod progress;
pub mod prose;
pub mod pull;
pub mod push;
pub mod qr;
pub mod receipt;
pub mod report;
pub mod runner;
pub mod sandbox;
pub mod sarif;
pub mod scopes;
mod shell;
pub mod status;
pub mod stripe;
pub mod summary;
mod table;
pub mod text;
mod theme;
pub mod trust;
mod udiff;
pub mod unified;
pub mod validate;
pub mod version;
mod words;

pub use format::{Format, Medium};
pub use next_command::NextCommand;
pub use shell::shell_word;
pub use theme::{Style, Theme};
