//! A team's memory: plans, approvals, what was applied, what waits, and who is at work.
//!
//! [`Store`] is a place that keeps values by key and has one primitive, compare-and-swap. There are
//! three: this machine ([`LocalStore`]), refs of a git remote ([`GitStore`]), and object storage.
//! [`Memory`] is the part of one app, with types: nothing that it writes holds a link, a credential or
//! a whole e-mail address, and everything that it reads is untrusted until it was checked. [`Lease`]
//! is how one of many machines is the only one at work, with an epoch that only grows.

mod error;
mod event;
mod git;
mod head;
mod key;
mod lease;
mod local;
mod memory;
#[cfg(feature = "object-store")]
mod object;
mod opened;
mod outbox;
mod place;
mod swap;
mod waits;

pub use error::StoreError;
pub use event::{AppliedFrom, By, Consented, FilesOf, HistoryEvent, What};
pub use git::GitStore;
pub use key::{AppKey, Key};
pub use lease::{Fence, Holder, Lease, LeaseError, Leased};
pub use local::LocalStore;
pub use memory::{Memory, StoredPlan};
#[cfg(feature = "object-store")]
pub use object::BucketStore;
pub use opened::Opened;
pub use outbox::Outbox;
pub use place::{Place, PlaceError};
pub use swap::{Store, Swap, Swapped, Value, Version};
pub use waits::{Moment, Wait, Waits};
