//! OAuth scopes, as written.

use std::{
    collections::{BTreeSet, HashSet},
    fmt,
    hash::{BuildHasher, RandomState},
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
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
        met().scope(text.as_ref())
    }

    /// The scope's own text. Escape before showing.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

crate::model::display_as_str!(Scope);

impl From<&str> for Scope {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

/// A set of scopes: sorted, without duplicates, so that neither ever makes a difference. Clones
/// share it, and so do equal sets: what is declared, planned, approved and answered is the same set
/// many times over.
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
        BTreeSet::deserialize(deserializer).map(Self::known)
    }
}

impl Scopes {
    /// No scopes at all.
    pub fn new() -> Self {
        Self::default()
    }

    fn known(set: BTreeSet<Scope>) -> Self {
        Self(met().set(set))
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

/// What was met before, so that the same is kept once.
struct Met {
    /// For each hash bucket the newest scope: most scopes come many times, soon after each other.
    scopes: Vec<Option<Scope>>,
    hasher: RandomState,
    /// All that somebody holds, and some that nobody does any more.
    sets: HashSet<Arc<BTreeSet<Scope>>>,
    /// At this size, sets that nobody holds any more are removed.
    full: usize,
}

static MET: LazyLock<Mutex<Met>> = LazyLock::new(|| {
    Mutex::new(Met {
        scopes: vec![None; Met::SCOPES],
        hasher: RandomState::new(),
        sets: HashSet::new(),
        full: Met::SETS,
    })
});

fn met() -> MutexGuard<'static, Met> {
    MET.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Met {
    const SCOPES: usize = 1 << 12;
    const SETS: usize = 1 << 10;

    fn scope(&mut self, text: &str) -> Scope {
        let hash = self.hasher.hash_one(text);
        #[expect(clippy::cast_possible_truncation, reason = "only its end counts")]
        let place = hash as usize % Self::SCOPES;
        match self.scopes.get_mut(place) {
            Some(Some(scope)) if scope.as_str() == text => scope.clone(),
            Some(place) => place.insert(Scope(Arc::from(text))).clone(),
            None => Scope(Arc::from(text)),
        }
    }

    fn set(&mut self, set: BTreeSet<Scope>) -> Arc<BTreeSet<Scope>> {
        if let Some(known) = self.sets.get(&set) {
            return Arc::clone(known);
        }
        if self.sets.len() >= self.full {
            self.sets.retain(|set| Arc::strong_count(set) > 1);
            self.full = Self::SETS.max(self.sets.len() * 2);
        }
        let set = Arc::new(set);
        self.sets.insert(Arc::clone(&set));
        set
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self::known(scopes.into_iter().collect())
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
