//! A plan or a receipt where people review: the one comment on a pull or merge request, and what a
//! GitHub runner collects.
//!
//! A comment is ours if it begins with the [`marker()`] of its app and environment, and if the owner
//! of the token wrote it: a comment that somebody else may edit later is never written to.

mod error;
mod forge;
mod http;
mod marker;
mod place;
mod runner;

pub use error::{At, PublishError};
pub use forge::Forge;
pub use marker::marker;
pub use place::{Overrides, Place};
pub use runner::{SUMMARY_LIMIT, outputs};

use reqwest::Method;
use serde_json::json;

use self::{
    forge::Comment,
    http::{Answer, Call, Http},
    marker::{bears, same},
    place::Request,
};
use crate::remote::{ClientOptions, retry::CallClass};

/// More pages of a hundred comments are not looked through.
const MAX_PAGES: u32 = 100;

/// What is to be said.
#[derive(Clone, Debug)]
pub struct Message {
    /// The line by which the comment is found again.
    pub marker: String,
    /// The whole comment; begins with the marker.
    pub body: String,
    /// Whether to make a comment where there is none yet. One that is there is kept up to date.
    pub create: bool,
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

/// The comments of one request.
struct Thread<'a> {
    http: &'a Http,
    place: &'a Place,
    number: u64,
}

impl Thread<'_> {
    async fn publish(&self, message: &Message) -> Result<Published, PublishError> {
        let mut attempts = 0;
        loop {
            if let Some(own) = self.find_own(&message.marker).await? {
                let url = own.url.clone();
                return if !same(&own.body, &message.body) {
                    self.update(&own, &message.body).await?;
                    Ok(Published::Updated { url })
                } else if attempts > 0 {
                    Ok(Published::Created { url })
                } else {
                    Ok(Published::Unchanged { url })
                };
            }
            if !message.create {
                return Ok(Published::Skipped);
            }
            attempts += 1;
            match self.create(&message.body).await {
                Ok(url) => return Ok(Published::Created { url }),
                // It may be there all the same: look again, lest there are two.
                Err(error) if error.is_unclear() => {
                    if !self.http.pause_before(attempts).await {
                        return Err(error);
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The oldest comment that bears the marker and is the token owner's own.
    async fn find_own(&self, marker: &str) -> Result<Option<Comment>, PublishError> {
        let candidates = self.marked(marker).await?;
        if candidates.is_empty() {
            return Ok(None);
        }
        let me = self.whoami().await?;
        Ok(candidates.into_iter().find(|comment| match &me {
            Some(login) => comment.author.eq_ignore_ascii_case(login),
            // A workflow's own token has no user that it could ask for; it writes as a bot, and
            // nobody edits a bot's comments but those who may edit the repository.
            None => comment.by_bot,
        }))
    }

    async fn marked(&self, marker: &str) -> Result<Vec<Comment>, PublishError> {
        let forge = self.place.forge;
        let mut found = Vec::new();
        for page in 1..=MAX_PAGES {
            let path = forge.comments_path(&self.place.project_path, self.number);
            let mut call = Call::get("reading the comments", path);
            call.query.push(("per_page", "100".to_owned()));
            call.query.push(("page", page.to_string()));
            let order = forge.oldest_first().iter();
            call.query
                .extend(order.map(|(name, value)| (*name, (*value).to_owned())));
            let answer = self.http.send(&call).await?;
            let comments = answer.body.as_array();
            let comments = comments.ok_or_else(|| self.malformed(&call, "it is no list"))?;
            found.extend(
                comments
                    .iter()
                    .filter_map(|value| forge.comment(value))
                    .filter(|comment| bears(&comment.body, marker)),
            );
            if !answer.more {
                return Ok(found);
            }
        }
        let path = forge.comments_path(&self.place.project_path, self.number);
        let call = Call::get("reading the comments", path);
        Err(self.malformed(&call, "it has more pages than any conversation"))
    }

    /// Who the token belongs to; `None` for a workflow's own token, which GitHub refuses to say.
    async fn whoami(&self) -> Result<Option<String>, PublishError> {
        let token = self.place.token.as_ref().map(|token| token.header);
        let (path, field) = match (self.place.forge, token) {
            (Forge::GitHub, _) => ("/user", "login"),
            (Forge::GitLab, Some("job-token")) => ("/job", "username"),
            (Forge::GitLab, _) => ("/user", "username"),
        };
        let call = Call::get("asking whose token it is", path.to_owned());
        let Answer { body, .. } = match self.http.send(&call).await {
            Err(PublishError::Refused {
                status: 403 | 404, ..
            }) if self.place.forge == Forge::GitHub => {
                return Ok(None);
            }
            other => other?,
        };
        let user = if path == "/job" { &body["user"] } else { &body };
        match user[field].as_str() {
            Some(name) if !name.is_empty() => Ok(Some(name.to_owned())),
            _ => Err(self.malformed(&call, "it names no user")),
        }
    }

    async fn create(&self, body: &str) -> Result<Option<String>, PublishError> {
        let forge = self.place.forge;
        let answer = self
            .http
            .send(&Call {
                what: "making the comment",
                class: CallClass::CheckFirst,
                method: Method::POST,
                path: forge.comments_path(&self.place.project_path, self.number),
                query: Vec::new(),
                body: Some(&json!({ "body": body })),
            })
            .await?;
        Ok(forge.comment(&answer.body).and_then(|comment| comment.url))
    }

    async fn update(&self, comment: &Comment, body: &str) -> Result<(), PublishError> {
        let forge = self.place.forge;
        let method = match forge {
            Forge::GitHub => Method::PATCH,
            Forge::GitLab => Method::PUT,
        };
        self.http
            .send(&Call {
                what: "changing the comment",
                class: CallClass::RepeatableWrite,
                method,
                path: forge.comment_path(&self.place.project_path, self.number, comment.id),
                query: Vec::new(),
                body: Some(&json!({ "body": body })),
            })
            .await?;
        Ok(())
    }

    fn malformed(&self, call: &Call<'_>, why: &'static str) -> PublishError {
        PublishError::Malformed {
            at: At {
                what: call.what,
                forge: self.place.forge,
                attempts: 1,
            },
            why,
        }
    }
}
