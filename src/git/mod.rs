//! The only room that runs git.
//!
//! A checkout is somebody's proposal, its `.git` included where it came in an archive. So git runs
//! with configuration of ours above the repository's (no hooks, no file system monitor, no pager, no
//! other protocol, no program that the repository names), without the variables that point it
//! elsewhere, never asks, and has a time limit. What talks to a remote doesn't run in the checkout
//! at all: it runs in a bare repository of connplan's own ([`Depot`]), which takes nothing from the
//! checkout but the remote's address and the headers that a pipeline's checkout step keeps there.
//! The user's own configuration and credential helpers work as ever.
//!
//! Nor is what lies there believed: an object is what its name says (`reader`), and walks over history are our own
//! (`history`). The names of branches are only as good as the clone: who needs more fetches.

mod ask;
mod checkout;
mod command;
mod depot;
mod error;
mod history;
mod import;
mod name;
mod objects;
mod path;
mod push;
mod reach;
mod reader;
mod remote;
mod settings;

pub use checkout::Checkout;
pub use command::Git;
pub use depot::Depot;
pub use error::GitError;
pub use history::Parted;
pub use import::{Author, NewCommit};
pub use name::{CommitId, NameError, ObjectId, RefName, RemoteName};
pub use objects::{EntryKind, Objects, TreeEntry};
pub use path::{path_of, path_text};
pub use push::{Push, Pushed};
pub use remote::RemoteAddress;
