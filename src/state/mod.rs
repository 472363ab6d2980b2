//! What one user of one machine keeps between runs, outside every checkout: a repository ships none
//! of it, and clones and worktrees of one app share it.
//!
//! [`StateFolder`] is the user's folder: `CONNPLAN_STATE_DIR`, else the platform's own place for such
//! things. Below it `apps/` holds an [`AppState`] for each app at each address: pending authorizations
//! (`pending.toml`), where their links led (`hosts.toml`), the journals of applies (`journal/`), what
//! `history` lists without a team's store (`memory/`), the stores that this machine has used (`stores`), what a store is still to be told (`outbox/`) and the lock.
//! At the top `trust.toml` has what the user trusts, `pace/` the calls of the last
//! minute, and `git/` the clones for stores in git. Folders are for their owner alone (0700), files too (0600).

mod app;
mod folder;
mod format;
mod trust;
mod turns;

pub use crate::fs::NotOurs;
pub use app::{AppState, Locked, StateError};
pub use folder::{StateFolder, checkouts, own_home, own_path, ships};
pub use format::{WRITER, check_format_version};
pub use trust::{Trust, TrustedVariable};
pub use turns::AppLock;
