//! The writers that all untrusted text passes on its way to a reader.
//!
//! Names, scopes, accounts, file paths and messages come from files and from the remote. Written as
//! they are, they could move a terminal's cursor, hide or reorder text, forge a line, give a CI
//! runner a command, mention people or turn into markup. Each place that is written to has its
//! writer:
//!
//! | place | writer |
//! |---|---|
//! | a line on a terminal | [`terminal`], [`limited`] |
//! | words within a sentence | [`quoted`] |
//! | lines of a file, spans kept | [`masked`] |
//! | a line of a CI runner's log | [`log_line`] |
//! | a value in a GitHub workflow command | [`command_data`], [`command_property`] |
//! | prose in Markdown | [`markdown`] |
//! | a name or scope in Markdown | [`markdown_code`] |
//! | inside an HTML tag in Markdown (`<summary>`) | [`html_in_markdown`] |
//! | lines in Markdown, as they are | [`fence`] |
//! | a page | [`html`] |
//!
//! A character that cannot be seen, or that acts on its neighbours, is written as its number:
//! `\u{202e}`. So is the first character of what a runner would take for a command (`::`, which a
//! broken line may begin with, `##[`, `##vso[`). A backslash in the text stays, so that `\u{202e}` can also
//! stand for these eight characters themselves: what is shown is for reading, not for reading back.

mod accounts;
mod fence;
mod hidden;
mod html;
mod line;
mod markdown;
mod percent;
mod runner;

pub use accounts::mask_accounts;
pub use fence::fence;
pub use hidden::is_hidden;
pub use html::{html, html_in_markdown};
pub use line::{commit, limited, masked, path, quoted, shows_something, terminal, terminal_width};
pub use markdown::{markdown, markdown_code};
pub use percent::percent;
pub use runner::{command_data, command_property, log_line};

#[cfg(test)]
mod tests;
