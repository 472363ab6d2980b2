//! The comments of one request.

use std::collections::BTreeSet;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    About, Applied, Message, Place, PublishError, Published,
    body::{APPLIED, Body, IN_PART, Newer, Record, Said, newer},
    edits::Edits,
    forge::{Comment, Facts, Forge},
    http::{Call, Http},
    marker::{bears, same, word},
    own::Own,
    request::Request,
    whose::Writer,
};
use crate::http::CallClass;

/// The line of a notice that says that a plan was applied.
fn applied_line(notice: &str) -> Option<&str> {
    let says = |line: &&str| line.starts_with(APPLIED) || line.starts_with(IN_PART);
    notice.lines().find(says)
}

/// The comments of one request.
pub(super) struct Thread<'a> {
    pub(super) http: &'a Http,
    pub(super) place: &'a Place,
    pub(super) number: u64,
}

/// What the comment of ours shows.
pub(super) struct ShownPlan {
    pub(super) digest: Option<String>,
    pub(super) commit: Option<String>,
    pub(super) since: Option<Timestamp>,
    /// The branch against which it was judged, and who pushed its commit, as the record has them.
    pub(super) into: Option<String>,
    pub(super) pushed_by: BTreeSet<String>,
    pub(super) writer: Writer,
    /// Somebody else edited it.
    pub(super) edited: bool,
}

impl Thread<'_> {
    pub(super) async fn publish(&self, message: &Message) -> Result<Published, PublishError> {
        match &message.about {
            About::Receipt {
                text,
                plan_digest,
                plan_marker,
                says,
            } => {
                self.receipt(message, text, plan_digest, plan_marker, *says)
                    .await
            }
            About::Plan { .. } | About::Failure { .. } => self.plan(message).await,
        }
    }

    /// What the comment of ours shows: the plan's digest, its commit, and since when. An approval stands
    /// on it, so the hidden line alone is not believed: readers have seen the digest too, no longer than
    /// the comment exists, and nobody else has edited it, or it has not been edited since.
    pub(super) async fn shown(&self, marker: &str) -> Result<Option<ShownPlan>, PublishError> {
        let (own, _) = self.as_it_stands(marker).await?;
        Ok(own.map(|(own, writer)| {
            let Own {
                comment,
                body,
                edits,
            } = own;
            let seen = |digest: &String| body.lets_see(digest, &comment.body, marker);
            let Record {
                digest,
                commit,
                since,
                into,
                pushed_by,
                ..
            } = body.record.clone();
            let since = match edits {
                Edits::Own(written) => since.max(comment.created).max(written),
                Edits::Others | Edits::Untold => {
                    let updated = comment.updated;
                    let least = updated.and(comment.created).max(updated);
                    least.map(|least| since.map_or(least, |since| since.max(least)))
                }
            };
            ShownPlan {
                digest: digest.filter(seen),
                commit,
                since,
                into,
                pushed_by,
                writer,
                edited: edits == Edits::Others,
            }
        }))
    }

    /// Keeps the comment that speaks of the newest commit.
    async fn plan(&self, message: &Message) -> Result<Published, PublishError> {
        // A comment of no commit is as new as any.
        let facts = match &message.commit {
            Some(_) => self.facts().await?,
            None => None,
        };
        let create = message.create && !(self.place.queue && message.commit.is_some());
        let text = |own: Option<&Own>, ours: bool, date: Option<Timestamp>| {
            let there = own.map(|own| &own.body);
            if let Some(there) = there.filter(|_| !ours)
                && let Some(newer) = self.newer(message, &there.record, facts.as_ref())
            {
                // Who pushed is told by the run for the push, whichever ends last.
                let commit = message.commit.as_deref();
                let pushed_by = there.record.pushers(commit, self.place);
                let is_own = own.is_some_and(|own| own.edits != Edits::Others);
                if newer == Newer::Run && is_own && pushed_by != there.record.pushed_by {
                    let mut grown = there.clone();
                    grown.record.pushed_by = pushed_by;
                    return Ok(grown.text(&message.marker, message.max_bytes));
                }
                return Err(words(&newer, self.place.forge));
            }
            let nothing = Body::default();
            let there = there.unwrap_or(&nothing);
            let base = facts.as_ref().and_then(|facts| facts.base.as_deref());
            let next = self.next(there, message, base, date.unwrap_or(message.now));
            Ok(next.text(&message.marker, message.max_bytes))
        };
        self.upsert(&message.marker, create, facts.as_ref(), text)
            .await
    }

    fn newer(&self, message: &Message, there: &Record, facts: Option<&Facts>) -> Option<Newer> {
        if self.applies(message) {
            return None;
        }
        let planned = match &message.about {
            About::Plan { planned, .. } => *planned,
            _ => None,
        };
        let said = Said {
            commit: message.commit.as_deref(),
            planned,
            queue: self.place.queue,
        };
        let head = facts.and_then(|facts| facts.head.as_deref());
        newer(there, said, head, facts.is_some_and(|facts| facts.merged))
    }

    /// A comment of its own, linked with the plan's.
    async fn receipt(
        &self,
        message: &Message,
        text: &str,
        plan_digest: &str,
        plan_marker: &str,
        says: Applied,
    ) -> Result<Published, PublishError> {
        let facts = match self.place.forge {
            // It names the page of a comment itself.
            Forge::GitHub => None,
            Forge::GitLab => self.facts().await?,
        };
        let (plan, _) = self.find_own(plan_marker).await?;
        // What others wrote is not said to be what was applied.
        let plan = plan.filter(|plan| plan.edits != Edits::Others);
        let plan_url = plan
            .as_ref()
            .and_then(|plan| self.page(&plan.comment, facts.as_ref()));
        let shown = plan
            .as_ref()
            .and_then(|plan| plan.body.record.digest.clone());
        let shown = shown.as_deref();
        let mut whole = format!("{}\n{}", message.marker, text.trim_end());
        if let Some(url) = plan_url.as_deref().and_then(link) {
            let other = shown.is_some_and(|shown| shown != plan_digest);
            let (before, words) = if other {
                ("Another plan is shown ", "here")
            } else {
                ("", "The plan that was applied")
            };
            whole.extend(["\n\n", before, &link_words(words, &url), "."]);
        }
        whole.push('\n');
        let facts = facts.as_ref();
        // Always replaced as a whole.
        let text = |_: Option<&Own>, _, _| Ok(whole.clone());
        let published = self.upsert(&message.marker, message.create, facts, text);
        let published = published.await?;
        let url = match &published {
            Published::Created { url }
            | Published::Updated { url }
            | Published::Unchanged { url } => url.clone(),
            Published::LeftAlone { .. } | Published::Skipped => return Ok(published),
        };
        if let Some(plan) = plan
            && shown.is_none_or(|shown| shown == plan_digest)
        {
            let begins = says.begins();
            let says = match url.as_deref().and_then(link) {
                Some(url) => format!("{begins}**, see {}.", link_words("what was done", &url)),
                None => format!("{begins}.**"),
            };
            let body = Body {
                notice: Some(says),
                folded: false,
                ..plan.body
            };
            let body = body.text(plan_marker, message.max_bytes);
            if !same(&plan.comment.body, &body) {
                self.update(&plan.comment, &body).await?;
            }
        }
        Ok(published)
    }

    /// Changes the comment that bears the marker, or makes it. `text` says what it is to hold, or why
    /// it is left as it is: given the comment that is there, whether this run made it, and the
    /// forge's clock.
    async fn upsert(
        &self,
        marker: &str,
        create: bool,
        facts: Option<&Facts>,
        text: impl Fn(Option<&Own>, bool, Option<Timestamp>) -> Result<String, String>,
    ) -> Result<Published, PublishError> {
        let mut attempts = 0;
        loop {
            let (own, date) = self.find_own(marker).await?;
            let ours = attempts > 0;
            let url = own.as_ref().and_then(|own| self.page(&own.comment, facts));
            let body = match text(own.as_ref(), ours, date) {
                Ok(body) => body,
                Err(why) => return Ok(Published::LeftAlone { url, why }),
            };
            if let Some(own) = own {
                return Ok(if !same(&own.comment.body, &body) {
                    self.update(&own.comment, &body).await?;
                    Published::Updated { url }
                } else if ours {
                    Published::Created { url }
                } else {
                    Published::Unchanged { url }
                });
            }
            if !create {
                return Ok(Published::Skipped);
            }
            attempts += 1;
            match self.create(&body).await {
                Ok(made) => {
                    let url = made.and_then(|made| self.page(&made, facts));
                    return Ok(Published::Created { url });
                }
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

    /// What the forge says of the request; none where it does not let this token know.
    pub(super) async fn facts(&self) -> Result<Option<Facts>, PublishError> {
        let forge = self.place.forge;
        let path = forge.request_path(&self.place.project_path, self.number);
        let call = Call::get("reading the request", path);
        match self.http.send(&call).await {
            Ok(answer) => Ok(Some(forge.facts(&answer.body))),
            Err(PublishError::Refused {
                status: 403 | 404, ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether it was the apply that failed, after the merge.
    fn applies(&self, message: &Message) -> bool {
        let failed = matches!(message.about, About::Failure { .. });
        failed && matches!(self.place.request, Request::OfCommit(_))
    }

    fn page(&self, comment: &Comment, facts: Option<&Facts>) -> Option<String> {
        let request = facts.and_then(|facts| facts.url.as_deref());
        self.place.forge.comment_page(request, comment)
    }

    /// The oldest comment that bears the marker and is the token owner's own.
    /// The forge's clock comes with it.
    async fn find_own(
        &self,
        marker: &str,
    ) -> Result<(Option<Own>, Option<Timestamp>), PublishError> {
        let (own, date) = self.as_it_stands(marker).await?;
        Ok((own.map(|(own, _)| own.sound()), date))
    }

    /// The same as it stands there, and whose it is.
    async fn as_it_stands(
        &self,
        marker: &str,
    ) -> Result<(Option<(Own, Writer)>, Option<Timestamp>), PublishError> {
        let (comments, date) = self.marked(marker).await?;
        if comments.is_empty() {
            return Ok((None, date));
        }
        let writer = Writer::ask(self.http, self.place).await?;
        let own = comments.into_iter().find(|comment| writer.wrote(comment));
        let Some(comment) = own else {
            return Ok((None, date));
        };
        let edits = Edits::ask(self.http, self.place.forge, &comment, marker).await;
        Ok((Some((Own::read(comment, edits, marker), writer)), date))
    }

    async fn marked(
        &self,
        marker: &str,
    ) -> Result<(Vec<Comment>, Option<Timestamp>), PublishError> {
        let forge = self.place.forge;
        let path = forge.comments_path(&self.place.project_path, self.number);
        let ours = |value: &Value| {
            let comment = forge.comment(value)?;
            bears(&comment.body, marker).then_some(comment)
        };
        let order = forge.oldest_first();
        let listed = self
            .http
            .list("reading the comments", path, order, ours)
            .await?;
        Ok((listed.items, listed.date))
    }

    async fn create(&self, body: &str) -> Result<Option<Comment>, PublishError> {
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
        Ok(forge.comment(&answer.body))
    }

    async fn update(&self, comment: &Comment, body: &str) -> Result<(), PublishError> {
        let forge = self.place.forge;
        self.http
            .send(&Call {
                what: "changing the comment",
                class: CallClass::RepeatableWrite,
                method: forge.change_method(),
                path: forge.comment_path(&self.place.project_path, self.number, comment.id),
                query: Vec::new(),
                body: Some(&json!({ "body": body })),
            })
            .await?;
        Ok(())
    }

    /// The comment after this message.
    fn next(&self, there: &Body, message: &Message, base: Option<&str>, now: Timestamp) -> Body {
        let commit = message.commit.as_deref();
        match &message.about {
            About::Plan {
                text,
                digest,
                planned,
            } => {
                let into = self.place.into.as_deref().or(base);
                let record = Record {
                    digest: Some(digest.clone()),
                    commit: message.commit.clone(),
                    planned: *planned,
                    since: None,
                    latest: None,
                    into: into.map(word),
                    pushed_by: there.record.pushers(commit, self.place),
                };
                let known = !there.folded && there.record.shows_same(&record);
                let since = there.record.since.filter(|_| known).unwrap_or(now);
                // That it was applied stays true of the same plan.
                let applied = there.notice.as_deref().and_then(applied_line);
                Body {
                    notice: applied.filter(|_| known).map(str::to_owned),
                    plan: text.trim_end().to_owned(),
                    folded: false,
                    record: Record {
                        since: Some(since),
                        ..record
                    },
                }
            }
            About::Failure { text } => {
                let mut notice = text.trim_end().to_owned();
                if !there.plan.is_empty() {
                    notice.push_str("\n\n");
                    let applied = there.notice.as_deref().and_then(applied_line);
                    notice.push_str(&match applied {
                        // An apply before this one did.
                        Some(applied) if self.applies(message) => applied.to_owned(),
                        None if self.applies(message) => {
                            "**The plan below was not applied, or only in part.**".to_owned()
                        }
                        _ => below(there.record.commit.as_deref(), commit),
                    });
                }
                Body {
                    notice: Some(notice),
                    plan: there.plan.clone(),
                    folded: !self.applies(message) && !there.plan.is_empty(),
                    record: if self.applies(message) {
                        there.record.clone()
                    } else {
                        Record {
                            latest: message.commit.clone(),
                            pushed_by: there.record.pushers(commit, self.place),
                            ..there.record.clone()
                        }
                    },
                }
            }
            About::Receipt { .. } => there.clone(),
        }
    }
}

impl Applied {
    fn begins(self) -> String {
        match self {
            Self::InPart => IN_PART.to_owned(),
            Self::Waits => format!("{APPLIED}; a person has to authorize what waits"),
            Self::Whole => APPLIED.to_owned(),
        }
    }
}

/// What is said of the plan that stands below a failure.
fn below(shown: Option<&str>, failed: Option<&str>) -> String {
    match (shown, failed) {
        (Some(shown), Some(failed)) if shown == failed => {
            "**The plan below was made earlier, for the same commit.**".to_owned()
        }
        (Some(shown), _) => format!(
            "**The plan below is for an older commit, `{}`.**",
            crate::escape::commit(shown)
        ),
        (None, _) => "**The plan below is an older one.**".to_owned(),
    }
}

fn words(newer: &Newer, forge: Forge) -> String {
    match newer {
        Newer::Commit(commit) => {
            format!("it is of a newer commit, {}", crate::escape::commit(commit))
        }
        Newer::Run => "it is of a newer run".to_owned(),
        Newer::Merged => format!("the {} was merged with it", forge.request()),
        Newer::Queue => "this run is a merge queue's".to_owned(),
    }
}

/// An address that may stand in Markdown as it is.
fn link(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}

fn link_words(words: &str, url: &str) -> String {
    format!("[{words}](<{url}>)")
}
