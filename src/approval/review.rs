//! Reviews on a forge: which of them approve this plan.
//!
//! A review counts if it approves, is its author's latest, was neither dismissed nor asked for again,
//! was given on the newest commit after the comment first showed this plan of it, and comes from
//! a person who may write, and who neither opened the request nor made any of its commits.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Approval, ApprovalError, Proof, person::Person};
use crate::plan::Digest;

/// What a forge tells of a pull or merge request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewFacts {
    /// Its newest commit.
    pub head: String,
    /// The login of who opened it.
    pub author: String,
    /// What the tool's own comment shows; none where there is no such comment.
    pub shown: Option<Shown>,
    /// The logins of authors and committers of its commits; `None` for each that the forge knows
    /// no login of.
    pub people: Vec<Option<String>>,
    /// All reviews, oldest first.
    pub reviews: Vec<Review>,
    /// Logins of those who are asked for a review, again perhaps.
    pub asked: BTreeSet<String>,
    /// Whether an approver may write.
    pub writers: BTreeMap<String, bool>,
    /// Why an approver's review never counts, as a clause that their name begins.
    pub barred: BTreeMap<String, &'static str>,
}

/// What the comment shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The plan's digest.
    pub digest: Option<String>,
    /// The commit that it is of.
    pub commit: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// Why it is not believed.
    pub doubt: Option<Doubt>,
}

/// Why a comment is not the tool's own word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// A clause.
    pub why: String,
    /// What to do.
    pub help: String,
}

/// One review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// The login of who gave it.
    pub by: String,
    /// Whether it approves.
    pub approves: bool,
    /// The commit that it was given on, where the forge tells.
    pub commit: Option<String>,
    /// When it was given.
    pub at: Timestamp,
    /// Its page.
    pub url: Option<String>,
}

/// What reviews come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reviews {
    /// Those that approve the plan.
    pub approvals: Vec<Approval>,
    /// Why others do not, each as a sentence.
    pub notes: Vec<String>,
}

const AGAIN: &str = "run `connplan plan` and `connplan comment` on the newest commit, and ask for a review after that";

/// Holds the reviews against the plan. What cannot be told is a refusal, never a pass.
pub fn reviews(facts: &ReviewFacts, digest: &Digest) -> Result<Reviews, ApprovalError> {
    let refused = |why: String, help: &str| ApprovalError::Review {
        why,
        help: Some(help.to_owned()),
    };
    let Some(shown) = &facts.shown else {
        return Err(refused(
            "no connplan comment shows a plan".to_owned(),
            AGAIN,
        ));
    };
    if let Some(doubt) = &shown.doubt {
        return Err(refused(doubt.why.clone(), &doubt.help));
    }
    if shown.commit.as_deref() != Some(facts.head.as_str()) {
        return Err(refused(
            format!(
                "the comment does not show the plan of the newest commit, {}",
                crate::escape::commit(&facts.head)
            ),
            AGAIN,
        ));
    }
    if shown.digest.as_deref() != Some(digest.as_str()) {
        return Err(ApprovalError::OtherPlan {
            reviewed: shown.digest.clone().unwrap_or_else(|| "none".to_owned()),
            actual: digest.clone(),
            difference: Vec::new(),
        });
    }
    let Some(since) = shown.since else {
        return Err(refused(
            "the comment does not say when it began to show this plan".to_owned(),
            AGAIN,
        ));
    };
    let mut people = BTreeSet::from([facts.author.to_ascii_lowercase()]);
    for person in &facts.people {
        let Some(person) = person else {
            return Err(refused(
                "the forge does not know who made one of the commits".to_owned(),
                "make commits with an e-mail address that belongs to an account on the forge",
            ));
        };
        people.insert(person.to_ascii_lowercase());
    }
    let mut latest: BTreeMap<String, &Review> = BTreeMap::new();
    for review in &facts.reviews {
        latest.insert(review.by.to_ascii_lowercase(), review);
    }
    let asked: BTreeSet<_> = facts
        .asked
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    let mut found = Reviews::default();
    for (name, review) in latest {
        if !review.approves {
            continue;
        }
        let other = review
            .commit
            .as_ref()
            .filter(|commit| **commit != facts.head);
        let why = if people.contains(&name) {
            Some("made the change".to_owned())
        } else if let Some(why) = facts.barred.get(&review.by) {
            Some((*why).to_owned())
        } else if asked.contains(&name) {
            Some("was asked for a review again".to_owned())
        } else if let Some(commit) = other {
            Some(format!(
                "reviewed an older commit, {}",
                crate::escape::commit(commit)
            ))
        } else if review.at <= since {
            Some("approved before the comment showed this plan as it does now".to_owned())
        } else if facts.writers.get(&review.by) != Some(&true) {
            Some("may not write to the repository".to_owned())
        } else {
            None
        };
        match why {
            Some(why) => {
                let name = crate::escape::limited(&review.by, 60);
                found.notes.push(format!(
                    "The review by {name} does not count: {name} {why}."
                ));
            }
            None => found.approvals.push(Approval {
                signer: review.by.clone(),
                digest: digest.clone(),
                proof: Proof::Review,
                by: review.url.clone(),
                at: Some(review.at),
                until: None,
                person: Person::named(&review.by),
            }),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn digest() -> Digest {
        Digest::parse(&"ab".repeat(32)).unwrap()
    }

    fn review(by: &str, second: i64) -> Review {
        Review {
            by: by.to_owned(),
            approves: true,
            commit: Some("head".to_owned()),
            at: at(second),
            url: None,
        }
    }

    fn facts() -> ReviewFacts {
        ReviewFacts {
            head: "head".to_owned(),
            author: "ann".to_owned(),
            shown: Some(Shown {
                digest: Some(digest().to_string()),
                commit: Some("head".to_owned()),
                since: Some(at(100)),
                doubt: None,
            }),
            people: vec![Some("ann".to_owned())],
            reviews: vec![review("bob", 200)],
            asked: BTreeSet::new(),
            writers: BTreeMap::from([("bob".to_owned(), true), ("ann".to_owned(), true)]),
            barred: BTreeMap::new(),
        }
    }

    fn signers(facts: &ReviewFacts) -> Vec<String> {
        let found = reviews(facts, &digest()).unwrap();
        found
            .approvals
            .into_iter()
            .map(|approval| approval.signer)
            .collect()
    }

    #[test]
    fn a_review_counts_that_was_given_on_what_is_shown() {
        assert_eq!(signers(&facts()), ["bob"]);
    }

    #[test]
    fn whatever_is_wrong_with_a_review_it_does_not_count() {
        type Spoil = fn(&mut ReviewFacts);
        let spoil: [(Spoil, &str); 10] = [
            (|f| f.reviews[0].approves = false, ""),
            (
                |f| {
                    f.reviews.push(Review {
                        approves: false,
                        ..review("Bob", 300)
                    });
                },
                "",
            ),
            (
                |f| f.reviews[0].commit = Some("older".to_owned()),
                "an older commit",
            ),
            (|f| f.reviews[0].at = at(100), "before the comment"),
            (|f| f.reviews[0].by = "Ann".to_owned(), "made the change"),
            (|f| f.people.push(Some("BOB".to_owned())), "made the change"),
            (
                |f| f.writers = BTreeMap::from([("bob".to_owned(), false)]),
                "may not write",
            ),
            (|f| f.writers.clear(), "may not write"),
            (
                |f| f.barred = BTreeMap::from([("bob".to_owned(), "is a program")]),
                "bob is a program",
            ),
            (|f| f.asked = BTreeSet::from(["BOB".to_owned()]), "again"),
        ];
        for (spoil, why) in spoil {
            let mut facts = facts();
            spoil(&mut facts);
            let found = reviews(&facts, &digest()).unwrap();
            assert!(found.approvals.is_empty(), "{facts:?}");
            assert!(found.notes.concat().contains(why), "{found:?}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_a_refusal() {
        let doubt = Doubt {
            why: "edited".to_owned(),
            help: String::new(),
        };
        let mut doubted = facts();
        doubted.shown.as_mut().unwrap().doubt = Some(doubt);
        let why = reviews(&doubted, &digest()).unwrap_err().to_string();
        assert!(why.contains("edited"), "{why}");
        let spoil: [fn(&mut ReviewFacts); 6] = [
            |f| f.shown = None,
            |f| f.people.push(None),
            |f| f.head = "newer".to_owned(),
            |f| f.shown.as_mut().unwrap().digest = Some("sha256:cd".to_owned()),
            |f| f.shown.as_mut().unwrap().since = None,
            |f| f.shown.as_mut().unwrap().commit = None,
        ];
        for spoil in spoil {
            let mut facts = facts();
            spoil(&mut facts);
            assert!(reviews(&facts, &digest()).is_err(), "{facts:?}");
        }
    }
}
