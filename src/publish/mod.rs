//! A plan, its failure or a receipt where people review: the comments on a pull or merge request, the
//! issue about drift, what a GitHub runner collects; and the reviews that a request has.
//!
//! A comment is ours if it begins with the [`marker()`] of its app and environment, and if the owner
//! of the token wrote it: a comment that somebody else may edit later is never written to. There is
//! one for the plan, which speaks of the newest commit, and one for the receipt.

mod address;
mod base;
mod body;
mod doubt;
mod edits;
mod error;
mod forge;
mod http;
mod issue;
mod marker;
mod message;
mod own;
mod person;
mod place;
mod pushers;
mod request;
mod reviews;
mod runner;
mod thread;
mod whose;

pub use base::{RequestBase, base_of_request, branch_head};
pub use error::{ForgeCall, PublishError};
pub use forge::Forge;
pub use issue::{IssueText, Kept, keep_issue};
pub use marker::{drift_marker, marker, receipt_marker};
pub use message::{About, Applied, Message, Published};
pub use place::{Overrides, Place};
pub use reviews::review_facts;
pub use runner::{SUMMARY_LIMIT, outputs};

use self::{http::Http, request::Request, thread::Thread};
use crate::http::ClientOptions;

/// Makes, changes or leaves the comment.
pub async fn publish(
    place: &Place,
    message: &Message,
    options: ClientOptions,
) -> Result<Published, PublishError> {
    let http = Http::new(place, options)?;
    let number = number_of(&http, place).await?;
    let thread = Thread {
        http: &http,
        place,
        number,
    };
    thread.publish(message).await
}

/// The number of the request that the run is for.
async fn number_of(http: &Http, place: &Place) -> Result<u64, PublishError> {
    match &place.request {
        Request::Number(number) => Ok(*number),
        Request::OfCommit(commit) => request_of(http, place, commit).await,
        Request::None => Err(PublishError::NoRequest {
            forge: place.forge,
            why: "this run belongs to none".to_owned(),
        }),
    }
}

async fn request_of(http: &Http, place: &Place, commit: &str) -> Result<u64, PublishError> {
    let forge = place.forge;
    let path = forge.requests_of_path(&place.project_path, commit);
    let what = "looking for what was merged";
    let all = |value: &serde_json::Value| Some(value.clone());
    let found = http.list(what, path, &[], all).await?;
    forge
        .merged_as(&found.items, commit, place.into.as_deref())
        .ok_or_else(|| PublishError::NoRequest {
            forge,
            why: format!("no merged request brought the commit {commit}"),
        })
}
