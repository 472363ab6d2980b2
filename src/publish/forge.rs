//! What tells GitHub from GitLab: names, paths, and the fields of their answers. Pure.
//!
//! GitHub: docs.github.com/rest/issues/comments, /rest/users, /rest/commits. GitLab:
//! docs.gitlab.com/api/notes, /api/users, /api/jobs, /api/commits.

use std::fmt;

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::request::Request;

/// Where pull or merge requests live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forge {
    /// github.com or GitHub Enterprise.
    GitHub,
    /// gitlab.com or self-hosted GitLab.
    GitLab,
}

impl fmt::Display for Forge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::GitHub => "GitHub",
            Self::GitLab => "GitLab",
        })
    }
}

/// A comment as the forge tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) body: String,
    /// The login of who wrote it.
    pub(super) author: String,
    pub(super) created: Option<Timestamp>,
    /// When it was changed last, or made.
    pub(super) updated: Option<Timestamp>,
    /// GitHub's other name for it.
    pub(super) node: Option<String>,
    pub(super) url: Option<String>,
}

/// An issue as the forge tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Issue {
    pub(super) number: u64,
    pub(super) body: String,
    pub(super) url: Option<String>,
    /// The login of who opened it.
    pub(super) author: String,
}

/// A pull or merge request as the forge tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// The newest commit of it.
    pub(super) head: Option<String>,
    pub(super) merged: bool,
    /// It is said to be closed, and not merged.
    pub(super) closed: bool,
    /// The login of who opened it.
    pub(super) author: Option<String>,
    /// How many commits it has, where the forge says so.
    pub(super) commits: Option<u64>,
    /// Logins of those who are asked for a review, again perhaps.
    pub(super) asked: Option<Vec<String>>,
    pub(super) url: Option<String>,
    /// The branch that it goes into.
    pub(super) base: Option<String>,
    /// The branch that it comes from.
    pub(super) source: Option<Source>,
}

/// A branch of a project, which may be a fork.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Source {
    /// By its path on GitHub, by its number on GitLab.
    pub(super) project: String,
    pub(super) branch: String,
}

impl Source {
    fn of(project: Option<String>, branch: Option<String>) -> Option<Self> {
        let (project, branch) = project.zip(branch)?;
        Some(Self { project, branch })
    }
}

impl Forge {
    /// Its word for what is commented on.
    pub fn request(self) -> &'static str {
        match self {
            Self::GitHub => "pull request",
            Self::GitLab => "merge request",
        }
    }

    pub(super) fn token_name(self) -> &'static str {
        match self {
            Self::GitHub => "GITHUB_TOKEN",
            Self::GitLab => "GITLAB_TOKEN",
        }
    }

    pub(super) fn token_help(self) -> &'static str {
        match self {
            Self::GitHub => {
                "set GITHUB_TOKEN; in a workflow: `GITHUB_TOKEN: ${{ github.token }}` and \
                 `permissions: pull-requests: write`. Runs for pull requests from forks only get \
                 a token that reads"
            }
            Self::GitLab => {
                "set GITLAB_TOKEN to a project access token with the scope `api`; a job's own token \
                 (CI_JOB_TOKEN) may not comment on most GitLab servers"
            }
        }
    }

    /// The path of a project's part of the API; `project` is encoded already.
    fn project_path(self, project: &str) -> String {
        match self {
            Self::GitHub => format!("/repos/{project}"),
            Self::GitLab => format!("/projects/{project}"),
        }
    }

    /// One request.
    pub(super) fn request_path(self, project: &str, number: u64) -> String {
        format!("{}/{number}", self.requests_path(project))
    }

    /// Reads one request.
    pub(super) fn facts(self, value: &Value) -> Facts {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match self {
            Self::GitHub => Facts {
                head: text(&value["head"]["sha"]),
                merged: is_merged(value),
                closed: value["state"] == "closed" && !is_merged(value),
                author: text(&value["user"]["login"]),
                commits: value["commits"].as_u64(),
                asked: value["requested_reviewers"].as_array().map(|people| {
                    let login = |person: &Value| text(&person["login"]);
                    people.iter().filter_map(login).collect()
                }),
                url: text(&value["html_url"]),
                base: text(&value["base"]["ref"]),
                source: Source::of(
                    text(&value["head"]["repo"]["full_name"]),
                    text(&value["head"]["ref"]),
                ),
            },
            Self::GitLab => Facts {
                head: text(&value["sha"]),
                merged: value["state"] == "merged",
                closed: value["state"] == "closed",
                author: text(&value["author"]["username"]),
                commits: None,
                asked: None,
                url: text(&value["web_url"]),
                base: text(&value["target_branch"]),
                source: Source::of(
                    value["source_project_id"].as_u64().map(|id| id.to_string()),
                    text(&value["source_branch"]),
                ),
            },
        }
    }

    /// The requests of a project.
    pub(super) fn requests_path(self, project: &str) -> String {
        let project = self.project_path(project);
        match self {
            Self::GitHub => format!("{project}/pulls"),
            Self::GitLab => format!("{project}/merge_requests"),
        }
    }

    /// One branch.
    pub(super) fn branch_path(self, project: &str, branch: &str) -> String {
        let project = self.project_path(project);
        let branch = crate::escape::percent(branch, b"-_");
        match self {
            Self::GitHub => format!("{project}/branches/{branch}"),
            Self::GitLab => format!("{project}/repository/branches/{branch}"),
        }
    }

    /// Its newest commit.
    pub(super) fn branch_head(self, value: &Value) -> Option<String> {
        let name = match self {
            Self::GitHub => "sha",
            Self::GitLab => "id",
        };
        value["commit"][name].as_str().map(str::to_owned)
    }

    /// The page of a comment, where the forge does not say it itself.
    pub(super) fn comment_page(self, request: Option<&str>, comment: &Comment) -> Option<String> {
        match (self, &comment.url) {
            (_, Some(url)) => Some(url.clone()),
            (Self::GitLab, None) => Some(format!("{}#note_{}", request?, comment.id)),
            (Self::GitHub, None) => None,
        }
    }

    /// The comments of a request: GET lists them, POST adds one.
    pub(super) fn comments_path(self, project: &str, number: u64) -> String {
        let project = self.project_path(project);
        match self {
            Self::GitHub => format!("{project}/issues/{number}/comments"),
            Self::GitLab => format!("{project}/merge_requests/{number}/notes"),
        }
    }

    /// One comment, to be changed.
    pub(super) fn comment_path(self, project: &str, number: u64, comment: u64) -> String {
        match self {
            Self::GitHub => {
                let project = self.project_path(project);
                format!("{project}/issues/comments/{comment}")
            }
            Self::GitLab => format!("{}/{comment}", self.comments_path(project, number)),
        }
    }

    /// The requests that a commit came with.
    pub(super) fn requests_of_path(self, project: &str, commit: &str) -> String {
        let project = self.project_path(project);
        match self {
            Self::GitHub => format!("{project}/commits/{commit}/pulls"),
            Self::GitLab => format!("{project}/repository/commits/{commit}/merge_requests"),
        }
    }

    /// How something that is there is changed.
    pub(super) fn change_method(self) -> Method {
        match self {
            Self::GitHub => Method::PATCH,
            Self::GitLab => Method::PUT,
        }
    }

    /// What lists comments from the oldest on.
    pub(super) fn oldest_first(self) -> &'static [(&'static str, &'static str)] {
        match self {
            // Comments of one issue come in no other order there.
            Self::GitHub => &[],
            Self::GitLab => &[("sort", "asc"), ("order_by", "created_at")],
        }
    }

    /// The open issues with this label.
    pub(super) fn issues_path(self, project: &str) -> String {
        format!("{}/issues", self.project_path(project))
    }

    /// What finds the open issues with a label.
    pub(super) fn open_with(self, label: &str) -> [(&'static str, &str); 2] {
        let open = match self {
            Self::GitHub => "open",
            Self::GitLab => "opened",
        };
        [("labels", label), ("state", open)]
    }

    /// Reads one issue; `None` for a pull request, which GitHub lists among them.
    pub(super) fn issue(self, value: &Value) -> Option<Issue> {
        let (number, body, url, author) = match self {
            Self::GitHub if value["pull_request"].is_object() => return None,
            Self::GitHub => ("number", "body", "html_url", &value["user"]["login"]),
            Self::GitLab => (
                "iid",
                "description",
                "web_url",
                &value["author"]["username"],
            ),
        };
        Some(Issue {
            number: value[number].as_u64()?,
            body: value[body].as_str().unwrap_or_default().to_owned(),
            url: value[url].as_str().map(str::to_owned),
            author: author.as_str().unwrap_or_default().to_owned(),
        })
    }

    /// A new issue.
    pub(super) fn new_issue(self, title: &str, body: &str, label: &str) -> Value {
        match self {
            Self::GitHub => json!({"title": title, "body": body, "labels": [label]}),
            Self::GitLab => json!({"title": title, "description": body, "labels": label}),
        }
    }

    /// Another text for an issue.
    pub(super) fn issue_text(self, body: &str) -> Value {
        match self {
            Self::GitHub => json!({ "body": body }),
            Self::GitLab => json!({ "description": body }),
        }
    }

    /// Closes an issue.
    pub(super) fn closed(self) -> Value {
        match self {
            Self::GitHub => json!({"state": "closed"}),
            Self::GitLab => json!({"state_event": "close"}),
        }
    }

    /// Where an issue's comments are made.
    pub(super) fn remarks_path(self, project: &str, number: u64) -> String {
        let issue = format!("{}/{number}", self.issues_path(project));
        match self {
            Self::GitHub => format!("{issue}/comments"),
            Self::GitLab => format!("{issue}/notes"),
        }
    }

    /// Reads one comment; `None` for what is none, such as GitLab's notes about events.
    pub(super) fn comment(self, value: &Value) -> Option<Comment> {
        let author = match self {
            Self::GitHub => &value["user"]["login"],
            Self::GitLab if value["system"] == true => return None,
            Self::GitLab => &value["author"]["username"],
        };
        Some(Comment {
            id: value["id"].as_u64()?,
            body: value["body"].as_str()?.to_owned(),
            author: author.as_str().unwrap_or_default().to_owned(),
            created: time(&value["created_at"]),
            updated: time(&value["updated_at"]),
            node: value["node_id"].as_str().map(str::to_owned),
            url: value["html_url"].as_str().map(str::to_owned),
        })
    }

    /// The request that a commit came with, out of all that hold it: the one that was merged as
    /// this commit, else the only one that was merged. One that went into another branch than `into`
    /// was judged by that one's rules.
    pub(super) fn merged_as(
        self,
        requests: &[Value],
        commit: &str,
        into: Option<&str>,
    ) -> Option<u64> {
        let is_there = |request: &&Value| match (self.facts(request).base.as_deref(), into) {
            (Some(base), Some(into)) => base == into,
            _ => true,
        };
        let merged: Vec<_> = requests
            .iter()
            .filter(is_there)
            .filter(|request| match self {
                Self::GitHub => request["merged_at"].is_string(),
                Self::GitLab => request["state"] == "merged",
            })
            .collect();
        let number = |request: &Value| match self {
            Self::GitHub => request["number"].as_u64(),
            Self::GitLab => request["iid"].as_u64(),
        };
        let exact = merged.iter().find(|request| {
            ["merge_commit_sha", "squash_commit_sha"]
                .iter()
                .any(|name| request[name] == commit)
        });
        match (exact, merged.as_slice()) {
            (Some(request), _) | (None, [request]) => number(request),
            _ => None,
        }
    }

    /// How a place is called: `owner/name#5`, `group/name!5`.
    pub(super) fn shown(self, project: &str, request: &Request) -> String {
        let sign = match self {
            Self::GitHub => '#',
            Self::GitLab => '!',
        };
        match request {
            Request::None => project.to_owned(),
            Request::Number(number) => format!("{project}{sign}{number}"),
            Request::OfCommit(commit) => {
                let commit = crate::escape::commit(commit);
                format!("the {} of {project} at commit {commit}", self.request())
            }
        }
    }
}

/// Whether GitHub says that a request was merged.
fn is_merged(request: &Value) -> bool {
    request["merged"] == true || request["merged_at"].is_string()
}

/// A time in an answer.
pub(super) fn time(value: &Value) -> Option<Timestamp> {
    value.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_of_a_commit_is_the_one_merged_as_it() {
        let github = [
            json!({"number": 1, "merged_at": null, "merge_commit_sha": "aa"}),
            json!({"number": 2, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": "bb"}),
            json!({"number": 3, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": "aa"}),
        ];
        assert_eq!(Forge::GitHub.merged_as(&github, "aa", None), Some(3));
        assert_eq!(
            Forge::GitHub.merged_as(&github, "cc", None),
            None,
            "two might be meant"
        );
        let gitlab = [json!({"iid": 9, "state": "merged", "squash_commit_sha": "dd"})];
        assert_eq!(Forge::GitLab.merged_as(&gitlab, "dd", None), Some(9));
        assert_eq!(
            Forge::GitLab.merged_as(&gitlab, "ee", None),
            Some(9),
            "the only one"
        );
        assert_eq!(Forge::GitLab.merged_as(&[], "ee", None), None);
        let loose = [json!({"iid": 9, "state": "merged", "target_branch": "loose"})];
        for (into, found) in [("loose", Some(9)), ("main", None)] {
            assert_eq!(Forge::GitLab.merged_as(&loose, "ee", Some(into)), found);
        }
    }

    #[test]
    fn notes_about_events_are_no_comments() {
        let note = json!({"id": 1, "body": "x", "system": true, "author": {"username": "u"}});
        assert_eq!(Forge::GitLab.comment(&note), None);
    }
}
