//! The comment speaks of the newest commit, whatever runs end in which order: on both forges.

use std::fs;

use serde_json::{Value, json};

use super::{
    forge::{Comments, github, gitlab},
    reviews::number,
};
use crate::support::{
    Platform, Project, all_cases, reads, sample,
    scripted::{Reply, Scripted},
};

/// A forge's stand-in, a project, and its app.
pub(crate) struct Shop {
    pub(crate) server: Scripted,
    pub(crate) comments: Comments,
    pub(crate) project: Project,
    pub(crate) platform: Platform,
    pub(crate) github: bool,
    /// Who pushed the commit that a run for the request is of.
    pub(crate) pusher: &'static str,
    /// What starts such a run on GitHub.
    pub(crate) action: &'static str,
}

/// A commit's whole name.
pub(crate) fn sha(letter: char) -> String {
    letter.to_string().repeat(40)
}

/// On GitHub, or on GitLab.
pub(crate) fn shop(on_github: bool) -> Shop {
    let (server, comments) = if on_github { github() } else { gitlab() };
    let platform = Platform::start();
    let project = Project::new()
        .at(&platform)
        .connector("slack", &["chat:write"])
        .var("CI", "true");
    let project = if on_github {
        project
            .var("GITHUB_ACTIONS", "true")
            .var("GITHUB_API_URL", &server.url())
            .var("GITHUB_SERVER_URL", "https://github.example")
            .var("GITHUB_REPOSITORY", "octo/site")
            .var("GITHUB_TOKEN", "ghs_canary")
    } else {
        project
            .var("GITLAB_CI", "true")
            .var("CI_API_V4_URL", &format!("{}/api/v4", server.url()))
            .var("CI_PROJECT_ID", "12")
            .var("CI_PROJECT_PATH", "group/site")
            .var("GITLAB_TOKEN", "glpat-canary")
    };
    Shop {
        server,
        comments,
        project,
        platform,
        github: on_github,
        pusher: "ann",
        action: "synchronize",
    }
}

pub(crate) fn shops() -> Vec<Shop> {
    [true, false].map(shop).into()
}

/// Both, or one by turns where not everything is tried.
pub(crate) fn shops_by_turns(turn: usize) -> Vec<Shop> {
    let both = [true, false].into_iter();
    sample(both.skip(if all_cases() { 0 } else { turn }), 2)
        .map(shop)
        .collect()
}

impl Shop {
    /// The request's newest commit, as the forge tells it.
    pub(crate) fn head(&self, commit: char, merged: bool) {
        let (route, request) = if self.github {
            let request = json!({
                "number": 5, "merged": merged, "head": {"sha": sha(commit)},
                "user": {"login": "ann"}, "html_url": "https://github.example/octo/site/pull/5",
                "requested_reviewers": [], "commits": 1,
            });
            ("GET /repos/octo/site/pulls/5", request)
        } else {
            let state = if merged { "merged" } else { "opened" };
            let request = json!({
                "iid": 3, "state": state, "sha": sha(commit), "author": {"username": "ann"},
                "web_url": "https://gitlab.example/group/site/-/merge_requests/3",
            });
            ("GET /api/v4/projects/12/merge_requests/3", request)
        };
        self.server.on(route, [Reply::json(200, &request)]);
    }

    /// What a run for the request knows.
    pub(crate) fn run(&self, commit: char, run: u32, args: &[&str]) -> crate::support::Output {
        let (commit, run) = (sha(commit), run.to_string());
        if self.github {
            let event = self.project.path("../event.json");
            let text = json!({
                "action": self.action, "sender": {"login": self.pusher, "id": number(self.pusher)},
                "pull_request": {"number": 5, "head": {"sha": commit}},
            });
            fs::write(&event, text.to_string()).unwrap();
            let event = event.display().to_string();
            let vars = [
                ("GITHUB_EVENT_NAME", "pull_request"),
                ("GITHUB_EVENT_PATH", &*event),
                ("GITHUB_REF", "refs/pull/5/merge"),
                ("GITHUB_SHA", "0123456789012345678901234567890123456789"),
                ("GITHUB_RUN_ID", &*run),
            ];
            self.project.run_vars(&vars, args)
        } else {
            let url = format!("https://gitlab.example/group/site/-/pipelines/{run}");
            let id = number(self.pusher).to_string();
            let vars = [
                ("GITLAB_USER_ID", id.as_str()),
                ("CI_PIPELINE_SOURCE", "merge_request_event"),
                ("CI_MERGE_REQUEST_IID", "3"),
                ("GITLAB_USER_LOGIN", self.pusher),
                ("CI_COMMIT_SHA", "0123456789012345678901234567890123456789"),
                ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", &*commit),
                ("CI_PIPELINE_URL", &*url),
            ];
            self.project.run_vars(&vars, args)
        }
    }

    /// A plan that was commented, merged, applied and told of.
    fn applied(&self) {
        self.merged();
        let apply = ["apply", "a1.plan", "--receipt", "done.receipt"];
        self.after_merge('f', &apply).expect(0);
        self.after_merge('f', &["comment", "done.receipt"])
            .expect(0);
    }

    /// A plan that was commented, and merged.
    fn merged(&self) {
        self.head('a', false);
        self.plan('a', 1);
        self.head('a', true);
    }

    /// An apply of it that is refused, and told of.
    fn refused(&self) {
        let other = "ab".repeat(32);
        let apply = ["apply", "a1.plan", "--expect-digest", &other];
        let refused = self.after_merge('f', &[&apply[..], &["--format", "json"]].concat());
        refused.expect(3);
        self.project.write("error.json", &refused.stdout);
        self.after_merge('f', &["comment", "--failed", "error.json"])
            .expect(0);
    }

    /// What a run after the merge knows.
    pub(crate) fn after_merge(&self, commit: char, args: &[&str]) -> crate::support::Output {
        self.after_merge_vars(commit, &[], args)
    }

    /// The same with these variables.
    pub(crate) fn after_merge_vars(
        &self,
        commit: char,
        more: &[(&str, &str)],
        args: &[&str],
    ) -> crate::support::Output {
        let commit = sha(commit);
        let (route, found) = if self.github {
            (
                format!("GET /repos/octo/site/commits/{commit}/pulls"),
                json!([{"number": 5, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": commit}]),
            )
        } else {
            (
                format!("GET /api/v4/projects/12/repository/commits/{commit}/merge_requests"),
                json!([{"iid": 3, "state": "merged", "merge_commit_sha": commit}]),
            )
        };
        self.server.on(&route, [Reply::json(200, &found)]);
        let vars = if self.github {
            [
                ("GITHUB_EVENT_NAME", "push"),
                ("GITHUB_SHA", &*commit),
                ("GITHUB_RUN_ID", "9"),
            ]
        } else {
            [
                ("CI_PIPELINE_SOURCE", "push"),
                ("CI_COMMIT_SHA", &*commit),
                (
                    "CI_PIPELINE_URL",
                    "https://gitlab.example/group/site/-/pipelines/9",
                ),
            ]
        };
        self.project.run_vars(&[&vars[..], more].concat(), args)
    }

    /// Plans and comments in one run; what became of the comment.
    pub(crate) fn plan(&self, commit: char, run: u32) -> String {
        let file = format!("{commit}{run}.plan");
        self.run(commit, run, &["plan", "--out", &file]).expect(0);
        self.comment(commit, run, &[&file])
    }

    pub(crate) fn comment(&self, commit: char, run: u32, args: &[&str]) -> String {
        let args = [&["comment", "--format", "json"], args].concat();
        let report = self.run(commit, run, &args).expect(0).json();
        report["outcome"].as_str().unwrap().to_owned()
    }

    pub(crate) fn only(&self) -> String {
        let [body] = self.comments.bodies().try_into().unwrap();
        body
    }
}

#[test]
fn a_run_of_an_older_commit_leaves_the_newer_comment_alone() {
    let (mut bodies, mut said) = (Vec::new(), Vec::new());
    for shop in shops() {
        shop.head('a', false);
        assert_eq!(shop.plan('a', 1), "created");
        bodies.push(shop.only());

        shop.project.declare("gmail", &["https://mail.google.com/"]);
        shop.head('b', false);
        assert_eq!(shop.plan('b', 2), "updated");
        let newer = shop.only();
        bodies.push(newer.clone());

        // The first run again.
        shop.project.undeclare("gmail");
        assert_eq!(shop.plan('a', 1), "left_alone");
        assert_eq!(shop.only(), newer);
        said.push(shop.run('a', 1, &["comment", "a1.plan"]));

        // And after the merge nothing is planned on it any more.
        shop.head('b', true);
        assert_eq!(shop.plan('b', 3), "left_alone");
        assert_eq!(shop.only(), newer);
    }
    reads!(bodies);
    reads!(said, @"
    exit 0: connplan comment a1.plan
    --- stderr
    Left the comment alone: it is of a newer commit, bbbbbbb: https://github.example/octo/site/pull/5#issuecomment-100

    exit 0: connplan comment a1.plan
    --- stderr
    Left the comment alone: it is of a newer commit, bbbbbbb: https://gitlab.example/group/site/-/merge_requests/3#note_100
    ");
}

#[test]
fn of_two_runs_of_one_commit_the_later_plan_stays() {
    for shop in shops() {
        shop.head('a', false);
        shop.run('a', 1, &["plan", "--out", "first.plan"]).expect(0);
        std::thread::sleep(std::time::Duration::from_millis(1100));
        shop.project
            .declare("slack", &["chat:write", "channels:read"]);
        shop.run('a', 2, &["plan", "--out", "second.plan"])
            .expect(0);
        assert_eq!(shop.comment('a', 2, &["second.plan"]), "created");
        assert_eq!(shop.comment('a', 1, &["first.plan"]), "left_alone");
        assert!(shop.only().contains("channels:read"));
        assert_eq!(shop.comment('a', 2, &["second.plan"]), "unchanged");
    }
}

#[test]
fn a_failure_stands_above_the_plan_of_an_older_commit() {
    let mut bodies = Vec::new();
    for shop in shops() {
        shop.head('a', false);
        shop.plan('a', 1);
        shop.head('b', false);
        shop.project.write(
            "base44/connectors/bad.jsonc",
            "{ nonsense <!-- connplan-below --> ",
        );
        let failed = shop.run('b', 2, &["plan", "--out", "b.plan", "--format", "json"]);
        failed.expect(1);
        shop.project.write("error.json", &failed.stdout);
        assert_eq!(shop.comment('b', 2, &["--failed", "error.json"]), "updated");
        let body = shop.only();
        bodies.push(body);
        // The old run again, which was fine.
        assert_eq!(shop.comment('a', 1, &["a1.plan"]), "left_alone");
        // A good plan takes the place of both.
        fs::remove_file(shop.project.path("base44/connectors/bad.jsonc")).unwrap();
        shop.head('c', false);
        assert_eq!(shop.plan('c', 3), "updated");
        assert!(!shop.only().contains("failed"), "{}", shop.only());
    }
    reads!(bodies);
}

#[test]
fn a_failure_before_any_plan_is_a_comment_too() {
    let mut bodies = Vec::new();
    for shop in shops() {
        shop.head('a', false);
        // Cut off before it could say anything.
        shop.project.write("error.json", "");
        assert_eq!(shop.comment('a', 1, &["--failed", "error.json"]), "created");
        bodies.push(shop.only());
        let none = shop.run('a', 1, &["comment"]);
        none.expect(1);
        let summary = shop.project.path("summary.md");
        let shown = summary.display().to_string();
        shop.project
            .run_vars(
                &[("GITHUB_STEP_SUMMARY", &shown)],
                &["comment", "--failed", "error.json", "--summary-only"],
            )
            .expect(0);
        bodies.push(fs::read_to_string(summary).unwrap());
    }
    reads!(bodies, @"
    <!-- connplan app=app%2D1 -->
    ## connplan: failed: app `app-1`

    🛑 **The error cannot be read; see the log of the run.**
    <!-- connplan-below -->

    <!-- connplan-shows latest=COMMIT by=ann#317 -->

    ## connplan: failed: app `app-1`

    🛑 **The error cannot be read; see the log of the run.**


    <!-- connplan app=app%2D1 -->
    ## connplan: failed: app `app-1`

    🛑 **The error cannot be read; see the log of the run.**
    <!-- connplan-below -->

    <!-- connplan-shows latest=COMMIT by=ann#317 -->

    ## connplan: failed: app `app-1`

    🛑 **The error cannot be read; see the log of the run.**
    ");
}

#[test]
fn the_receipt_is_a_comment_of_its_own_and_the_plan_says_that_it_was_applied() {
    let mut bodies = Vec::new();
    for shop in shops() {
        shop.applied();
        bodies.extend(shop.comments.bodies());
        // Once more: nothing else is made.
        shop.after_merge('f', &["comment", "done.receipt"])
            .expect(0);
        assert_eq!(shop.comments.bodies().len(), 2);
    }
    reads!(bodies);
}

#[test]
fn an_apply_that_is_refused_says_so_above_the_plan() {
    let mut bodies = Vec::new();
    for shop in shops() {
        shop.merged();
        shop.refused();
        bodies.push(shop.only());
    }
    reads!(bodies);
}

#[test]
fn a_refused_run_again_does_not_undo_what_the_comment_says_of_the_apply() {
    for shop in shops() {
        shop.applied();
        for _ in 0..2 {
            shop.refused();
            let [plan, _] = shop.comments.bodies().try_into().unwrap();
            assert!(plan.contains("## connplan: refused: app"), "{plan}");
            assert!(plan.contains("**This plan was applied; "), "{plan}");
            assert!(!plan.contains("was not applied"), "{plan}");
        }
    }
}

#[test]
fn without_an_event_the_merge_that_the_forge_made_up_is_no_commit() {
    let shop = shop(true);
    shop.head('a', false);
    let vars = [
        ("GITHUB_EVENT_NAME", "pull_request"),
        ("GITHUB_REF", "refs/pull/5/merge"),
        ("GITHUB_SHA", "0123456789012345678901234567890123456789"),
        ("GITHUB_RUN_ID", "1"),
    ];
    for outcome in ["created", "updated"] {
        shop.project
            .run_vars(&vars, &["plan", "--out", "x.plan"])
            .expect(0);
        let args = ["comment", "x.plan", "--format", "json"];
        let report = shop.project.run_vars(&vars, &args).expect(0).json();
        assert_eq!(report["outcome"], outcome, "{report}");
        shop.project.declare("linear", &["read"]);
    }
    assert!(!shop.only().contains("0123456"), "{}", shop.only());
}

#[test]
fn a_merge_queue_leaves_the_comment_alone() {
    let shop = shop(true);
    shop.head('a', false);
    shop.plan('a', 1);
    let event = shop.project.path("../queue.json");
    fs::write(
        &event,
        json!({"merge_group": {"head_sha": sha('9')}}).to_string(),
    )
    .unwrap();
    let event = event.display().to_string();
    let vars = [
        ("GITHUB_EVENT_NAME", "merge_group"),
        ("GITHUB_EVENT_PATH", &*event),
        (
            "GITHUB_REF",
            "refs/heads/gh-readonly-queue/main/pr-5-9999999999999999",
        ),
        ("GITHUB_SHA", "9999999999999999999999999999999999999999"),
    ];
    let before = shop.only();
    shop.project
        .run_vars(&vars, &["plan", "--out", "q.plan"])
        .expect(0);
    let out = shop
        .project
        .run_vars(&vars, &["comment", "q.plan", "--format", "json"]);
    let report: Value = out.expect(0).json();
    assert_eq!(report["outcome"], "left_alone", "{report}");
    assert_eq!(shop.only(), before);
}

#[test]
fn a_forge_that_does_not_tell_the_head_gets_a_comment_all_the_same() {
    for shop in shops() {
        assert_eq!(shop.plan('a', 1), "created");
        assert_eq!(shop.plan('b', 2), "updated");
    }
}
