//! The one primitive.

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::{Key, StoreError};
use crate::plan::document;

/// What tells one content of a key from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version(pub(super) String);

/// A value as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Its content. Untrusted.
    pub bytes: Vec<u8>,
    /// Which content this is.
    pub version: Version,
}

/// One value to be written.
#[derive(Clone, Debug)]
pub struct Swap {
    /// Where.
    pub key: Key,
    /// What is there now; `None` where nothing is.
    pub from: Option<Version>,
    /// What is to be there.
    pub to: Bytes,
    /// What happened, in a line for people; empty where that is of no interest.
    pub note: String,
}

/// The most bytes that one value has, for those who write and those who read: a plan is one.
pub(super) const LIMIT: usize = document::LIMIT;

/// Fails if a value could not be read again. Each store asks before it writes any of them.
pub(super) fn check_fits(store: &str, changes: &[Swap]) -> Result<(), StoreError> {
    let larger = changes.iter().find(|change| change.to.len() > LIMIT);
    larger.map_or(Ok(()), |change| {
        Err(StoreError::TooLarge {
            store: store.to_owned(),
            key: change.key.as_str().to_owned(),
            size: change.to.len(),
            limit: LIMIT,
        })
    })
}

/// Whether it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swapped {
    /// All of it.
    Done,
    /// Something else is there: nothing was written where the store writes all at once; else what
    /// came before the change that did not fit.
    Moved,
}

/// A place for values.
///
/// A swap writes only where the value is still what the caller saw. After an error, and after
/// [`Swapped::Moved`], the caller's own value may be there all the same (an answer that was lost):
/// who has to know makes each value unlike any other, and reads again.
pub trait Store: Send + Sync + std::fmt::Debug {
    /// What people call it: `git:origin`.
    fn name(&self) -> &str;

    /// What tells it from another place of the same name: two repositories have a remote `origin` each.
    fn identity(&self) -> String {
        self.name().to_owned()
    }

    /// Whether other machines have it too.
    fn is_shared(&self) -> bool;

    /// A value as it is now.
    fn read<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Value>, StoreError>>;

    /// A value as this store saw it last, without asking anybody where that is known: a swap says
    /// whether it is still so.
    fn read_known<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Value>, StoreError>> {
        self.read(key)
    }

    /// The keys and values below a folder.
    fn read_all<'a>(
        &'a self,
        folder: &'a str,
    ) -> BoxFuture<'a, Result<Vec<(Key, Value)>, StoreError>>;

    /// Writes several values, in this order.
    fn swap<'a>(&'a self, changes: &'a [Swap]) -> BoxFuture<'a, Result<Swapped, StoreError>>;

    /// Takes away what never changes once it is written.
    fn remove<'a>(&'a self, keys: &'a [Key]) -> BoxFuture<'a, Result<(), StoreError>>;
}

impl Version {
    /// A version of a store's own making.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}
