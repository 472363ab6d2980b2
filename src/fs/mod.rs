//! Files: read within limits, written whole or not at all, private where they must be, locked.
//!
//! Every message names the path. No other room opens files for writing.

mod append;
mod atomic;
pub(crate) mod crash;
mod error;
mod lock;
mod private;
mod read;
mod remove;

pub use append::{append, size};
pub use atomic::{
    Staged, Visibility, ensure_dir, probe_writable, remove_leftovers, stage, sync_parent, write,
    write_new,
};
pub use error::FsError;
pub use lock::{Lock, LockError};
pub use private::{Loose, ensure_private_dir, refuse_link, tighten, tighten_target};
pub use read::{Found, files, read_limited, read_text};
pub use remove::remove;
