//! Which request vouches, of which commit and branch, and for whom.

use serde_json::{Value, json};

use super::heads::{Shop, sha, shop, shops, shops_by_turns};
use super::reviews::{GOOD, Reviews};
use crate::support::{Output, reads, scripted::Reply};

impl Shop {
    /// The branch that runs say that they are of: into which the request goes, and which was pushed.
    fn of_branch(mut self, branch: &str) -> Self {
        let (into, pushed) = if self.github {
            let pushed = ("GITHUB_REF", format!("refs/heads/{branch}"));
            ("GITHUB_BASE_REF", pushed)
        } else {
            let pushed = ("CI_COMMIT_BRANCH", branch.to_owned());
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", pushed)
        };
        self.project = self.project.var(into, branch).var(pushed.0, &pushed.1);
        self
    }

    /// The same after a merge, where no variable names a target.
    fn after_push(&self, args: &[&str]) -> Output {
        let none = [
            ("GITHUB_BASE_REF", ""),
            ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", ""),
        ];
        self.after_merge_vars('f', &none, args)
    }

    /// The request as the forge tells it: into this branch, and more.
    fn request(&self, branch: &str, more: &Value) {
        let mut request = if self.github {
            json!({"number": 5, "head": {"sha": sha('a')}, "user": {"login": "ann"}, "commits": 1,
                "requested_reviewers": [], "base": {"ref": branch}})
        } else {
            json!({"iid": 3, "sha": sha('a'), "author": {"username": "ann"}, "target_branch": branch})
        };
        for (name, value) in more.as_object().unwrap() {
            request[name] = value.clone();
        }
        let route = if self.github {
            "GET /repos/octo/site/pulls/5"
        } else {
            "GET /api/v4/projects/12/merge_requests/3"
        };
        self.server.on(route, [Reply::json(200, &request)]);
    }

    fn approved(&self) -> Output {
        self.run('a', 9, &["apply", "a1.plan", "--approved-in-review"])
    }
}

#[test]
fn a_review_is_of_the_branch_by_whose_rules_the_plan_was_judged() {
    for shop in shops_by_turns(0) {
        let shop = shop.of_branch("loose");
        shop.head('a', false);
        shop.plan('a', 1);
        shop.review(&GOOD);
        shop.request("loose", &json!({}));
        // Sent elsewhere since: this run is not for that.
        shop.request("main", &json!({}));
        shop.approved()
            .expect(3)
            .tells("goes into main, and this run is for loose");
        let shop = shop.of_branch("main");
        shop.approved()
            .expect(3)
            .tells("judged by the rules of another branch than main");
        // Also where the forge does not tell where it goes.
        shop.head('a', false);
        shop.approved()
            .expect(3)
            .tells("judged by the rules of another branch than main");
        shop.request("main", &json!({}));
        let after = ["apply", "a1.plan", "--approved-in-review"];
        shop.after_push(&after)
            .expect(3)
            .tells("judged by the rules of another branch than main");
        // Merged where it went, and that was brought here.
        shop.request("loose", &json!({}));
        shop.after_push(&after)
            .expect(3)
            .tells("goes into loose, and this run is for main");
        assert_eq!(shop.platform.writes(), [] as [&str; 0]);
        shop.request("main", &json!({}));
        assert_eq!(shop.plan('a', 2), "updated");
        shop.after_push(&after).expect(0);
    }
}

#[test]
fn a_review_of_the_newest_commit_is_none_of_an_older_one() {
    for shop in shops() {
        shop.head('a', false);
        shop.plan('a', 1);
        // The same plan, by other settings perhaps.
        shop.head('b', false);
        shop.plan('b', 2);
        shop.review(&Reviews {
            given: &[("bob", "APPROVED", 'b', false)],
            ..GOOD
        });
        shop.head('b', false);
        shop.approved()
            .expect(3)
            .tells("no review counts in this run: the request has a newer commit");
        assert_eq!(shop.platform.writes(), [] as [&str; 0]);
        let newest = ["apply", "b2.plan", "--approved-in-review"];
        shop.run('b', 9, &newest).expect(0);
    }
}

/// An event lists the requests that have its commit, from whichever branch somebody opened them.
#[test]
fn a_run_that_is_for_no_request_has_none_of_those_that_are_listed() {
    let shop = shop(true);
    shop.head('a', false);
    shop.plan('a', 1);
    shop.review(&GOOD);
    let request = json!({"number": 5, "head": {"sha": sha('a'), "ref": "topic"}});
    let event = json!({"check_suite": {"head_sha": sha('a'), "head_branch": "topic",
        "pull_requests": [request]}});
    shop.project.write("../listed.json", &event.to_string());
    let path = shop.project.path("../listed.json").display().to_string();
    let commit = sha('a');
    let vars = [
        ("GITHUB_EVENT_NAME", "check_suite"),
        ("GITHUB_EVENT_PATH", path.as_str()),
        ("GITHUB_REF", "refs/heads/main"),
        ("GITHUB_SHA", commit.as_str()),
    ];
    let apply = ["apply", "a1.plan", "--approved-in-review"];
    let run = shop.project.run_vars(&vars, &apply);
    reads!(run, @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    error: the review does not approve this plan: the event lists the pull request because it has this commit, and does not say that this run is for it
      help: apply in a run for the pull request, or for the push that merged it
      code: connplan::approval::review
    ");
    assert_eq!(shop.platform.writes(), [] as [&str; 0]);
}

#[test]
fn a_request_that_was_closed_vouches_for_nothing() {
    let mut said = Vec::new();
    for shop in shops() {
        shop.head('a', false);
        shop.plan('a', 1);
        shop.review(&GOOD);
        shop.request(
            "main",
            &json!({"state": "closed", "merged": false, "merged_at": null}),
        );
        said.push(shop.approved());
        assert_eq!(shop.platform.writes(), [] as [&str; 0]);
        let merged = if shop.github { "closed" } else { "merged" };
        shop.request("main", &json!({"state": merged, "merged": true}));
        shop.approved().expect(0);
    }
    reads!(said, @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    error: the review does not approve this plan: the pull request was closed without a merge
      help: open the pull request again, and have it approved
      code: connplan::approval::review

    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    error: the review does not approve this plan: the merge request was closed without a merge
      help: open the merge request again, and have it approved
      code: connplan::approval::review
    ");
}

#[test]
fn a_comment_that_says_that_planning_failed_shows_no_plan() {
    for shop in shops_by_turns(1) {
        shop.head('a', false);
        shop.plan('a', 1);
        shop.review(&GOOD);
        shop.project.write("error.json", "{\"kind\": \"error\"}");
        assert_eq!(shop.comment('a', 2, &["--failed", "error.json"]), "updated");
        shop.approved()
            .expect(3)
            .tells("the plan that was reviewed is none");
        assert_eq!(shop.platform.writes(), [] as [&str; 0]);
        assert_eq!(shop.plan('a', 3), "updated");
        shop.approved().expect(0);
    }
}

#[test]
fn an_approval_on_gitlab_is_of_the_commit_that_was_the_newest_then() {
    let shop = shop(false);
    shop.head('a', false);
    shop.plan('a', 1);
    shop.review(&GOOD);
    let version = |letter: char, year: u32| json!({"head_commit_sha": sha(letter), "created_at": format!("{year}-01-01T00:00:00.000Z")});
    let route = "GET /api/v4/projects/12/merge_requests/3/versions";
    let told = |versions: &Value| shop.server.on(route, [Reply::json(200, versions)]);
    // Given in 2100, between one push and the next.
    told(&json!([
        version('a', 2101),
        version('b', 2099),
        version('a', 2020)
    ]));
    reads!(shop.approved(), @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob reviewed an older commit, bbbbbbb.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing
    ");
    // In the very second of a push, which of both came first is not known.
    told(&json!([version('a', 2100), version('b', 2099)]));
    reads!(shop.approved(), @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob reviewed an older commit, bbbbbbb.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing
    ");
    told(&json!([version('b', 2101), version('a', 2020)]));
    shop.approved()
        .expect(3)
        .tells("the request was changed just now");
    assert_eq!(shop.platform.writes(), [] as [&str; 0]);
    told(&json!([version('a', 2101), version('a', 2099)]));
    shop.approved().expect(0);
    // A server that has no such list.
    for status in [404, 405, 501] {
        shop.server.on(route, [Reply::status(status)]);
        shop.approved().expect(0);
    }
}

#[test]
fn who_pushed_approves_nothing_whatever_the_commits_say() {
    let mut said = Vec::new();
    for mut shop in shops() {
        shop.head('a', false);
        shop.plan('a', 1);
        shop.review(&GOOD);
        // This run is for bob's push; the one that commented was for another.
        shop.pusher = "Bob";
        said.push(shop.approved());
        shop.plan('a', 1);
        said.push(shop.approved());
        // The comment remembers it, whoever starts the next run.
        shop.pusher = "ann";
        shop.plan('a', 2);
        said.push(shop.approved());
        let after = ["apply", "a1.plan", "--approved-in-review"];
        said.push(shop.after_merge('f', &after));
        assert_eq!(shop.platform.writes(), [] as [&str; 0]);
    }
    reads!(said, @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing

    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing

    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing

    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: The review by bob does not count: bob pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing

    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing

    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing

    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing

    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: The review by bob does not count: bob pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing
    ");
}

#[test]
fn who_pushed_is_told_or_refused_and_never_forgotten() {
    let mut shop = shop(true);
    let edited = |shop: &mut Shop| shop.action = "edited";
    let pushed = |shop: &mut Shop| shop.action = "synchronize";
    shop.head('a', false);
    // The run for the push was cut off, or its comment is gone: a later one does not know who it was.
    edited(&mut shop);
    shop.plan('a', 1);
    shop.review(&GOOD);
    reads!(shop.approved(), @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    error: the review does not approve this plan: who pushed the newest commit of the pull request is not known: no run for that push has told it
      help: run the workflow run of the last push again (`opened` or `synchronize`), or push again; an edited title must not cancel that run. Or give the token `contents: read`: then GitHub is asked who pushed. A run for another run (`workflow_run`) never tells it: of a fork that the token cannot read, have the plan signed instead (`connplan approve`)
      code: connplan::approval::review
    ");
    // Nor does the next one that is for no push.
    shop.plan('a', 1);
    reads!(shop.approved(), @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    error: the review does not approve this plan: who pushed the newest commit of the pull request is not known: no run for that push has told it
      help: run the workflow run of the last push again (`opened` or `synchronize`), or push again; an edited title must not cancel that run. Or give the token `contents: read`: then GitHub is asked who pushed. A run for another run (`workflow_run`) never tells it: of a fork that the token cannot read, have the plan signed instead (`connplan approve`)
      code: connplan::approval::review
    ");
    // That run again, which ends last although it planned first, tells it.
    shop.run('a', 2, &["plan", "--out", "late.plan"]).expect(0);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    shop.plan('a', 3);
    pushed(&mut shop);
    shop.pusher = "bob";
    assert_eq!(shop.comment('a', 2, &["late.plan"]), "updated");
    assert_eq!(shop.comment('a', 2, &["late.plan"]), "left_alone");
    edited(&mut shop);
    shop.plan('a', 4);
    reads!(shop.approved(), @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing
    ");
    shop.project.write("error.json", "{\"kind\": \"error\"}");
    assert_eq!(shop.comment('a', 5, &["--failed", "error.json"]), "updated");
    shop.plan('a', 6);
    reads!(shop.approved(), @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    warning: The review by bob does not count: bob pushed the change.
    error: the plan is not approved: 1 approving review needed, 0 found
      help: have the pull or merge request approved whose comment shows this plan; then `connplan apply a1.plan --approved-in-review=1`
      code: connplan::approval::missing
    ");
    // What somebody else wrote into it is nobody's word, also once the tool has written it anew.
    shop.comments.edit(|comment| {
        let body = comment["body"]
            .as_str()
            .unwrap()
            .replace("by=bob", "by=ann");
        comment["body"] = json!(body);
    });
    shop.edited_by("mallory");
    shop.plan('a', 7);
    shop.edited_by("own");
    reads!(shop.approved(), @"
    exit 3: connplan apply a1.plan --approved-in-review
    --- stderr
    warning: this folder is not in a git repository: connplan cannot read the settings of the base branch, so they do not apply to this pull or merge request
    error: the review does not approve this plan: who pushed the newest commit of the pull request is not known: no run for that push has told it
      help: run the workflow run of the last push again (`opened` or `synchronize`), or push again; an edited title must not cancel that run. Or give the token `contents: read`: then GitHub is asked who pushed. A run for another run (`workflow_run`) never tells it: of a fork that the token cannot read, have the plan signed instead (`connplan approve`)
      code: connplan::approval::review
    ");
    assert_eq!(shop.platform.writes(), [] as [&str; 0]);
}
