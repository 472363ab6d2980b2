//! Maps from pairs.

use std::collections::BTreeMap;

/// A map of pairs; of those with one key, the last. It is what `collect` makes, which sorts them first:
/// five kilobytes of the binary wherever it stands, for maps that are small.
pub fn map_of<K: Ord, V>(pairs: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    for (key, value) in pairs {
        map.insert(key, value);
    }
    map
}
