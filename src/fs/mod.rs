//! Files: read within limits, written whole or not at all, private where they must be, locked.
//!
//! Every message names the path. No writer follows a link, and [`read_confined`] follows none out of
//! the folder that it is told.

mod append;
mod atomic;
mod checkout;
mod confine;
pub(crate) mod crash;
mod error;
mod folder;
pub(crate) mod full;
mod lock;
mod look;
mod named;
mod open;
mod owner;
mod private;
mod program;
mod read;
mod remove;
mod scratch;
mod thread;
mod way;

pub use append::{append, open_private, size};
pub use atomic::{
    Destination, Staged, Visibility, ensure_dir, is_leftover, probe_writable, remove_leftovers,
    sync_parent, write, write_new, write_with,
};
pub use checkout::{above, checkouts_around, git_of_another, is_around};
pub use confine::{
    Confined, confine, confine_new, destination, ensure_dir_in, read_confined, read_told,
    refuse_way_out,
};
pub use error::FsError;
pub use lock::{Lock, LockError};
pub use look::{Seen, entry, look};
pub use named::{Shipped, paths_named, ships};
pub use open::OpenFolder;
pub use owner::{
    NotOurs, Owners, is_open_to_all, not_ours, read_own, read_own_text, read_private_text,
};
pub use private::{
    InsecurePermissions, ensure_private_dir, refuse_link, restrict, restrict_target,
};
pub use program::{find_program, program};
pub use read::{Found, by_link, files, read_limited, read_text};
pub use remove::remove;
pub use scratch::Scratch;
pub use thread::off_thread;
pub use way::{places, tree_of_way};

#[cfg(all(test, unix))]
mod tests;
