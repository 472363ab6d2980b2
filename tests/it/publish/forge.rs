//! Stand-ins of the forges' APIs, and a run of `comment` before them.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use connplan::fs::Visibility;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::scripted::{Reply, Scripted};

pub(crate) const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

pub(crate) const MARKER: &str = "<!-- connplan app=68a1b2c3d4e5f60718293a4b env=production -->";

pub(crate) fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(path)
}

/// A run of the binary in a folder of its own, without any variable but those given.
pub(crate) struct Run {
    pub(crate) home: TempDir,
    pub(crate) vars: Vec<(String, String)>,
}

impl Run {
    pub(crate) fn bare() -> Self {
        let home = crate::support::folder();
        let mut run = Self {
            home,
            vars: Vec::new(),
        };
        run.set("TERM", "dumb")
            .set("__CONNPLAN_TEST_RETRY_BASE_MS", "1");
        run
    }

    pub(crate) fn github(server: &Scripted) -> Self {
        let mut run = Self::bare();
        run.set("GITHUB_ACTIONS", "true")
            .set("GITHUB_API_URL", &server.url())
            .set("GITHUB_REPOSITORY", "octo/site")
            .set("GITHUB_REF", "refs/pull/5/merge")
            .set("GITHUB_EVENT_NAME", "pull_request")
            .set("GITHUB_TOKEN", "ghs_canary");
        run
    }

    pub(crate) fn gitlab(server: &Scripted) -> Self {
        let mut run = Self::bare();
        run.set("GITLAB_CI", "true")
            .set("CI_API_V4_URL", &format!("{}/api/v4", server.url()))
            .set("CI_PROJECT_ID", "12")
            .set("CI_PROJECT_PATH", "group/site")
            .set("CI_MERGE_REQUEST_IID", "3")
            .set("GITLAB_TOKEN", "glpat-canary");
        run
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.vars.retain(|(known, _)| known != name);
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub(crate) fn comment(&self, file: &str, args: &[&str]) -> Output {
        let out = Command::new(env!("CARGO_BIN_EXE_connplan"))
            .env_clear()
            .env("HOME", self.home.path())
            .envs(self.vars.iter().cloned())
            .current_dir(self.home.path())
            .arg("comment")
            .arg(fixture(file))
            .args(args)
            .output()
            .unwrap();
        let shown = format!("{}{}", text(&out.stdout), text(&out.stderr));
        assert!(!shown.contains("canary"), "{shown}");
        out
    }

    pub(crate) fn outcome(&self, file: &str, args: &[&str]) -> Value {
        let out = self.comment(file, &[args, &["--format", "json"]].concat());
        assert!(out.status.success(), "{}", text(&out.stderr));
        serde_json::from_slice(&out.stdout).unwrap()
    }
}

pub(crate) fn write(path: &Path, text: &str) {
    connplan::fs::write(path, text.as_bytes(), Visibility::Shared).unwrap();
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Comments that live in the stand-in, as both forges keep them.
#[derive(Clone, Default)]
pub(crate) struct Comments(pub(crate) Arc<Mutex<Vec<Value>>>);

impl Comments {
    pub(crate) fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn bodies(&self) -> Vec<String> {
        let body = |comment: Value| comment["body"].as_str().unwrap().to_owned();
        self.all().into_iter().map(body).collect()
    }

    pub(crate) fn add(&self, mut comment: Value) -> Value {
        let mut all = self.0.lock().unwrap();
        let id = 100 + all.len();
        comment["id"] = json!(id);
        comment["node_id"] = json!(format!("IC_{id}"));
        for time in ["created_at", "updated_at"] {
            if comment[time].is_null() {
                comment[time] = json!("2021-01-01T00:00:00Z");
            }
        }
        if let Some(url) = comment["html_url"].as_str() {
            comment["html_url"] =
                json!(url.replace("issuecomment-1", &format!("issuecomment-{id}")));
        }
        all.push(comment.clone());
        comment
    }

    /// As somebody changes what a forge keeps.
    pub(crate) fn edit(&self, edit: impl Fn(&mut Value)) {
        self.0.lock().unwrap().iter_mut().for_each(edit);
    }

    pub(crate) fn change(&self, id: u64, body: &Value) -> Value {
        let mut all = self.0.lock().unwrap();
        let comment = all.iter_mut().find(|c| c["id"] == id).unwrap();
        comment["body"] = body.clone();
        comment["updated_at"] = json!("2022-01-01T00:00:00Z");
        comment.clone()
    }
}

/// GitHub's part of the API, two comments to a page.
pub(crate) fn github() -> (Scripted, Comments) {
    let (server, comments) = (Scripted::start(), Comments::default());
    let list = comments.clone();
    let address = server.url();
    server.on_each("GET /repos/octo/site/issues/5/comments", move |seen| {
        let page: usize = query(&seen.query, "page").parse().unwrap();
        assert_eq!(query(&seen.query, "per_page"), "100");
        let all = list.all();
        let pages: Vec<_> = all.chunks(2).collect();
        let shown = pages.get(page - 1).copied().unwrap_or_default();
        let reply = Reply::json(200, &json!(shown));
        if page < pages.len() {
            let next = format!("<{address}/elsewhere?page={}>; rel=\"next\"", page + 1);
            reply.header("link", &next)
        } else {
            reply
        }
    });
    let made = comments.clone();
    server.on_each("POST /repos/octo/site/issues/5/comments", move |seen| {
        Reply::json(201, &made.add(of_bot(&seen.json()["body"])))
    });
    for id in 100..110 {
        let changed = comments.clone();
        server.on_each(
            &format!("PATCH /repos/octo/site/issues/comments/{id}"),
            move |seen| Reply::json(200, &changed.change(id, &seen.json()["body"])),
        );
    }
    let refused = json!({"message": "Resource not accessible by integration"});
    server.on("GET /user", [Reply::json(403, &refused)]);
    (server, comments)
}

pub(crate) fn of_bot(body: &Value) -> Value {
    json!({
        "body": body,
        "user": {"login": "github-actions[bot]", "type": "Bot"},
        "html_url": "https://github.example/octo/site/pull/5#issuecomment-1",
    })
}

pub(crate) fn gitlab() -> (Scripted, Comments) {
    let (server, comments) = (Scripted::start(), Comments::default());
    let notes = "/api/v4/projects/12/merge_requests/3/notes";
    let list = comments.clone();
    server.on_each(&format!("GET {notes}"), move |seen| {
        assert_eq!(query(&seen.query, "sort"), "asc");
        let page: usize = query(&seen.query, "page").parse().unwrap();
        let all = list.all();
        let pages: Vec<_> = all.chunks(2).collect();
        let shown = pages.get(page - 1).copied().unwrap_or_default();
        let next = if page < pages.len() {
            (page + 1).to_string()
        } else {
            String::new()
        };
        Reply::json(200, &json!(shown)).header("x-next-page", &next)
    });
    let made = comments.clone();
    server.on_each(&format!("POST {notes}"), move |seen| {
        Reply::json(
            201,
            &made.add(of_user("project_12_bot", &seen.json()["body"])),
        )
    });
    for id in 100..110 {
        let changed = comments.clone();
        server.on_each(&format!("PUT {notes}/{id}"), move |seen| {
            Reply::json(200, &changed.change(id, &seen.json()["body"]))
        });
    }
    let me = json!({"username": "project_12_bot"});
    server.on("GET /api/v4/user", [Reply::json(200, &me)]);
    (server, comments)
}

/// The issues of a stand-in, as both forges keep them.
pub(crate) fn issues(server: &Scripted, on_github: bool) -> Comments {
    let issues = Comments::default();
    let (base, number, change) = if on_github {
        ("/repos/octo/site/issues", "number", "PATCH")
    } else {
        ("/api/v4/projects/12/issues", "iid", "PUT")
    };
    let list = issues.clone();
    let open = if on_github { "open" } else { "opened" };
    server.on_each(&format!("GET {base}"), move |seen| {
        assert_eq!(query(&seen.query, "labels"), "connplan-drift");
        assert_eq!(query(&seen.query, "state"), open);
        let all = list.all().into_iter();
        let all: Vec<_> = all.filter(|issue| issue["state"] == "open").collect();
        Reply::json(200, &json!(all))
    });
    let made = issues.clone();
    server.on_each(&format!("POST {base}"), move |seen| {
        let mut issue = seen.json();
        issue["state"] = json!("open");
        issue[number] = json!(made.all().len() + 1);
        let (author, name, login) = if on_github {
            ("user", "login", "github-actions[bot]")
        } else {
            ("author", "username", "project_12_bot")
        };
        issue[author] = json!({ name: login });
        let mut all = made.0.lock().unwrap();
        all.push(issue.clone());
        Reply::json(201, &issue)
    });
    for at in 1..4 {
        let changed = issues.clone();
        server.on_each(&format!("{change} {base}/{at}"), move |seen| {
            let mut all = changed.0.lock().unwrap();
            let issue = &mut all[at - 1];
            for (name, value) in seen.json().as_object().unwrap() {
                issue[name] = value.clone();
            }
            if issue["state_event"] == "close" {
                issue["state"] = json!("closed");
            }
            Reply::json(200, issue)
        });
        let remarks = if on_github { "comments" } else { "notes" };
        let remarked = issues.clone();
        server.on_each(&format!("POST {base}/{at}/{remarks}"), move |seen| {
            let mut all = remarked.0.lock().unwrap();
            all[at - 1]["remark"] = seen.json()["body"].clone();
            Reply::json(201, &json!({"id": 1}))
        });
    }
    issues
}

pub(crate) fn of_user(name: &str, body: &Value) -> Value {
    json!({"body": body, "system": false, "author": {"username": name}})
}

pub(crate) fn query(query: &str, name: &str) -> String {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
