//! Who is who: several names and keys may be one person's. What might be one person counts as one.

use std::collections::BTreeSet;

use super::patterns::{meet, name_alike};

/// What is known of somebody who signed or reviewed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Person {
    /// Each a name, or a list of patterns as a file of signers has it.
    names: BTreeSet<String>,
    /// Fingerprints.
    keys: BTreeSet<String>,
    /// Whose key vouches for these. Those that it vouches for are as many as their names; who has it as
    /// a key of their own may be any of them.
    authority: Option<String>,
}

impl Person {
    /// Somebody of these names, with this key.
    pub(super) fn new<'a>(names: impl IntoIterator<Item = &'a str>, key: String) -> Self {
        Self {
            names: names.into_iter().map(str::to_owned).collect(),
            keys: BTreeSet::from([key]),
            authority: None,
        }
    }

    /// Somebody whom a forge knows by this name.
    pub(super) fn named(name: &str) -> Self {
        Self {
            names: BTreeSet::from([name.to_owned()]),
            ..Self::default()
        }
    }

    /// The same, by the word of an authority.
    #[must_use]
    pub(super) fn vouched_for_by(mut self, authority: String) -> Self {
        self.authority = Some(authority);
        self
    }

    /// Takes in what others are known to be who have a key or a name in common, and so on. A pattern
    /// that another one fits says only who it may be.
    pub(super) fn learn(&mut self, known: &[Self]) {
        let mut left: Vec<_> = known.iter().collect();
        loop {
            let before = left.len();
            left.retain(|other| {
                let same = !self.keys.is_disjoint(&other.keys) || self.any_name(other, name_alike);
                if same {
                    self.names.extend(other.names.iter().cloned());
                    self.keys.extend(other.keys.iter().cloned());
                }
                !same
            });
            if left.len() == before {
                return;
            }
        }
    }

    /// Whether these two may be one.
    pub(super) fn may_be(&self, other: &Self) -> bool {
        let vouches = |one: &Self, other: &Self| {
            one.authority
                .as_ref()
                .is_some_and(|key| other.keys.contains(key))
        };
        !self.keys.is_disjoint(&other.keys)
            || vouches(self, other)
            || vouches(other, self)
            || self.any_name(other, meet)
    }

    fn any_name(&self, other: &Self, alike: fn(&str, &str) -> bool) -> bool {
        let mut names = self.names.iter();
        names.any(|name| other.names.iter().any(|there| alike(name, there)))
    }
}

/// How many these are at least: so many of them are certainly not each other.
pub(super) fn at_least(persons: &[&Person]) -> usize {
    let doubts = |one: &Person| persons.iter().filter(|other| one.may_be(other)).count();
    let mut order: Vec<_> = persons.iter().map(|one| (doubts(one), *one)).collect();
    // Who may be the fewest others first: one more signature never makes it less.
    order.sort_by_key(|(doubts, _)| *doubts);
    let mut counted: Vec<&Person> = Vec::new();
    for (_, person) in order {
        if !counted.iter().any(|other| other.may_be(person)) {
            counted.push(person);
        }
    }
    counted.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_whom_is_learnt_link_by_link_whatever_the_order() {
        let line = |names: &str, key: &str| Person::new([names], key.to_owned());
        let lists = [
            line("c,d", "k4"),
            line("b,c", "k3"),
            line("eve", "k9"),
            line("other", "k2"),
            line("a,b", "k2"),
        ];
        let keys = |name: &str| {
            let mut one = line(name, "k1");
            one.learn(&lists);
            one.keys.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(keys("a"), ["k1", "k2", "k3", "k4"]);
        assert_eq!(keys("bob"), ["k1"]);
        // Each of two keys is two names', and no name is on both lines: by keys alone.
        let known = [("ann", "k1"), ("bob", "k1"), ("bob", "k2"), ("carl", "k2")];
        let known = known.map(|(name, key)| line(name, key));
        let (mut ann, mut carl) = (line("ann", "k1"), line("carl", "k3"));
        assert!(!ann.may_be(&carl));
        ann.learn(&known);
        carl.learn(&known);
        assert!(ann.may_be(&carl));
        // An authority may have certified its own holder.
        let vouched = line("x", "k8").vouched_for_by("k9".to_owned());
        let holder = line("eve", "k9");
        assert!(vouched.may_be(&holder) && holder.may_be(&vouched));
        assert!(!vouched.may_be(&line("bob", "k7")));
        // Large and small letters are alike here too.
        for (name, list) in [("Ann", "ann,bob"), ("ann", "ANN,bob")] {
            let mut one = line(name, "k1");
            one.learn(&[line(list, "k2")]);
            assert!(one.may_be(&line("bob", "k3")), "{name} {list}");
        }
        let (mut ann, bob) = (line("a", "k1"), Person::named("D"));
        assert!(!ann.may_be(&bob));
        ann.learn(&lists);
        assert!(ann.may_be(&bob) && bob.may_be(&ann));
        assert!(Person::named("ann").may_be(&Person::named("Ann")));
    }
}
