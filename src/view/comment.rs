//! What became of a comment.

use serde::Serialize;

pub use super::json::AppName;
use super::{Format, Medium, json::pretty, report::FORMAT_VERSION};
use crate::{
    publish::{PublishError, Published},
    term::Terminal,
};

/// What was commented with.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The app that it is about.
    pub apps: &'a [AppName],
    /// The digest of the plan or receipt; none of a failure.
    pub digest: Option<&'a str>,
    /// Whether it changes, or changed, anything.
    pub has_changes: bool,
    /// Its file, where that has a name that can be written down.
    pub file: Option<&'a str>,
}

/// What `comment --format json` prints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommentReport {
    /// The version of this shape.
    pub format_version: &'static str,
    /// Always `comment`.
    pub kind: &'static str,
    /// The app that it is about.
    pub apps: Vec<AppName>,
    /// `created`, `updated`, `unchanged`, `left_alone` (it is newer than what was to be said),
    /// `skipped` (nothing to say, and nothing there), `failed` or `dry_run`; null with `--summary-only`.
    pub outcome: Option<&'static str>,
    /// The comment's page, where there is one and the server names it.
    pub url: Option<String>,
    /// Why it failed, or was left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The digest of the plan or receipt; null of a failure.
    pub digest: Option<String>,
    /// Whether it changes, or changed, anything.
    pub has_changes: bool,
    /// The comment that would be made, of `--dry-run`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Its file.
    #[serde(skip)]
    file: Option<String>,
}

impl CommentReport {
    /// Reports.
    pub fn new(facts: &Facts<'_>, published: Option<&Result<Published, PublishError>>) -> Self {
        let (outcome, url) = match published {
            None => (None, None),
            Some(Ok(Published::Created { url })) => (Some("created"), url.clone()),
            Some(Ok(Published::Updated { url })) => (Some("updated"), url.clone()),
            Some(Ok(Published::Unchanged { url })) => (Some("unchanged"), url.clone()),
            Some(Ok(Published::LeftAlone { url, .. })) => (Some("left_alone"), url.clone()),
            Some(Ok(Published::Skipped)) => (Some("skipped"), None),
            Some(Err(_)) => (Some("failed"), None),
        };
        let message = match published {
            Some(Err(error)) => Some(error.to_string()),
            Some(Ok(Published::LeftAlone { why, .. })) => Some(why.clone()),
            _ => None,
        };
        Self {
            format_version: FORMAT_VERSION,
            kind: "comment",
            apps: facts.apps.to_vec(),
            outcome,
            url,
            message,
            digest: facts.digest.map(str::to_owned),
            has_changes: facts.has_changes,
            body: None,
            file: facts.file.map(str::to_owned),
        }
    }

    /// The comment that would be made, and nothing was sent.
    pub fn dry_run(facts: &Facts<'_>, body: String) -> Self {
        Self {
            outcome: Some("dry_run"),
            body: Some(body),
            ..Self::new(facts, None)
        }
    }

    /// Prints it: the document, or on standard error what a person reads. A failure is told to a person
    /// by whoever ends the run with it.
    pub fn show(&self, medium: &Medium<'_>, terminal: &Terminal) {
        match medium.format {
            Format::Json => terminal.out(&pretty(self)),
            _ if self.outcome == Some("failed") => {}
            _ => match &self.body {
                Some(body) => terminal.verbatim(body),
                None => terminal.say(&self.text()),
            },
        }
    }

    /// What a later step of a workflow may want to know.
    pub fn outputs(&self) -> Vec<(&'static str, &str)> {
        let mut outputs = Vec::new();
        if let Some(digest) = &self.digest {
            outputs.push(("digest", digest.as_str()));
            let changes = if self.has_changes { "true" } else { "false" };
            outputs.push(("has-changes", changes));
        }
        outputs.extend(self.file.as_deref().map(|file| ("file", file)));
        outputs.extend(self.outcome.map(|outcome| ("comment", outcome)));
        outputs.extend(self.url.as_deref().map(|url| ("comment-url", url)));
        outputs
    }

    /// One line for a person.
    fn text(&self) -> String {
        let what = match self.outcome {
            Some("created") => "Made the comment",
            Some("updated") => "Updated the comment",
            Some("unchanged") => "The comment is up to date",
            Some("left_alone") => {
                let why = self.message.as_deref().unwrap_or("it is newer");
                let text = format!("Left the comment alone: {}", crate::escape::terminal(why));
                return match &self.url {
                    Some(url) => format!("{text}: {}", crate::escape::terminal(url)),
                    None => format!("{text}."),
                };
            }
            Some("skipped") => "Nothing changes, and there is no comment to update",
            Some(_) => "No comment was made",
            None => "No comment was requested",
        };
        match &self.url {
            Some(url) => format!("{what}: {}", crate::escape::terminal(url)),
            None => format!("{what}."),
        }
    }
}
