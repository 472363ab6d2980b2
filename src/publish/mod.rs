//! A plan, its failure or a receipt where people review: the comments on a pull or merge request, and
//! what a GitHub runner collects.
//!
//! A comment is ours if it begins with the [`marker()`] of its app and environment, and if the owner
//! of the token wrote it: a comment that somebody else may edit later is never written to. There is
//! one for the plan, which speaks of the newest commit, and one for the receipt.

mod body;
mod error;
mod forge;
mod http;
mod marker;
mod place;
mod reviews;
mod runner;
mod thread;

pub use error::{At, PublishError};
pub use forge::Forge;
pub use marker::{marker, receipt_marker};
pub use place::{Overrides, Place};
pub use reviews::review_facts;
pub use runner::{SUMMARY_LIMIT, outputs};

use jiff::Timestamp;

use self::{
    http::{Call, Http},
    place::Request,
    thread::Thread,
};
use crate::remote::ClientOptions;

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
        /// What is said above the plan: `It was applied`.
        says: &'static str,
    },
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

/// Makes, changes or leaves the comment.
pub async fn publish(
    place: &Place,
    message: &Message,
    options: ClientOptions,
) -> Result<Published, PublishError> {
    let http = Http::new(place, options)?;
    let number = match &place.request {
        Request::Number(number) => *number,
        Request::OfCommit(commit) => request_of(&http, place, commit).await?,
    };
    let thread = Thread {
        http: &http,
        place,
        number,
    };
    thread.publish(message).await
}

async fn request_of(http: &Http, place: &Place, commit: &str) -> Result<u64, PublishError> {
    let forge = place.forge;
    let path = forge.requests_of_path(&place.project_path, commit);
    let what = "looking for what was merged";
    let found = http.send(&Call::get(what, path)).await?;
    forge
        .merged_as(&found.body, commit)
        .ok_or_else(|| PublishError::NoRequest {
            forge,
            why: format!("the commit {commit} was not merged by one"),
        })
}
