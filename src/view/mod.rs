<<<<<<< HEAD
//! Values to text: for a person, as JSON, Markdown, a diff. Decides nothing.

=======
//! Values to text: for a person, as JSON, a diff, Markdown, or for a CI runner. Decides nothing.
//!
//! A plan and a receipt first become a [`report`], which is the public format; text, diff and
//! Markdown are made from that, so whatever a person is shown, a program can read as well. Every
//! function here returns text; printing is the commands' job. Untrusted text goes through
//! [`crate::escape`] on its way.

mod json;
pub mod markdown;
pub mod report;
pub mod runner;
pub mod sarif;
pub mod summary;
pub mod text;
mod theme;
pub mod unified;
pub mod validate;
mod words;

pub use theme::{Style, Theme};
>>>>>>> view
