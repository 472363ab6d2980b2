//! What one user of one machine keeps between runs, outside every checkout: a repository ships none
//! of it, and clones and worktrees of one app share it.
//!
//! [`StateFolder`] is the user's folder: `CONNPLAN_STATE_DIR`, else the platform's own place for such
//! things. Below it `apps/` holds an [`AppState`] for each app at each address: pending authorizations
//! (`pending.toml`), where their links led (`hosts.toml`), the journals of applies (`journal/`) and the
//! lock; `trust.toml` at the top the addresses that the user trusts. Folders are for their owner alone (0700), files too (0600).

mod app;
mod folder;
mod form;
mod trust;

pub use crate::fs::NotOurs;
pub use app::{AppState, Locked, StateError};
pub use folder::StateFolder;
pub use form::{WRITER, check_form};
pub use trust::Trust;
