//! A comment of ours.

use std::collections::BTreeSet;

use super::{
    body::{Body, Record},
    edits::Edits,
    forge::Comment,
    person::Account,
    place::Place,
};

/// In place of who pushed; no login has this form.
pub(super) const UNTOLD: &str = "?";

/// A comment of ours, taken apart.
pub(super) struct Own {
    pub(super) comment: Comment,
    pub(super) body: Body,
    pub(super) edits: Edits,
}

impl Own {
    pub(super) fn read(comment: Comment, edits: Edits, marker: &str) -> Self {
        let body = Body::of(&comment.body, marker).unwrap_or_default();
        Self {
            comment,
            body,
            edits,
        }
    }

    /// Without what somebody else may have written: when we write, it is our own word again.
    pub(super) fn sound(mut self) -> Self {
        if self.edits == Edits::Others {
            let Record {
                commit,
                planned,
                latest,
                ..
            } = self.body.record;
            self.body = Body {
                record: Record {
                    planned,
                    latest: latest.or(commit),
                    ..Record::default()
                },
                ..Body::default()
            };
        }
        self
    }
}

impl Record {
    /// Who pushed this commit, by what was known and what a run is told: that only ever grows.
    pub(super) fn pushers(&self, commit: Option<&str>, place: &Place) -> BTreeSet<String> {
        let spoken_of = self.latest.as_deref().or(self.commit.as_deref());
        let known = self.pushed_by.iter().filter(|_| spoken_of == commit);
        let mut all: BTreeSet<_> = known.cloned().collect();
        all.extend(place.pushed_by.iter().map(Account::to_string));
        if all.is_empty() && place.no_push {
            all.insert(UNTOLD.to_owned());
        } else if all.len() > 1 {
            all.remove(UNTOLD);
        }
        all
    }
}
