//! One issue that is open while something is the matter, and closed after.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Place, PublishError,
    forge::Issue,
    http::{Call, Http},
    marker::{bears, same},
    whose::Writer,
};
use crate::http::{CallClass, ClientOptions};

/// By it, by its first line and by its author an issue is found again.
const LABEL: &str = "connplan-drift";

/// What an issue says.
#[derive(Clone, Debug)]
pub struct IssueText {
    /// The line by which it is found again.
    pub marker: String,
    /// Its title.
    pub title: String,
    /// What is the matter, as Markdown; none where nothing is.
    pub text: Option<String>,
    /// What is said when it is closed.
    pub closing: String,
}

/// What became of the issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is new.
    Opened(Option<String>),
    /// It was open, and says something else now.
    Updated(Option<String>),
    /// It was open, and says just that.
    Unchanged(Option<String>),
    /// It was open, and nothing is the matter any more.
    Closed(Option<String>),
    /// There is none, and none is needed.
    None,
}

/// Opens, changes or closes the issue.
pub async fn keep_issue(
    place: &Place,
    issue: &IssueText,
    options: ClientOptions,
) -> Result<Kept, PublishError> {
    let http = Http::new(place, options)?;
    let keeper = Keeper { http: &http, place };
    let open = keeper.find(&issue.marker).await?;
    let body = issue.text.as_ref();
    let body = body.map(|text| format!("{}\n{}\n", issue.marker, text.trim_end()));
    match (body, open) {
        (None, None) => Ok(Kept::None),
        (Some(body), Some(open)) if same(&body, &open.body) => Ok(Kept::Unchanged(open.url)),
        (Some(body), Some(open)) => {
            let text = place.forge.issue_text(&body);
            keeper.change("changing the issue", &open, &text).await?;
            Ok(Kept::Updated(open.url))
        }
        (Some(body), None) => {
            let new = place.forge.new_issue(&issue.title, &body, LABEL);
            let path = place.forge.issues_path(&place.project_path);
            let made = keeper.post("opening the issue", path, &new).await?;
            Ok(Kept::Opened(place.forge.issue(&made).and_then(|i| i.url)))
        }
        (None, Some(open)) => {
            let remark = json!({ "body": issue.closing });
            let path = place.forge.remarks_path(&place.project_path, open.number);
            keeper
                .post("saying why the issue is closed", path, &remark)
                .await?;
            let closed = place.forge.closed();
            keeper.change("closing the issue", &open, &closed).await?;
            Ok(Kept::Closed(open.url))
        }
    }
}

struct Keeper<'a> {
    http: &'a Http,
    place: &'a Place,
}

impl Keeper<'_> {
    /// The oldest open issue that bears the label and the marker, and that the token's own user opened: its
    /// author may change it at any time, and with it what is reported there.
    async fn find(&self, marker: &str) -> Result<Option<Issue>, PublishError> {
        let forge = self.place.forge;
        let path = forge.issues_path(&self.place.project_path);
        let ours = |value: &Value| {
            let issue = forge.issue(value)?;
            bears(&issue.body, marker).then_some(issue)
        };
        let with_label = forge.open_with(LABEL);
        let found = self
            .http
            .list("reading the issues", path, &with_label, ours);
        let found = found.await?.items;
        // Both forges name an author, so nobody can make that go.
        let is_signed = |issue: &Issue| !issue.author.is_empty();
        let writer = if found.iter().any(is_signed) {
            Some(Writer::ask(self.http, self.place).await?)
        } else {
            None
        };
        let is_own = |issue: &Issue| {
            let writer = writer.as_ref().filter(|_| is_signed(issue));
            writer.is_none_or(|writer| writer.is(&issue.author))
        };
        let own = found.into_iter().filter(is_own);
        Ok(own.min_by_key(|issue| issue.number))
    }

    async fn post(
        &self,
        what: &'static str,
        path: String,
        body: &Value,
    ) -> Result<Value, PublishError> {
        self.send(what, Method::POST, CallClass::CheckFirst, path, body)
            .await
    }

    async fn change(
        &self,
        what: &'static str,
        issue: &Issue,
        body: &Value,
    ) -> Result<(), PublishError> {
        let forge = self.place.forge;
        let path = forge.issues_path(&self.place.project_path);
        let path = format!("{path}/{}", issue.number);
        self.send(
            what,
            forge.change_method(),
            CallClass::RepeatableWrite,
            path,
            body,
        )
        .await?;
        Ok(())
    }

    async fn send(
        &self,
        what: &'static str,
        method: Method,
        class: CallClass,
        path: String,
        body: &Value,
    ) -> Result<Value, PublishError> {
        let call = Call {
            what,
            class,
            method,
            path,
            query: Vec::new(),
            body: Some(body),
        };
        Ok(self.http.send(&call).await?.body)
    }
}
