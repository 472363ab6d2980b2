//! OAuth scopes, as written.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    sync::Arc,
};

#[cfg(test)]
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

/// One OAuth scope, exactly as a file or the remote spells it. Untrusted text. Clones share it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(
    test,
    schemars(
        transparent,
        description = "One OAuth scope, exactly as a file or the platform spells it."
    )
)]
pub struct Scope(Arc<str>);

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text)
    }
}

struct Text;

impl Visitor<'_> for Text {
    type Value = Scope;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Scope, E> {
        Ok(Scope::from(text))
    }
}

impl Scope {
    /// Takes a scope as spelt.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self(Arc::from(text.as_ref()))
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
        Self(Arc::from(text))
    }
}

/// A set of scopes: sorted, without duplicates, so that neither ever makes a difference. Clones
/// share it: what is declared, planned, approved and answered is the same set many times over.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(JsonSchema))]
#[cfg_attr(
    test,
    schemars(
        transparent,
        description = "A set of scopes, sorted, without duplicates."
    )
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

/// Scopes that were met before: what a document says many times over is kept once.
#[derive(Debug, Default)]
pub struct ScopePool(HashSet<Scope>);

impl ScopePool {
    /// Makes the scopes of sets that belong together the same in memory, and equal sets too.
    pub fn share<'a>(&mut self, sets: impl IntoIterator<Item = &'a mut Scopes>) {
        let mut met: Vec<Scopes> = Vec::new();
        for set in sets {
            if let Some(same) = met.iter().find(|other| *other == set) {
                *set = same.clone();
                continue;
            }
            *set = set.iter().map(|scope| self.known(scope)).collect();
            met.push(set.clone());
        }
    }

    fn known(&mut self, scope: &Scope) -> Scope {
        if let Some(known) = self.0.get(scope) {
            return known.clone();
        }
        self.0.insert(scope.clone());
        scope.clone()
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
