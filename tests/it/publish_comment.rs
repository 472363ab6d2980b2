//! `connplan comment`, the binary, against stand-ins of GitHub's and GitLab's API.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, Mutex},
};

use connplan::fs::Visibility;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::scripted::{Reply, Scripted};

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";
const MARKER: &str = "<!-- connplan app=68a1b2c3d4e5f60718293a4b env=production -->";

fn fixture(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(path)
}

/// A run of the binary in a folder of its own, without any variable but those given.
struct Run {
    home: TempDir,
    vars: Vec<(String, String)>,
}

impl Run {
    fn bare() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut run = Self {
            home,
            vars: Vec::new(),
        };
        run.set("TERM", "dumb").set("CONNPLAN_RETRY_BASE_MS", "1");
        run
    }

    fn github(server: &Scripted) -> Self {
        let mut run = Self::bare();
        run.set("GITHUB_ACTIONS", "true")
            .set("GITHUB_API_URL", &server.url())
            .set("GITHUB_REPOSITORY", "octo/site")
            .set("GITHUB_REF", "refs/pull/5/merge")
            .set("GITHUB_EVENT_NAME", "pull_request")
            .set("GITHUB_TOKEN", "ghs_canary");
        run
    }

    fn gitlab(server: &Scripted) -> Self {
        let mut run = Self::bare();
        run.set("GITLAB_CI", "true")
            .set("CI_API_V4_URL", &format!("{}/api/v4", server.url()))
            .set("CI_PROJECT_ID", "12")
            .set("CI_PROJECT_PATH", "group/site")
            .set("CI_MERGE_REQUEST_IID", "3")
            .set("GITLAB_TOKEN", "glpat-canary");
        run
    }

    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.vars.retain(|(known, _)| known != name);
        self.vars.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn comment(&self, file: &str, args: &[&str]) -> Output {
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

    fn outcome(&self, file: &str, args: &[&str]) -> Value {
        let out = self.comment(file, &[args, &["--format", "json"]].concat());
        assert!(out.status.success(), "{}", text(&out.stderr));
        serde_json::from_slice(&out.stdout).unwrap()
    }
}

fn write(path: &Path, text: &str) {
    connplan::fs::write(path, text.as_bytes(), Visibility::Shared).unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const PLAN: &str = "plans/every-danger/plan.toml";
const NO_CHANGES: &str = "plans/no-changes/plan.toml";

/// Comments that live in the stand-in, as both forges keep them.
#[derive(Clone, Default)]
struct Comments(Arc<Mutex<Vec<Value>>>);

impl Comments {
    fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }

    fn bodies(&self) -> Vec<String> {
        let body = |comment: Value| comment["body"].as_str().unwrap().to_owned();
        self.all().into_iter().map(body).collect()
    }

    fn add(&self, mut comment: Value) -> Value {
        let mut all = self.0.lock().unwrap();
        comment["id"] = json!(100 + all.len());
        all.push(comment.clone());
        comment
    }

    fn change(&self, id: u64, body: &Value) -> Value {
        let mut all = self.0.lock().unwrap();
        let comment = all.iter_mut().find(|c| c["id"] == id).unwrap();
        comment["body"] = body.clone();
        comment.clone()
    }
}

/// GitHub's part of the API, two comments to a page.
fn github() -> (Scripted, Comments) {
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

fn of_bot(body: &Value) -> Value {
    json!({
        "body": body,
        "user": {"login": "github-actions[bot]", "type": "Bot"},
        "html_url": "https://github.example/octo/site/pull/5#issuecomment-1",
    })
}

fn gitlab() -> (Scripted, Comments) {
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

fn of_user(name: &str, body: &Value) -> Value {
    json!({"body": body, "system": false, "author": {"username": name}})
}

fn query(query: &str, name: &str) -> String {
    url::form_urlencoded::parse(query.as_bytes())
        .find(|(known, _)| known == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn writes(server: &Scripted) -> usize {
    let log = server.log();
    log.iter().filter(|route| !route.starts_with("GET")).count()
}

/// A comment is made, left alone, changed, and not made where nothing changes: the same at both.
fn lives(run: &Run, server: &Scripted, comments: &Comments) {
    assert_eq!(run.outcome(NO_CHANGES, &[])["outcome"], "skipped");
    assert_eq!(writes(server), 0, "nothing changes and there is no comment");

    assert_eq!(run.outcome(PLAN, &[])["outcome"], "created");
    let [body] = comments.bodies().try_into().unwrap();
    assert!(
        body.starts_with(&format!("{MARKER}\n## connplan plan: ")),
        "{body}"
    );
    assert!(body.contains("real payments stop") && !body.contains("ops@example.com"));

    assert_eq!(run.outcome(PLAN, &[])["outcome"], "unchanged");
    assert_eq!(writes(server), 1);

    let done = run.outcome("receipts/partial/receipt.toml", &[]);
    assert_eq!(done["outcome"], "updated");
    let [body] = comments.bodies().try_into().unwrap();
    assert!(body.starts_with(&format!("{MARKER}\n## connplan apply: ")));
}

#[test]
fn on_github_a_comment_is_made_left_alone_and_changed() {
    let (server, comments) = github();
    lives(&Run::github(&server), &server, &comments);
    for seen in server.seen() {
        assert_eq!(seen.header("authorization"), Some("Bearer ghs_canary"));
        assert_eq!(seen.header("accept"), Some("application/vnd.github+json"));
        assert_eq!(seen.header("x-github-api-version"), Some("2022-11-28"));
        assert!(seen.header("user-agent").unwrap().starts_with("connplan/"));
    }
}

#[test]
fn on_gitlab_a_comment_is_made_left_alone_and_changed() {
    let (server, comments) = gitlab();
    lives(&Run::gitlab(&server), &server, &comments);
    for seen in server.seen() {
        assert_eq!(seen.header("private-token"), Some("glpat-canary"));
    }
}

#[test]
fn a_plan_without_changes_updates_an_old_comment() {
    for (run, (server, comments)) in [
        (Run::github as fn(&Scripted) -> Run, github()),
        (Run::gitlab, gitlab()),
    ] {
        let run = run(&server);
        let bot = of_bot(&json!(
            "<!-- connplan app=68a1b2c3d4e5f60718293a4b -->\nold"
        ));
        let mut own = of_user("project_12_bot", &bot["body"]);
        own["user"] = bot["user"].clone();
        comments.add(own);
        assert_eq!(run.outcome(NO_CHANGES, &[])["outcome"], "updated");
        assert!(
            comments.bodies()[0].contains("No changes"),
            "{:?}",
            comments.bodies()
        );
        assert_eq!(run.outcome(NO_CHANGES, &[])["outcome"], "unchanged");
    }
}

#[test]
fn always_makes_a_comment_where_nothing_changes() {
    let (server, comments) = github();
    let made = Run::github(&server).outcome(NO_CHANGES, &["--always"]);
    assert_eq!(
        (&made["outcome"], &made["has_changes"]),
        (&json!("created"), &json!(false))
    );
    assert_eq!(comments.bodies().len(), 1);
}

#[test]
fn environments_have_comments_of_their_own() {
    let (server, comments) = github();
    let run = Run::github(&server);
    run.outcome(PLAN, &[]);
    run.outcome("plans/hostile/plan.toml", &[]);
    run.outcome("plans/create/plan.toml", &[]);
    assert_eq!(comments.bodies().len(), 3);
    assert_eq!(run.outcome(PLAN, &[])["outcome"], "unchanged");
}

#[test]
fn a_comment_that_somebody_else_may_edit_is_not_ours() {
    let (server, comments) = github();
    let forged = json!(format!("{MARKER}\nAll is well, approve it."));
    comments.add(json!({"body": forged, "user": {"login": "mallory", "type": "User"}}));
    let quoted = json!(format!("> {MARKER}\n> quoted"));
    comments.add(of_bot(&quoted));
    comments.add(json!({"body": "hello", "user": {"login": "ann", "type": "User"}}));
    let run = Run::github(&server);
    assert_eq!(run.outcome(PLAN, &[])["outcome"], "created");
    assert_eq!(comments.bodies()[0], forged);
    // The one on the second page is found.
    assert_eq!(run.outcome(PLAN, &[])["outcome"], "unchanged");

    // With a personal token, that person's comment is the one.
    server.on(
        "GET /user",
        [Reply::json(200, &json!({"login": "Mallory"}))],
    );
    assert_eq!(run.outcome(PLAN, &[])["outcome"], "updated");
    assert_ne!(comments.bodies()[0], forged);
}

#[test]
fn a_job_token_is_asked_about_in_its_own_way() {
    let (server, comments) = gitlab();
    comments.add(of_user("ann", &json!(format!("{MARKER}\nold"))));
    comments.add(json!({"body": format!("{MARKER}\nevent"), "system": true, "author": {}}));
    let mut run = Run::gitlab(&server);
    run.set("GITLAB_TOKEN", "")
        .set("CI_JOB_TOKEN", "job-canary");
    server.on(
        "GET /api/v4/job",
        [Reply::json(200, &json!({"user": {"username": "ann"}}))],
    );
    assert_eq!(run.outcome(PLAN, &[])["outcome"], "updated");
    let asked = server.last("GET /api/v4/job");
    assert_eq!(asked.header("job-token"), Some("job-canary"));
    assert_eq!(asked.header("private-token"), None);
}

#[test]
fn after_a_merge_the_request_is_found_by_its_commit() {
    let (server, comments) = github();
    let mut run = Run::github(&server);
    run.set("GITHUB_REF", "refs/heads/main")
        .set("GITHUB_EVENT_NAME", "push")
        .set("GITHUB_SHA", SHA);
    let pulls = json!([
        {"number": 4, "merged_at": null, "merge_commit_sha": SHA},
        {"number": 5, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": SHA},
    ]);
    server.on(
        &format!("GET /repos/octo/site/commits/{SHA}/pulls"),
        [Reply::json(200, &pulls)],
    );
    run.outcome("receipts/all-done/receipt.toml", &[]);
    assert_eq!(comments.bodies().len(), 1);

    // A push that was no merge: said, and no failure unless it is asked for.
    server.on(
        &format!("GET /repos/octo/site/commits/{SHA}/pulls"),
        [Reply::json(200, &json!([]))],
    );
    let out = run.comment(PLAN, &[]);
    assert!(out.status.success());
    assert!(
        text(&out.stderr).contains("no pull request to comment on"),
        "{}",
        text(&out.stderr)
    );
    assert_eq!(run.comment(PLAN, &["--strict"]).status.code(), Some(1));
}

#[test]
fn the_command_line_names_another_place() {
    let (server, _) = github();
    let mut run = Run::github(&server);
    run.set("GITHUB_REPOSITORY", "some/other")
        .set("GITHUB_REF", "refs/heads/x");
    let args = ["--repo", "octo/site", "--pr", "5"];
    assert_eq!(run.outcome(PLAN, &args)["outcome"], "created");
    let out = run.comment(PLAN, &["--repo", "../../x", "--pr", "5", "--strict"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("--repo is not a repository"));
}

#[test]
fn passing_faults_are_tried_again_and_make_no_second_comment() {
    let (server, comments) = github();
    let list = "GET /repos/octo/site/issues/5/comments";
    let empty = Reply::json(200, &json!([]));
    let slow =
        Reply::json(403, &json!({"message": "secondary rate limit"})).header("retry-after", "0");
    server.on(list, [Reply::status(502), slow, Reply::reset_read(), empty]);
    let run = Run::github(&server);
    assert_eq!(run.outcome(PLAN, &[])["outcome"], "created");
    assert_eq!(server.hits(list), 4);

    // The comment is made, and the answer is lost.
    let (server, comments_two) = github();
    let kept = comments_two.clone();
    server.on_each("POST /repos/octo/site/issues/5/comments", move |seen| {
        kept.add(of_bot(&seen.json()["body"]));
        Reply::reset_read()
    });
    assert_eq!(
        Run::github(&server).outcome(PLAN, &[])["outcome"],
        "created"
    );
    assert_eq!(comments_two.bodies().len(), 1);
    assert_eq!(comments.bodies().len(), 1);
}

#[test]
fn what_does_not_pass_is_said_and_fails_only_when_strict() {
    let (server, _) = github();
    let list = "GET /repos/octo/site/issues/5/comments";
    let run = Run::github(&server);
    let spent = Reply::status(403)
        .header("x-ratelimit-remaining", "0")
        .header("x-ratelimit-reset", "99999999999");
    let cases = [
        (Reply::status(401), "the token was refused (HTTP 401)", 1),
        (
            Reply::json(
                403,
                &json!({"message": "Resource \u{1b}[2J not accessible"}),
            ),
            "HTTP 403",
            1,
        ),
        (spent, "too many requests", 1),
        (Reply::status(500), "failed after 4 attempts: HTTP 500", 4),
        (
            Reply::status(302).header("location", "https://evil.example/"),
            "HTTP 302",
            1,
        ),
        (Reply::html(200, "<html>log in</html>"), "it is no JSON", 1),
        (
            Reply::json(200, &json!({"not": "a list"})),
            "it is no list",
            1,
        ),
    ];
    for (reply, said, attempts) in cases {
        let before = server.hits(list);
        server.on(list, [reply]);
        let out = run.comment(PLAN, &[]);
        let stderr = text(&out.stderr);
        assert!(out.status.success(), "{stderr}");
        assert!(
            stderr.contains("warning") && stderr.contains(said),
            "{said}: {stderr}"
        );
        assert!(!stderr.contains('\u{1b}'));
        assert_eq!(server.hits(list) - before, attempts, "{said}");
        assert_eq!(writes(&server), 0);
    }
    server.on(list, [Reply::status(403)]);
    let out = run.comment(PLAN, &["--strict"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("pull-requests: write"));
}

#[test]
fn the_token_never_travels_in_the_clear() {
    let (server, _) = github();
    let mut run = Run::github(&server);
    run.set("GITHUB_API_URL", "http://ghe.example.com/api/v3");
    let out = run.comment(PLAN, &["--strict", "--allow-http"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(
        text(&out.stderr).contains("plain http"),
        "{}",
        text(&out.stderr)
    );
}

#[test]
fn without_a_place_or_a_token_it_says_what_is_missing() {
    let out = Run::bare().comment(PLAN, &[]);
    assert!(out.status.success());
    assert!(text(&out.stderr).contains("nothing says where to comment"));
    let (server, _) = github();
    let mut run = Run::github(&server);
    run.set("GITHUB_TOKEN", "");
    let out = run.comment(PLAN, &["--strict"]);
    assert_eq!(out.status.code(), Some(1));
    assert!(text(&out.stderr).contains("GITHUB_TOKEN is not set"));
    assert!(server.log().is_empty());
}

#[test]
fn the_runner_gets_a_summary_and_outputs() {
    let (server, comments) = github();
    let mut run = Run::github(&server);
    let (summary, output) = (run.path("summary.md"), run.path("output"));
    write(&summary, "before\n");
    run.set("GITHUB_STEP_SUMMARY", summary.to_str().unwrap())
        .set("GITHUB_OUTPUT", output.to_str().unwrap());
    assert!(run.comment(PLAN, &["--summary-only"]).status.success());
    assert!(comments.all().is_empty() && server.log().is_empty());
    let written = fs::read_to_string(&summary).unwrap();
    assert!(
        written.starts_with("before\n## connplan plan: "),
        "{written}"
    );
    assert!(!written.contains(MARKER));
    let outputs = fs::read_to_string(&output).unwrap();
    assert!(outputs.starts_with("digest=sha256:69b8") && outputs.contains("has-changes=true\n"));

    run.comment(PLAN, &[]);
    let outputs = fs::read_to_string(&output).unwrap();
    assert!(
        outputs.contains("comment=created\ncomment-url=https://github.example/"),
        "{outputs}"
    );

    // What does not fit is cut, never too long: the runner drops all of a longer one.
    write(&summary, &"x".repeat(1024 * 1024 - 2000));
    run.comment("plans/many/plan.toml", &["--summary-only"]);
    assert!(fs::metadata(&summary).unwrap().len() <= 1024 * 1024);
}

#[test]
fn a_dry_run_prints_the_comment_and_touches_nothing() {
    let (server, _) = github();
    let mut run = Run::github(&server);
    let summary = run.path("summary.md");
    run.set("GITHUB_STEP_SUMMARY", summary.to_str().unwrap());
    let out = run.comment(PLAN, &["--dry-run"]);
    assert!(out.status.success());
    assert!(text(&out.stdout).starts_with(&format!("{MARKER}\n## connplan plan: ")));
    assert!(text(&out.stderr).contains("GitHub octo/site#5"));
    assert!(server.log().is_empty() && !summary.exists());
    assert!(Run::bare().comment(PLAN, &["--dry-run"]).status.success());
}

#[test]
fn the_comment_keeps_to_its_length_and_masks_accounts() {
    let (server, comments) = github();
    let run = Run::github(&server);
    run.comment("plans/many/plan.toml", &["--max-bytes", "3000"]);
    let [body] = comments.bodies().try_into().unwrap();
    assert!(
        body.len() <= 3000 && body.contains("left out"),
        "{}",
        body.len()
    );
    run.comment("plans/delete-with-account/plan.toml", &["--show-accounts"]);
    assert!(
        comments
            .bodies()
            .iter()
            .any(|body| body.contains("ops@example.com"))
    );
}

#[test]
fn an_altered_plan_is_refused_before_anything_is_sent() {
    let (server, _) = github();
    let run = Run::github(&server);
    let altered = fs::read_to_string(fixture(PLAN))
        .unwrap()
        .replace("chat:write", "chat:read");
    let path = run.path("altered.plan");
    write(&path, &altered);
    let out = run.comment(path.to_str().unwrap(), &[]);
    assert_eq!(out.status.code(), Some(3));
    assert!(server.log().is_empty());
}
