//! Which pull or merge request a run belongs to, from the variables of its runner. Pure.

use std::fmt;

use serde_json::Value;

use super::{
    Forge, PublishError,
    person::{Account, is_program},
    request::Request,
};
use crate::model::{
    ApiUrl, Secret, Vars, base_branch, is_no_push, is_request, pushed_branch, pusher,
    requests_of_run,
};

/// A pull or merge request, and what is needed to comment on it.
#[derive(Clone)]
pub struct Place {
    pub(super) forge: Forge,
    pub(super) api: ApiUrl,
    /// As people write it.
    project: String,
    /// As it stands in a path.
    pub(super) project_path: String,
    pub(super) request: Request,
    pub(super) token: Option<Token>,
    /// The run is a merge queue's: its commit is one that the forge made up.
    pub(super) queue: bool,
    /// The branch that the request goes into, or that was pushed, as the run is told.
    pub(super) into: Option<String>,
    /// Who pushed the request's newest commit, as the run is told.
    pub(super) pushed_by: Option<Account>,
    /// The run knows that nobody pushed by what started it.
    pub(super) no_push: bool,
    /// The request is one of this commit, and nothing says that the run is for it.
    pub(super) guessed: bool,
}

/// A token and how it is sent.
#[derive(Clone, Debug)]
pub(super) struct Token {
    /// The variable.
    pub(super) name: &'static str,
    pub(super) header: &'static str,
    pub(super) prefix: &'static str,
    pub(super) secret: Secret,
}

/// What the command line says about the place.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--repo`.
    pub repo: Option<String>,
    /// `--pr`.
    pub number: Option<u64>,
}

impl fmt::Display for Place {
    /// `GitHub owner/name#5`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.forge.shown(&self.project, &self.request);
        write!(f, "{} {shown}", self.forge)
    }
}

impl Place {
    /// Looks at the variables. `event` is the content of the file that `GITHUB_EVENT_PATH` names.
    pub fn find(
        vars: &Vars,
        overrides: &Overrides,
        event: Option<&Value>,
    ) -> Result<Self, PublishError> {
        let (place, request) = Self::look(vars, overrides, event)?;
        let request = request?;
        // Of another request than its own, a run is told nothing.
        let own = overrides.number.is_none() && overrides.repo.is_none()
            || match Self::look(vars, &Overrides::default(), event) {
                Ok((told, Ok(told_request))) => {
                    told.project_path == place.project_path && told_request == request
                }
                _ => false,
            };
        let into = match &request {
            _ if !own => None,
            Request::OfCommit(_) => pushed_branch(vars, event),
            Request::Number(_) | Request::None => base_branch(vars, event).map(str::to_owned),
        };
        let listed = || event.is_some_and(|event| !requests_of_run(event).is_empty());
        // A program pushes for whoever has it do so, and may be called as a person is.
        let sender = event.map_or(&Value::Null, |event| &event["sender"]);
        let pusher = pusher(vars, event);
        let by_program = pusher.is_some_and(|(name, _)| {
            let told = if sender["login"] == name {
                sender
            } else {
                &Value::Null
            };
            is_program(place.forge, told, name)
        });
        let pushed_by = pusher
            .filter(|_| own && !by_program)
            .map(|(name, id)| Account::of(name, id));
        Ok(Self {
            request,
            into,
            pushed_by,
            no_push: !own || by_program || is_no_push(vars, event),
            guessed: own && !is_request(vars, event) && listed(),
            ..place
        })
    }

    /// The project alone, for a run that is for no request.
    pub fn of_project(vars: &Vars) -> Result<Self, PublishError> {
        Self::alone(vars, &Overrides::default())
    }

    /// The project that has the branches by which a run goes: of a fork's merge request, the one that it
    /// goes into.
    pub(super) fn of_target(vars: &Vars) -> Result<Self, PublishError> {
        let target = vars.get("CI_MERGE_REQUEST_PROJECT_ID");
        let target = target.filter(|_| forge(vars) == Some(Forge::GitLab));
        let repo = target.map(str::to_owned);
        Self::alone(vars, &Overrides { repo, number: None })
    }

    fn alone(vars: &Vars, overrides: &Overrides) -> Result<Self, PublishError> {
        match Self::look(vars, overrides, None) {
            Ok((place, _)) => Ok(place),
            Err(PublishError::NoForge) => Err(PublishError::NoProject),
            Err(error) => Err(error),
        }
    }

    fn look(
        vars: &Vars,
        overrides: &Overrides,
        event: Option<&Value>,
    ) -> Result<Looked, PublishError> {
        match forge(vars) {
            Some(Forge::GitHub) => github(vars, overrides, event),
            Some(Forge::GitLab) => gitlab(vars, overrides),
            None => Err(PublishError::NoForge),
        }
    }
}

/// The project, and which request of it the run is for.
type Looked = (Place, Result<Request, PublishError>);

/// A runner says who it is; elsewhere a token or an address does.
fn forge(vars: &Vars) -> Option<Forge> {
    let any = |names: &[&str]| names.iter().any(|name| vars.get(name).is_some());
    if any(&["GITHUB_ACTIONS"]) {
        Some(Forge::GitHub)
    } else if any(&["GITLAB_CI", "CI_API_V4_URL", "CI_PROJECT_ID"]) {
        Some(Forge::GitLab)
    } else if any(&["GITHUB_REPOSITORY", "GITHUB_TOKEN", "GH_TOKEN"]) {
        Some(Forge::GitHub)
    } else if any(&["GITLAB_TOKEN"]) {
        Some(Forge::GitLab)
    } else {
        None
    }
}

fn github(
    vars: &Vars,
    overrides: &Overrides,
    event: Option<&Value>,
) -> Result<Looked, PublishError> {
    let api = vars
        .get("GITHUB_API_URL")
        .unwrap_or("https://api.github.com");
    let project = overrides
        .repo
        .as_deref()
        .or_else(|| vars.get("GITHUB_REPOSITORY"))
        .ok_or(setting("GITHUB_REPOSITORY", REPOSITORY))?;
    if !is_repository(project) {
        let name = match overrides.repo {
            Some(_) => "--repo",
            None => "GITHUB_REPOSITORY",
        };
        return Err(setting(name, REPOSITORY));
    }
    let number = overrides
        .number
        .or_else(|| number_in_ref(vars.get("GITHUB_REF")?))
        .or_else(|| number_in_queue(vars.get("GITHUB_REF")?))
        .or_else(|| number_in_event(event?));
    let pushed = vars.get("GITHUB_EVENT_NAME") == Some("push");
    let token = ["GITHUB_TOKEN", "GH_TOKEN"].into_iter().find_map(|name| {
        Some(Token {
            name,
            header: "authorization",
            prefix: "Bearer ",
            secret: Secret::new(vars.get(name)?),
        })
    });
    let place = Place {
        forge: Forge::GitHub,
        api: address("GITHUB_API_URL", api)?,
        project: project.to_owned(),
        project_path: project.to_owned(),
        request: Request::None,
        into: None,
        pushed_by: None,
        no_push: false,
        guessed: false,
        token,
        queue: vars.get("GITHUB_EVENT_NAME") == Some("merge_group"),
    };
    let request = request(Forge::GitHub, number, vars.get("GITHUB_SHA"), pushed);
    Ok((place, request))
}

fn gitlab(vars: &Vars, overrides: &Overrides) -> Result<Looked, PublishError> {
    let api = match (vars.get("CI_API_V4_URL"), vars.get("CI_SERVER_URL")) {
        (Some(api), _) => api.to_owned(),
        (None, Some(server)) => format!("{}/api/v4", server.trim_end_matches('/')),
        (None, None) => "https://gitlab.com/api/v4".to_owned(),
    };
    let id = overrides
        .repo
        .as_deref()
        .or_else(|| vars.get("CI_PROJECT_ID"))
        .ok_or(setting("CI_PROJECT_ID", "set"))?;
    let shown = match overrides.repo {
        Some(_) => id,
        None => vars.get("CI_PROJECT_PATH").unwrap_or(id),
    };
    let number = match vars.get("CI_MERGE_REQUEST_IID") {
        _ if overrides.number.is_some() => overrides.number,
        Some(iid) => {
            let number = iid.parse().ok();
            Some(number.ok_or(setting("CI_MERGE_REQUEST_IID", "a number"))?)
        }
        None => None,
    };
    let pushed = vars.get("CI_PIPELINE_SOURCE") == Some("push");
    let tokens = [
        ("GITLAB_TOKEN", "private-token"),
        ("CI_JOB_TOKEN", "job-token"),
    ];
    let token = tokens.into_iter().find_map(|(name, header)| {
        Some(Token {
            name,
            header,
            prefix: "",
            secret: Secret::new(vars.get(name)?),
        })
    });
    let place = Place {
        forge: Forge::GitLab,
        api: address("CI_API_V4_URL", &api)?,
        project: crate::escape::limited(shown, 100),
        project_path: encode(id),
        request: Request::None,
        into: None,
        pushed_by: None,
        no_push: false,
        guessed: false,
        token,
        queue: vars.get("CI_MERGE_REQUEST_EVENT_TYPE") == Some("merge_train"),
    };
    let request = request(Forge::GitLab, number, vars.get("CI_COMMIT_SHA"), pushed);
    Ok((place, request))
}

const REPOSITORY: &str = "a repository as OWNER/NAME";

fn setting(name: &'static str, expected: &'static str) -> PublishError {
    PublishError::Setting { name, expected }
}

fn address(name: &'static str, text: &str) -> Result<ApiUrl, PublishError> {
    let api =
        ApiUrl::parse_with_path(text).map_err(|_| setting(name, "the https address of an API"))?;
    if api.is_private() {
        Ok(api)
    } else {
        Err(PublishError::Insecure {
            address: api.to_string(),
        })
    }
}

fn request(
    forge: Forge,
    number: Option<u64>,
    commit: Option<&str>,
    pushed: bool,
) -> Result<Request, PublishError> {
    let is_commit = |text: &&str| {
        (40..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit())
    };
    match (number, commit.filter(is_commit)) {
        (Some(number), _) => Ok(Request::Number(number)),
        (None, Some(commit)) if pushed => Ok(Request::OfCommit(commit.to_owned())),
        (None, _) => Err(PublishError::NoRequest {
            forge,
            why: "this run belongs to none".to_owned(),
        }),
    }
}

/// Two path segments of the characters that GitHub allows in names, neither of them `.` or `..`.
fn is_repository(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let is_name = |name: &str| name.bytes().all(plain) && name.bytes().any(|b| b != b'.');
    match text.split_once('/') {
        Some((owner, name)) => is_name(owner) && is_name(name),
        None => false,
    }
}

/// `refs/pull/5/merge`.
fn number_in_ref(reference: &str) -> Option<u64> {
    let rest = reference.strip_prefix("refs/pull/")?;
    rest.split('/').next()?.parse().ok()
}

/// `refs/heads/gh-readonly-queue/main/pr-5-0123abc…`; the branch may hold slashes.
fn number_in_queue(reference: &str) -> Option<u64> {
    let rest = reference.strip_prefix("refs/heads/gh-readonly-queue/")?;
    let (_, last) = rest.rsplit_once('/')?;
    let (number, commit) = last.strip_prefix("pr-")?.split_once('-')?;
    let is_commit = commit.bytes().all(|b| b.is_ascii_hexdigit());
    is_commit.then(|| number.parse().ok())?
}

/// Of a `pull_request` event, a comment on a pull request, or a run that was started by one.
fn number_in_event(event: &Value) -> Option<u64> {
    let direct = event["pull_request"]["number"].as_u64();
    let commented = || {
        let issue = &event["issue"];
        issue["pull_request"]
            .is_object()
            .then(|| issue["number"].as_u64())?
    };
    let started = || match requests_of_run(event).as_slice() {
        [only] => only["number"].as_u64(),
        _ => None,
    };
    direct.or_else(commented).or_else(started)
}

/// Of a run that another one started, which was for a request from a fork: where that came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// `owner/name`.
    pub(super) repository: String,
    pub(super) owner: String,
    pub(super) branch: String,
}

impl Head {
    pub(super) fn of_event(event: &Value) -> Option<Self> {
        let run = &event["workflow_run"];
        let from = &run["head_repository"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Some(Self {
            repository: text(&from["full_name"])?,
            owner: text(&from["owner"]["login"])?,
            branch: text(&run["head_branch"])?,
        })
    }

    /// Whether a request is from there. The forge ignores a filter that it does not understand.
    pub(super) fn is_of(&self, request: &Value) -> bool {
        let head = &request["head"];
        head["ref"] == *self.branch && head["repo"]["full_name"] == *self.repository
    }
}

/// A project's path as one segment of a path.
pub(super) fn encode(text: &str) -> String {
    crate::escape::percent(text, b"-_")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const GITHUB: [(&str, &str); 3] = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_REF", "refs/heads/main"),
    ];

    fn found(more: &[(&str, &str)], event: &Value) -> Result<Place, PublishError> {
        let all = [GITHUB.as_slice(), more].concat();
        Place::find(&Vars::of(&all), &Overrides::default(), Some(event))
    }

    #[test]
    fn a_run_knows_its_pull_request_in_several_ways() {
        let none = json!({});
        let queue = "refs/heads/gh-readonly-queue/release/1/pr-7-0123abc";
        for (more, event) in [
            (&[("GITHUB_REF", "refs/pull/7/merge")][..], &none),
            (&[("GITHUB_REF", queue)], &none),
            (&[], &json!({"pull_request": {"number": 7}})),
            (&[], &json!({"issue": {"number": 7, "pull_request": {}}})),
            (
                &[],
                &json!({"workflow_run": {"pull_requests": [{"number": 7}]}}),
            ),
        ] {
            let place = found(more, event).unwrap();
            assert_eq!(place.to_string(), "GitHub o/r#7", "{event}");
        }
        for event in [
            none,
            json!({"issue": {"number": 7}}),
            json!({"workflow_run": {"pull_requests": [{"number": 7}, {"number": 8}]}}),
        ] {
            assert!(matches!(
                found(&[], &event),
                Err(PublishError::NoRequest { .. })
            ));
        }
    }

    #[test]
    fn after_a_merge_the_commit_leads_to_it() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        let push = [("GITHUB_EVENT_NAME", "push"), ("GITHUB_SHA", sha)];
        let place = found(&push, &json!({})).unwrap();
        assert_eq!(place.request, Request::OfCommit(sha.to_owned()));
        let schedule = [("GITHUB_EVENT_NAME", "schedule"), ("GITHUB_SHA", sha)];
        assert!(found(&schedule, &json!({})).is_err());
    }

    #[test]
    fn own_servers_keep_their_addresses() {
        let event = json!({"pull_request": {"number": 7}});
        let api = ("GITHUB_API_URL", "https://ghe.example.com/api/v3/");
        let place = found(&[api], &event).unwrap();
        assert_eq!(place.api.as_str(), "https://ghe.example.com/api/v3");
        let plain = ("GITHUB_API_URL", "http://ghe.example.com/api/v3");
        assert!(matches!(
            found(&[plain], &event),
            Err(PublishError::Insecure { .. })
        ));
        let gitlab = Vars::of(&[
            ("GITLAB_CI", "true"),
            ("CI_SERVER_URL", "https://git.example.com/gitlab/"),
            ("CI_PROJECT_ID", "12"),
            ("CI_PROJECT_PATH", "g/sub/p"),
            ("CI_MERGE_REQUEST_IID", "3"),
        ]);
        let place = Place::find(&gitlab, &Overrides::default(), None).unwrap();
        assert_eq!(place.api.as_str(), "https://git.example.com/gitlab/api/v4");
        assert_eq!(place.to_string(), "GitLab g/sub/p!3");
        let overrides = Overrides {
            repo: Some("g/../p".to_owned()),
            number: Some(4),
        };
        let place = Place::find(&gitlab, &overrides, None).unwrap();
        assert_eq!(place.project_path, "g%2F%2E%2E%2Fp");
    }

    #[test]
    fn a_repository_is_two_plain_names() {
        assert!(is_repository("an-owner/.github"));
        for bad in ["", "o", "o/", "/r", "o/..", "o/r/x", "o/r?x", "o/r r"] {
            assert!(!is_repository(bad), "{bad}");
        }
    }
}
