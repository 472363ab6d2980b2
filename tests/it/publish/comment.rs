//! `connplan comment`, the binary, against stand-ins of GitHub's and GitLab's API.

use std::fs;

use serde_json::{Value, json};

use crate::{
    publish::forge::{
        Comments, MARKER, Run, SHA, fixture, github, gitlab, of_bot, of_user, text, write,
    },
    support::scripted::{Reply, Scripted},
};

const PLAN: &str = "plans/every-danger/plan.toml";
const NO_CHANGES: &str = "plans/no-changes/plan.toml";

fn writes(server: &Scripted) -> usize {
    let log = server.log();
    let writes = |route: &&String| !route.starts_with("GET") && !route.ends_with("/graphql");
    log.iter().filter(writes).count()
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

    // The receipt is a comment of its own: what was approved stays to be read.
    let done = run.outcome("receipts/partial/receipt.toml", &[]);
    assert_eq!(done["outcome"], "created");
    let [plan, receipt] = comments.bodies().try_into().unwrap();
    assert_eq!(plan, body);
    assert!(receipt.starts_with("<!-- connplan-receipt app=68a1b2c3d4e5f60718293a4b"));
    assert!(receipt.contains("\n## connplan apply: "));
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
    // On a page of its own, after those that hold it too.
    let merged = |number: usize, commit: &str| json!({"number": number, "merged_at": "2026-01-01T00:00:00Z", "merge_commit_sha": commit});
    server.on_each(
        &format!("GET /repos/octo/site/commits/{SHA}/pulls"),
        move |seen| {
            let others = (100..200).map(|number| merged(number, "other")).collect();
            Reply::json(
                200,
                &match &*super::forge::query(&seen.query, "page") {
                    "1" => Value::Array(others),
                    _ => json!([{"number": 4, "merged_at": null}, merged(5, SHA)]),
                },
            )
        },
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
        (Reply::html(200, "<html>log in</html>"), "it is not JSON", 1),
        (
            Reply::json(200, &json!({"not": "a list"})),
            "it is not a list",
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
    server.on(list, [Reply::status(403)]);
    let out = run.comment(PLAN, &["--strict", "--format", "json"]);
    assert_eq!(out.status.code(), Some(1));
    let one: Value = serde_json::from_str(&text(&out.stdout)).unwrap();
    assert_eq!(one["outcome"], "failed", "{one}");
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
    assert!(text(&out.stderr).contains("no pull or merge request to comment on"));
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
    assert!(outputs.starts_with("digest=sha256:") && outputs.contains("has-changes=true\n"));

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
            .any(|body| body.contains("o***@example.com"))
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
