//! Maps and sets one by one: `collect` sorts first, which is five kilobytes of the binary for each type.

use std::collections::{BTreeMap, BTreeSet};

/// A map of pairs; of those with one key, the last. For maps that are small.
pub fn map_of<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        map.insert(key, value);
    }
    map
}

/// A set. For sets that are small.
pub fn set_of<T: Ord>(all: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    for one in all {
        set.insert(one);
    }
    set
}
