//! Markdown for a comment on a pull request, a step summary, a wiki page.
//!
//! The order is the reviewer's: which app, how much, what is dangerous, which connectors by name;
//! then the details, folded away, and how to go on. All untrusted text stands in code spans or in
//! the fence, each written by [`crate::escape`], so that it neither formats, links nor mentions.

mod failure;
mod inline;
mod layout;
mod plan;
mod receipt;
mod warnings;

pub use failure::failure;
pub use plan::{app_name, denied, plan};
pub use receipt::receipt;

use url::Url;

use super::NextCommand;

/// The longest comment that GitHub takes, in characters. We count bytes: never fewer.
pub const GITHUB_LIMIT: usize = 65_536;

/// How Markdown is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The result is never longer, in bytes (and so in characters).
    pub max_bytes: usize,
    /// Whether e-mail addresses are shown whole. Otherwise the first letter and the domain are.
    pub show_accounts: bool,
    /// The file that holds the plan or the receipt, for the commands that are named.
    pub file: Option<String>,
    /// The folder of the project within its repository, where it is not the root.
    pub folder: Option<String>,
    /// A page that has the whole, named where something was cut out: a run, an artifact.
    pub whole: Option<Url>,
    /// The repository that this run is of. What a document says of its run is linked only if it is there: whoever
    /// alters a document writes any address into it.
    pub repository: Option<Url>,
    /// What the commands that it names have with them.
    pub next: NextCommand,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_bytes: GITHUB_LIMIT,
            show_accounts: false,
            file: None,
            folder: None,
            whole: None,
            repository: None,
            next: NextCommand::default(),
        }
    }
}
