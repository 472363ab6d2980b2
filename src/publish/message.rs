//! What is to be said, and what became of it.

use jiff::Timestamp;

/// What is to be said.
#[derive(Clone, Debug)]
pub struct Message {
    /// The line by which the comment is found again.
    pub marker: String,
    /// What it is about.
    pub about: About,
    /// The commit that it is of, where that is known.
    pub commit: Option<String>,
    /// Whether to make a comment where there is none yet. One that is there is kept up to date.
    pub create: bool,
    /// The longest comment, in bytes.
    pub max_bytes: usize,
    /// Where the forge says no time, the time.
    pub now: Timestamp,
}

/// What a message is about.
#[derive(Clone, Debug)]
pub enum About {
    /// A plan.
    Plan {
        /// As Markdown.
        text: String,
        /// What names it.
        digest: String,
        /// When it was made.
        planned: Option<Timestamp>,
    },
    /// There is no plan, or it may not be applied.
    Failure {
        /// As Markdown.
        text: String,
    },
    /// An apply.
    Receipt {
        /// As Markdown.
        text: String,
        /// The plan that was carried out.
        plan_digest: String,
        /// The marker of the plan's comment.
        plan_marker: String,
        /// What is said above the plan.
        says: Applied,
    },
}

/// How far a plan was applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// Some of it failed, or was not run.
    InPart,
    /// It was, and something waits for a person.
    Waits,
    /// All of it.
    Whole,
}

impl Message {
    /// The comment as it would be made where there is none.
    pub fn preview(&self) -> String {
        let text = match &self.about {
            About::Plan { text, .. } | About::Failure { text } | About::Receipt { text, .. } => {
                text
            }
        };
        format!("{}\n{text}", self.marker)
    }
}

/// What became of the comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// It is new.
    Created {
        /// Its page.
        url: Option<String>,
    },
    /// It was there, and says something else now.
    Updated {
        /// Its page.
        url: Option<String>,
    },
    /// It was there and says just that.
    Unchanged {
        /// Its page.
        url: Option<String>,
    },
    /// It is there, and is newer than what was to be said.
    LeftAlone {
        /// Its page.
        url: Option<String>,
        /// Why it is newer, as a clause.
        why: String,
    },
    /// There is none, and there was no reason to make one.
    Skipped,
}
