//! Whose a token is, and so whose comments are the tool's own. One rule, for what is written to and
//! for what is believed.

use serde_json::{Value, json};

use super::{
    Forge, Place, PublishError,
    forge::Comment,
    http::{Call, Http, NoGraphQl},
};

/// Who writes with the token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Writer {
    login: String,
    pub(super) kind: Kind,
    /// The forge did not say who it is: good enough to write, not to believe.
    pub(super) is_assumed: bool,
}

/// Who that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An app, or the user of a project's token: no person writes as it.
    Program,
    /// A person, or what looks like one to the forge.
    Person,
    /// Whoever started the job.
    Starter,
}

impl Writer {
    /// Asks the forge.
    pub(super) async fn ask(http: &Http, place: &Place) -> Result<Self, PublishError> {
        let header = place.token.as_ref().map(|token| token.header);
        let starter = match place.forge {
            Forge::GitHub => false,
            Forge::GitLab => header == Some("job-token"),
        };
        // An app's token, a workflow's too, may not ask so.
        let refused_to_apps = match place.forge {
            Forge::GitHub => true,
            Forge::GitLab => false,
        };
        let path = if starter { "/job" } else { "/user" };
        let call = Call::get("asking whose token it is", path.to_owned());
        let user = match http.send(&call).await {
            Err(PublishError::Refused {
                status: 403 | 404, ..
            }) if refused_to_apps => return Ok(Self::of_app(http).await),
            Ok(answer) if starter => answer.body["user"].clone(),
            other => other?.body,
        };
        let (field, program) = match place.forge {
            Forge::GitHub => ("login", user["type"] == "Bot"),
            Forge::GitLab => ("username", user["bot"] == true),
        };
        match user[field].as_str() {
            Some(name) if !name.is_empty() => Ok(Self {
                login: name.to_owned(),
                is_assumed: false,
                kind: match (starter, program) {
                    (true, _) => Kind::Starter,
                    (false, true) => Kind::Program,
                    (false, false) => Kind::Person,
                },
            }),
            _ => Err(http.malformed(call.what, "it names no user")),
        }
    }

    /// The app's own name, else the name of a workflow's own token.
    async fn of_app(http: &Http) -> Self {
        let what = "asking whose token it is";
        let data = http
            .graphql(what, "query { viewer { login } }", &json!({}))
            .await;
        let name = data.as_ref().ok().and_then(|data| login(&data["viewer"]));
        // A server that has none answers nobody; one that has may answer again.
        let is_assumed = matches!(data, Err(NoGraphQl::Silent));
        let name = name.unwrap_or("github-actions[bot]");
        let plain = name.strip_suffix("[bot]").unwrap_or(name);
        Self {
            login: format!("{plain}[bot]"),
            is_assumed,
            kind: Kind::Program,
        }
    }

    /// Whether the comment is its own.
    pub(super) fn wrote(&self, comment: &Comment) -> bool {
        self.is(&comment.author)
    }

    pub(super) fn is(&self, login: &str) -> bool {
        self.login.eq_ignore_ascii_case(login)
    }
}

fn login(user: &Value) -> Option<&str> {
    user["login"].as_str().filter(|name| !name.is_empty())
}
