//! What needs approval beyond the risks that a reader is told.
//!
//! | finds | level |
//! |---|---|
//! | no scope is named: the provider gives what it gives | warning |
//! | scopes are taken from a connector that works | warning |

use super::Level;
use crate::{
    diff::{Action, Change},
    model::{Kind, RemoteStatus},
};

/// The gravest of it, if there is any.
pub fn unshown(change: &Change) -> Option<Level> {
    let after = change.after.as_ref()?;
    if change.kind() != Kind::Oauth || change.action == Action::NoOp {
        return None;
    }
    let works = change
        .before
        .as_ref()
        .is_some_and(|before| before.status == RemoteStatus::Active);
    let taken = works && !change.loses().is_empty();
    // What is not known of a provider's scopes may be some.
    let unnamed = after.scopes.is_empty() && !change.is_in_force();
    (taken || unnamed).then_some(Level::Warning)
}
