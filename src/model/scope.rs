//! OAuth scopes, as written.

use std::{collections::BTreeSet, fmt, sync::Arc};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One OAuth scope, exactly as a file or the remote spells it. Untrusted text.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
#[schemars(description = "One OAuth scope, exactly as a file or the platform spells it.")]
pub struct Scope(String);

impl Scope {
    /// Takes a scope as spelt.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The scope's own text. Escape before showing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for Scope {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// A set of scopes: sorted, without duplicates, so that neither ever makes a difference. Clones
/// share it: what is declared, planned, approved and answered is the same set many times over.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(
    transparent,
    description = "A set of scopes, sorted, without duplicates."
)]
pub struct Scopes(Arc<BTreeSet<Scope>>);

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Scopes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeSet::deserialize(deserializer).map(|scopes| Self(Arc::new(scopes)))
    }
}

impl Scopes {
    /// No scopes at all.
    pub fn new() -> Self {
        Self::default()
    }

    /// The scopes in byte order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Scope> + Clone {
        self.0.iter()
    }

    /// Whether exactly this spelling is in the set.
    pub fn contains(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Adds a scope; false if it was there.
    pub fn insert(&mut self, scope: Scope) -> bool {
        Arc::make_mut(&mut self.0).insert(scope)
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(Arc::new(scopes.into_iter().collect()))
    }
}

impl<'a> FromIterator<&'a str> for Scopes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(scopes: I) -> Self {
        scopes.into_iter().map(Scope::from).collect()
    }
}

impl IntoIterator for Scopes {
    type Item = Scope;
    type IntoIter = std::collections::btree_set::IntoIter<Scope>;
    fn into_iter(self) -> Self::IntoIter {
        Arc::unwrap_or_clone(self.0).into_iter()
    }
}
