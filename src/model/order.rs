//! Sorting. One sort serves all types: another one is five kilobytes of the binary for each.

use std::cmp::Ordering;

/// Sorts; what compares as equal keeps its order.
pub fn sort<T>(all: &mut [T], compare: impl Fn(&T, &T) -> Ordering) {
    let mut places = places(all.len(), &|one, other| compare(&all[one], &all[other]));
    for at in 0..all.len() {
        while places[at] != at {
            let place = places[at];
            all.swap(at, place);
            places.swap(at, place);
        }
    }
}

/// Sorts by a key.
pub fn sort_by_key<T, K: Ord>(all: &mut [T], key: impl Fn(&T) -> K) {
    sort(all, |one, other| key(one).cmp(&key(other)));
}

/// Where each of so many has to go.
#[inline(never)]
fn places(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|one, other| compare(*one, *other));
    let mut places = vec![0; count];
    for (place, index) in order.into_iter().enumerate() {
        places[index] = place;
    }
    places
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_sorts_as_the_standard_library_does(all in prop::collection::vec((0..9_u8, any::<u8>()), 0..50)) {
            let (mut ours, mut theirs) = (all.clone(), all);
            sort_by_key(&mut ours, |one| one.0);
            theirs.sort_by_key(|one| one.0);
            prop_assert_eq!(ours, theirs);
        }
    }
}
