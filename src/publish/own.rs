//! A comment of ours.

use super::{
    body::{Body, Record},
    edits::Edits,
    forge::Comment,
};

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
